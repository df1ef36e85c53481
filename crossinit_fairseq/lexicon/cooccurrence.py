"""Co-occurrence: how often the most frequent words of a language stand near each other, in what order, and where."""

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from scipy import sparse

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.counting_workers import count_parts
from crossinit_fairseq.lexicon.neighbour_counts import DISTANCE_UNIT, PLACE_UNIT, NeighbourSums
from crossinit_fairseq.lexicon.word_forms import word_text
from crossinit_fairseq.ranks import BinarisedText, RankedWords, RankTable, TextWords, WordPieces, rank_words
from crossinit_fairseq.ranks.sentencepiece_model import byte_value, decode_bytes
from crossinit_fairseq.ranks.text.counting import BLOCK, MEMORY, make_table, passed_over, tally_sources, text_words
from crossinit_fairseq.ranks.text.sources import STDIN, find_sources

_CHUNK = 1 << 20  # tokens of binarised text at a time


@dataclass
class CoOccurrence:
    """What is known of the N most frequent words of a language.

    language: its code; words: list of str [N], most frequent first, ties in the order of code points; counts: int64
    [N]; total: int, all running words of the text, also of those that are too rare to be listed.
    window: csr float64 [N, N], symmetric; (i, j) sums 1/distance over the words j within the window on either side of
    every i, and never across the end of a sentence. Words outside the vocabulary count in the distance, punctuation
    does not.
    left: csr int64 [N, N]; (i, j) is how often j stands immediately before i.
    place: float64 [N], the mean relative place of a word in its sentence: 0 first, 1 last, 0.5 alone.
    """

    language: str
    words: List[str]
    counts: np.ndarray
    total: int
    window: sparse.csr_matrix
    left: sparse.csr_matrix
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.words)

    @property
    def right(self) -> sparse.csr_matrix:
        """csr int64 [N, N]; (i, j) is how often j stands immediately after i."""
        return self.left.T.tocsr()

    @classmethod
    def from_sums(
        cls, language: str, words: List[str], counts: np.ndarray, total: int, sums: NeighbourSums
    ) -> "CoOccurrence":
        """The co-occurrence of words [N] with these counts, int64 [N], whose neighbours are summed up already."""
        # a pair of i and j is seen from i and from j, and so is one of i and i
        window = sums.window + sums.window.T.tocsr()
        window = sparse.csr_matrix((window.data / DISTANCE_UNIT, window.indices, window.indptr), shape=window.shape)
        place = sums.places / (np.maximum(sums.counts, 1) * float(PLACE_UNIT))
        return cls(language, list(words), np.asarray(counts), int(total), window, sums.left, place)


def count_text_cooccurrence(
    sources: Any,
    language: str,
    lowercase: bool = True,
    size: int = 20000,
    window: int = 15,
    workers: int = 1,
    segmenter: Optional[Any] = None,
    block: int = BLOCK,
) -> CoOccurrence:
    """Count the co-occurrence of the words of raw text, each line of which is a sentence.

    sources: file names, globs, or "-" for standard input, as `crossinit_fairseq.ranks.count_text` takes them; words are
    what TextWords says. language: its code; lowercase: fold the case; size: words of the vocabulary, the most frequent;
    window: words on either side; workers: threads that count words, then processes that count neighbours (a script that
    asks for more than 1 needs `if __name__ == "__main__":`); segmenter: for languages without spaces; block: bytes of
    text to count at a time. A line of more than a megabyte is cut into several sentences.

    The text is read twice, and standard input is kept in a temporary file for it. The same result for any `workers` and
    `block`; memory is bounded by the vocabulary, the number of different words and `workers`, not by the text's length.
    Raises InputError when a source is missing, damaged or not UTF-8, when no word is found, or when size, window or
    workers is below 1.
    """
    from crossinit_fairseq.lexicon.text_numbers import TextNumbers, read_sentences

    check_settings(size, window, workers)
    words = text_words(language, lowercase, segmenter)
    with tempfile.TemporaryDirectory(prefix="crossinit-lexicon-") as folder:
        found = find_sources(_keep_stdin(sources, folder))
        table = _most_frequent(found, words, size, folder, workers, block)
        with _progress_bar(sum(source.size() for source in found), "B") as bar:
            parts = (part for source in found for part in bar.follow(read_sentences(source, block), len))
            sums = count_parts(parts, TextNumbers(words, table.words), len(table), window, workers)
    return CoOccurrence.from_sums(language, table.words, table.counts, table.total, sums)


def count_binarised_cooccurrence(
    texts: Sequence[BinarisedText],
    pieces: WordPieces,
    symbols: Sequence[str],
    language: str,
    lowercase: bool = True,
    size: int = 20000,
    window: int = 15,
    workers: int = 1,
    chunk: int = _CHUNK,
) -> CoOccurrence:
    """Count the co-occurrence of the words of binarised text.

    texts: BinarisedText of one language, any number of shards; pieces: WordPieces of their dictionary; symbols: of the
    dictionary, in index order; chunk: tokens to count at a time; the others, the result and what is raised are as in
    `count_text_cooccurrence`. Words whose strings are equal, with their case folded where that is asked for, are one.
    """
    from crossinit_fairseq.lexicon.piece_numbers import PieceNumbers, cut_binarised

    check_settings(size, window, workers)
    texts = list(texts)
    ranked = rank_words(texts, pieces, chunk)
    table, places = _fold_words(ranked, symbols, language, lowercase, size)
    numbers = PieceNumbers(pieces, _by_length(ranked, places, len(table)), len(table))
    with _progress_bar(sum(len(text.tokens) for text in texts), "token") as bar:
        parts = bar.follow(cut_binarised(texts, chunk), lambda part: len(part.tokens))
        sums = count_parts(parts, numbers, len(table), window, workers)
    return CoOccurrence.from_sums(language, table.words, table.counts, table.total, sums)


