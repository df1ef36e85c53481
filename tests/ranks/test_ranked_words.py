"""crossinit_fairseq/ranks/ranked_words.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.ranks import RankedWords
from tests.helpers import as_list, ranked_words


def test_sorted_by_count_then_length_then_sub_tokens():
    ones = np.array([[3], [7], [9]]), np.array([2, 5, 2])
    twos = np.array([[1, 2], [1, 4]]), np.array([5, 9])
    threes = np.array([[0, 0, 1]]), np.array([2])
    ranked = RankedWords.sort([ones, twos, threes])
    assert as_list(ranked) == [([1, 4], 9), ([7], 5), ([1, 2], 5), ([3], 2), ([9], 2), ([0, 0, 1], 2)]
    assert ranked.offsets.tolist() == [0, 2, 3, 5, 6, 7, 10]
    assert (ranked.tokens.dtype, ranked.offsets.dtype, ranked.counts.dtype) == (np.int32, np.int64, np.int64)
    assert len(ranked) == 6


def test_a_length_without_words():
    none = np.empty((0, 1), dtype=np.int64), np.empty(0, dtype=np.int64)
    assert as_list(RankedWords.sort([none, (np.array([[4, 5]]), np.array([1]))])) == [([4, 5], 1)]


@given(st.dictionaries(st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple), st.integers(1, 4), min_size=1))
def test_equals_a_plain_sort(counts):
    groups = []
    for length in (1, 2, 3):
        words = sorted(word for word in counts if len(word) == length)
        numbers = [counts[word] for word in words]
        groups.append((np.array(words, dtype=np.int64).reshape(-1, length), np.array(numbers, dtype=np.int64)))
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], len(pair[0]), pair[0]))
    assert as_list(RankedWords.sort(iter(groups))) == [(list(word), count) for word, count in expected]


@pytest.mark.parametrize("ranks, share", [(0, 0.0), (1, 0.5), (2, 0.8), (3, 1.0), (20000, 1.0)])
def test_coverage(ranks, share):
    # 5 + 3 + 2 occurrences
    assert ranked_words([[1], [2, 3], [4]], [5, 3, 2]).coverage(ranks) == pytest.approx(share)
