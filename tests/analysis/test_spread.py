import numpy as np
import pytest
import torch

from crossinit_fairseq.alignment.collapse import RandomWords
from crossinit_fairseq.analysis.spread import isotropy, measure_spread
from crossinit_fairseq.analysis.words import Space
from crossinit_fairseq.ranks import RankedWords
from tests.analysis.spaces import collapsed, language_words, random_vectors, two_languages


def test_agrees_with_the_measures_of_training():
    space = Space("x", {"aa": random_vectors(1) + 0.5, "bb": random_vectors(2) + 0.2})
    found = measure_spread(two_languages(), space)
    # all 300 words of both languages, one sub-token each
    words = [
        RankedWords(np.arange(first, first + 300, dtype=np.int32), np.arange(301), np.arange(300, 0, -1))
        for first in (0, 300)
    ]
    wanted = RandomWords(words, 300, 300)(torch.from_numpy(space.stacked()))
    assert found.directions == pytest.approx(float(wanted.directions), rel=1e-4)
    assert found.within == pytest.approx(float(wanted.cos_within), abs=1e-5)
    assert found.across == pytest.approx(float(wanted.cos_across), abs=1e-5)


def test_a_collapsed_table_has_one_direction():
    found = measure_spread(two_languages(), collapsed())
    assert found.directions == pytest.approx(1) and found.within == found.across == pytest.approx(1)
    assert found.isotropy < 0.3
    # vectors are 1, 2, 3, ... times one of norm sqrt(1 + 4 + ... + 256) = sqrt(1496): ranks 1 to 100 have 50.5 on
    # average
    assert found.norms[0] == ("aa", 1, 100, pytest.approx(50.5 * 1496**0.5))
    assert [entry[:3] for entry in found.norms] == [
        ("aa", 1, 100),
        ("aa", 101, 1000),
        ("bb", 1, 100),
        ("bb", 101, 1000),
    ]


def test_orthogonal_words_are_isotropic():
    space = Space("axes", {"aa": np.tile(np.concatenate([np.eye(4), -np.eye(4)]), (5, 1))})
    found = measure_spread({"aa": language_words("aa", 40)}, space)
    assert found.isotropy == pytest.approx(1) and found.across is None
    # of 40 words each shares its axis with 9 others: mean squared cosine 9 / 39
    assert found.directions == pytest.approx(39 / 9)


def test_isotropy_by_hand():
    # both vectors are (1, 0): Z is e and 1/e each way along the first axis times 2, and 2 along the second
    assert isotropy(np.array([[1.0, 0.0], [1.0, 0.0]])) == pytest.approx(np.exp(-1) / np.exp(1))
