"""The lexicon as a file: one pair of words a line, to open and to edit."""

import math
import unicodedata
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import check_code, same_language
from crossinit_fairseq.text_files import numbered_lines, whole_number

# how a pair was found: each is the other's nearest neighbour, or only the second is the first's (forward), or the
# reverse
MUTUAL, FORWARD, BACKWARD = "mutual", "forward", "backward"
_FOUND = (MUTUAL, FORWARD, BACKWARD)


class Pair(NamedTuple):
    """Two words that translate each other.

    score: what the pair was chosen by, higher is surer; 1.0 where the file gives none. counts: how often the words
    occur in their text, 0 where unknown. found: MUTUAL, FORWARD or BACKWARD.
    """

    source: str
    target: str
    score: float = 1.0
    counts: Tuple[int, int] = (0, 0)
    found: str = MUTUAL


@dataclass(frozen=True)
class Lexicon:
    """Pairs of words of two languages.

    source, target: the languages' codes; pairs: in the order of the file; settings: the other `# key: value` lines.
    """

    source: str
    target: str
    pairs: List[Pair]
    settings: Dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def lowercase(self) -> bool:
        """Whether the words were counted with their case folded."""
        return self.settings.get("lowercase") == "yes"

    @property
    def trusted(self) -> bool:
        """False where the search found other pairs from other starts, as the header says then."""
        return self.settings.get("trusted") != "no"

    def mutual(self) -> List[Pair]:
        """The pairs that are each other's nearest neighbours."""
        return [pair for pair in self.pairs if pair.found == MUTUAL]

    def translations(self) -> Dict[str, str]:
        """The best translation of each word of the source language: the highest score, the first of equal ones."""
        return _best((pair.source, pair.target, pair.score) for pair in self.pairs if pair.found != BACKWARD)

    def reversed(self) -> "Lexicon":
        """The same lexicon, read from the target language."""
        turned = {MUTUAL: MUTUAL, FORWARD: BACKWARD, BACKWARD: FORWARD}
        pairs = [Pair(p.target, p.source, p.score, p.counts[::-1], turned[p.found]) for p in self.pairs]
        return Lexicon(self.target, self.source, pairs, self.settings)

    def renamed(self, languages: Tuple[str, str]) -> "Lexicon":
        """The same lexicon under other codes of its two languages: ron_Latn for ro."""
        new = {
            running_words_key(old): running_words_key(code) for old, code in zip((self.source, self.target), languages)
        }
        settings = {new.get(key, key): value for key, value in self.settings.items()}
        return Lexicon(languages[0], languages[1], self.pairs, settings)

    def save(self, path: str) -> None:
        """Write the file, complete or not at all. Raises InputError when it cannot be written."""
        with complete_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(self.lines())

    def lines(self) -> Iterable[str]:
        """The lines of the file: header, then word, word, score, count, count, how it was found."""
        from crossinit_fairseq import __version__

        yield f"# languages: {self.source} {self.target}\n"
        yield f"# pairs: {len(self.pairs)}\n"
        for key, value in self.settings.items():
            yield f"# {key}: {value}\n"
        yield f"# tool: crossinit_fairseq {__version__}\n"
        yield f"# columns: {self.source}, {self.target}, score, count {self.source}, count {self.target}, found\n"
        for pair in self.pairs:
            counts = "\t".join(map(str, pair.counts))
            yield f"{pair.source}\t{pair.target}\t{pair.score:.4f}\t{counts}\t{pair.found}\n"

    @classmethod
    def load(cls, path: str, languages: Optional[Tuple[str, str]] = None) -> "Lexicon":
        """Read a lexicon, also one made or edited by hand: two columns, separated by a tab, are enough.

        languages: (source, target) that are expected; a file of (target, source) is turned around, and one without a
        header is taken to be of these; the codes may differ (ro, ron_Latn), those given are taken. Raises InputError
        when the file is missing or not UTF-8, when a line is no pair of words, when no pair is left, when its header
        names other languages or none where none are expected, and for a rank table.
        """
        settings, pairs = {}, []
        for number, line in numbered_lines(path):
            if _is_header(line):
                key, colon, value = line[1:].partition(":")
                if colon:
                    if key.strip() == "languages" and "languages" in settings:
                        raise InputError(
                            f"line {number} of {path} begins a second lexicon: give one file for each pair"
                        )
                    settings[key.strip()] = value.strip()
                continue
            _refuse_rank_table(settings, path)
            pairs.append(_parse(line, number, path))
        if not pairs:
            raise InputError(f"{path} holds no pair of words: make it with `crossinit-lexicon induce`")
        if len(pairs) < (whole_number(settings.get("pairs", "0")) or 0):
            raise InputError(
                f"{path} lists {len(pairs):,} pairs, but its line `# pairs:` says {settings['pairs']}: the file is cut "
                "short; copy it again (or correct that line, where it was you who took pairs out)"
            )
        for derived in ("pairs", "tool", "columns"):
            settings.pop(derived, None)
        named = tuple(settings.pop("languages", "").split())
        if len(named) not in (0, 2):
            raise InputError(f"{path}: the line `# languages:` names {len(named)} languages, not 2")
        if not named and languages:
            named = languages
        if not named:
            raise InputError(f"{path} has no line `# languages: CODE CODE`: add one, such as `# languages: en ro`")
        for code in named:
            check_code(code)
        lexicon = cls(named[0], named[1], pairs, settings)
        if not languages:
            return lexicon
        for turned in (lexicon, lexicon.reversed()):
            if same_language(turned.source, languages[0]) and same_language(turned.target, languages[1]):
                return turned.renamed(languages)
        raise InputError(f"{path} is a lexicon of {named[0]} and {named[1]}, not of {languages[0]} and {languages[1]}")


