"""crossinit_fairseq/unmt/lexicon.py"""

import numpy as np
import torch

from crossinit_fairseq.data.noise import WordNoise
from crossinit_fairseq.lexicon.word_by_word import PieceTranslator
from crossinit_fairseq.ranks import WordPieces
from crossinit_fairseq.unmt.lexicon import LexiconNoise, WordByWordSources
from tests.helpers import dictionary_of, special_tokens_of

DICTIONARY = dictionary_of("abcdefgh", ("en", "ro", "ne"))  # a: 4, ..., h: 11; every symbol is a word
SPECIAL_TOKENS = special_tokens_of(DICTIONARY, ("en", "ro", "ne"))
PAD, EOS, MASK = 1, 2, 15
PIECES = WordPieces(DICTIONARY.symbols, special=[0, PAD, EOS, 3, 12, 13, 14, MASK], unk=3)
# en a -> ro ef, en b -> ro g; ro g -> en b; en a -> ne h
TRANSLATORS = {
    ("en", "ro"): PieceTranslator(PIECES, {(4,): (8, 9), (5,): (10,)}),
    ("ro", "en"): PieceTranslator(PIECES, {(10,): (5,)}),
    ("en", "ne"): PieceTranslator(PIECES, {(4,): (11,)}),
}
CLEAN = torch.tensor([[4, 6, 5, EOS], [5, EOS, PAD, PAD]])


def sources(updates=3, noise=None, max_len=9):
    return WordByWordSources(TRANSLATORS, updates, SPECIAL_TOKENS, noise, max_len)


def test_sources_hand_worked():
    assert sources()(CLEAN, "en", "ro", (1, 2)).tolist() == [[8, 9, 6, 10, EOS], [10, EOS, PAD, PAD, PAD]]
    assert sources()(CLEAN, "en", "ne", (1, 2)).tolist() == [[11, 6, 5, EOS], [5, EOS, PAD, PAD]]


def test_sources_too_long_are_cut():
    assert sources(max_len=2)(CLEAN, "en", "ro", ()).tolist() == [[8, 9, EOS], [10, EOS, PAD]]


def test_which_updates_and_directions():
    words = sources(updates=3)
    assert [words.writes("en", "ro", update) for update in range(5)] == [True, True, True, False, False]
    assert words.writes("ro", "en", 0) and not words.writes("ne", "en", 0)


def test_sources_are_disturbed_by_their_seed():
    clean = torch.tensor([[4, 5, 6, 7] * 5 + [EOS]] * 20)
    noise = WordNoise(PIECES, MASK, max_shuffle_distance=0.0, dropout=0.0, blanking=0.2)
    one, again, other = (sources(noise=noise, max_len=99)(clean, "en", "ro", (1, 7, 0, slot)) for slot in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    # 20 x 25 words, each symbol being one here; a fifth of 500 is 100, 4 standard deviations are 36
    assert abs(int(one.eq(MASK).sum()) - 100) < 36
    quiet = sources(max_len=99)(clean, "en", "ro", (1, 7, 0, 0))
    assert torch.equal(one.masked_fill(one.eq(MASK), 0), quiet.masked_fill(one.eq(MASK), 0))


def test_noise_replaces_a_share_and_leaves_the_rest():
    sentences = [torch.tensor([4, 6, 5] * 10 + [EOS])] * 100
    got = LexiconNoise({("en", "ro"): TRANSLATORS["en", "ro"]}, 0.25, 99)(sentences, "en", np.random.default_rng(0))
    tokens = torch.cat(got).tolist()
    # 1,000 of a and of b each; 5 standard deviations of a quarter of 1,000 are 69
    assert abs(tokens.count(8) - 250) < 69 and abs(tokens.count(10) - 250) < 69
    assert tokens.count(8) == tokens.count(9) == 1000 - tokens.count(4) and tokens.count(10) == 1000 - tokens.count(5)
    assert tokens.count(6) == 1000 and all(sentence[-1] == EOS for sentence in got)


def test_noise_takes_one_of_the_languages():
    noise = LexiconNoise(TRANSLATORS, 1.0, 99)
    got = {tuple(noise([torch.tensor([4, 5, EOS])], "en", np.random.default_rng(k))[0].tolist()) for k in range(20)}
    assert got == {(8, 9, 10, EOS), (11, 5, EOS)}
    sentences = [torch.tensor([11, EOS])]
    assert noise(sentences, "ne", np.random.default_rng(0)) is sentences, "no lexicon leads out of ne"


def test_noise_keeps_to_the_longest():
    (got,) = LexiconNoise({("en", "ro"): TRANSLATORS["en", "ro"]}, 1.0, 4)(
        [torch.tensor([4, 4, 4, EOS])], "en", np.random.default_rng(0)
    )
    assert got.tolist() == [8, 9, 8, EOS]
