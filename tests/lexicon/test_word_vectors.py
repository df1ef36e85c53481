import numpy as np
import pytest
from scipy import sparse

from crossinit_fairseq.lexicon import word_vectors as vectors_module
from crossinit_fairseq.lexicon.word_vectors import (
    normalise,
    positive_pmi,
    strongest_directions,
    unit_sparse_rows,
    word_vectors,
)


def test_positive_pmi_by_hand():
    # word sums 3 and 1, context sums 3 and 1; with no smoothing p(context) = 0.75, 0.25
    counts = sparse.csr_matrix([[2, 1], [1, 0]])
    # (0, 0): log(2/3 / 0.75) < 0; (0, 1): log(1/3 / 0.25); (1, 0): log(1 / 0.75)
    expected = [[0, np.log(4 / 3)], [np.log(4 / 3), 0]]
    np.testing.assert_allclose(positive_pmi(counts, smoothing=1).toarray(), expected, rtol=1e-6)
    # 3 ** 0.75 = 2.27951, so p(context) = 0.69508, 0.30492: log(0.33333 / 0.30492) and log(1 / 0.69508)
    np.testing.assert_allclose(positive_pmi(counts).toarray(), [[0, 0.08905], [0.36373, 0]], atol=1e-4)


def test_positive_pmi_of_a_word_without_company_is_empty():
    pmi = positive_pmi(sparse.csr_matrix([[0, 0, 0], [0, 0, 4], [0, 4, 0]]))
    assert pmi[0].nnz == 0
    assert np.isfinite(pmi.data).all()


@pytest.mark.parametrize("block", [1, 7, 100])
def test_positive_pmi_agrees_with_that_of_a_whole_table_in_blocks_of_any_size(monkeypatch, block):
    counts = np.random.default_rng(0).random((30, 12)) * (np.arange(360).reshape(30, 12) % 5 > 0)
    contexts = counts.sum(0) ** 0.75 / (counts.sum(0) ** 0.75).sum()
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(counts / counts.sum(1, keepdims=True) / contexts), 0)
    monkeypatch.setattr(vectors_module, "_BLOCK", block)
    found = positive_pmi(sparse.csr_matrix(counts))
    assert found.dtype == np.float32 and (found.data > 0).all()
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-5, atol=1e-6)


def test_strongest_directions_are_those_of_the_whole_decomposition():
    matrix = np.random.default_rng(0).random((12, 9))
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    found = strongest_directions(sparse.csr_matrix(matrix), 3, seed=1, power=1.0)
    # products of rows do not depend on signs
    np.testing.assert_allclose(found @ found.T, (u[:, :3] * s[:3]) @ (u[:, :3] * s[:3]).T, rtol=1e-3)
    half = strongest_directions(sparse.csr_matrix(matrix), 3, seed=1, power=0.5)
    np.testing.assert_allclose(half @ half.T, (u[:, :3] * s[:3] ** 0.5) @ (u[:, :3] * s[:3] ** 0.5).T, rtol=1e-3)


@pytest.mark.parametrize("seed", [2**32 - 1, 2**32, 20240101 * 10**5])
def test_any_seed(seed):
    """scikit-learn takes 32 bits; a search of the seed 43,000 asks for more."""
    matrix = np.random.default_rng(0).random((5, 4))
    found = strongest_directions(sparse.csr_matrix(matrix), 4, seed, power=1.0)
    np.testing.assert_allclose(found @ found.T, matrix @ matrix.T, rtol=1e-4)


def test_fewer_directions_than_asked_for():
    assert strongest_directions(sparse.csr_matrix(np.eye(4)), 10, seed=0, power=1.0).shape == (4, 4)


def test_normalise_by_hand():
    # unit rows (1, 0), (0, 1); mean (1/2, 1/2); then (1/2, -1/2) and its opposite at unit length
    root = 0.5**0.5
    np.testing.assert_allclose(normalise(np.array([[3.0, 0], [0, 0.1]])), [[root, -root], [-root, root]], atol=1e-7)


def test_word_vectors_have_unit_length_and_do_not_change():
    pmi = sparse.random(40, 40, density=0.3, random_state=0, format="csr")
    vectors = word_vectors(pmi, 8, seed=3)
    assert vectors.dtype == np.float32 and vectors.shape == (40, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(vectors, word_vectors(pmi, 8, seed=3))


def test_unit_sparse_rows():
    found = unit_sparse_rows(sparse.csr_matrix([[3.0, 4.0], [0, 0]])).toarray()
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))


def test_words_of_which_nothing_is_known_stay_at_zero_and_do_not_move_the_others():
    some = np.random.default_rng(0).random((6, 4))
    matrix = np.insert(some, [0, 3], 0, axis=0)
    known = matrix.any(axis=1)
    found = strongest_directions(sparse.csr_matrix(matrix), 3, seed=1, power=1.0)
    assert not found[~known].any() and found[known].any(axis=1).all()
    vectors = normalise(found)
    assert not vectors[~known].any()
    np.testing.assert_allclose(vectors[known], normalise(found[known]), rtol=1e-5)
    assert not normalise(np.zeros((2, 3))).any()
