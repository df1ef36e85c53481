"""Words for languages that put no spaces between them: by ICU's dictionaries, or by sub-tokens."""

import re
from dataclasses import dataclass
from typing import Iterator, List, Tuple

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.ranks.sentencepiece_model import decode_bytes, load_model

_BETWEEN_BYTES = re.compile("(?<=>) (?=<0x)")
_BATCH = 1 << 20  # characters given to ICU at a time


@dataclass(frozen=True)
class IcuSegmenter:
    """Cuts runs of letters into words with the dictionaries of ICU, which know Chinese, Japanese, Thai, Khmer, Lao and
    Burmese (the extra `segment`; Python 3.11 or later). Raises InputError without the library."""

    language: str

    def __post_init__(self) -> None:
        try:
            import icu4py.breakers  # noqa: F401
        except ImportError:
            raise InputError(
                f"counting the words of {self.language} needs a segmenter: pip install 'crossinit_fairseq[segment]' "
                "(Python 3.11 or later), or count sub-tokens with --sub-tokens MODEL"
            ) from None

    def segment(self, runs: List[str]) -> Tuple[List[str], List[int]]:
        """runs: list of str without line breaks. Returns (list of str pieces, list of int, the run of each piece)."""
        from icu4py.breakers import WordBreaker

        pieces: List[str] = []
        origins: List[int] = []
        for begin, batch in _batches(runs):
            at = begin
            # a line break always ends a word
            for piece in WordBreaker("\n".join(batch), base_language(self.language)):
                if piece == "\n":
                    at += 1
                else:
                    pieces.append(piece)
                    origins.append(at)
        return pieces, origins


@dataclass(frozen=True)
class SubTokens:
    """Cuts runs of letters into the sub-tokens of a SentencePiece model, where a language has no segmenter.

    model: the path of its .model file. Raises InputError when it is none.
    """

    model: str

    def __post_init__(self) -> None:
        load_model(self.model)

    def segment(self, runs: List[str]) -> Tuple[List[str], List[int]]:
        """runs: list of str. Returns (list of str pieces, without marks of word starts, list of int, the run of
        each)."""
        pieces: List[str] = []
        origins: List[int] = []
        for at, cut in enumerate(load_model(self.model).encode(runs, out_type=str)):
            # pieces of bytes are one when they stand together: a byte alone is no letter
            for piece in decode_bytes(_BETWEEN_BYTES.sub("", " ".join(cut))).split(" "):
                piece = piece.replace(WORD_START, "")
                if piece:
                    pieces.append(piece)
                    origins.append(at)
        return pieces, origins


def _batches(runs: List[str]) -> Iterator[Tuple[int, List[str]]]:
    """Yield (position, list of str) of consecutive runs, about _BATCH characters each."""
    begin = size = 0
    for at, run in enumerate(runs):
        size += len(run)
        if size >= _BATCH:
            yield begin, runs[begin : at + 1]
            begin, size = at + 1, 0
    if begin < len(runs):
        yield begin, runs[begin:]
