"""Counts of the words in blocks of raw text: exact, in bounded memory, with Arrow and Polars as the engines.

Most of the time goes into the first step, which needs no Unicode: cutting bytes at ASCII characters that are in no
word, and counting the distinct pieces. Only these are then decoded, normalised, cut by the pattern of TextWords and
counted again. That gives the same words because normalisation never joins text across an ASCII separator, and because
a word never begins with a combining mark, the one thing that could change a separator (``=`` and U+0338 make U+2260).
"""

import os
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError, first_line
from crossinit_fairseq.markup import unescape_bytes
from crossinit_fairseq.ranks.text.sources import Block
from crossinit_fairseq.ranks.text.words import MAX_CHARACTERS, Segmenter, TextWords

try:
    import polars as pl
    import pyarrow as pa
except ImportError:
    raise InputError("counting raw text needs a library: pip install 'crossinit_fairseq[text]'") from None

PARTITIONS = 32
_SLICE = 1 << 20  # distinct pieces that are normalised at a time
_SPELT = pl.col("word").str.contains(r"[\p{L}\p{N}]")
_ROW = 24  # bytes of memory for a row beside its text


@lru_cache(maxsize=None)
def _separated(inside: str) -> bytes:
    return bytes(c if c >= 128 or chr(c).isalnum() or chr(c) in inside else ord("\n") for c in range(256))


def separate(data: bytes, words: TextWords) -> bytes:
    """UTF-8 text in which every ASCII character that is in no word is a line break."""
    return data.translate(_separated(words.ascii_inside))


@dataclass
class Tally:
    """The words of the blocks added so far.

    words: TextWords; folder: where words go when the distinct pieces of text fill `memory` bytes.
    skipped: int, occurrences of words longer than MAX_CHARACTERS; entities: int, character entities of markup
    (``&quot;``), which count as what they stand for.
    """

    words: TextWords
    folder: str
    memory: int
    skipped: int = 0
    entities: int = 0
    spilled: bool = False
    _pending: List[pl.DataFrame] = field(default_factory=list)
    _rows: int = 0
    _due: int = 0

    def add(self, block: Block) -> None:
        """Count a Block. Raises InputError when it is not UTF-8."""
        data, entities = unescape_bytes(block.data)
        self.entities += entities
        counted = _count_lines(separate(data, self.words))
        if counted is None:
            raise block.invalid_utf8()
        self._pending.append(counted)
        self._rows += len(self._pending[-1])
        if self._rows >= self._due:
            merged = add_up(self._pending)
            self._pending, self._rows = [merged], len(merged)
            self._due = max(2 * len(merged), _SLICE)
            if merged["word"].str.len_bytes().sum() + _ROW * len(merged) > self.memory:
                self.spill()

    def spill(self) -> None:
        """Move what is counted to the folder, cut by a hash of the word."""
        parts = partition(self.take())
        for number, part in enumerate(parts):
            path = os.path.join(self.folder, str(number))
            os.makedirs(path, exist_ok=True)
            try:
                part.write_ipc(os.path.join(path, uuid.uuid4().hex))
            except (OSError, pl.exceptions.PolarsError) as error:
                raise InputError(
                    f"{path}, where words are kept that are too many for memory, cannot be written: "
                    f"{first_line(error)}; make room, or set TMPDIR to a folder that has more"
                ) from None
        self.spilled = True

    def take(self) -> pl.DataFrame:
        """The words counted since the last spill, a frame of word (str) and count (int64); they are forgotten here."""
        pieces = add_up(self._pending)
        self._pending, self._rows, self._due = [], 0, 0
        frames = []
        for part in pieces.iter_slices(_SLICE):
            counted, skipped = count_pieces(part, self.words)
            frames.append(counted)
            self.skipped += skipped
        return frames[0] if len(frames) == 1 else add_up(frames)


