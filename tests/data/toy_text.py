"""Sentences of two toy languages, their dictionary, and noise for them."""

import numpy as np

from crossinit_fairseq.data.noise import WordNoise
from crossinit_fairseq.ranks import WordPieces
from tests.helpers import Text, dictionary_of, special_tokens_of

DICTIONARY = dictionary_of(["\u2581" + letter for letter in "abcdefgh"])
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
BOS, PAD, EOS = 0, 1, 2
EN, RO, MASK = 12, 13, 14
PIECES = WordPieces(DICTIONARY.symbols, special=[0, 1, 2, 3, EN, RO, MASK], unk=3)
NOISE = WordNoise(PIECES, MASK, max_shuffle_distance=3.0, dropout=0.2, blanking=0.3)
SILENCE = WordNoise(PIECES, MASK, max_shuffle_distance=0.0, dropout=0.0, blanking=0.0)


def text_of(lengths):
    """Sentences of given numbers of words, each told apart by its words."""
    rng = np.random.default_rng(0)
    return Text(rng.integers(4, 12, size=n).tolist() for n in lengths)


EN_LENGTHS, RO_LENGTHS = [3, 7, 5, 4, 8, 6, 3, 9, 5, 7, 6, 4, 8], [4, 6, 5, 7]  # 13 and 4 sentences
TEXTS = {"en": text_of(EN_LENGTHS), "ro": text_of(RO_LENGTHS)}
ALL = {language: np.arange(len(text)) for language, text in TEXTS.items()}
