"""From rank tables to the sub-tokens of one dictionary."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankTable, to_ranked_words
from crossinit_fairseq.ranks.counting import MAX_PIECES


def listed(ranked):
    return [(ranked.word(at).tolist(), int(ranked.counts[at])) for at in range(len(ranked))]


def test_by_hand():
    table = RankTable.sort("en", {"the": 5, "cats": 4, "cat": 3, "The": 2, "☃": 9, "unknown": 1})
    pieces = {"the": [7], "The": [7], "cats": [3, 4], "cat": [3], "☃": [], "unknown": None}
    ranked, dropped = to_ranked_words(table, pieces.get)
    # `the` and `The` are one word now; its count is that of both
    assert listed(ranked) == [([7], 7), ([3, 4], 4), ([3], 3)]
    assert dropped == 2
    assert ranked.tokens.dtype == "int32" and ranked.offsets.tolist() == [0, 1, 3, 4]


def test_too_long_or_nothing_left():
    table = RankTable.sort("en", {"a": 2, "b": 1})
    lengths = {"a": MAX_PIECES, "b": MAX_PIECES + 1}
    ranked, dropped = to_ranked_words(table, lambda word: [1] * lengths[word])
    assert (len(ranked), dropped) == (1, 1)
    with pytest.raises(InputError, match="no word of the en rank table can be encoded"):
        to_ranked_words(table, lambda word: None)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcd", min_size=1, max_size=5), st.integers(1, 5), min_size=1, max_size=25))
def test_as_plain_python(counts):
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
    assert listed(ranked) == [(list(tokens), count) for tokens, count in order]
    assert dropped == sum("d" in word for word in counts)
