"""What binarised text must fit: the dictionary that it is read with, and no control symbols inside its sentences."""

import functools
import logging
import os
from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence, Tuple

import numpy as np

from crossinit_fairseq.data.dictionary import EOS, UNK, read_symbols, special_rows
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import open_binarised

logger = logging.getLogger(__name__)

_CHUNK = 1 << 24  # tokens looked at together


@dataclass(frozen=True)
class ControlSymbols:
    """The control symbols inside the sentences of a text: anything but text and the ``</s>`` at the end of a sentence.

    sentences: int64 [n], the numbers of the sentences that hold any, rising; total: how many sentences the text has;
    counts: {symbol: how often it stands there}.
    """

    sentences: np.ndarray
    total: int
    counts: Dict[str, int]

    def in_words(self) -> str:
        """How many sentences hold which control symbols."""
        listed = ", ".join(f"{symbol} {count:,} times" for symbol, count in sorted(self.counts.items()))
        return f"{len(self.sentences):,} of {self.total:,} sentences hold control symbols ({listed})"


def find_control_symbols(prefix: str, symbols: Sequence[str], languages: Iterable[str] = ()) -> ControlSymbols:
    """Look through ``prefix.{bin,idx}``, which was binarised with a dictionary.

    Someone may have written ``<mask>`` or ``[ro]`` into a text; fairseq-preprocess then takes it for the symbol, and a
    model would learn from it what the symbol means.
    symbols: all of the dictionary in the order of their rows; languages: those whose tokens are control symbols
    wherever they stand in the dictionary. A file is looked through once, until it changes. Raises InputError when a
    file is missing or damaged, when it holds a token beyond the dictionary, and when a sentence does not end in
    ``</s>``.
    """
    rows = tuple(row for row in special_rows(symbols, languages) if row != UNK)
    changed = tuple(_time_of(prefix + suffix) for suffix in (".bin", ".idx"))
    sentences, total, counts = _look_through(os.path.abspath(prefix), prefix, changed, len(symbols), rows)
    return ControlSymbols(sentences, total, {symbols[row]: count for row, count in counts.items()})


def _time_of(path: str) -> Tuple[int, int]:
    if not os.path.isfile(path):
        return 0, 0  # open_binarised says what is missing
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=256)
def _look_through(
    _path: str, prefix: str, _changed: Tuple[Tuple[int, int], ...], size: int, rows: Tuple[int, ...]
) -> Tuple[np.ndarray, int, Dict[int, int]]:
    """(numbers of the sentences, how many there are, {row: count})."""
    text = open_binarised(prefix)
    lengths = text.lengths.astype(np.int64)
    stops = np.cumsum(lengths)
    ends = stops[lengths > 0] - 1  # the last token of each sentence
    is_control = np.zeros(size, dtype=bool)
    is_control[list(rows)] = True
    sentences: List[np.ndarray] = []
    counts = np.zeros(size, dtype=np.int64)
    for begin in range(0, len(text.tokens), _CHUNK):
        tokens = np.asarray(text.tokens[begin : begin + _CHUNK])
        if int(tokens.max()) >= size or int(tokens.min()) < 0:
            beyond = int(tokens.max()) if int(tokens.max()) >= size else int(tokens.min())
            raise InputError(
                f"{prefix}.bin holds token {beyond:,} but the dictionary has {size:,} symbols: the text was binarised "
                "with another one; binarise it again with `fairseq-preprocess --srcdict dict.txt`"
            )
        own_ends = ends[np.searchsorted(ends, begin) : np.searchsorted(ends, begin + len(tokens))] - begin
        if (tokens[own_ends] != EOS).any():
            place = int(own_ends[np.flatnonzero(tokens[own_ends] != EOS)[0]]) + begin
            number = int(np.searchsorted(stops, place, side="right"))
            raise InputError(
                f"{prefix}.bin: sentence {number:,} does not end in </s>: binarise the text again with "
                "fairseq-preprocess"
            )
        found = is_control[tokens]
        found[own_ends] = False
        places = np.flatnonzero(found)
        if len(places):
            counts += np.bincount(tokens[places], minlength=size)
            sentences.append(np.unique(np.searchsorted(stops, places + begin, side="right")))
    numbers = np.unique(np.concatenate(sentences)) if sentences else np.empty(0, dtype=np.int64)
    return numbers, len(lengths), {int(row): int(counts[row]) for row in np.flatnonzero(counts)}


def report_control_symbols(prefix: str, found: ControlSymbols, consequence: str) -> None:
    """Warn of control symbols in a text, if there are any, and say what becomes of these sentences."""
    if len(found.sentences):
        logger.warning(f"{prefix}: {found.in_words()}: {consequence}")


def check_dictionaries(folders: Sequence[str], languages: Iterable[str], symbols: Sequence[str]) -> None:
    """Compare a dictionary with those that fairseq-preprocess has left beside the text of some languages.

    Text that was binarised with another dictionary is read without an error, as other words. A dictionary that is
    longer by symbols at its end, such as control symbols that were appended later, numbers the text's symbols alike.

    folders: data folders, of which the first one's dict.txt gave `symbols`, fairseq's four included.
    Raises InputError that names the first place where they differ.
    """
    for folder in folders:
        for path in dictionaries_beside(folder, languages):
            if path == os.path.join(folders[0], "dict.txt") or _same_file(path, os.path.join(folders[0], "dict.txt")):
                continue
            theirs = read_symbols(path)
            differ = [row for row, (one, other) in enumerate(zip(theirs, symbols)) if one != other]
            if differ:
                raise InputError(
                    f"the text in {os.path.dirname(path)} was binarised with another dictionary than "
                    f"{os.path.join(folders[0], 'dict.txt')}: in {path} row {differ[0]:,} is {theirs[differ[0]]!r}, "
                    f"not {symbols[differ[0]]!r} ({len(differ):,} rows differ); binarise it again with "
                    f"`fairseq-preprocess --srcdict {os.path.join(folders[0], 'dict.txt')}`, and aligned text with the "
                    "same --tgtdict"
                )


def dictionaries_beside(folder: str, languages: Iterable[str]) -> List[str]:
    """The dictionaries in a data folder: its own, and those that fairseq-preprocess wrote beside monolingual and
    aligned text of the languages. Only files that exist."""
    paths = [os.path.join(folder, "dict.txt")]
    for language in languages:
        paths.append(os.path.join(folder, f"dict.{language}.txt"))
        paths += [os.path.join(folder, language, name) for name in ("dict.txt", f"dict.{language}.txt")]
    return [path for path in paths if os.path.isfile(path)]


def _same_file(one: str, other: str) -> bool:
    """Whether two files hold the same bytes; cheaper than to read thousands of symbols."""
    if os.path.getsize(one) != os.path.getsize(other):
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        return first.read() == second.read()
