"""crossinit_fairseq/data/sentences.py"""

import logging

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.sentences import cut_batches, usable_sentences


@given(
    lengths=st.lists(st.integers(1, 20), max_size=40).map(sorted),
    max_tokens=st.one_of(st.none(), st.integers(1, 80)),
    max_sentences=st.one_of(st.none(), st.integers(1, 9)),
)
def test_batches_keep_the_limits_and_lose_nothing(lengths, max_tokens, max_sentences):
    indices = np.arange(100, 100 + len(lengths))
    batches = cut_batches(indices, np.array(lengths, dtype=np.int64), max_tokens, max_sentences)
    assert [index for batch in batches for index in batch] == indices.tolist()
    for number, batch in enumerate(batches):
        longest = lengths[batch[-1] - 100]
        assert len(batch) == 1 or not max_tokens or len(batch) * longest <= max_tokens
        assert 0 < len(batch) <= (max_sentences or len(lengths))
        if number + 1 < len(batches):  # full: the next sentence would not have fitted
            longest = lengths[batches[number + 1][0] - 100]
            over = max_tokens and (len(batch) + 1) * longest > max_tokens
            assert len(batch) == max_sentences or over


def test_batches_hand_worked():
    # at most 12 padded tokens: 3 x 4 and 2 x 6 just fit, then 1 x 7; 13 is alone although it is too long
    lengths = np.array([2, 4, 4, 6, 6, 7, 13])
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, 12, None)] == [[0, 1, 2], [3, 4], [5], [6]]
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, 12, 2)] == [[0, 1], [2, 3], [4], [5], [6]]
    assert [batch.tolist() for batch in cut_batches(np.arange(7), lengths, None, None)] == [[0, 1, 2, 3, 4, 5, 6]]


def test_usable_sentences_counts_and_logs(caplog):
    with caplog.at_level(logging.WARNING):
        # 1: </s> alone; 0: not even that; 6: 5 sub-tokens and </s>
        assert usable_sentences([3, 1, 5, 6, 7, 2, 0], 5, "data/en/train").tolist() == [0, 2, 5]
    assert [record.getMessage() for record in caplog.records] == [
        "data/en/train: skipped 2 empty and 2 sentences of more than 4 sub-tokens, of 7"
    ]


def test_usable_sentences_says_nothing_when_all_are(caplog):
    with caplog.at_level(logging.DEBUG):
        assert usable_sentences(torch.tensor([2, 5]), 5, "train").tolist() == [0, 1]
    assert not caplog.records
