import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from crossinit_fairseq.lexicon import nearest_on_device as on_device
from crossinit_fairseq.lexicon import similarity
from crossinit_fairseq.lexicon.nearest_on_device import best_on_device, nearest_on_device
from crossinit_fairseq.lexicon.similarity import (
    BestScores,
    Priors,
    best_of_vectors,
    csls,
    nearest,
    nearest_of_vectors,
    rank_prior,
    units,
)


def test_csls_by_hand():
    # one neighbour: row means 0.9, 0.5; column means 0.9, 0.3
    expected = [[1.8 - 0.9 - 0.9, 0.2 - 0.9 - 0.3], [1.0 - 0.5 - 0.9, 0.6 - 0.5 - 0.3]]
    np.testing.assert_allclose(csls(np.array([[0.9, 0.1], [0.5, 0.3]]), 1), expected, atol=1e-12)


def test_csls_by_hand_of_two_neighbours():
    # row means 0.5, 0.4; column means 0.7, 0.2
    expected = [[1.8 - 0.5 - 0.7, 0.2 - 0.5 - 0.2], [1.0 - 0.4 - 0.7, 0.6 - 0.4 - 0.2]]
    np.testing.assert_allclose(csls(np.array([[0.9, 0.1], [0.5, 0.3]]), 10), expected, atol=1e-12)


def test_a_hub_is_marked_down():
    # every left word is nearest to the last right word; each is second nearest to its own
    cosines = np.array([[0.7, 0.1, 0.8], [0.1, 0.7, 0.8], [0.0, 0.0, 0.9]])
    assert cosines.argmax(1).tolist() == [2, 2, 2]
    assert csls(cosines, 3).argmax(1).tolist() == [0, 1, 2]


def test_rank_prior_by_hand():
    # one word in 10 against one in 100 and one in 10
    found = rank_prior(np.log([0.1]), np.log([0.01, 0.1]))
    np.testing.assert_allclose(found, [[np.log(10), 0]], atol=1e-6)


def test_priors_by_hand():
    spelling = sparse.csr_matrix([[0.0, 0.5]])
    priors = Priors(np.log([0.1]), np.log([0.01, 0.1]), 0.2, spelling, 0.6)
    # 1 - 0.2 log 10; 1 + 0.6 * 0.5
    np.testing.assert_allclose(priors.add_to(np.ones((1, 2))), [[1 - 0.2 * 2.302585, 1.3]], rtol=1e-5)


def test_nearest_and_mutual():
    best = nearest(np.array([[3.0, 1, 0], [2, 1, 0], [0, 0, 0.5]]))
    assert best.forward.tolist() == [0, 0, 2]
    assert best.backward.tolist() == [0, 0, 2]
    assert best.mutual.tolist() == [True, False, True]
    assert best.forward_score.tolist() == [3, 2, 0.5]


def of_the_best(table, kept):
    """The table with 0 where a score is neither among the `kept` best of its row nor among those of its column."""
    ranks = [np.argsort(np.argsort(-table, axis=axis), axis=axis) for axis in (0, 1)]
    return np.where((ranks[0] < kept) | (ranks[1] < kept), table, 0)


def test_the_best_scores_by_hand():
    best = BestScores(3, kept=1)
    best.add(np.array([[5.0, 1, 2], [4, 3, 6]]))
    best.add(np.array([[1.0, 2, 7]]))
    # of the rows 5, 6 and 7, of the columns 5, 3 and 7
    assert best.matrix().toarray().tolist() == [[5, 0, 0], [0, 3, 6], [0, 0, 7]]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 12), st.integers(0, 10**6))
def test_blocks_find_what_the_whole_table_does(left_words, right_words, neighbours, seed):
    random = np.random.default_rng(seed)
    left, right = (units(random.normal(size=(n, 5))).astype(np.float32) for n in (left_words, right_words))
    spelling = sparse.random(left_words, right_words, 0.2, random_state=seed, format="csr", dtype=np.float32)
    frequencies = [np.log(random.random(n)) for n in (left_words, right_words)]
    priors = Priors(frequencies[0], frequencies[1], 0.3, spelling, 0.5)
    whole = csls(left @ right.T, neighbours) - 0.3 * rank_prior(*frequencies) + 0.5 * spelling.toarray()
    before = similarity._BLOCK, on_device._SCORES
    similarity._BLOCK, on_device._SCORES = 7, 100
    try:
        ways = [
            nearest_of_vectors(left, right, priors, neighbours),
            nearest_on_device(left, right, priors, neighbours, "cpu"),
        ]
        few = [
            best_of_vectors(left, right, priors, neighbours, kept=3),
            best_on_device(left, right, priors, neighbours, 3, "cpu"),
        ]
    finally:
        similarity._BLOCK, on_device._SCORES = before
    for found in ways:
        np.testing.assert_allclose(found.forward_score, whole.max(1), atol=1e-5)
        np.testing.assert_allclose(found.backward_score, whole.max(0), atol=1e-5)
        np.testing.assert_allclose(whole[np.arange(left_words), found.forward], whole.max(1), atol=1e-5)
        np.testing.assert_allclose(whole[found.backward, np.arange(right_words)], whole.max(0), atol=1e-5)
    for found in few:
        np.testing.assert_allclose(found.toarray(), of_the_best(whole, 3), atol=1e-5)


def test_first_words_only():
    spelling = sparse.csr_matrix(np.arange(6.0).reshape(2, 3))
    few = Priors(np.array([1.0, 2]), np.array([3.0, 4, 5]), 0.1, spelling, 0.2).first(1)
    assert few.left.tolist() == [1] and few.right.tolist() == [3]
    assert few.spelling.shape == (1, 1)
    assert few.add_to(np.zeros((1, 1))) == pytest.approx(np.array([[-0.2]]))


def test_a_word_of_which_nothing_is_known_is_nobodys_partner():
    """Its vector is 0, and so is its cosine with another such word: CSLS 2 x 0 - 1 - 1."""
    ours, theirs = np.array([[1.0, 0], [0, 0]]), np.array([[0.0, 0], [1, 0], [0.6, 0.8]])
    found = csls(ours @ theirs.T, 1)
    np.testing.assert_allclose(found, [[-2, 0, -0.4], [-2, -2, -1.6]])
    nothing = Priors(np.zeros(2), np.zeros(3), 0.0, None, 0.0)
    for best in (nearest_of_vectors(ours, theirs, nothing, 1), nearest_on_device(ours, theirs, nothing, 1, "cpu")):
        assert best.forward.tolist()[0] == 1 and best.backward.tolist()[1] == 0
        assert best.mutual.tolist() == [True, False]
        np.testing.assert_allclose([best.forward_score[0], best.backward_score[0]], [0, -2], atol=1e-6)
