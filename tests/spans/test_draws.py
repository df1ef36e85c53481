"""crossinit_fairseq/spans/draws.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.spans import SpanSampler
from tests import helpers  # noqa: F401


class Centres:
    """Stands in for numpy's generator: every centre is the given one, the languages are 0 and 1."""

    def __init__(self, centre):
        self.centre = centre

    def integers(self, low, high=None, size=None):
        if size is None:  # the centres, one for each bound in `low`
            assert (np.asarray(low) > self.centre).all()
            return np.full(len(low), self.centre)
        return np.zeros(size, dtype=np.int64) if high is None else np.ones(size, dtype=np.int64)


@pytest.mark.parametrize(
    "span, centre, low, high",
    # both languages have 10 ranks: 0 to 9
    [
        (3, 5, 4, 7),  # odd: 4, 5, 6 around 5
        (3, 0, 0, 2),  # -1, 0, 1: clipped below
        (3, 1, 0, 3),
        (3, 8, 7, 10),
        (3, 9, 8, 10),  # 8, 9, 10: clipped above
        (4, 5, 3, 7),  # even: n words from k - n/2 on: 3, 4, 5, 6
        (4, 1, 0, 3),  # -1 to 2
        (4, 2, 0, 4),
        (4, 8, 6, 10),  # 6, 7, 8, 9: just fits
        (4, 9, 7, 10),
        (1, 0, 0, 1),
        (1, 9, 9, 10),
        (9, 0, 0, 5),
        (9, 9, 5, 10),
    ],
)
def test_span_around_a_centre(monkeypatch, span, centre, low, high):
    sampler = SpanSampler([10, 12], span, max_rank=10, seed=1)
    monkeypatch.setattr(np.random, "default_rng", lambda seed: Centres(centre))
    draws = sampler.draw(1, epoch=1, index=0)
    assert (draws.left.tolist(), draws.right.tolist()) == ([0], [1])
    assert (draws.low.tolist(), draws.high.tolist()) == ([low], [high])


@given(
    words=st.lists(st.integers(3, 40), min_size=2, max_size=5),
    data=st.data(),
    count=st.integers(1, 30),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 3),
    index=st.integers(0, 5),
)
def test_every_draw_is_a_span_of_two_languages(words, data, count, seed, epoch, index):
    span = data.draw(st.integers(1, min(words) - 1))
    max_rank = data.draw(st.integers(span, 50))
    draws = SpanSampler(words, span, max_rank, seed).draw(count, epoch, index)
    assert len(draws) == count
    for left, right, low, high in zip(draws.left, draws.right, draws.low, draws.high):
        assert left != right and 0 <= min(left, right) and max(left, right) < len(words)
        limit = min(words[left], words[right], max_rank)
        assert 0 <= low < high <= limit
        # never wider than the span, narrower only at an end, and never less than its half
        assert span // 2 + (span % 2) <= high - low <= span
        assert high - low == span or low == 0 or high == limit
        assert high - low < words[right], "something must be left outside"


def test_all_ordered_pairs_occur_about_equally():
    draws = SpanSampler([50] * 4, span=5, max_rank=50, seed=3).draw(24000, 1, 0)
    counts = np.zeros((4, 4), dtype=np.int64)
    np.add.at(counts, (draws.left, draws.right), 1)
    assert (counts.diagonal() == 0).all()
    # 12 pairs, 2,000 each; the standard deviation is sqrt(24000 * 1/12 * 11/12) = 43, and 5 of them are allowed
    assert np.abs(counts[~np.eye(4, dtype=bool)] - 2000).max() < 5 * 43


def test_any_pair_of_languages_by_option():
    draws = SpanSampler([50] * 3, span=5, max_rank=50, seed=3, language_pairs="any").draw(18000, 1, 0)
    counts = np.zeros((3, 3), dtype=np.int64)
    np.add.at(counts, (draws.left, draws.right), 1)
    # 9 pairs, 2,000 each, equal ones too; the standard deviation is sqrt(18000 * 1/9 * 8/9) = 42
    assert np.abs(counts - 2000).max() < 5 * 42