def check_settings(size: int, window: int, workers: int = 1) -> None:
    """Raises InputError for a number below 1."""
    for name, value in (("size", size), ("window", window), ("workers", workers)):
        if value < 1:
            raise InputError(f"{name} must be 1 or more, not {value}")


def _keep_stdin(sources: Any, folder: str) -> List[str]:
    """File names and globs; standard input is copied to a file, since it is read twice."""
    given = [sources] if isinstance(sources, (str, os.PathLike)) else list(sources)
    names: List[str] = [os.fspath(name) for name in given]
    if STDIN in names:
        copy = os.path.join(folder, "standard input")
        try:
            with open(copy, "wb") as stream:
                shutil.copyfileobj(sys.stdin.buffer, stream)
        except OSError as error:
            raise InputError(
                f"{copy} (a copy of it) cannot be written: {error.strerror or error}; make room, or set TMPDIR to a "
                "folder that has more"
            ) from None
        names = [copy if name == STDIN else name for name in names]
    return names


def _most_frequent(sources: List[Any], words: TextWords, size: int, folder: str, workers: int, block: int) -> RankTable:
    """The `size` most frequent words; the total is that of all."""
    from crossinit_fairseq.ranks.text.tally import sum_tallies

    counted = os.path.join(folder, "counted")
    tallies = tally_sources(sources, words, counted, workers, block, MEMORY)
    # no word is in two of the frames
    summaries = [(_first_words(frame, size), int(frame["count"].sum()), 0) for frame in sum_tallies(tallies)]
    return cut_table(make_table(summaries, words, 1, *passed_over(tallies)), size)


def _first_words(frame: Any, size: int) -> Any:
    """The `size` most frequent words of a frame of word and count, ties in the order of code points."""
    return frame.sort(["count", "word"], descending=[True, False]).head(size)


def cut_table(table: RankTable, size: int) -> RankTable:
    """The first `size` words of a table; the total stays."""
    return RankTable(table.language, table.words[:size], table.counts[:size], table.total, table.settings)


def _fold_words(
    ranked: RankedWords, symbols: Sequence[str], language: str, lowercase: bool, size: int
) -> Tuple[RankTable, np.ndarray]:
    """The `size` most frequent strings of ranked words [M], and int32 [M], which of them each word is (N: none)."""
    # pieces of bytes are decoded once they stand together
    parts = [symbol if byte_value(symbol) >= 0 else word_text([symbol]) for symbol in symbols]
    parts, offsets = [parts[token] for token in ranked.tokens.tolist()], ranked.offsets.tolist()
    lines = decode_bytes("\n".join(["".join(parts[begin:end]) for begin, end in zip(offsets[:-1], offsets[1:])]))
    texts = TextWords.of_cut_words(language, lowercase).spell(lines).split("\n")
    counts: Dict[str, int] = {}
    for text, count in zip(texts, ranked.counts.tolist()):
        if text:  # not of invisible characters alone
            counts[text] = counts.get(text, 0) + count
    table = cut_table(RankTable.sort(language, counts), size)
    numbers = {word: number for number, word in enumerate(table.words)}
    other = len(table)
    return table, np.array([numbers.get(text, other) for text in texts], dtype=np.int32)


def _by_length(ranked: RankedWords, numbers: np.ndarray, size: int) -> Dict[int, Tuple[np.ndarray, np.ndarray]]:
    """The words with a number below `size`: for each length in sub-tokens, sorted words [m, length] and numbers [m]."""
    lengths = np.diff(ranked.offsets)
    found = {}
    for length in np.unique(lengths[numbers < size]).tolist():
        where = np.flatnonzero((lengths == length) & (numbers < size))
        words = ranked.tokens[ranked.offsets[where, None] + np.arange(length)]
        order = np.lexsort(words.T[::-1])
        found[length] = (words[order], numbers[where[order]])
    return found


@contextmanager
def _progress_bar(total: int, unit: str) -> Iterator["_Bar"]:
    """A bar on standard error, if that is a terminal."""
    from tqdm import tqdm

    with tqdm(total=total or None, unit=unit, unit_scale=True, desc="co-occurrence", delay=2, disable=None) as shown:
        yield _Bar(shown)


class _Bar:
    def __init__(self, shown: Any):
        self._shown = shown

    def follow(self, parts: Iterator[Any], size: Callable[[Any], int]) -> Iterator[Any]:
        """Yield the parts; each moves the bar when it is asked for the next one."""
        for part in parts:
            yield part
            self._shown.update(size(part))
