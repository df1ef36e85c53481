"""Rank tables from word lists that others counted: files, and the package wordfreq."""

import csv
import itertools
import re
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.ranks.rank_table import ORDER_ONLY, RankTable
from crossinit_fairseq.ranks.text.words import TextWords
from crossinit_fairseq.text_files import numbered_lines, whole_number

PER = 10**9  # wordfreq's frequencies become occurrences in so many words
_SAMPLE = 1000  # lines from the beginning tell how a list is laid out
_COUNT_TITLES = re.compile(
    r"(abs(olute)?|raw|total)?[\s_.]*(count|freq(uency)?|freq_?count|occurrences|tokens|n)s?", re.I
)
_WORD_TITLES = re.compile(r"(word|form|wordform|token|type|term|unigram|ngram)s?", re.I)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_THOUSANDS = re.compile(r"\s\d{1,3}(,\d{3})+\s*$")
_JOINED = re.compile(r"\S*[^\W\d]\S*[:=/]\d+")  # the:54, of=30
_NUMBER_LIKE = re.compile(r"[-+.,]?\d[\d.,']*(e[-+]?\d+)?", re.I)  # is no title of a column: -5, 54.2, 54,321, 1e6

# a word and its count, or None where the list has none
Entry = Tuple[str, Optional[int]]


class Layout(NamedTuple):
    """How the lines of a list are laid out. name: in words; parse: the Entry of a line's cells, None where it has
    another layout; delimiter: between cells, None for white space."""

    name: str
    parse: Callable[[List[str]], Optional[Entry]]
    delimiter: Optional[str] = None


def read_word_list(
    paths: Union[str, Sequence[str]], language: str, lowercase: bool = False, min_count: int = 1
) -> RankTable:
    """The RankTable of a ready list: `word count` in every line, or `word`, the most frequent first.

    Also read are `count word` (`uniq -c`), `rank word count` (`id word count` of Leipzig), `rank word`, and tables with
    tabs, commas, semicolons or bars between columns, with titles above them or not; which it is, is seen from the
    first lines.

    paths: a file or several, each of one kind; with counts they are added up, without they are read one after the
    other. A first line of column titles, `#` lines and empty lines are passed over. Entries without a letter or digit
    are skipped, and so are repeated words of a list without counts; the settings of the table say how many.
    Raises InputError when a file is missing, not UTF-8, malformed in a line, or when the list holds no word.
    """
    paths = [paths] if isinstance(paths, str) else list(paths)
    words = TextWords.of_cut_words(language, lowercase)
    counts: Dict[str, int] = {}
    kinds: Dict[bool, str] = {}  # whether there is no count: the first such file
    skipped = 0
    for path in paths:
        for entry, count in _entries(path):
            kinds.setdefault(count is None, path)
            if len(kinds) > 1:
                raise InputError(f"{kinds[False]} has counts and {kinds[True]} has none: give lists of one kind")
            word = _spell(entry, words)
            if word is None or (count is None and word in counts) or count == 0:
                skipped += 1
            else:
                counts[word] = counts.get(word, 0) + (count or 0)
    if not counts:
        raise InputError(f"{', '.join(paths)} holds no word")
    settings = {"source": "list", "lowercase": "yes" if lowercase else "no", "min_count": str(min_count)}
    settings["skipped_entries"] = str(skipped)
    if True in kinds:
        if min_count > 1:
            raise InputError(f"{paths[0]} has no counts, so no word can be too rare: leave out the minimum count")
        settings["counts"] = ORDER_ONLY
        # made up: they only say the order
        counts = {word: len(counts) - at for at, word in enumerate(counts)}
        return RankTable.sort(language, counts, settings=settings)
    return RankTable.sort(language, counts, settings=settings).limit(min_count)


def _entries(path: str) -> Iterator[Entry]:
    """Yield (word, int count or None) of a list file."""
    lines = ((number, line) for number, line in numbered_lines(path) if line.split()[0] != "#")
    sample = list(itertools.islice(lines, _SAMPLE))
    if not sample:
        return
    layout = _find_layout([line for _, line in sample], path)
    for place, (number, line) in enumerate(itertools.chain(sample, lines)):
        cells = _cells(line, layout.delimiter)
        entry = layout.parse(cells)
        if entry is not None:
            yield entry
        elif place or len(cells) < 2 or layout is _ALONE or any(_NUMBER_LIKE.fullmatch(cell) for cell in cells):
            known = ", as the lines before it are" if place else ""
            raise InputError(f"line {number} of {path} is not {layout.name}{known}: {line[:80]!r}")


def _cells(line: str, delimiter: Optional[str]) -> List[str]:
    if delimiter is None:
        return line.split()
    if delimiter == "\t":
        return [cell.strip() for cell in line.split("\t")]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    except csv.Error:
        return []


