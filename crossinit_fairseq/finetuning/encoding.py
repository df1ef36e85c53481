"""Text as a model reads it: pieces with their places in the text, pairs of sentences, windows over long paragraphs."""

import os
from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.data.dictionary import BOS, EOS, UNK, special_rows
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import same_language
from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, check_same_model, load_model

Place = Tuple[int, int]  # first character, one past the last

FORMS = ("xlm", "roberta")
SPECIAL = 4  # tokens that either form adds to a pair


class PieceEncoder:
    """Cuts text into the pieces of a SentencePiece model and gives their rows in a dictionary.

    A control symbol in the text, such as <mask> where the model has it as a piece, is unknown: it is no text.
    path: of the model; rows: {symbol: row}; folder: the data folder, which may hold a spm.model. Raises InputError for
    a file that is missing or no model, and for a model of another text.
    """

    def __init__(self, path: str, rows: Mapping[str, int], folder: str):
        if not os.path.isfile(path):
            raise InputError(f"{path} is missing: give --pieces the SentencePiece model of pre-training")
        self.model = load_model(path)
        symbols = sorted(rows, key=lambda symbol: rows[symbol])
        check_same_model(path, folder)
        check_dictionary(self.model, path, symbols, os.path.join(folder, "dict.txt"))
        text = {symbol: rows[symbol] for symbol in symbols}
        for row in special_rows(symbols):
            text.pop(symbols[row])
        pieces = [self.model.id_to_piece(k) for k in range(len(self.model))]
        self.rows = np.array([text.get(piece, UNK) for piece in pieces], dtype=np.int64)

    def encode(self, text: str) -> np.ndarray:
        """The pieces of a text as rows of the dictionary, int64 [T]."""
        return self.rows[np.array(self.model.encode(text, out_type=int), dtype=np.int64)]

    def encode_with_places(self, text: str) -> Tuple[np.ndarray, List[Place]]:
        """The same, and the characters of the text that each piece stands for (T places, rising)."""
        if hasattr(self.model, "encode_as_offset_mapping"):
            found = self.model.encode_as_offset_mapping(text)
            return self.rows[np.array(found["ids"], dtype=np.int64)], [tuple(place) for place in found["offsets"]]
        # older versions of the library: the surfaces of the pieces, one after another, are the text
        places, end = [], 0
        pieces = self.model.encode(text, out_type="immutable_proto").pieces
        for piece in pieces:
            places.append((end, end + len(piece.surface)))
            end += len(piece.surface)
        return self.rows[np.array([piece.id for piece in pieces], dtype=np.int64)], places


@dataclass(frozen=True)
class Encoded:
    """One input of a model. tokens: int64 [T]; languages: int64 [T], the language embedding of each, or None;
    second: where the second text begins; length: its length in tokens."""

    tokens: np.ndarray
    languages: Optional[np.ndarray]
    second: int
    length: int


class PairForm:
    """How two texts stand in an input, as the pre-training of the model wrote sentences.

    xlm: ``<s> a </s> b </s> [lang]`` with the language embedding of each text, where `crossinit_mlm` and mBART write
    ``<s> x </s> [lang]``; roberta: ``<s> a </s></s> b </s>``, no language.

    name: one of FORMS; tokens: {language: row of its token} in the order of the language embeddings (xlm).
    """

    def __init__(self, name: str, tokens: Mapping[str, int]):
        self.name, self.tokens = name, dict(tokens)

    def check_language(self, language: str) -> None:
        """Raise InputError when an input of that language cannot be written: the model has no embedding for it."""
        if self.name == "xlm":
            self._known(language)

    def _known(self, language: str) -> str:
        if language in self.tokens:
            return language
        alike = [known for known in self.tokens if same_language(known, language)]
        if len(alike) != 1:
            raise InputError(
                f"the model has no embedding for the language {language}: dict.txt names {', '.join(self.tokens)}"
            )
        return alike[0]

    def join(self, first: np.ndarray, second: np.ndarray, first_language: str, second_language: str) -> Encoded:
        """Write two texts, int64 [A] and [B], as one input of A + B + SPECIAL tokens. Raises InputError."""
        if self.name == "roberta":
            tokens = np.concatenate([[BOS], first, [EOS, EOS], second, [EOS]])
            return Encoded(tokens, None, len(first) + 3, len(second))
        names = [self._known(language) for language in (first_language, second_language)]
        tokens = np.concatenate([[BOS], first, [EOS], second, [EOS, self.tokens[names[1]]]])
        rows = [list(self.tokens).index(name) for name in names]
        languages = np.repeat(rows, [len(first) + 2, len(second) + 2])
        return Encoded(tokens, languages, len(first) + 2, len(second))

    def single(self, text: np.ndarray, language: str) -> Encoded:
        """Write one text, int64 [A], as ``<s> x </s> [lang]`` or ``<s> x </s>``. Raises InputError."""
        if self.name == "roberta":
            return Encoded(np.concatenate([[BOS], text, [EOS]]), None, 1, len(text))
        name = self._known(language)
        tokens = np.concatenate([[BOS], text, [EOS, self.tokens[name]]])
        return Encoded(tokens, np.full(len(tokens), list(self.tokens).index(name)), 1, len(text))


def shorten_pair(first: int, second: int, room: int) -> Tuple[int, int]:
    """Lengths of two texts that fit into `room` tokens together. The longer one loses its end; among equals the second.

    The same as taking one token after another away from the longer one, as BERT's and XTREME's scripts do.
    """
    if first + second <= room:
        return first, second
    half = room // 2
    if min(first, second) <= half:
        return (first, room - first) if first <= second else (room - second, second)
    return room - half, half


def windows(length: int, room: int, stride: int) -> List[Place]:
    """The windows of `room` tokens over a paragraph of `length` tokens, each `stride` further on than the one before.

    The last one ends with the paragraph. There is always one, if only of (0, 0).
    """
    starts = [0]
    while starts[-1] + room < length:
        starts.append(starts[-1] + stride)
    return [(start, min(start + room, length)) for start in starts]


def tokens_of_answer(places: Sequence[Place], start: int, end: int) -> Optional[Place]:
    """The first and the last token that hold a character of an answer, from `start` up to but without `end`.

    places: of the tokens in the paragraph. A token of no character is none. None where no token holds one.
    """
    touched = [k for k, (begin, after) in enumerate(places) if begin < end and after > start]
    return (touched[0], touched[-1]) if touched else None
