"""The words of one language with their counts, most frequent first, and the file that holds them."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, TextIO

import numpy as np

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, is_code, same_language
from crossinit_fairseq.text_files import numbered_lines, whole_number

ORDER_ONLY = "order only"  # value of the setting "counts" when just the order of the words is known
_MOST = 2**63 - 1
# what the header says in whole numbers
_NUMBERS = (
    "tokens",
    "words",
    "min_count",
    "left_out_words",
    "skipped_long_words",
    "skipped_entries",
    "entities",
    "too_low_by",
)
_SETTING = re.compile(r"#\s*([a-z_]+): ?(.*)")


class ZipfFit(NamedTuple):
    """count = constant / rank ** exponent, and how well it fits: 1 for a perfect fit."""

    exponent: float
    constant: float
    r_squared: float


@dataclass(frozen=True)
class RankTable:
    """What Step 1, Sorting (paper section 2.1) finds for one language. Rank 1 of the paper is position 0 here.

    language: its code; words: list of str [N], distinct; counts: int64 [N], never increasing, at least 1, ties in the
    order of code points; total: int, the occurrences of all words of the text, also of those that are too rare to be
    listed; settings: dict of str, how the words were counted.
    """

    language: str
    words: List[str]
    counts: np.ndarray
    total: int
    settings: Dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def has_counts(self) -> bool:
        """False when only the order of the words is known: their counts then just fall by one."""
        return self.settings.get("counts") != ORDER_ONLY

    def coverage(self, ranks: int) -> float:
        """The share of all word occurrences that the first `ranks` words make up (paper section 3.3), 0 to 1.

        Raises InputError when only the order of the words is known.
        """
        self._need_counts()
        return float(self.counts[:ranks].sum() / self.total)

    def zipf_fit(self, ranks: int) -> ZipfFit:
        """Fit Zipf's law, count = constant / rank ** exponent (paper, footnote 2), to the first `ranks` words.

        Least squares between the logarithms, with weight 1 / rank, so that the ranks 1 to 10 weigh as much as 1,000 to
        10,000. Returns ZipfFit of floats; r_squared is that of the weighted logarithms, 1 for a perfect fit.
        Raises InputError when there are fewer than 2 words or only their order is known.
        """
        self._need_counts()
        if min(ranks, len(self)) < 2:
            raise InputError(f"Zipf's law cannot be fitted to fewer than 2 words of {self.language}")
        y = np.log(self.counts[:ranks])
        weight = 1 / np.arange(1, len(y) + 1)
        x = -np.log(weight)
        weight /= weight.sum()
        x_mean, y_mean = weight @ x, weight @ y
        slope = (weight @ ((x - x_mean) * (y - y_mean))) / (weight @ (x - x_mean) ** 2)
        constant = y_mean - slope * x_mean
        spread = weight @ (y - y_mean) ** 2
        missed = weight @ (y - constant - slope * x) ** 2
        return ZipfFit(float(-slope), float(np.exp(constant)), float(1 - missed / spread) if spread else 1.0)

    def _need_counts(self) -> None:
        if not self.has_counts:
            raise InputError(f"the table of {self.language} holds only the order of its words, no counts")

    def limit(self, min_count: int) -> "RankTable":
        """The table without words that occur less than `min_count` times; `total` stays."""
        kept = int((self.counts >= min_count).sum())
        return RankTable(self.language, self.words[:kept], self.counts[:kept], self.total, self.settings)

    @classmethod
    def sort(
        cls,
        language: str,
        counts: Mapping[str, int],
        total: Optional[int] = None,
        settings: Optional[Mapping[str, str]] = None,
    ) -> "RankTable":
        """The table of a mapping from word to count; total: by default the sum of the counts.

        Raises InputError when they do not fit into 63 bits.
        """
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        known = sum(counts.values())
        if max(total or 0, known) > _MOST:
            raise InputError(f"the counts of {language} add up to more than {_MOST:,}: they are no counts of words")
        values = np.array([count for _, count in ranked], dtype=np.int64)
        return cls(language, [word for word, _ in ranked], values, max(total or 0, known), dict(settings or {}))

    @classmethod
    def merge(cls, tables: Sequence["RankTable"]) -> "RankTable":
        """Add up tables of one language.

        A table that was counted with a minimum does not say how often a rarer word occurs, so where there are several,
        a count may be too low; the setting `too_low_by` says by how much at most.
        Raises InputError when they are of several languages, counted in different ways or with different minimum counts
        (words would be ranked by what one of the tables left out), or without counts.
        """
        counts: Dict[str, int] = Counter()
        first = tables[0]
        for table in tables:
            table._need_counts()
            for name, one, other in [
                ("language", base_language(first.language), base_language(table.language)),
                ("min_count", first.settings.get("min_count", "1"), table.settings.get("min_count", "1")),
            ] + [
                (name, first.settings.get(name), table.settings.get(name))
                for name in ("lowercase", "segmenter", "source")
            ]:
                if one != other:
                    raise InputError(
                        f"tables of {name} {one} and {name} {other} cannot be merged: count them in the same way"
                    )
            for word, count in zip(table.words, table.counts.tolist()):
                counts[word] += count
        settings = dict(first.settings)
        # a word that several tables leave out is one word, and they do not say which
        settings.pop("left_out_words", None)
        for name in ("skipped_long_words", "entities"):
            passed_over = sum(table.number(name) for table in tables)
            if passed_over:
                settings[name] = str(passed_over)
        too_low = max(first.number("min_count") - 1, 0) * (len(tables) - 1) + sum(
            t.number("too_low_by") for t in tables
        )
        if too_low:
            settings["too_low_by"] = str(too_low)
        return cls.sort(first.language, counts, sum(table.total for table in tables), settings)

    def number(self, setting: str) -> int:
        """A setting that is a number; 0 where there is none."""
        return whole_number(self.settings.get(setting, "0")) or 0

    def write(self, stream: TextIO) -> None:
        """Write the table to a text stream: `# key: value` lines, then a word, a tab and its count in every line."""
        from crossinit_fairseq import __version__

        header = {"language": self.language, "tokens": self.total, "words": len(self)}
        header.update(self.settings)
        header["tool"] = "crossinit_fairseq " + __version__
        stream.writelines(f"# {key}: {value}\n" for key, value in header.items())
        stream.writelines(f"{word}\t{count}\n" for word, count in zip(self.words, self.counts.tolist()))

    def save(self, path: str) -> None:
        """Write the table to a file, complete or not at all. Raises InputError when it cannot be written."""
        with complete_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as stream:
            self.write(stream)

    @classmethod
    def load(cls, path: str, language: Optional[str] = None) -> "RankTable":
        """Read a table, also one edited by hand: sorts it again and adds up words that stand in it twice.

        language: what the table must be of, by any code of it; by default any language.
        Raises InputError when the file is missing, not UTF-8, has a malformed line, lists fewer words than its header
        says, counts more of them than its text has, holds two tables, or is of another language.
        """
        settings: Dict[str, str] = {}
        counts: Dict[str, int] = Counter()
        listed = tokens_line = 0
        for number, line in numbered_lines(path):
            word, tab, count = line.partition("\t")
            if not tab and line.startswith("#"):
                setting = _SETTING.fullmatch(line)
                if setting:
                    if setting.group(1) == "language" and "language" in settings:
                        raise InputError(
                            f"line {number} of {path} begins a second table: add up tables with `crossinit-ranks merge`"
                        )
                    settings[setting.group(1)] = setting.group(2).strip()
                    tokens_line = number if setting.group(1) == "tokens" else tokens_line
                continue
            word, number_of = unicodedata.normalize("NFC", word.strip()), whole_number(count)
            if not word or not number_of:
                if "languages" in settings:
                    raise InputError(f"{path} is a lexicon, no rank table: make one with `crossinit-ranks count`")
                raise InputError(
                    f"line {number} of {path} is not a word, a tab and a count of 1 or more: {line[:80]!r}"
                )
            counts[word] += number_of
            listed += 1
        if not counts:
            raise InputError(f"{path} holds no word: make it with `crossinit-ranks count`")
        named = settings.pop("language", "")
        if not is_code(named):
            raise InputError(f"{path} has no line `# language: CODE`: make it with `crossinit-ranks count`")
        for name in _NUMBERS:
            if whole_number(settings.get(name, "0")) is None:
                raise InputError(f"{path}: the line `# {name}: {settings[name][:40]}` says no whole number")
        if listed < (whole_number(settings.get("words", "0")) or 0):
            raise InputError(
                f"{path} lists {listed:,} words, but its line `# words:` says {settings['words']}: the file is cut "
                "short; copy it again (or correct that line, where it was you who took words out)"
            )
        if language and not same_language(language, named):
            raise InputError(f"{path} is the rank table of {named}, not of {language}")
        total = whole_number(settings["tokens"]) if tokens_line else None
        known = sum(counts.values())
        if total is not None and total < known:
            raise InputError(
                f"line {tokens_line} of {path} says that the text has {total:,} words, but the counts of those listed "
                f"add up to {known:,}: count the text again (or correct that line, where it was you who changed counts)"
            )
        for derived in ("words", "tool", "tokens"):
            settings.pop(derived, None)
        return cls.sort(named, counts, total, settings)
