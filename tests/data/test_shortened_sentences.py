"""crossinit_fairseq/data/sentences.py: sentences that are cut"""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.sentences import ShortenedSentences

EOS = 2


class Text(list):
    @property
    def sizes(self):
        return np.array([len(sentence) for sentence in self])


def text(*lengths):
    return Text(torch.tensor(list(range(10, 9 + length)) + [EOS]) for length in lengths)


def test_the_first_tokens_and_the_end_are_left():
    cut = ShortenedSentences(text(3, 4, 6), 4)
    assert [sentence.tolist() for sentence in cut] == [[10, 11, EOS], [10, 11, 12, EOS], [10, 11, 12, EOS]]
    assert cut.sizes.tolist() == [3, 4, 4] and cut.cut == 1


@given(st.lists(st.integers(1, 20), max_size=8), st.integers(2, 12))
def test_as_a_loop(lengths, longest):
    whole = text(*lengths)
    cut = ShortenedSentences(whole, longest)
    assert len(cut) == len(whole) and cut.cut == sum(length > longest for length in lengths)
    for sentence, original, size in zip(cut, whole, cut.sizes):
        expected = original.tolist() if len(original) <= longest else original.tolist()[: longest - 1] + [EOS]
        assert sentence.tolist() == expected and size == len(expected)
