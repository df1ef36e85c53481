"""crossinit_fairseq/data/datasets/monolingual_updates.py: whose turn it is"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.data.datasets.monolingual_updates import language_turns


def turns(batches, sentences, alpha, seed=0):
    return language_turns(batches, sentences, alpha, np.random.default_rng(seed))


def test_by_default_every_update_has_every_language():
    assert turns([3, 1], [30, 10], None).tolist() == [[0, 1], [0, 1], [0, 1]]


@pytest.mark.parametrize(
    "alpha, expected",
    [
        # 90 and 10 sentences. alpha 1: .9 and .1; 18 batches of the first are 20 in all, 10 updates
        (1.0, [18, 2]),
        # alpha .5: 3 to 1; 18 of the first are 24 in all, 12 updates
        (0.5, [18, 6]),
        # alpha 0: even; 36 in all
        (0.0, [18, 18]),
    ],
)
def test_shares_hand_worked(alpha, expected):
    for seed in range(5):
        drawn = turns([18, 2], [90, 10], alpha, seed)
        assert drawn.shape == (sum(expected) // 2, 2)
        assert np.bincount(drawn.ravel(), minlength=2).tolist() == expected


@given(
    sentences=st.lists(st.integers(1, 2000), min_size=2, max_size=5),
    alpha=st.floats(0, 2),
    seed=st.integers(0, 99),
)
def test_no_language_is_off_its_share_by_a_batch(sentences, alpha, seed):
    batches = [-(-n // 7) for n in sentences]
    drawn = turns(batches, sentences, alpha, seed)
    weights = np.array([float(n) ** alpha for n in sentences])
    counts = np.bincount(drawn.ravel(), minlength=len(sentences))
    assert (np.abs(counts - drawn.size * weights / weights.sum()) < 1 + 1e-6).all()
    largest = int(np.argmax(batches))
    assert counts[largest] >= batches[largest] - 1, "an epoch takes the largest language through"
    assert drawn.size < batches[largest] * weights.sum() / weights[largest] + len(sentences) + 1e-6, (
        "and not for longer"
    )


def test_a_small_language_is_not_rounded_away_always():
    # a share of 0.3 batches an epoch
    seen = [int((turns([100, 1], [997, 3], 1.0, seed) == 1).sum()) for seed in range(200)]
    assert set(seen) == {0, 1} and 40 < sum(seen) < 80


def test_the_same_seed_the_same_turns():
    drawn = turns([18, 9, 4], [90, 40, 20], 0.5)
    assert np.array_equal(drawn, turns([18, 9, 4], [90, 40, 20], 0.5))
    assert not np.array_equal(drawn, turns([18, 9, 4], [90, 40, 20], 0.5, seed=1))
    assert len(set(map(tuple, drawn.tolist()))) > 3, "turns are mixed"
