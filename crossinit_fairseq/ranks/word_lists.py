"""Rank tables from word lists that others counted: files, and the package wordfreq."""

import re
from typing import Dict, Iterator, Optional, Sequence, Tuple, Union

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.ranks.rank_table import ORDER_ONLY, RankTable
from crossinit_fairseq.ranks.text.words import TextWords
from crossinit_fairseq.text_files import numbered_lines

PER = 10**9  # wordfreq's frequencies become occurrences in so many words
_COUNTED = re.compile(r"(.*\S)\s+([0-9]{1,18})\s*")


def read_word_list(
    paths: Union[str, Sequence[str]], language: str, lowercase: bool = False, min_count: int = 1
) -> RankTable:
    """The RankTable of a ready list: `word count` in every line, or `word`, the most frequent first.

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


def _entries(path: str) -> Iterator[Tuple[str, Optional[int]]]:
    """Yield (word, int count or None) of a list file."""
    counted = titles = None
    for number, line in numbered_lines(path):
        if line.split()[0] == "#":
            continue
        found = _COUNTED.fullmatch(line)
        if counted is None:
            if not found and len(line.split()) == 2 and titles is None:
                titles = number
                continue
            counted = found is not None
        if counted != (found is not None) or (titles and not counted) or (not counted and len(line.split()) > 1):
            where = titles if titles and not counted else number
            wanted = "a word and a count, as the lines before it are" if counted else "one word without white space"
            raise InputError(f"line {where} of {path} is not {wanted}: {line[:80]!r}")
        yield (found.group(1).strip(), int(found.group(2))) if found else (line.strip(), None)


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
    """The spelling that a word of text gets; None for an entry that is no word."""
    word = words.spell(" ".join(entry.split()))
    return word if any(character.isalnum() for character in word) else None
