"""Drawing pairs of a lexicon, where a lexicon says which words are Positive instead of a span of ranks."""

from dataclasses import dataclass
from typing import List, Sequence

import numpy as np

from crossinit_fairseq.errors import InputError


@dataclass(frozen=True)
class PairDraws:
    """B different pairs of one lexicon. lexicon: its index; positions: int64 [B], of the pairs in it."""

    lexicon: int
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)


class PairSampler:
    """Draws pairs; the draws depend on (seed, epoch, index) alone, so workers, machines and resumed runs agree.

    sizes: number of pairs of each lexicon; seed: of the run; names: of the lexicons, for messages.
    Raises InputError when a lexicon has fewer than two pairs: then nothing is Negative.
    """

    def __init__(self, sizes: Sequence[int], seed: int, names: Sequence[str] = ()):
        for name, size in zip(names or map(str, range(len(sizes))), sizes):
            if size < 2:
                raise InputError(
                    f"the lexicon {name} has {size} mutual pairs whose words are in the training text: two at least "
                    "are needed, and hundreds to learn from"
                )
        self.sizes: List[int] = [int(size) for size in sizes]
        self.seed = seed

    def draw(self, count: int, epoch: int, index: int) -> PairDraws:
        """Draw a lexicon in proportion to its pairs, then `count` different pairs of it (all, if it has fewer)."""
        # a stream of its own: spans are drawn from (seed, epoch, index)
        rng = np.random.default_rng([self.seed, epoch, index, 1])
        number = int(rng.integers(sum(self.sizes)))
        lexicon = int(np.searchsorted(np.cumsum(self.sizes), number, side="right"))
        size = self.sizes[lexicon]
        return PairDraws(lexicon, rng.choice(size, size=min(count, size), replace=False).astype(np.int64))
