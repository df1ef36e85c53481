"""The claims that a report makes of tables: each figure, its controls, and in words whether it is evidence."""

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Sequence

from crossinit_fairseq.analysis.controls import Finding, is_evidence, verdict
from crossinit_fairseq.analysis.report import Cell, Table


@dataclass(frozen=True)
class Claim:
    """what: a figure in words, such as "P@1 by cosine, en to ro"; table: its name; findings: of each variant of the
    table, the first as it is."""

    what: str
    table: str
    findings: List[Finding]

    @property
    def verdict(self) -> str:
        """Whether it is evidence, in words."""
        return verdict(self.findings)

    @property
    def is_evidence(self) -> bool:
        """Whether no control reaches it in any variant."""
        return is_evidence(self.findings)

    def as_dict(self) -> Dict[str, Any]:
        """For JSON: all figures and controls."""
        findings = [asdict(finding) for finding in self.findings]
        return {"what": self.what, "table": self.table, "verdict": self.verdict, "findings": findings}


def claim_table(caption: str, claims: Sequence[Claim]) -> Table:
    """A row for each claim: whether it is evidence, the figure, each control of it, and the figure and highest control
    of each variant of the table. Of a control, the limit is shown: what it may reach by chance. `summary_table` has
    the verdict in full."""
    controls = list(dict.fromkeys(control.name for claim in claims for control in claim.findings[0].controls))
    variants = list(dict.fromkeys(finding.variant for claim in claims for finding in claim.findings[1:]))
    titles = ["figure", "table", "verdict", "value"] + [f"control: {name}" for name in controls]
    for variant in variants:
        titles += [variant, f"highest control {variant}"]
    rows: List[Sequence[Cell]] = []
    for claim in claims:
        limits = {control.name: control.limit for control in claim.findings[0].controls}
        short = "evidence" if claim.is_evidence else "no evidence"
        row: List[Cell] = [claim.what, claim.table, short, claim.findings[0].value]
        row += [limits.get(name) for name in controls]
        others = {finding.variant: finding for finding in claim.findings[1:]}
        for variant in variants:
            finding = others.get(variant)
            row.append(finding.value if finding else None)
            row.append(max((control.limit for control in finding.controls), default=None) if finding else None)
        rows.append(row)
    return Table(caption, titles, rows)


def summary_table(claims: Sequence[Claim]) -> Table:
    """All claims in short: figure, table, value, verdict."""
    rows = [(claim.what, claim.table, claim.findings[0].value, claim.verdict) for claim in claims]
    return Table("", ("figure", "table", "value", "verdict"), list(rows))
