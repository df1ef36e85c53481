import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from crossinit_fairseq.lexicon import transport
from crossinit_fairseq.lexicon.similarity import nearest
from crossinit_fairseq.lexicon.transport import Transport


def slow_plan(scores, left, right, temperature):
    """The plan of a whole table, number by number."""
    ours, theirs = np.ones(len(left)), np.ones(len(right))
    masses = [np.sqrt(side) / np.sqrt(side).sum() for side in (left, right)]
    kernel = np.exp((scores - scores.max()) / temperature)
    for _ in range(30):
        for i in range(len(left)):
            ours[i] = (masses[0][i] / sum(kernel[i, j] * theirs[j] for j in range(len(right)))) ** 0.9
        for j in range(len(right)):
            theirs[j] = (masses[1][j] / sum(kernel[i, j] * ours[i] for i in range(len(left)))) ** 0.9
    return ours[:, None] * kernel * theirs[None, :]


def test_a_plan_by_hand():
    # one word each, mass 1: u = (1 / v)^0.9 and v = (1 / u)^0.9 hold for u = v = 1
    assert Transport(np.array([9]), np.array([4]), 0.1).plan(sparse.csr_matrix([[0.3]])).toarray() == pytest.approx(1)
    # two like words for one: of roots 1 and 3 the mass is 1/4 and 3/4, and with K = 1 the plan is u_i v where
    # u_i = (a_i / v)^0.9, v = (1 / sum u)^0.9: sum u = (1/4^0.9 + 3/4^0.9) v^-0.9, so v^(1 - 0.81) = (...)^-0.9
    weights = np.array([0.25, 0.75]) ** 0.9
    v = weights.sum() ** (-0.9 / 0.19)
    found = Transport(np.array([1, 9]), np.array([5]), 0.1).plan(sparse.csr_matrix([[0.3], [0.3]])).toarray()
    np.testing.assert_allclose(found, (weights * v**0.1)[:, None], rtol=1e-2)


def test_a_partner_that_is_anothers_is_left_to_it():
    # white blanc 1.0, black blanc 0.9 but noir 0.8 only
    scores = np.array([[1.0, 0.2], [0.9, 0.8]])
    assert nearest(scores).forward.tolist() == [0, 0]
    best = Transport(np.array([100, 100]), np.array([100, 100]), 0.1).partners(scores)
    assert best.forward.tolist() == [0, 1] and best.backward.tolist() == [0, 1]


def test_masses_go_by_counts():
    # what is left of a frequent word goes to a second partner; of a rare one it does not
    scores = np.array([[1.0, 0.95], [0.2, 0.95]])
    often = Transport(np.array([10_000, 100]), np.array([100, 10_000]), 0.1).partners(scores)
    seldom = Transport(np.array([100, 10_000]), np.array([100, 10_000]), 0.1).partners(scores)
    assert often.forward.tolist() == [1, 1] and seldom.forward.tolist() == [0, 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.sampled_from([0.02, 0.1, 1.0]), st.integers(0, 10**6))
def test_the_plan_is_that_of_a_slow_one(rows, columns, temperature, seed):
    random = np.random.default_rng(seed)
    scores = random.normal(0, 0.5, (rows, columns)).astype(np.float32)
    counts = [random.integers(1, 1000, size) for size in (rows, columns)]
    expected = slow_plan(scores.astype(np.float64), *counts, temperature)
    way = Transport(*counts, temperature)
    np.testing.assert_allclose(way.plan(sparse.csr_matrix(scores)).toarray(), expected, rtol=1e-4, atol=1e-300)
    best = way.partners(scores)
    np.testing.assert_allclose(best.forward_score, expected.max(1) / expected.sum(1), rtol=1e-4)
    np.testing.assert_allclose(best.backward_score, expected.max(0) / expected.sum(0), rtol=1e-4)
    assert best.forward.shape == (rows,) and best.backward.shape == (columns,)
    np.testing.assert_allclose(expected[np.arange(rows), best.forward], expected.max(1), rtol=1e-4)
    np.testing.assert_allclose(expected[best.backward, np.arange(columns)], expected.max(0), rtol=1e-4)


def test_the_best_candidates_are_nearly_the_whole_table(monkeypatch):
    random = np.random.default_rng(0)
    # 200 words in pairs, and noise
    scores = random.normal(0, 0.15, (200, 200)) + 0.4 * np.eye(200)
    counts = (10_000 / np.arange(1, 201)).astype(int)
    way = Transport(counts, counts, 0.08)
    few = way.partners(scores)
    monkeypatch.setattr(transport, "CANDIDATES", 200)
    whole = way.partners(scores)
    assert (few.forward == whole.forward).mean() > 0.95
    right = [(best.forward == np.arange(200)).mean() for best in (nearest(scores), few)]
    assert right[1] > right[0]


def test_scores_far_apart_have_a_plan():
    # exp(-5000) is 0 in any float
    scores = np.array([[0.0, -50.0], [-50.0, -50.0]])
    best = Transport(np.array([3, 2]), np.array([3, 2]), 0.01).partners(scores)
    assert best.forward.tolist() == [0, 1] and np.isfinite(best.forward_score).all()


def test_only_the_first_words_take_part():
    way = Transport(np.array([9, 4, 1]), np.array([9, 4, 1, 1]), 0.1)
    assert way.partners(np.eye(2)).forward.tolist() == [0, 1]


def test_of_equal_partners_the_more_frequent_is_taken_in_any_order_of_the_candidates():
    counts = np.array([50, 50, 50])
    # rows and columns whose entries do not stand in order
    scores = sparse.csr_matrix((np.full(9, 0.5), [2, 1, 0] * 3, [0, 3, 6, 9]), shape=(3, 3))
    assert not scores.has_sorted_indices
    best = Transport(counts, counts, 0.1).partners_among(scores)
    assert best.forward.tolist() == best.backward.tolist() == [0, 0, 0]