def running_words_key(language: str) -> str:
    """The header line of a lexicon that says how many words the text of a language has."""
    return f"running words {language}"


def read_word_pairs(path: str) -> List[Tuple[str, str]]:
    """Read a dictionary in MUSE's format: two words a line, separated by a tab or blanks; a lexicon file is one too.

    Raises InputError when the file is missing or not UTF-8, a line has fewer than two columns, there is none, or it is
    a rank table.
    """
    pairs, settings = [], {}
    for number, line in numbered_lines(path):
        if _is_header(line):
            key, _, value = line[1:].partition(":")
            settings[key.strip()] = value.strip()
            continue
        _refuse_rank_table(settings, path)
        columns = line.split("\t") if "\t" in line else line.split()
        words = [unicodedata.normalize("NFC", column.strip()) for column in columns]
        if len(words) < 2 or not words[0] or not words[1] or ("\t" not in line and len(words) > 2):
            raise InputError(f"line {number} of {path} is not two words separated by a tab or a blank: {line[:80]!r}")
        pairs.append((words[0], words[1]))
    if not pairs:
        raise InputError(f"{path} holds no pair of words")
    return pairs


def _is_header(line: str) -> bool:
    """Whether a line is `# key: value` or a remark; with a tab and no blank after the #, it is a word such as #1."""
    return line.startswith("# ") or line.startswith("#") and "\t" not in line


def _refuse_rank_table(settings: Dict[str, str], path: str) -> None:
    """Its lines `word<TAB>count` would pass for pairs. settings: the header lines that stand above the first one."""
    if "languages" not in settings and "language" in settings:
        raise InputError(
            f"{path} is the rank table of {settings['language']}, not pairs of words: give a lexicon, as "
            "`crossinit-lexicon induce` makes it"
        )


def _parse(line: str, number: int, path: str) -> Pair:
    columns = [unicodedata.normalize("NFC", column.strip()) for column in line.split("\t")]
    try:
        source, target = columns[:2]
        score = float(columns[2]) if len(columns) > 2 else 1.0
        counts = (whole_number(columns[3]), whole_number(columns[4])) if len(columns) > 4 else (0, 0)
        found = columns[5] if len(columns) > 5 else MUTUAL
        known = counts[0] is not None and counts[1] is not None
        if source and target and math.isfinite(score) and found in _FOUND and known and len(columns) != 4:
            return Pair(source, target, score, (counts[0] or 0, counts[1] or 0), found)
    except ValueError:
        pass
    raise InputError(
        f"line {number} of {path} is not `word<TAB>word`, with or without score, two counts and one of "
        f"{', '.join(_FOUND)} after it: {line[:80]!r}"
    )


def _best(candidates: Iterable[Tuple[str, str, float]]) -> Dict[str, str]:
    best: Dict[str, Tuple[float, str]] = {}
    for word, translation, score in candidates:
        if word not in best or score > best[word][0]:
            best[word] = (score, translation)
    return {word: translation for word, (_, translation) in best.items()}
