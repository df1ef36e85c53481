"""How well two words go together: their vectors by CSLS, their ranks as a prior, their spelling."""

from dataclasses import dataclass
from typing import Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
from scipy import sparse

_BLOCK = 1000  # rows that are scored at a time: 1,000 x 20,000 scores are 80 MB


def units(vectors: np.ndarray) -> np.ndarray:
    """Vectors, float [..., d], brought to length 1; a vector of zeros stays one."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def csls(cosines: np.ndarray, neighbours: int = 10) -> np.ndarray:
    """Cross-domain similarity local scaling (Conneau et al. 2018): 2 cos - mean of each word's nearest neighbours'
    cosines.

    cosines: float [N, M] of all words of two languages. Returns float [N, M]. A word that is near to everything, a hub,
    is marked down by its own mean; see `mean_of_nearest` for a word of zeros.
    """
    return 2 * cosines - mean_of_nearest(cosines, neighbours)[:, None] - mean_of_nearest(cosines.T, neighbours)[None, :]


def mean_of_nearest(cosines: np.ndarray, neighbours: int) -> np.ndarray:
    """The mean of the `neighbours` largest values of each row of float [N, M], all of them where M is smaller: [N].

    It is 1 for a row of zeros: a word of which nothing is known is as far from all others as a word can be, and two
    such words, whose cosine is 0 too, are no pair.
    """
    neighbours = min(neighbours, cosines.shape[1])
    means = np.partition(cosines, -neighbours, axis=1)[:, -neighbours:].mean(1)
    maybe = np.flatnonzero(means == 0)
    means[maybe[~cosines[maybe].any(axis=1)]] = 1
    return means


def rank_prior(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Zipf's prior: how far two words' frequencies are apart, |log relative frequency - log relative frequency|.

    Translations have like ranks (the paper's section 2.1); under Zipf's law the logarithms of rank and frequency differ
    by a constant. left, right: float [N], [M], log relative frequencies. Returns float32 [N, M], 0 for equal ones.
    """
    return np.abs(left.astype(np.float32)[:, None] - right.astype(np.float32)[None, :])


class Nearest(NamedTuple):
    """The best partner of each word, both ways.

    forward: int [N], of each left word; forward_score: float [N]; backward: int [M], of each right word;
    backward_score: float [M].
    """

    forward: np.ndarray
    forward_score: np.ndarray
    backward: np.ndarray
    backward_score: np.ndarray

    @property
    def mutual(self) -> np.ndarray:
        """bool [N]: the left words that are the best partner of theirs."""
        return self.backward[self.forward] == np.arange(len(self.forward))


@dataclass(frozen=True)
class Priors:
    """What is known of a pair of words before their context: score = csls - rank_weight * |difference of log relative
    frequency| + spelling_weight * similarity of spelling.

    left, right: float [N], [M], log relative frequencies; spelling: csr [N, M] or None.
    """

    left: np.ndarray
    right: np.ndarray
    rank_weight: float
    spelling: Optional[sparse.csr_matrix]
    spelling_weight: float

    def first(self, count: int) -> "Priors":
        """The priors of the first `count` words of both languages alone."""
        spelling = None if self.spelling is None else self.spelling[:count, :count]
        return Priors(self.left[:count], self.right[:count], self.rank_weight, spelling, self.spelling_weight)

    def add_to(self, scores: np.ndarray, begin: int = 0) -> np.ndarray:
        """Add the priors, in place, to scores, float [n, M], of the left words from `begin` on."""
        end = begin + len(scores)
        if self.rank_weight:
            scores -= self.rank_weight * rank_prior(self.left[begin:end], self.right)
        if self.spelling is not None and self.spelling_weight:
            part = self.spelling[begin:end].tocoo()
            scores[part.row, part.col] += self.spelling_weight * part.data
        return scores


def nearest(scores: np.ndarray) -> Nearest:
    """The best partners by a table of scores, float [N, M]; of equal ones the more frequent."""
    forward, backward = scores.argmax(1), scores.argmax(0)
    return Nearest(
        forward,
        scores[np.arange(len(forward)), forward],
        backward,
        scores[backward, np.arange(len(backward))],
    )