def _count_lines(data: bytes) -> Optional[pl.DataFrame]:
    """A frame of the distinct lines of UTF-8 bytes, or None when the bytes are not UTF-8.

    Arrow counts strings that lie in one buffer faster than Polars can cut the buffer into strings of its own; its
    `group_by` is no faster, and loads pandas where that is installed.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    # a string goes from after one line break to after the next; 64-bit offsets are several times slower to count
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    np.add(ends, 1, out=offsets[1:], casting="unsafe")
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data))
    counted = lines.value_counts()
    distinct = counted.field("values")
    try:
        distinct.validate(full=True)
    except pa.ArrowInvalid:
        return None
    frame = pl.DataFrame({"word": pl.from_arrow(distinct), "count": pl.from_arrow(counted.field("counts"))})
    return frame.with_columns(pl.col("word").str.strip_suffix("\n")).filter(pl.col("word") != "")


def count_pieces(pieces: pl.DataFrame, words: TextWords) -> Tuple[pl.DataFrame, int]:
    """Find the words in distinct pieces of text.

    pieces: frame of word (str, without white space) and count; words: TextWords.
    Returns (frame of distinct word and count, occurrences of words that are too long).
    """
    found = add_up(_find_words(pieces, words))
    if words.segmenter is not None:
        found = _segment(found, words.segmenter)
    long = pl.col("word").str.len_chars() > MAX_CHARACTERS
    skipped = int(found.filter(long)["count"].sum())
    found = found.filter(~long)
    if words.lowercase and len(found):
        lower = words.lower("\n".join(found["word"].to_list())).split("\n")
        found = add_up([found.with_columns(pl.Series("word", lower, dtype=pl.String))])
    return found, skipped


def words_in_order(pieces: pl.Series, words: TextWords) -> pl.DataFrame:
    """The words of each of some distinct pieces of text, as `count_pieces` finds them, one after the other.

    pieces: polars Series of str [k], without white space; words: TextWords.
    Returns a frame of piece (uint32, its index, rising) and word (str; null for a word that is too long).
    """
    found = pl.concat(_find_words(pl.DataFrame({"word": pieces}).with_row_index("piece"), words))
    found = found.sort("piece", maintain_order=True)
    if words.segmenter is not None:
        cut, origins = words.segmenter.segment(found["word"].to_list())
        owners = found["piece"].gather(pl.Series(origins, dtype=pl.UInt32))
        found = pl.DataFrame({"piece": owners, "word": pl.Series(cut, dtype=pl.String)}).filter(_SPELT)
    short = found["word"].str.len_chars() <= MAX_CHARACTERS
    if words.lowercase and len(found):
        lower = words.lower("\n".join(found["word"].to_list())).split("\n")
        found = found.with_columns(pl.Series("word", lower, dtype=pl.String))
    return found.with_columns(pl.when(short).then(pl.col("word")))


def _find_words(pieces: pl.DataFrame, words: TextWords) -> List[pl.DataFrame]:
    """Two frames, of the pieces that are words as they are, most of those in Latin script, and of the words in
    others."""
    plain = pl.col("word").str.contains("^[0-9A-Za-z]+$")
    found = pieces.filter(~plain)
    normal = words.normalise("\n".join(found["word"].to_list())).split("\n") if len(found) else []
    lazy = found.with_columns(pl.Series("word", normal, dtype=pl.String)).lazy()
    lazy = lazy.with_columns(pl.col("word").str.extract_all(words.pattern)).explode("word").drop_nulls()
    return [pieces.filter(plain), lazy.collect()]


def _segment(runs: pl.DataFrame, segmenter: Segmenter) -> pl.DataFrame:
    pieces, origins = segmenter.segment(runs["word"].to_list())
    counts = runs["count"].gather(pl.Series(origins, dtype=pl.UInt32))
    frame = pl.DataFrame({"word": pl.Series(pieces, dtype=pl.String), "count": counts})
    # a segmenter also returns the punctuation inside a run
    return add_up([frame.filter(_SPELT)])


def add_up(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One frame of distinct words from several frames of word (str) and count (int64)."""
    if not frames:
        return pl.DataFrame(schema={"word": pl.String, "count": pl.Int64})
    return pl.concat(frames).lazy().group_by("word").agg(pl.col("count").sum()).collect()


def partition(frame: pl.DataFrame, parts: int = PARTITIONS) -> List[pl.DataFrame]:
    """Cut a frame of words into `parts` frames; a word always falls into the same one."""
    number = (pl.col("word").hash(seed=0) % parts).cast(pl.Int32)
    cut = frame.with_columns(number.alias("part")).partition_by("part", as_dict=True, include_key=False)
    return [cut.get((n,), frame.clear()) for n in range(parts)]


def summarise(frame: pl.DataFrame, min_count: int) -> Tuple[pl.DataFrame, int, int]:
    """A frame of words as (frame without the rarer ones, all occurrences, number of words left out)."""
    common = frame.filter(pl.col("count") >= min_count)
    return common, int(frame["count"].sum()), len(frame) - len(common)


def sum_tallies(tallies: Sequence[Tally]) -> Iterator[pl.DataFrame]:
    """Yield frames of word and count that share no word, from Tally objects of one folder."""
    if not any(tally.spilled for tally in tallies):
        yield tallies[0].take() if len(tallies) == 1 else add_up([tally.take() for tally in tallies])
        return
    for tally in tallies:
        tally.spill()
    folder = tallies[0].folder
    for number in range(PARTITIONS):
        path = os.path.join(folder, str(number))
        yield add_up([pl.read_ipc(os.path.join(path, name)) for name in sorted(os.listdir(path))])
