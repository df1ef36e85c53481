"""What a word is, in terms of the sub-tokens of one dictionary."""

import re
import unicodedata
from typing import Dict, Iterable, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.ranks.sentencepiece_model import byte_value, check_pieces, is_symbol

SENTENCEPIECE, SUBWORD_NMT, WHOLE_WORDS = "sentencepiece", "subword_nmt", "none"
BPE_STYLES = ("auto", SENTENCEPIECE, SUBWORD_NMT, WHOLE_WORDS)
_PICTURE = re.compile("[\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]")
_ENTITIES = frozenset(["quot", "apos", "amp", "lt", "gt", "nbsp"])
_CONTINUES = "@@"  # subword-nmt's mark that the word goes on
# runs of bytes that are remembered: a language that a model spells in bytes has a new one in each sentence
_MOST_RUNS = 1 << 16
# a longer run of sub-tokens is an address, a table or noise, not a word
MAX_PIECES = 32


class WordPieces:
    """For every symbol of a dictionary, its part in a word.

    A word is a run of sub-tokens between word starts. Punctuation is no part of a word: a piece without any letter,
    combining mark or digit ends the run (but for SentencePiece's lone ``\u2581``, which carries the word start of the
    piece that follows). Special symbols (``<s>``, ``[en]``, ``<mask>``, ...) end it too; a run that holds ``<unk>`` is
    no word, since nobody knows which word it was.

    Of SentencePiece's variants, pieces of bytes (``<0xE2>``) are what they spell: whether one is part of a word depends
    on its neighbours, so `in_words` is to be asked of running text, not `in_word`. Symbols that the user defined
    (``<url>``) end a run as special ones do. Blanks at the ends of pieces and pieces of several words are refused.

    symbols: the dictionary's symbols in index order; special: indices of those that are not text;
    unk: index of ``<unk>``; style: one of BPE_STYLES, "auto" decides by the marks found in the symbols.

    in_word: bool [V], the piece may stand in a word (pieces of bytes: False); starts: bool [V], a word starts at this
    piece; ends: bool [V], a word ends after it; unk, lone_start: int, -1 where the dictionary has none.
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
        self.lone_start = symbols.index(WORD_START) if style == SENTENCEPIECE and WORD_START in symbols else -1
        if style == SENTENCEPIECE:
            check_pieces((s for i, s in enumerate(symbols) if i not in special), "the dictionary")
        self.in_word = np.zeros(len(symbols), dtype=bool)
        self.starts = np.zeros(len(symbols), dtype=bool)
        self.ends = np.zeros(len(symbols), dtype=bool)
        # int16 [V]: the byte that a piece stands for, or -1
        self._bytes = np.full(len(symbols), -1, dtype=np.int16)
        self._word_bytes: Dict[bytes, np.ndarray] = {}
        for index, symbol in enumerate(symbols):
            if index in special:
                continue
            if style == SENTENCEPIECE and index != unk:
                self._bytes[index] = byte_value(symbol)
                if self._bytes[index] >= 0 or is_symbol(symbol):
                    continue
            starts, text, ends = _mark(symbol, style)
            if index == unk:
                # an unknown piece may stand anywhere in a SentencePiece word; with the other styles it ends one
                starts, ends = style == WHOLE_WORDS, style != SENTENCEPIECE
            self.starts[index], self.ends[index] = starts, ends
            # Moses writes a quotation mark as &quot;
            self.in_word[index] = index in (unk, self.lone_start) or _has_word_character(unescape(text))

        marks = [(symbol.replace(WORD_START, "") if style == SENTENCEPIECE else "") for symbol in symbols]
        self._ampersands = np.array([mark.endswith("&") for mark in marks], dtype=bool)
        self._entity_names = np.array([mark in _ENTITIES for mark in marks], dtype=bool)
        self._has_bytes = bool((self._bytes >= 0).any())

    def __len__(self) -> int:
        return len(self.in_word)

    def count_entities(self, tokens: np.ndarray) -> int:
        """How often running text says ``&quot`` and the like, which SentencePiece cuts into an ampersand and a word.

        tokens: integer [T]. With the other styles an entity is one symbol, which is what it stands for.
        """
        return int(np.count_nonzero(self._ampersands[tokens[:-1]] & self._entity_names[tokens[1:]]))

    def in_words(self, tokens: np.ndarray) -> np.ndarray:
        """Which tokens of running text may stand in a word. tokens: integer [T] of whole sentences. Returns bool
        [T]."""
        found = self.in_word[tokens]
        if self._has_bytes:
            values = self._bytes[tokens]
            places = np.flatnonzero(values >= 0)
            for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else []:
                spelt = values[run].astype(np.uint8).tobytes()
                if spelt not in self._word_bytes:
                    if len(self._word_bytes) == _MOST_RUNS:
                        self._word_bytes.clear()
                    self._word_bytes[spelt] = _of_words(spelt)
                found[run] = self._word_bytes[spelt]
        return found


def _mark(symbol: str, style: str) -> Tuple[bool, str, bool]:
    """Return (a word starts here, the text without marks, a word ends here)."""
    if style == SENTENCEPIECE:
        return symbol.startswith(WORD_START), symbol.replace(WORD_START, ""), False
    if style == SUBWORD_NMT:
        goes_on = symbol.endswith(_CONTINUES)
        return False, symbol[: -len(_CONTINUES)] if goes_on else symbol, not goes_on
    return True, symbol, True


def _of_words(spelt: bytes) -> np.ndarray:
    """bool [len(spelt)]: the bytes of UTF-8 whose character may stand in a word; False where they are no UTF-8."""
    found = []
    for character in spelt.decode("utf-8", "surrogateescape"):
        found += [_has_word_character(character)] * len(character.encode("utf-8", "surrogateescape"))
    return np.array(found, dtype=bool)


def _has_word_character(text: str) -> bool:
    # the marks that choose a picture of an emoji, or frame it, are in no word
    return any(unicodedata.category(character)[0] in "LMN" and not _PICTURE.match(character) for character in text)


def _guess_style(symbols: Iterable[str]) -> str:
    for symbol in symbols:
        if WORD_START in symbol:
            return SENTENCEPIECE
        if symbol.endswith(_CONTINUES) and symbol != _CONTINUES:
            return SUBWORD_NMT
    return WHOLE_WORDS