class BestScores:
    """The best scores of each word of two languages, gathered from a table of scores that comes in blocks of rows.

    columns: words of the right language; kept: scores of each word, all where the other language has fewer words.
    """

    def __init__(self, columns: int, kept: int):
        self.columns, self.kept, self.rows = columns, kept, 0
        self._by_row: List[Tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        # the best so far of each right word: left words and scores [at most kept, M]
        self._left = np.zeros((0, columns), dtype=np.int64)
        self._scores = np.zeros((0, columns), dtype=np.float32)

    def add(self, scores: np.ndarray) -> None:
        """Add the scores, float [n, M], of the next n left words."""
        self.add_best(len(scores), _best_of_rows(scores, self.kept), _best_of_rows(scores.T, self.kept))

    def add_best(
        self, rows: int, of_rows: Tuple[np.ndarray, np.ndarray], of_columns: Tuple[np.ndarray, np.ndarray]
    ) -> None:
        """Add the best scores of the next `rows` left words.

        of_rows: (right words, scores), [n, k] both; of_columns: (places among these rows, scores), [M, k'] both.
        """
        places, scores = of_rows
        left = np.repeat(np.arange(self.rows, self.rows + rows), places.shape[1])
        self._by_row.append((left, places.ravel(), scores.ravel()))
        left = np.concatenate([self._left, of_columns[0].T + self.rows])
        scores = np.concatenate([self._scores, of_columns[1].T])
        places, self._scores = (side.T for side in _best_of_rows(scores.T, self.kept))
        self._left = np.take_along_axis(left, places, 0)
        self.rows += rows

    def matrix(self) -> sparse.csr_matrix:
        """csr float32 [N, M]: the scores that are among the best of their left word, or of their right word."""
        left, right, scores = (np.concatenate(parts) for parts in zip(*self._by_row))
        left = np.concatenate([left, self._left.ravel()])
        right = np.concatenate([right, np.tile(np.arange(self.columns), len(self._left))])
        scores = np.concatenate([scores, self._scores.ravel()])
        _, once = np.unique(left * self.columns + right, return_index=True)
        shape = self.rows, self.columns
        return sparse.csr_matrix((scores[once].astype(np.float32), (left[once], right[once])), shape=shape)


def _best_of_rows(scores: np.ndarray, kept: int) -> Tuple[np.ndarray, np.ndarray]:
    """(places, scores), [N, k] both, of the k highest scores of each row of float [N, M], in no order; k is at most
    `kept`."""
    kept = min(kept, scores.shape[1])
    places = np.argpartition(scores, -kept, axis=1)[:, -kept:]
    return places, np.take_along_axis(scores, places, 1)


def best_of_vectors(
    left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int, kept: int
) -> sparse.csr_matrix:
    """The best scores, CSLS and priors, of many words, without holding the table of scores, see `BestScores`.

    left, right: float [N, d], [M, d] of unit length, in one space; neighbours: of CSLS; kept: scores of each word.
    """
    best = BestScores(len(right), kept)
    for _, scores in _scores_of_vectors(left, right, priors, neighbours):
        best.add(scores)
    return best.matrix()


def nearest_of_vectors(left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int = 10) -> Nearest:
    """`nearest` of CSLS and priors for many words, without holding the table of scores.

    left, right: float [N, d], [M, d] of unit length, in one space.
    """
    forward, forward_score = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.float32)
    backward, backward_score = np.zeros(len(right), dtype=np.int64), np.full(len(right), -np.inf, dtype=np.float32)
    for begin, scores in _scores_of_vectors(left, right, priors, neighbours):
        best = nearest(scores)
        end = begin + len(scores)
        forward[begin:end], forward_score[begin:end] = best.forward, best.forward_score
        better = best.backward_score > backward_score
        backward[better], backward_score[better] = best.backward[better] + begin, best.backward_score[better]
    return Nearest(forward, forward_score, backward, backward_score)


def _scores_of_vectors(
    left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int
) -> Iterator[Tuple[int, np.ndarray]]:
    """Yield (first row, scores float [n, M]) of consecutive left words: CSLS and priors."""
    right_mean = np.concatenate([mean_of_nearest(cosines, neighbours) for _, cosines in _blocks(right, left)])
    for begin, cosines in _blocks(left, right):
        scores = 2 * cosines - mean_of_nearest(cosines, neighbours)[:, None] - right_mean[None, :]
        yield begin, priors.add_to(scores, begin)


def _blocks(left: np.ndarray, right: np.ndarray) -> Iterator[Tuple[int, np.ndarray]]:
    """Yield (first row, cosines float [n, M]) of consecutive left words."""
    for begin in range(0, len(left), _BLOCK):
        yield begin, left[begin : begin + _BLOCK] @ right.T
