"""crossinit_fairseq/ranks/ranked_words.py"""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankedWords, RankTable, to_ranked_words
from crossinit_fairseq.ranks.word_pieces import MAX_PIECES
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


def test_encoded_by_hand():
    table = RankTable.sort("en", {"the": 5, "cats": 4, "cat": 3, "The": 2, "☃": 9, "unknown": 1})
    pieces = {"the": [7], "The": [7], "cats": [3, 4], "cat": [3], "☃": [], "unknown": None}
    ranked, dropped = to_ranked_words(table, pieces.get)
    # `the` and `The` are one word now; its count is that of both
    assert as_list(ranked) == [([7], 7), ([3, 4], 4), ([3], 3)]
    assert dropped == 2
    assert ranked.tokens.dtype == "int32" and ranked.offsets.tolist() == [0, 1, 3, 4]


def test_too_long_or_nothing_left_when_encoded():
    table = RankTable.sort("en", {"a": 2, "b": 1})
    lengths = {"a": MAX_PIECES, "b": MAX_PIECES + 1}
    ranked, dropped = to_ranked_words(table, lambda word: [1] * lengths[word])
    assert (len(ranked), dropped) == (1, 1)
    with pytest.raises(InputError, match="no word of the en rank table can be encoded"):
        to_ranked_words(table, lambda word: None)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcd", min_size=1, max_size=5), st.integers(1, 5), min_size=1, max_size=25))
def test_encoded_as_plain_python(counts):
    # a and b are the same piece, d is none
    pieces = {"a": 1, "b": 1, "c": 2}

    def encode(word):
        return None if "d" in word else [pieces[letter] for letter in word]

    expected = Counter()
    for word, count in counts.items():
        if "d" not in word:
            expected[tuple(encode(word))] += count
    if not expected:
        return
    ranked, dropped = to_ranked_words(RankTable.sort("en", counts), encode)
    order = sorted(expected.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    assert as_list(ranked) == [(list(tokens), count) for tokens, count in order]
    assert dropped == sum("d" in word for word in counts)
