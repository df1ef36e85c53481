"""BART's noise on a dictionary of 40 words and 10 sub-tokens."""

import numpy as np

from crossinit_fairseq.data.bart_noise import BartNoise, NoiseLaw
from crossinit_fairseq.ranks import WordPieces
from tests.helpers import dictionary_of

# 4 to 43: words of one sub-token; 44 to 53: sub-tokens that go on with a word
DICTIONARY = dictionary_of([f"\u2581{k}" for k in range(40)] + [f"p{k}" for k in range(10)])
SYMBOLS = DICTIONARY.symbols
BOS, PAD, EOS, UNK, EN, RO, MASK = 0, 1, 2, 3, 54, 55, 56
PIECES = WordPieces(SYMBOLS, special=[BOS, PAD, EOS, EN, RO, MASK], unk=UNK)
TEXT = np.arange(4, 54)


def noise_of(longest=1000, whole_words=True, **law):
    """A BartNoise whose law is silent but for what is named."""
    law = NoiseLaw(**dict(dict(mask=0.0), **law))
    law.check()
    return BartNoise(law, PIECES, MASK, TEXT, longest, whole_words)


def noisy(tokens, seed=0, **options):
    before = np.array(tokens, dtype=np.int64)
    got = noise_of(**options)(before, np.random.default_rng(seed))
    assert got.dtype == np.int64 and before.tolist() == list(tokens), "the input stays as it is"
    return got.tolist()
