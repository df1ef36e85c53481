"""crossinit_fairseq/data/bart_noise.py: against hand-worked inputs and a slow reference."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.bart_noise import NoiseLaw
from crossinit_fairseq.errors import InputError
from tests import helpers
from tests.data.toy_noise import BOS, EN, EOS, MASK, TEXT, UNK, noise_of, noisy


class Fixed:
    """Stands in for numpy's generator: each method gives its next row."""

    def __init__(self, **rows):
        self.rows = {name: list(values) for name, values in rows.items()}

    def _next(self, name):
        return np.array(self.rows[name].pop(0))

    def poisson(self, mean, size):
        return self._next("poisson")[:size]

    def permutation(self, of):
        return self._next("permutation")

    def random(self, size=None):
        return self._next("random")

    def integers(self, *bounds, size=None):
        return self._next("integers") if size is None or size else np.empty(0, dtype=np.int64)


def with_draws(tokens, law, **draws):
    return noise_of(**law)(np.array(tokens, dtype=np.int64), Fixed(**draws)).tolist()


# a sentence of six words and its </s>: (4) (5 44) (6) (7) (8 45 46) (9) (2)
SENTENCE = [BOS, 4, 5, 44, 6, 7, 8, 45, 46, 9, EOS, EN]


def test_words_are_runs_of_sub_tokens():
    assert noise_of(mask=0.5).word_begins(np.array(SENTENCE)).tolist() == [1, 2, 4, 5, 6, 9, 10]
    assert noise_of(mask=0.5, whole_words=False).word_begins(np.array(SENTENCE)).tolist() == list(range(1, 11))
    assert noise_of(mask=0.5, mask_length="subword").word_begins(np.array(SENTENCE)).tolist() == list(range(1, 11))
    # a block may begin inside a word, and an unknown sub-token may be part of one
    assert noise_of(mask=0.5).word_begins(np.array([BOS, 44, 5, UNK, EOS, 45, EN])).tolist() == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "replace_length, expected",
    [
        (1, [BOS, 4, MASK, 7, 8, 45, 46, 9, MASK, EN]),
        (0, [BOS, 4, 7, 8, 45, 46, 9, EN]),
        (-1, [BOS, 4, MASK, MASK, MASK, 7, 8, 45, 46, 9, MASK, EN]),
    ],
)
def test_spans_hand_worked(replace_length, expected):
    # 0.35 of 7 words are 3 (2.45 rounded up): lengths 2 and 3, the last cut to 1; they begin at words 1 and 6
    law = dict(mask=0.35, replace_length=replace_length)
    assert with_draws(SENTENCE, law, poisson=[[2, 3, 1]], permutation=[[1, 6, 0, 2, 3, 4, 5]]) == expected


def test_a_span_of_no_words_inserts_a_mask():
    # lengths 0, 3: one span at word 3; one mask inserted, at place 2 of the 10 places within
    law = dict(mask=0.35)
    draws = dict(poisson=[[0, 3, 9]], permutation=[[3, 0, 1, 2, 4, 5, 6], [1, 0, 2, 3, 4, 5]])
    assert with_draws(SENTENCE, law, **draws) == [BOS, 4, MASK, 5, 44, 6, MASK, EOS, EN]


def test_spans_that_meet():
    law = dict(mask=0.7)  # 5 words of 7
    # words 1 to 3, and 2 to 3: the second begins inside the first
    draws = dict(poisson=[[3, 2, 0, 0, 0]], permutation=[[1, 2, 0, 3, 4, 5, 6]])
    assert with_draws(SENTENCE, law, **draws) == [BOS, 4, MASK, 8, 45, 46, 9, EOS, EN]
    # words 1 to 3, and from 4 on: side by side, two masks
    draws = dict(poisson=[[3, 2, 0, 0, 0]], permutation=[[1, 4, 0, 2, 3, 5, 6]])
    assert with_draws(SENTENCE, law, **draws) == [BOS, 4, MASK, MASK, EOS, EN]
    # 4 words from word 5 on: only two are left before the end, and </s> is one
    draws = dict(poisson=[[5, 0, 0, 0, 0]], permutation=[[5, 0, 1, 2, 3, 4, 6]])
    assert with_draws(SENTENCE, law, **draws) == [BOS, 4, 5, 44, 6, 7, 8, 45, 46, MASK, EN]


