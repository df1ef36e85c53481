"""What became of the lines of a file, and whether the file can be what it is said to be."""

from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.preparation.line_filter import REASONS

EXAMPLES = 3  # of each reason and file
_SHOWN = 200  # characters of an example
_LEAST = 20  # lines, before a file is said to be in another language
_EARLY, _SURE = 10000, 0.9  # that many lines of a long file are enough if as large a share of them is
_DAMAGED = 0.1  # of the lines of a file
_MUCH_MARKUP = 0.2  # of the lines of a file: it may be no text yet


class Counts(NamedTuple):
    """What was counted in a part of a file. words: before lines are dropped; unescaped: lines that held character
    entities; dropped: lines by reason; examples: lists of `example` by reason; guesses: lines by likely language."""

    lines: int
    words: int
    unescaped: int
    dropped: "Counter[str]"
    examples: Dict[str, List[Dict[str, Any]]]
    guesses: "Counter[str]"


def example(line: str, number: Optional[int] = None) -> Dict[str, Any]:
    """A dropped line for the report, with its number in its file, from 1, if that is known."""
    return dict({} if number is None else {"line": number}, text=line[:_SHOWN])


class Tally:
    """Counts of one file. name: how messages call it; language: what it should be in."""

    def __init__(self, name: str, language: str):
        self.name, self.language = name, base_language(language)
        self.lines_read = self.words_read = self.lines = self.words = self.unescaped = 0
        self.dropped: "Counter[str]" = Counter()
        self.guesses: "Counter[str]" = Counter()
        self.examples: Dict[str, List[Dict[str, Any]]] = {}

    def add(self, counts: Counts) -> None:
        """Count in a part of the file. Raises InputError as soon as the file is surely in another language."""
        self.lines_read += counts.lines
        self.words_read += counts.words
        self.unescaped += counts.unescaped
        self.dropped.update(counts.dropped)
        self.guesses.update(counts.guesses)
        for reason, some in counts.examples.items():
            self.examples[reason] = (self.examples.get(reason, []) + some)[:EXAMPLES]
        self._check_language(_EARLY, _SURE)

    def keep(self, line: str) -> None:
        """Count a line of those read as kept."""
        self.lines += 1
        self.words += len(line.split())

    def drop(self, reason: str, line: str) -> None:
        """Count a line of those read as dropped."""
        self.dropped[reason] += 1
        if self.dropped[reason] <= EXAMPLES:
            self.examples.setdefault(reason, []).append(example(line))

    def check(self) -> None:
        """Raises InputError for a file that is read and cannot be meant: in another language, or not UTF-8."""
        self._check_language(_LEAST, 0.5)
        damaged = self.dropped["damaged characters"]
        if damaged > _DAMAGED * self.lines_read:
            raise InputError(
                f"{self.name} is not UTF-8 in {damaged:,} of {self.lines_read:,} lines: convert it, for example with "
                "`iconv -f latin2 -t utf-8`"
            )

    def remarks(self) -> List[str]:
        """Sentences on what should be looked at although the file is taken: entities, and much markup."""
        said = []
        if self.unescaped:
            said.append(f"{self.name}: {self.unescaped:,} lines held entities such as &quot;, now what they stand for")
        markup = self.dropped["markup"]
        if self.lines_read >= _LEAST and markup > _MUCH_MARKUP * self.lines_read:
            said.append(
                f"{self.name}: {markup:,} of {self.lines_read:,} lines were dropped as markup: is it text yet? "
                "Take the text out of pages and dumps first"
            )
        return said

    def _check_language(self, least: int, share: float) -> None:
        judged = sum(self.guesses.values())
        others = Counter({guess: n for guess, n in self.guesses.items() if guess != self.language})
        # lines too short to be judged are in the wrong script all the same
        another_script = self.lines_read >= least and self.dropped["another script"] > share * self.lines_read
        if another_script or (judged >= least and sum(others.values()) > share * judged):
            looks_like = others.most_common(1)[0][0] if others else "another script"
            raise InputError(
                f"{self.name} looks like {looks_like}, not {self.language}: are the sides swapped? "
                "(--no-language-filter takes it as it is)"
            )

    def as_dict(self) -> Dict[str, Any]:
        """For JSON; the reasons in the order in which they were tried."""
        order = [reason for reason in REASONS if self.dropped[reason]]
        return {
            "file": self.name,
            "lines_read": self.lines_read,
            "words_read": self.words_read,
            "lines": self.lines,
            "words": self.words,
            "unescaped": self.unescaped,
            "dropped": {reason: self.dropped[reason] for reason in order},
            "languages": dict(self.guesses.most_common()),
            "examples": {reason: self.examples[reason] for reason in order},
        }


def add_up(tallies: Sequence[Tally]) -> Dict[str, Any]:
    """The counts of all files together, for JSON."""
    files = [tally.as_dict() for tally in tallies]
    counted = ("lines_read", "words_read", "lines", "words", "unescaped")
    total: Dict[str, Any] = {key: sum(file[key] for file in files) for key in counted}
    dropped = sum((tally.dropped for tally in tallies), Counter())
    total["dropped"] = {reason: dropped[reason] for reason in REASONS if dropped[reason]}
    total["files"] = files
    return total
