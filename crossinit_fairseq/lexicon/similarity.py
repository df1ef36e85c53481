"""How well two words go together: their vectors by CSLS, their ranks as a prior, their spelling."""

from dataclasses import dataclass
from typing import Iterator, NamedTuple, Optional, Tuple

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
    is marked down by its own mean.
    """
    return 2 * cosines - mean_of_nearest(cosines, neighbours)[:, None] - mean_of_nearest(cosines.T, neighbours)[None, :]


def mean_of_nearest(cosines: np.ndarray, neighbours: int) -> np.ndarray:
    """The mean of the `neighbours` largest values of each row of float [N, M], all of them where M is smaller: [N]."""
    neighbours = min(neighbours, cosines.shape[1])
    return np.partition(cosines, -neighbours, axis=1)[:, -neighbours:].mean(1)


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


def nearest_of_vectors(left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int = 10) -> Nearest:
    """`nearest` of CSLS and priors for many words, without holding the table of scores.

    left, right: float [N, d], [M, d] of unit length, in one space.
    """
    forward, forward_score = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.float32)
    backward, backward_score = np.zeros(len(right), dtype=np.int64), np.full(len(right), -np.inf, dtype=np.float32)
    right_mean = np.concatenate([mean_of_nearest(cosines, neighbours) for _, cosines in _blocks(right, left)])
    for begin, cosines in _blocks(left, right):
        scores = 2 * cosines - mean_of_nearest(cosines, neighbours)[:, None] - right_mean[None, :]
        best = nearest(priors.add_to(scores, begin))
        end = begin + len(scores)
        forward[begin:end], forward_score[begin:end] = best.forward, best.forward_score
        better = best.backward_score > backward_score
        backward[better], backward_score[better] = best.backward[better] + begin, best.backward_score[better]
    return Nearest(forward, forward_score, backward, backward_score)


def _blocks(left: np.ndarray, right: np.ndarray) -> Iterator[Tuple[int, np.ndarray]]:
    """Yield (first row, cosines float [n, M]) of consecutive left words."""
    for begin in range(0, len(left), _BLOCK):
        yield begin, left[begin : begin + _BLOCK] @ right.T
