"""Word vectors: positive pointwise mutual information, and its truncated singular value decomposition."""

from typing import Iterator

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from crossinit_fairseq.lexicon.similarity import units

_BLOCK = 1000  # words
_SEEDS = 2**32  # scikit-learn takes no larger seed
SMOOTHING = 0.75  # Levy, Goldberg and Dagan (2015): contexts count by their frequency to this power


def positive_pmi(counts: sparse.spmatrix, smoothing: float = SMOOTHING) -> sparse.csr_matrix:
    """max(0, log p(word, context) / (p(word) p(context))), where p(context) is proportional to count ** smoothing.

    counts: sparse [N, M], how often each word meets each context. Returns csr float32 [N, M], zero where the two never
    meet.
    """
    counts = counts.tocsr()
    contexts = np.zeros(counts.shape[1])
    for block in _blocks(counts):
        contexts += np.bincount(block.col, block.data, len(contexts))
    contexts = contexts**smoothing
    contexts /= max(contexts.sum(), 1e-300)
    found = [_positive_pmi(block, contexts) for block in _blocks(counts)]
    return sparse.vstack(found, format="csr", dtype=np.float32)


def _blocks(counts: sparse.csr_matrix) -> Iterator[sparse.coo_matrix]:
    """Yield consecutive rows, of which all of PMI's float64 temporaries fit into little memory."""
    for begin in range(0, max(counts.shape[0], 1), _BLOCK):
        yield counts[begin : begin + _BLOCK].tocoo()


def _positive_pmi(counts: sparse.coo_matrix, contexts: np.ndarray) -> sparse.csr_matrix:
    """`positive_pmi` of some words; contexts: float64 [M], p(context)."""
    values = counts.data.astype(np.float64)
    words = np.bincount(counts.row, values, counts.shape[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(values / words[counts.row] / contexts[counts.col])
    kept = pmi > 0
    return sparse.csr_matrix((pmi[kept].astype(np.float32), (counts.row[kept], counts.col[kept])), shape=counts.shape)


def word_vectors(pmi: sparse.spmatrix, dimensions: int, seed: int) -> np.ndarray:
    """The words of one language in the strongest directions of their contexts, float32 [N, d], see `normalise`.

    pmi: sparse [N, M]; seed: of the randomised decomposition. Directions count by the root of their strength (Levy,
    Goldberg and Dagan 2015); there are fewer than `dimensions` where the matrix has fewer.
    """
    return normalise(strongest_directions(pmi, dimensions, seed, power=0.5))


def strongest_directions(matrix: sparse.spmatrix, dimensions: int, seed: int, power: float) -> np.ndarray:
    """U S ** power of the truncated singular value decomposition of sparse [N, M]. Returns float32 [N, d].

    seed: 0 or more. A row of zeros stays one.
    """
    dimensions = min(dimensions, min(matrix.shape))
    # signs are left as they fall: no distance depends on them
    left, strengths, _ = randomized_svd(matrix, dimensions, n_iter=3, random_state=seed % _SEEDS, flip_sign=False)
    vectors = (left * strengths**power).astype(np.float32)
    # the decomposition leaves noise there, which unit length would blow up
    vectors[np.diff(matrix.tocsr().indptr) == 0] = 0
    return vectors


def normalise(vectors: np.ndarray) -> np.ndarray:
    """Unit length, centred, unit length, as for vectors of two languages that are to be mapped onto each other.

    vectors: float [N, d]. A row of zeros, a word of which nothing is known, stays one, and has no part in the centre.
    """
    vectors = units(vectors)
    known = vectors.any(axis=1)
    if known.any():
        vectors[known] -= vectors[known].mean(0)
    return units(vectors)


def unit_sparse_rows(matrix: sparse.spmatrix) -> sparse.csr_matrix:
    """The rows of a sparse [N, M] at length 1; rows of zeros stay zero."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    return (sparse.diags((1 / np.maximum(lengths, 1e-9)).astype(np.float32)) @ matrix).tocsr()