def _find_layout(lines: List[str], path: str) -> Layout:
    """The layout of a list that begins with these lines. Raises InputError for columns that can be read in two ways."""
    thousands = next((line for line in lines if _THOUSANDS.search(line)), None)
    if thousands and all(_THOUSANDS.search(line) or "," not in line for line in lines):
        raise InputError(f"{path} has commas within its counts ({thousands[:80]!r}): take them out")
    for delimiter in "\t,;|":
        if all(delimiter in line for line in lines):
            return _columns([_cells(line, delimiter) for line in lines], delimiter, path)
    if all(_JOINED.fullmatch(line) for line in lines):
        raise InputError(f"{path} has word and count in one ({lines[0][:80]!r}): put a tab between them")
    rows = [_cells(line, None) for line in lines]
    layouts = [_WORD_COUNT, _ALONE, _COUNT_WORD]
    leading = [whole_number(row[0]) for row in rows]
    if _rise(leading, by=1) and all(len(row) > 1 for row in rows):
        layouts[2] = _RANK_WORD
    if _rise(leading) and all(_RANK_WORD_COUNT.parse(row) for row in rows):
        layouts.insert(0, _RANK_WORD_COUNT)

    def fits(layout: Layout) -> Tuple[int, bool]:
        return sum(layout.parse(row) is not None for row in rows), layout.parse(rows[0]) is not None

    return max(layouts, key=fits)


def _rise(numbers: List[Optional[int]], by: int = 0) -> bool:
    """Whether these are ranks: whole numbers that only rise; with `by`, from 0 or 1 on, by so much each time."""
    known = [number for number in numbers if number is not None]
    steps = [after - before for before, after in zip(known, known[1:])]
    if by and (not known or known[0] > 1):
        return False
    return len(known) == len(numbers) and all(step == by if by else step > 0 for step in steps)


def _of(words: List[str], count: Optional[str]) -> Optional[Entry]:
    """An entry of the cells of a word and of a count."""
    number = None if count is None else whole_number(count)
    return None if not words or (count is not None and number is None) else (" ".join(words), number)


# a word may have blanks in it, so it is what the numbers on either side leave
_ALONE = Layout("one word without white space", lambda row: _of(row, None) if len(row) == 1 else None)
_WORD_COUNT = Layout("a word and a count", lambda row: _of(row[:-1], row[-1]) if len(row) > 1 else None)
_COUNT_WORD = Layout("a count and a word", lambda row: _of(row[1:], row[0]) if row else None)
_RANK_WORD = Layout(
    "a rank and a word",
    lambda row: _of(row[1:], None) if row and whole_number(row[0]) is not None else None,
)
_RANK_WORD_COUNT = Layout(
    "a rank, a word and a count",
    lambda row: _of(row[1:-1], row[-1]) if len(row) > 2 and whole_number(row[0]) is not None else None,
)


def _columns(rows: List[List[str]], delimiter: str, path: str) -> Layout:
    """The layout of a table with columns. Raises InputError where the counts may be in several of them."""
    width = len(rows[0])
    body = rows[1:] if len(rows) > 1 else rows
    titles = [""] * width if any(whole_number(cell) is not None for cell in rows[0]) else rows[0]
    numeric = [
        column
        for column in range(width)
        if all(len(row) == width and whole_number(row[column]) is not None for row in body)
    ]
    words = [column for column in range(width) if column not in numeric]
    named = [column for column in words if _WORD_TITLES.fullmatch(titles[column])] or words
    if not words:
        raise InputError(f"{path} has no column of words between its {len(numeric)} columns of numbers")
    word = named[0]
    counts = [column for column in numeric if _COUNT_TITLES.fullmatch(titles[column])] or [
        column
        for column in numeric
        # a number before the word that only rises, row by row, is a rank or an identifier
        if column > word or not _rise([whole_number(row[column]) for row in body])
    ]
    if len(counts) > 1 or (not counts and len(words) > 1):
        raise InputError(
            f"{path} has {width} columns, of which {len(counts)} may be the counts: leave a word and a count in each "
            "line"
        )

    def parse(row: List[str]) -> Optional[Entry]:
        if len(row) != width or not row[word]:
            return None
        return _of([row[word]], row[counts[0]] if counts else None)

    what = "a word and a count" if counts else "a word"
    return Layout(f"a line of {width} columns with {what}", parse, delimiter)


def wordfreq_table(language: str, lowercase: bool = False, min_count: int = 1) -> RankTable:
    """The RankTable of the package wordfreq (extra `wordfreq`, more than 40 languages); all its words are lower-case.

    The counts are occurrences in 10**9 words, rounded, at least 1. wordfreq gives frequencies in steps of 1 %, so
    there are many ties. Raises InputError when the package is missing or does not know the language.
    """
    try:
        import wordfreq
    except ImportError:
        raise InputError("--wordfreq needs a library: pip install 'crossinit_fairseq[wordfreq]'") from None
    base = base_language(language)
    known = sorted(wordfreq.available_languages())
    if base not in known:
        raise InputError(f"wordfreq has no list for {language}; it has {', '.join(known)}")
    words = TextWords.of_cut_words(language, lowercase)
    counts: Dict[str, int] = {}
    skipped = 0
    for entry, frequency in wordfreq.get_frequency_dict(base).items():
        word = _spell(entry, words)
        if word is None:
            skipped += 1
        else:
            counts[word] = counts.get(word, 0) + max(1, round(frequency * PER))
    settings = {"source": "wordfreq", "lowercase": "yes", "min_count": str(min_count), "skipped_entries": str(skipped)}
    return RankTable.sort(language, counts, PER, settings).limit(min_count)


def _spell(entry: str, words: TextWords) -> Optional[str]:
    """The spelling that a word of text gets; None for an entry that is no word.

    Quotation marks around it, as R writes them, are none of its letters, and neither are control characters.
    """
    entry = " ".join(_CONTROL.sub(" ", entry).split())
    if len(entry) > 2 and entry[0] == entry[-1] == '"':
        entry = entry[1:-1]
    word = words.spell(entry)
    return word if any(character.isalnum() for character in word) else None
