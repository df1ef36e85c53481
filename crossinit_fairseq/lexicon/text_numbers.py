"""The running words of text as numbers, sentence by sentence."""

from inspect import signature
from typing import Any, Iterator, List, Sequence, Tuple

import numpy as np
import polars as pl
import pyarrow as pa

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.neighbour_counts import Sentences
from crossinit_fairseq.markup import unescape_bytes
from crossinit_fairseq.ranks import TextWords
from crossinit_fairseq.ranks.text.sources import Source, text_blocks
from crossinit_fairseq.ranks.text.tally import separate, words_in_order

LINE = 1 << 20  # bytes; a longer line is cut into sentences of about that size at its blanks
_NEWLINE = ord("\n")
# a left join of polars before 1.21, the last for Python 3.8, keeps the order of the left rows, and has no word for it
_IN_ORDER: Any = {"maintain_order": "left"} if "maintain_order" in signature(pl.DataFrame.join).parameters else {}


def read_sentences(source: Source, block: int, line: int = LINE) -> Iterator[bytes]:
    """Yield a source as UTF-8 bytes of whole lines, about `block` at a time; each line is a sentence.

    A line of more than `line` bytes is cut at the first blank after as many, again and again: at the same places for
    any `block`, and no more of it is held at a time. Raises InputError as `text_blocks` does.
    """
    rest = b""
    for found in text_blocks(source, block):
        data = rest + found.data
        cut = data.rfind(b"\n") + 1
        whole, (head, rest) = _cut_lines(data[:cut], line), _cut_line(data[cut:], line)
        if whole or head:
            yield whole + head
    if rest:
        yield rest


def _cut_lines(data: bytes, line: int) -> bytes:
    """Put line breaks into those of some whole lines that are too long."""
    at = 0
    while len(data) - at > line:
        # no line is too long where each stretch of that many bytes holds a break
        at = data.rfind(b"\n", at, at + line + 1) + 1
        if not at:
            return b"".join(b"".join(_cut_line(one, line)) for one in _lines(data))
    return data


def _lines(data: bytes) -> List[bytes]:
    """Lines with their ends; only a line feed ends one."""
    return [line + b"\n" for line in data[:-1].split(b"\n")] if data else []


def _cut_line(data: bytes, line: int) -> Tuple[bytes, bytes]:
    """Cut the beginning of a line. Returns (lines that are complete, with their breaks; what remains)."""
    begin, parts = 0, []
    while len(data) - begin > line:
        blank = data.find(b" ", begin + line)
        if blank < 0:
            break
        parts.append(data[begin:blank] + b"\n")
        begin = blank + 1
    return b"".join(parts), data[begin:]


class TextNumbers:
    """Numbers the words of text by their place in a vocabulary.

    words: TextWords of the language; vocabulary: list of str [N], as these spell them.
    """

    def __init__(self, words: TextWords, vocabulary: Sequence[str]):
        self._words, self._size = words, len(vocabulary)
        ids = np.arange(self._size, dtype=np.int32)
        self._vocabulary = pl.DataFrame({"word": pl.Series(vocabulary, dtype=pl.String), "id": ids})

    def __call__(self, data: bytes) -> Sentences:
        """The words of whole lines. Raises InputError when the bytes are not UTF-8."""
        data, _ = unescape_bytes(data)
        raw = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", dtype=np.uint8)
        cut = separate(raw.tobytes(), self._words)
        ends = np.flatnonzero(np.frombuffer(cut, dtype=np.uint8) == _NEWLINE)
        offsets = np.zeros(len(ends) + 1, dtype=np.int32)
        np.add(ends, 1, out=offsets[1:], casting="unsafe")
        # distinct pieces of text between ASCII separators, and which of them stands where
        pieces = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(cut)).dictionary_encode()
        ids, owners = self._number(pieces.dictionary)
        which = pieces.indices.to_numpy()
        per_piece = np.bincount(owners, minlength=len(pieces.dictionary)).astype(np.int32)
        begins = np.cumsum(per_piece, dtype=np.int32) - per_piece
        per_place = per_piece[which]
        words_so_far = np.cumsum(per_place)
        lengths = np.diff(words_so_far[raw[ends] == _NEWLINE], prepend=0)
        some = per_place > 0
        which = which.compress(some)
        if per_piece.max() <= 1:
            running = ids[begins[which]]
        else:
            running = _expand(ids, begins[which], per_place.compress(some))
        return Sentences(running, lengths[lengths > 0])

    def _number(self, pieces: pa.StringArray) -> Tuple[np.ndarray, np.ndarray]:
        """Returns (int32 [n] numbers of the words in distinct pieces, int64 [n] the piece of each, rising)."""
        try:
            pieces.validate(full=True)
        except pa.ArrowInvalid:
            raise InputError("the text is not UTF-8, or was changed while it was read: count it again") from None
        distinct = pl.Series(pl.from_arrow(pieces)).str.strip_suffix("\n")
        found = words_in_order(distinct, self._words)
        found = found.join(self._vocabulary, on="word", how="left", **_IN_ORDER)
        ids = found["id"].fill_null(self._size).to_numpy()
        return ids, found["piece"].to_numpy().astype(np.int64)


def _expand(values: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """values[begins[k] : begins[k] + lengths[k]] for every k, one after the other."""
    ends = np.cumsum(lengths)
    return values[np.repeat(begins - ends + lengths, lengths) + np.arange(int(ends[-1]) if len(ends) else 0)]
