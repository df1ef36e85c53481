"""What a check found: fine, worth knowing, or wrong; and what mends it."""

import os
from dataclasses import dataclass
from typing import Iterable, List

FINE, WARNING, WRONG = "ok", "warning", "WRONG"


@dataclass(frozen=True)
class Finding:
    """level: FINE, WARNING or WRONG; what: a sentence; remedy: what to do, a line to copy where there is one."""

    level: str
    what: str
    remedy: str = ""


def fine(what: str) -> Finding:
    """Nothing to do."""
    return Finding(FINE, what)


def warning(what: str, remedy: str = "") -> Finding:
    """The run will work, but not as one might think."""
    return Finding(WARNING, what, remedy)


def wrong(what: str, remedy: str = "") -> Finding:
    """The run will fail, or give wrong results."""
    return Finding(WRONG, what, remedy)


def lines_of(title: str, findings: Iterable[Finding]) -> List[str]:
    """A title, and a line or two for each finding."""
    lines = [title]
    for finding in findings:
        lines.append(f"  {finding.level:<8} {finding.what}")
        if finding.remedy:
            lines.append(f"  {'':<8} -> {finding.remedy}")
    return lines


def is_said(what: str, before: Iterable[str]) -> bool:
    """Whether a finding was reported before in other words: one of the sentences before begins as a task's refusal
    does, or with the same file.

    what: `fairseq-train would end: ` and the refusal.
    """
    refusal = what.partition(" would end: ")[2]
    begins = {refusal.split(":")[0]} | {word for word in refusal.split()[:1] if os.sep in word}
    return bool(refusal) and any(one.startswith(tuple(begins)) for one in before)
