"""What a rare word's company lacks, from the words of its own language that are spelt like it.

Inflected forms of a word (noir, noire, noirs) stand in like company, and each is seen too seldom to be known by it. So
a word's counts are smoothed with those of its kin: pseudo-counts, as of a Dirichlet prior whose mean is the company of
the kin (MacKay and Peto 1995), which a frequent word does not feel. That spelling tells of a word's company is the
thought of sub-word vectors (Bojanowski et al. 2017).
"""

from typing import List, Sequence

import numpy as np
from scipy import sparse

from crossinit_fairseq.lexicon.spelling import spelling_similarity

_ALIKE = 0.5  # the least similarity of spelling of kin
_MOST = 10  # kin of a word, the most alike
_BLOCK = 1000  # words


def kin(words: Sequence[str], most: int = _MOST) -> sparse.csr_matrix:
    """Which words of one language are spelt alike, and how much, see `spelling_similarity` (marks are folded: où and
    ou are kin too).

    Returns csr float32 [N, N]: the similarities of at least a half, of each word the `most` highest; none of a word
    with itself.
    """
    found = spelling_similarity(words, words, floor=_ALIKE)
    rows: List[np.ndarray] = []
    for row in range(len(words)):
        places = np.arange(found.indptr[row], found.indptr[row + 1])
        places = places[found.indices[places] != row]
        if len(places) > most:
            places = np.sort(places[np.argsort(-found.data[places], kind="stable")[:most]])
        rows.append(places)
    lengths = [len(places) for places in rows]
    kept = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_matrix((found.data[kept], found.indices[kept], starts), shape=found.shape)


def with_backoff(
    window: sparse.csr_matrix, counts: np.ndarray, words: Sequence[str], times: float
) -> sparse.csr_matrix:
    """The counts of a word's company as if it had been seen `times` times more, in the company of its kin.

    window: csr [N, M], how often each word meets each context; counts: int [N], how often it was seen; words: the N
    words. The company of the kin is the sum of their counts, each times how alike it is, so that a frequent one
    says more; it weighs less than `times` where the likenesses of all kin are less than 1 together. Returns csr
    float32 [N, M]; the same where `times` is 0.
    """
    if not times:
        return window
    alike = kin(words)
    once = window.sum() / max(counts.sum(), 1)  # what a word's company gains when it is seen once
    blocks = []
    # the company of all kin is several times as much as that of the words: a block is all that is held of it
    for begin in range(0, len(words), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        company = (alike[rows] @ window).tocsr()
        total = np.asarray(company.sum(1)).ravel()
        share = np.minimum(np.asarray(alike[rows].sum(1)).ravel(), 1)
        lent = sparse.diags((times * once * share / np.maximum(total, 1e-9)).astype(np.float32))
        blocks.append((window[rows] + lent @ company).tocsr().astype(np.float32))
    return sparse.vstack(blocks, format="csr")