@pytest.mark.parametrize("words, max_rank, limit", [([30, 10], 100, 10), ([10, 30], 100, 10), ([30, 40], 20, 20)])
def test_centre_is_uniform_over_the_ranks_that_both_have(words, max_rank, limit):
    # with a span of 1 the centre is the span
    draws = SpanSampler(words, span=1, max_rank=max_rank, seed=5).draw(limit * 1000, 1, 0)
    counts = np.bincount(draws.low, minlength=limit)
    assert len(counts) == limit
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_each_pair_is_bounded_by_its_own_shorter_list():
    draws = SpanSampler([10, 60, 60], span=1, max_rank=100, seed=5).draw(3000, 1, 0)
    with_short = (draws.left == 0) | (draws.right == 0)
    assert draws.low[with_short].max() == 9 and draws.low[~with_short].max() > 50


@given(
    words=st.lists(st.integers(3, 40), min_size=2, max_size=4),
    data=st.data(),
    pairs=st.sampled_from(["distinct", "any"]),
    seed=st.integers(0, 99),
)
def test_sampled_negatives_are_other_words_of_the_right_language(words, data, pairs, seed):
    span = data.draw(st.integers(1, min(words) - 1))
    max_rank = data.draw(st.integers(span, 50))
    draws = SpanSampler(words, span, max_rank, seed, language_pairs=pairs, negatives="sample").draw(9, 1, 0)
    assert len(draws.outside) == 9
    for right, low, high, outside in zip(draws.right, draws.low, draws.high, draws.outside):
        left_over = [k for k in range(words[right]) if not low <= k < high]
        # twice the width, or all there is; none twice
        assert len(set(outside)) == len(outside) == min(2 * span, len(left_over))
        assert set(outside) <= set(left_over)


def test_sampled_negatives_are_uniform_and_change_nothing_else():
    options = dict(span=4, max_rank=10, seed=1)
    draws = SpanSampler([10, 40], negatives="sample", **options).draw(4000, 1, 0)
    assert SpanSampler([10, 40], **options).draw(4000, 1, 0).outside is None
    assert as_tuple(draws) == as_tuple(SpanSampler([10, 40], **options).draw(4000, 1, 0))
    counts, chances = np.zeros(40), np.zeros(40)
    for right, low, high, outside in zip(draws.right, draws.low, draws.high, draws.outside):
        if right == 1:
            counts[outside] += 1
            chances += 8 / (40 - (high - low))
            chances[low:high] -= 8 / (40 - (high - low))
    assert np.abs(counts - chances).max() < 5 * np.sqrt(chances.max())


def as_tuple(draws):
    return tuple(map(tuple, (draws.left, draws.right, draws.low, draws.high)))


def test_draws_depend_on_seed_epoch_and_index_alone():
    def sampler(seed):
        return SpanSampler([40, 50, 60], span=5, max_rank=30, seed=seed)

    once = sampler(1)
    expected = as_tuple(once.draw(8, 2, 3))
    once.draw(8, 2, 4)
    np.random.seed(0)
    assert as_tuple(once.draw(8, 2, 3)) == as_tuple(sampler(1).draw(8, 2, 3)) == expected
    keys = [(2, 2, 3), (1, 3, 3), (1, 2, 2), (1, 3, 2)]
    others = {as_tuple(sampler(seed).draw(8, epoch, index)) for seed, epoch, index in keys}
    assert len(others | {expected}) == 5


def test_one_language():
    with pytest.raises(InputError, match="two languages or more; got 1: en"):
        SpanSampler([50], span=5, max_rank=20, seed=1, names=["en"])


@pytest.mark.parametrize("span, max_rank", [(6, 5), (0, 5), (-1, 5)])
def test_span_that_cannot_be(span, max_rank):
    with pytest.raises(InputError, match=rf"\({span}\).*\({max_rank}\).*--span or --max-rank"):
        SpanSampler([50, 50], span=span, max_rank=max_rank, seed=1)


@pytest.mark.parametrize("count", [0, 4, 5])
def test_too_few_words_names_the_language(count):
    # 5 words and a span of 5: nothing is left outside it
    with pytest.raises(InputError, match=f"language ne has {count} distinct"):
        SpanSampler([50, count, 50], span=5, max_rank=20, seed=1, names=["en", "ne", "ro"])
    SpanSampler([50, 6, 50], span=5, max_rank=20, seed=1, names=["en", "ne", "ro"])
