"""crossinit_fairseq/spans/pair_draws.py"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.spans import PairSampler
from tests import helpers  # noqa: F401


@given(
    sizes=st.lists(st.integers(2, 9), min_size=1, max_size=3),
    count=st.integers(1, 12),
    seed=st.integers(0, 3),
    epoch=st.integers(0, 3),
    index=st.integers(0, 20),
)
def test_different_pairs_of_one_lexicon_and_always_the_same(sizes, count, seed, epoch, index):
    draws = PairSampler(sizes, seed).draw(count, epoch, index)
    size = sizes[draws.lexicon]
    assert len(draws) == min(count, size) == len(set(draws.positions.tolist()))
    assert draws.positions.dtype == np.int64 and 0 <= draws.positions.min() and draws.positions.max() < size
    again = PairSampler(sizes, seed).draw(count, epoch, index)
    assert again.lexicon == draws.lexicon and (again.positions == draws.positions).all()


def test_every_pair_comes_as_often_and_every_lexicon_by_its_pairs():
    sampler = PairSampler([30, 10], seed=1)
    drawn = [np.zeros(30), np.zeros(10)]
    lexicons = np.zeros(2)
    for index in range(4000):
        draws = sampler.draw(5, 1, index)
        lexicons[draws.lexicon] += 1
        drawn[draws.lexicon][draws.positions] += 1
    # 3000 of 4000, standard deviation 27
    assert abs(lexicons[0] - 3000) < 110
    # each pair about 500 times (15,000 / 30; 5,000 / 10), standard deviation about 20
    for counts in drawn:
        assert counts.min() > 400 and counts.max() < 600


def test_draws_differ_by_seed_epoch_and_index():
    draws = {
        key: tuple(PairSampler([1000], key[0]).draw(4, *key[1:]).positions)
        for key in [(1, 1, 0), (2, 1, 0), (1, 2, 0), (1, 1, 1)]
    }
    assert len(set(draws.values())) == 4


def test_one_pair_is_too_few():
    with pytest.raises(InputError, match="the lexicon en-ne has 1 mutual pairs"):
        PairSampler([5, 1], 1, ["en-ro", "en-ne"])
