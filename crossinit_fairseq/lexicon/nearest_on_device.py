"""The best partners of very many words by torch: 50,000 x 50,000 scores are seconds of a GPU, and minutes of a core."""

import re
from textwrap import shorten
from typing import Iterator, List, Tuple

import numpy as np
import torch
from scipy import sparse

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.similarity import BestScores, Nearest, Priors

_SCORES = 2**27  # scores at a time: half a GB


def check_device(name: str) -> None:
    """Raises InputError unless torch sees a device of this name, such as cpu, cuda or cuda:1."""
    try:
        torch.zeros(1, device=name).cpu()
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without CUDA
        # torch goes on with lists of all that it knows
        first = re.split(r"[.\n](?: |$)", str(error).strip() or "no name", maxsplit=1)[0]
        reason = shorten(first, 100, placeholder=" ...")
        raise InputError(
            f"--device is {name!r}, which torch cannot use here ({reason}): cpu works everywhere"
        ) from None


def nearest_on_device(left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int, device: str) -> Nearest:
    """What `similarity.nearest_of_vectors` finds, up to the rounding of float32, by matrix products on a device.

    left, right: float32 [N, d], [M, d] of unit length, in one space; neighbours: of CSLS; device: torch's name of it.
    It holds blocks of 2**27 scores, about 2 GB with what is reckoned from them.
    """
    search = _Search(left, right, priors, neighbours, device)
    forward, forward_score = [], []
    backward = torch.zeros(len(right), dtype=torch.int64, device=device)
    backward_score = torch.full((len(right),), -float("inf"), device=device)
    for rows, scores in search.blocks():
        best, partner = scores.max(1)
        forward.append(partner)
        forward_score.append(best)
        best, partner = scores.max(0)
        better = best > backward_score
        backward = torch.where(better, partner + rows.start, backward)
        backward_score = torch.where(better, best, backward_score)
    found = torch.cat(forward), torch.cat(forward_score), backward, backward_score
    return Nearest(*(part.cpu().numpy() for part in found))


def best_on_device(
    left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int, kept: int, device: str
) -> sparse.csr_matrix:
    """What `similarity.best_of_vectors` finds, up to the rounding of float32; arguments as for `nearest_on_device`."""
    best = BestScores(len(right), kept)
    for rows, scores in _Search(left, right, priors, neighbours, device).blocks():
        of_rows, of_columns = (_best_of_rows(side, kept) for side in (scores, scores.T))
        best.add_best(rows.stop - rows.start, of_rows, of_columns)
    return best.matrix()


def _best_of_rows(scores: torch.Tensor, kept: int) -> Tuple[np.ndarray, np.ndarray]:
    """(places, scores), [n, k] both, of the k highest scores of each row of float [n, m]; k is at most `kept`."""
    found = scores.topk(min(kept, scores.shape[1]), dim=1, sorted=False)
    return found.indices.cpu().numpy(), found.values.cpu().numpy()


class _Search:
    """Vectors and priors of two languages on a device.

    left, right: float [N, d], [M, d].
    """

    def __init__(self, left: np.ndarray, right: np.ndarray, priors: Priors, neighbours: int, device: str):
        self.priors, self.neighbours = priors, neighbours
        self.left, self.right, *self.frequencies = (
            torch.from_numpy(np.asarray(side, dtype=np.float32)).to(device)
            for side in (left, right, priors.left, priors.right)
        )

    def blocks(self) -> Iterator[Tuple[slice, torch.Tensor]]:
        """Yield (rows, scores float32 [n, M]) of consecutive left words."""
        rows = _blocks(len(self.right), len(self.left))
        right_mean = torch.cat([self._mean_of_nearest(self.right[some] @ self.left.T) for some in rows])
        for some in _blocks(len(self.left), len(self.right)):
            yield some, self._scores(some, right_mean)

    def _scores(self, rows: slice, right_mean: torch.Tensor) -> torch.Tensor:
        """CSLS and priors of some left words: float32 [n, M]. right_mean: float32 [M], of the right words."""
        cosines = self.left[rows] @ self.right.T
        left_mean = self._mean_of_nearest(cosines)
        scores = cosines.mul_(2).sub_(left_mean[:, None]).sub_(right_mean[None, :])
        if self.priors.rank_weight:
            apart = (self.frequencies[0][rows, None] - self.frequencies[1][None, :]).abs_()
            scores.sub_(apart, alpha=self.priors.rank_weight)
        if self.priors.spelling is not None and self.priors.spelling_weight:
            part = self.priors.spelling[rows].tocoo()
            at = tuple(torch.from_numpy(side.astype(np.int64)).to(scores.device) for side in (part.row, part.col))
            scores[at] += self.priors.spelling_weight * torch.from_numpy(part.data).to(scores)
        return scores

    def _mean_of_nearest(self, cosines: torch.Tensor) -> torch.Tensor:
        means = cosines.topk(min(self.neighbours, cosines.shape[1]), dim=1, sorted=False).values.mean(1)
        return means.masked_fill_(~cosines.any(1), 1)


def _blocks(rows: int, columns: int) -> List[slice]:
    """Slices of consecutive rows of a table of scores, so large as fits."""
    size = max(1, _SCORES // max(columns, 1))
    return [slice(begin, min(begin + size, rows)) for begin in range(0, rows, size)]
