"""crossinit_fairseq/data/noise.py"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.noise import WordNoise, add_noise
from crossinit_fairseq.ranks import WordPieces
from tests import helpers  # noqa: F401
from tests.data.toy_text import EOS, NOISE, SILENCE

MASK = 4
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
# indices from 5 on
SYMBOLS = {
    "sentencepiece": SPECIAL + ["▁a", "▁b", "▁c", "▁d", "e", "f", "."],
    "subword_nmt": SPECIAL + ["a", "b", "c", "d", "e@@", "f@@", "."],
    "none": SPECIAL + ["a", "b", "c", "d", "e", "f", "."],
}
PIECES = {style: WordPieces(symbols, special=[0, 1, 2, 3, 4], unk=3, style=style) for style, symbols in SYMBOLS.items()}
SENTENCE = st.lists(st.sampled_from([3, 5, 6, 7, 8, 9, 10, 11]), min_size=1, max_size=15)
PROBABILITY = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])
STYLES = pytest.mark.parametrize("style", sorted(SYMBOLS))


def words_of(tokens, style):
    """Walk the tokens one by one. Returns the words as tuples; punctuation belongs to the word it is attached to."""
    words = []
    for position, token in enumerate(tokens):
        before = SYMBOLS[style][tokens[position - 1]] if position else ""
        starts = {
            "sentencepiece": SYMBOLS[style][token].startswith("▁"),
            "subword_nmt": not before.endswith("@@"),
            "none": True,
        }[style]
        if starts or not position:
            words.append(())
        words[-1] += (token,)
    return words


def noisy(tokens, style, seed=0, **options):
    options = dict(dict(max_shuffle_distance=0.0, dropout=0.0, blanking=0.0), **options)
    got = WordNoise(PIECES[style], MASK, **options)(np.array(tokens, dtype=np.int64), np.random.default_rng(seed))
    assert got.dtype == np.int64
    return got.tolist()


class Fixed:
    """Stands in for numpy's generator: random() gives the rows in turn, integers() the given word."""

    def __init__(self, rows, integer=None):
        self.rows, self.integer = iter(rows), integer

    def random(self, size):
        row = next(self.rows)
        assert len(row) == size
        return np.array(row)

    def integers(self, high):
        assert self.integer is not None and self.integer < high
        return self.integer


@pytest.mark.parametrize(
    "style, sentence, expected",
    # four words: the first moves behind the second, the third is dropped, the fourth is blanked
    [
        ("sentencepiece", [5, 9, 6, 11, 7, 8, 9, 10], [6, 11, 5, 9, MASK]),  # ▁a e | ▁b . | ▁c | ▁d e f
        ("subword_nmt", [9, 5, 6, 7, 9, 10, 8], [6, 9, 5, MASK]),  # e@@ a | b | c | e@@ f@@ d
        ("none", [5, 6, 7, 8], [6, 5, MASK]),
    ],
)
def test_hand_worked(style, sentence, expected):
    noise = WordNoise(PIECES[style], MASK, max_shuffle_distance=3.0, dropout=0.1, blanking=0.2)
    # places 0 + 3 * 0.5 = 1.5, 1, 2, 3; the third draw for dropout is below 0.1, the fourth for blanking below 0.2
    rng = Fixed([[0.5, 0, 0, 0], [0.1, 0.9, 0.09, 0.9], [0.2, 0.9, 0.1, 0.19]])
    assert noise(np.array(sentence), rng).tolist() == expected


def test_all_dropped_keeps_one():
    noise = WordNoise(PIECES["sentencepiece"], MASK, max_shuffle_distance=0, dropout=1.0, blanking=0.0)
    rng = Fixed([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]], integer=1)
    assert noise(np.array([5, 6, 9, 7]), rng).tolist() == [6, 9]


@STYLES
@given(sentence=SENTENCE, seed=st.integers(0, 999))
def test_no_noise_is_identity(style, sentence, seed):
    assert noisy(sentence, style, seed) == sentence


@STYLES
@given(sentence=SENTENCE, seed=st.integers(0, 999), distance=st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0]))
def test_shuffling_moves_whole_words_less_than_the_distance(style, sentence, seed, distance):
    # every word a different one, so that it can be told where it went
    words = words_of(sentence, style)
    order = noise_order(len(words), seed, distance)
    assert sorted(order) == list(range(len(words)))
    assert all(abs(place - word) < max(distance, 1e-9) or place == word for place, word in enumerate(order))
    assert noisy(sentence, style, seed, max_shuffle_distance=distance) == [t for k in order for t in words[k]]


