"""What a word is, in terms of the sub-tokens of one dictionary."""

import unicodedata
from typing import Iterable, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError

SENTENCEPIECE, SUBWORD_NMT, WHOLE_WORDS = "sentencepiece", "subword_nmt", "none"
BPE_STYLES = ("auto", SENTENCEPIECE, SUBWORD_NMT, WHOLE_WORDS)
_SPACE = "\u2581"  # SentencePiece's mark of a word start
_CONTINUES = "@@"  # subword-nmt's mark that the word goes on
# a longer run of sub-tokens is an address, a table or noise, not a word
MAX_PIECES = 32


class WordPieces:
    """For every symbol of a dictionary, its part in a word.

    A word is a run of sub-tokens between word starts. Punctuation is no part of a word: a piece without any letter,
    combining mark or digit ends the run (but for SentencePiece's lone ``\u2581``, which carries the word start of the
    piece that follows). Special symbols (``<s>``, ``[en]``, ``<mask>``, ...) end it too; a run that holds ``<unk>`` is
    no word, since nobody knows which word it was.

    symbols: the dictionary's symbols in index order; special: indices of those that are not text;
    unk: index of ``<unk>``; style: one of BPE_STYLES, "auto" decides by the marks found in the symbols.

    in_word: bool [V], the piece may stand in a word; starts: bool [V], a word starts at this piece;
    ends: bool [V], a word ends after it; unk, lone_start: int, -1 where the dictionary has none.
    """

    def __init__(
        self, symbols: Sequence[str], special: Iterable[int] = (), unk: Optional[int] = None, style: str = "auto"
    ):
        symbols = list(symbols)
        if style not in BPE_STYLES:
            raise InputError(f"unknown sub-token style {style!r}: choose one of {', '.join(BPE_STYLES)}")
        special = set(special) - {unk}
        if style == "auto":
            style = _guess_style(s for i, s in enumerate(symbols) if i not in special)
        self.style = style
        self.unk = -1 if unk is None else unk
        self.lone_start = symbols.index(_SPACE) if style == SENTENCEPIECE and _SPACE in symbols else -1
        self.in_word = np.zeros(len(symbols), dtype=bool)
        self.starts = np.zeros(len(symbols), dtype=bool)
        self.ends = np.zeros(len(symbols), dtype=bool)
        for index, symbol in enumerate(symbols):
            if index in special:
                continue
            starts, text, ends = _mark(symbol, style)
            if index == unk:
                # an unknown piece may stand anywhere in a SentencePiece word; with the other styles it ends one
                starts, ends = style == WHOLE_WORDS, style != SENTENCEPIECE
            self.starts[index], self.ends[index] = starts, ends
            self.in_word[index] = index in (unk, self.lone_start) or _has_word_character(text)

    def __len__(self) -> int:
        return len(self.in_word)


def _mark(symbol: str, style: str) -> Tuple[bool, str, bool]:
    """Return (a word starts here, the text without marks, a word ends here)."""
    if style == SENTENCEPIECE:
        return symbol.startswith(_SPACE), symbol.replace(_SPACE, ""), False
    if style == SUBWORD_NMT:
        goes_on = symbol.endswith(_CONTINUES)
        return False, symbol[: -len(_CONTINUES)] if goes_on else symbol, not goes_on
    return True, symbol, True


def _has_word_character(text: str) -> bool:
    return any(unicodedata.category(character)[0] in "LMN" for character in text)


def _guess_style(symbols: Iterable[str]) -> str:
    for symbol in symbols:
        if symbol.startswith(_SPACE):
            return SENTENCEPIECE
        if symbol.endswith(_CONTINUES) and symbol != _CONTINUES:
            return SUBWORD_NMT
    return WHOLE_WORDS