def test_spans_are_drawn_until_there_are_enough():
    law = dict(mask=0.35, replace_length=0)
    draws = dict(poisson=[[1, 0, 1], [0, 7, 7]], permutation=[[0, 2, 3, 1, 4, 5, 6], [4, 0, 1, 2, 3, 5, 6, 7]])
    # words 0, 2, 3; two masks inserted among 7 + 2 places: at 5 and 1
    assert with_draws(SENTENCE, law, **draws) == [BOS, MASK, 5, 44, 8, MASK, 45, 46, 9, EOS, EN]


def test_sentences_are_permuted_whole():
    block = [BOS, 4, 5, EOS, 6, EOS, 7, 8, 9, EOS, EN]
    got = with_draws(block, dict(permute_sentences=1.0), permutation=[[0, 1, 2], [2, 0, 1]])
    assert got == [BOS, 7, 8, 9, EOS, 4, 5, EOS, 6, EOS, EN]
    # two thirds of three are two: the chosen ones, 2 and 0, change places
    got = with_draws(block, dict(permute_sentences=0.6), permutation=[[2, 0, 1], [0, 2]])
    assert got == [BOS, 7, 8, 9, EOS, 6, EOS, 4, 5, EOS, EN]


def test_rotation_and_permutation_hand_worked():
    got = with_draws([BOS, 4, 5, 6, EOS, EN], dict(rotate=0.5), random=[0.4], integers=[3])
    assert got == [BOS, 6, EOS, 4, 5, EN]
    assert with_draws([BOS, 4, 5, 6, EOS, EN], dict(rotate=0.5), random=[0.6]) == [BOS, 4, 5, 6, EOS, EN]
    # half of 6 sub-tokens are 3
    got = with_draws([BOS, 4, 5, 6, EOS, EN], dict(permute=0.5), permutation=[[1, 3, 0, 2], [4, 1, 2]])
    assert got == [BOS, 5, EOS, 6, 4, EN]


def test_random_sub_tokens_are_text():
    law = dict(mask=1.0, mask_length="subword", mask_random=1.0)
    got = [token for seed in range(200) for token in noisy(SENTENCE, seed, **law)[1:-1]]
    assert set(got) == set(TEXT.tolist())


# --- the slow reference: token by token, as fairseq does it, with the same draws


def slow_mask(law, tokens, begins, rng):
    count = math.ceil(np.float32(len(begins)) * np.float32(law.mask))
    if not count:
        return tokens
    lengths = []
    if law.mask_length == "span-poisson":
        while sum(lengths) < count:
            lengths += rng.poisson(law.poisson_lambda, count).tolist()
        cut = []
        while sum(cut) < count:
            cut.append(min(lengths[len(cut)], count - sum(cut)))
        lengths = cut
    else:
        lengths = [1] * count
    spans = [length for length in lengths if length]
    spans = sorted(zip(rng.permutation(len(begins))[: len(spans)].tolist(), spans))
    covered, first = {}, set()
    random = rng.random(len(spans)) < law.mask_random if law.mask_random else [False] * len(spans)
    marks = [MASK] * len(spans)
    if law.mask_random:
        for number, drawn in zip(np.flatnonzero(random), rng.integers(len(TEXT), size=int(sum(random)))):
            marks[number] = int(TEXT[drawn])
    for number, (word, length) in enumerate(spans):
        place = begins[word]
        if place not in covered:
            first.add(place)
        left = length
        while True:
            covered.setdefault(place, number)
            place += 1
            if place == len(tokens) - 1 or (place in begins and left == 1):
                break
            left -= place in begins
    got = []
    for place, token in enumerate(tokens):
        if place not in covered:
            got.append(token)
        elif law.replace_length == -1:
            got.append(-1 if random[covered[place]] else MASK)
        elif law.replace_length == 1 and place in first:
            got.append(marks[covered[place]])
    if law.replace_length == -1:
        drawn = iter(rng.integers(len(TEXT), size=got.count(-1)).tolist()) if got.count(-1) else iter(())
        got = [int(TEXT[next(drawn)]) if token == -1 else token for token in got]
    return slow_insert(law, got, len(lengths) - len(spans), rng)


