"""crossinit_fairseq/data/vocabularies.py"""

import numpy as np
import pytest

from crossinit_fairseq.data import vocabularies as module
from crossinit_fairseq.data.vocabularies import count_tokens, vocabularies
from tests.helpers import binarised


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_counts_every_token_once(monkeypatch, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    counts = count_tokens(binarised([[5, 4, 2], [5, 5, 2]]), 7)
    assert counts.tolist() == [0, 0, 2, 0, 1, 3, 0]


def test_hand_worked():
    # of 100 and of 1,000 tokens: frequencies .5 .1 .02 .38 0 0 and .5 .009 .4 0 .091 0
    allowed = vocabularies({"en": np.array([50, 10, 2, 38, 0, 0]), "ro": np.array([500, 9, 400, 0, 91, 0])})
    # .02 is less than a tenth of .4, and .009 less than a tenth of .1; what was never seen is not allowed
    assert allowed["en"].tolist() == [True, True, False, True, False, False]
    assert allowed["ro"].tolist() == [True, False, True, False, True, False]


def test_a_tenth_exactly_is_enough_and_the_share_can_be_set():
    counts = {"en": np.array([2, 8]), "ro": np.array([20, 0])}  # .2 against 1
    assert vocabularies(counts, share=0.2)["en"].tolist() == [True, True]
    assert vocabularies(counts, share=0.21)["en"].tolist() == [False, True]