def noise_order(count, seed, distance):
    """The order into which `count` words come, read off a sentence of `count` distinct words."""
    if not count:
        return []
    pieces = WordPieces(SPECIAL + [f"w{k}" for k in range(count)], special=[0, 1, 2, 3, 4], unk=3, style="none")
    noise = WordNoise(pieces, MASK, max_shuffle_distance=distance, dropout=0.0, blanking=0.0)
    got = noise(np.arange(5, 5 + count), np.random.default_rng(seed))
    return [int(token) - 5 for token in got]


def test_shuffling_reaches_its_bound():
    distances = {abs(place - word) for seed in range(300) for place, word in enumerate(noise_order(8, seed, 3.0))}
    assert distances == {0, 1, 2}


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(item in rest for item in part)


@STYLES
@given(sentence=SENTENCE, seed=st.integers(0, 999), dropout=PROBABILITY)
def test_dropping_takes_whole_words_and_never_all(style, sentence, seed, dropout):
    got = noisy(sentence, style, seed, dropout=dropout)
    assert got
    words = words_of(sentence, style)
    # which words were kept follows from the draws alone: the second row of random numbers
    rng = np.random.default_rng(seed)
    rng.random(len(words))
    kept = [word for word, chance in zip(words, rng.random(len(words))) if chance >= dropout]
    if kept:
        assert got == [token for word in kept for token in word]
    else:
        assert tuple(got) in words


@STYLES
@given(sentence=SENTENCE, seed=st.integers(0, 999), blanking=PROBABILITY)
def test_a_blanked_word_is_one_mask(style, sentence, seed, blanking):
    words = words_of(sentence, style)
    got = noisy(sentence, style, seed, blanking=blanking)
    rng = np.random.default_rng(seed)
    rng.random(len(words)), rng.random(len(words))
    expected = [(MASK,) if chance < blanking else word for word, chance in zip(words, rng.random(len(words)))]
    assert got == [token for word in expected for token in word]
    assert blanking < 1 or got == [MASK] * len(words)


@STYLES
@given(
    sentence=SENTENCE,
    seed=st.integers(0, 999),
    distance=st.sampled_from([0.0, 3.0]),
    dropout=PROBABILITY,
    blanking=PROBABILITY,
)
def test_all_together(style, sentence, seed, distance, dropout, blanking):
    options = dict(max_shuffle_distance=distance, dropout=dropout, blanking=blanking)
    tokens = np.array(sentence, dtype=np.int64)
    got = noisy(sentence, style, seed, **options)
    assert got == noisy(sentence, style, seed, **options), "the generator decides alone"
    assert tokens.tolist() == sentence
    assert 1 <= len(got) <= len(sentence)
    # what is left of the words, masks aside, are whole words of the sentence
    text = [token for token in got if token != MASK]
    words = words_of(sentence, style)
    left = [word for word in words]
    position = 0
    while position < len(text):
        fitting = [word for word in left if tuple(text[position : position + len(word)]) == word]
        assert fitting, "a word was split"
        word = max(fitting, key=len)
        left.remove(word)
        position += len(word)
    if not distance:
        assert is_subsequence(text, sentence)


@given(sentence=SENTENCE, seed=st.integers(0, 999))
def test_one_kind_of_noise_does_not_change_what_the_others_draw(sentence, seed):
    both = noisy(sentence, "none", seed, dropout=0.3, blanking=0.4)
    dropped = noisy(sentence, "none", seed, dropout=0.3)
    assert len(both) == len(dropped)
    assert all(one in (other, MASK) for one, other in zip(both, dropped))


def test_rates():
    # 20,000 words: a tenth dropped and, of the rest, a fifth blanked, each within five standard deviations
    sentence = [5] * 20000
    dropped = 20000 - len(noisy(sentence, "none", 1, dropout=0.1))
    assert abs(dropped - 2000) < 5 * np.sqrt(20000 * 0.1 * 0.9)
    assert abs(noisy(sentence, "none", 1, blanking=0.2).count(MASK) - 4000) < 5 * np.sqrt(20000 * 0.2 * 0.8)


def test_input_is_not_changed():
    tokens = np.array([5, 6, 7, 8])
    for seed in range(5):
        WordNoise(PIECES["none"], MASK, blanking=0.9)(tokens, np.random.default_rng(seed))
    assert tokens.tolist() == [5, 6, 7, 8]


def test_disturb_keeps_the_end():
    sentence = torch.tensor([4, 5, 6, EOS])
    for seed in range(20):
        got = add_noise(sentence, NOISE, np.random.default_rng(seed))
        assert got[-1] == EOS and EOS not in got[:-1] and len(got) >= 2 and got.dtype == torch.int64
    assert torch.equal(add_noise(sentence, SILENCE, np.random.default_rng(0)), sentence)