def slow_insert(law, tokens, count, rng):
    if not count:
        return tokens
    places = (rng.permutation(len(tokens) + count - 2)[:count] + 1).tolist()
    random = math.ceil(count * law.mask_random)
    drawn = TEXT[rng.integers(len(TEXT), size=random)].tolist()
    new = {place: drawn[k] if k < random else MASK for k, place in enumerate(places)}
    old = iter(tokens)
    return [new[place] if place in new else next(old) for place in range(len(tokens) + count)]


INPUT = st.lists(st.integers(3, 53) | st.just(EOS), min_size=1, max_size=25)
SHARE = st.sampled_from([0.0, 0.1, 0.35, 0.5, 0.9, 1.0])


@given(
    body=INPUT,
    mask=SHARE,
    mask_length=st.sampled_from(["span-poisson", "word", "subword"]),
    mean=st.sampled_from([0.3, 1.0, 3.5, 9.0]),
    replace_length=st.sampled_from([-1, 0, 1]),
    mask_random=SHARE,
    insert=SHARE,
    seed=st.integers(0, 2**32),
)
@helpers.settings(max_examples=200)
def test_equal_to_a_slow_reference(body, mask, mask_length, mean, replace_length, mask_random, insert, seed):
    tokens = [BOS] + body + [EOS, EN]
    named = dict(mask=mask, mask_length=mask_length, poisson_lambda=mean, replace_length=replace_length)
    fast = noise_of(mask_random=mask_random, insert=insert, **named)
    got = fast(np.array(tokens), np.random.default_rng(seed)).tolist()
    rng, law = np.random.default_rng(seed), fast.law
    begins = fast.word_begins(np.array(tokens)).tolist()
    expected = slow_mask(law, tokens, begins, rng) if mask else tokens
    assert got == slow_insert(law, expected, math.ceil(len(expected) * insert), rng)


@given(
    body=INPUT,
    shares=st.tuples(SHARE, SHARE, SHARE, SHARE, SHARE),
    mean=st.sampled_from([0.1, 3.5]),
    longest=st.integers(4, 60),
    seed=st.integers(0, 2**32),
)
@helpers.settings(max_examples=150)
def test_whatever_is_drawn(body, shares, mean, longest, seed):
    names = ("mask", "insert", "permute", "rotate", "permute_sentences")
    tokens = [BOS] + body + [EOS, EN]
    got = noisy(tokens, seed, longest=longest, poisson_lambda=mean, **dict(zip(names, shares)))
    assert got[0] == BOS and got[-1] == EN and len(got) >= 2
    assert len(got) <= max(len(tokens), longest)
    assert set(got) <= set(tokens) | {MASK}
    if not shares[0]:
        assert sorted(token for token in got if token != MASK) == sorted(tokens), "nothing is lost"


# --- fairseq's own


# --- bad options


@pytest.mark.parametrize(
    "law, told",
    [
        (dict(mask=1.5), "--mask is 1.5; it is a share, 0 to 1"),
        (dict(permute_sentences=-1), "--permute-sentences is -1"),
        (dict(mask_random=float("nan")), "--mask-random is nan"),
        (dict(replace_length=2), "--replace-length is 2"),
        (dict(mask_length="words"), "--mask-length is words; choose one of span-poisson, word, subword"),
        (dict(poisson_lambda=0.0), "--poisson-lambda is 0.0; it is a mean length in words, 0.1 or more"),
        (dict(poisson_lambda=float("nan")), "--poisson-lambda is nan"),
    ],
)
def test_what_is_out_of_range_is_refused(law, told):
    with pytest.raises(InputError, match=told):
        NoiseLaw(**law).check()
