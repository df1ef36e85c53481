"""Step 2, Pairing (paper section 2.2): draw two languages and a span of consecutive ranks."""

from dataclasses import dataclass
from typing import List, Optional, Sequence

import numpy as np

from crossinit_fairseq.errors import InputError


@dataclass(frozen=True)
class SpanDraws:
    """B draws. Each says: the words at positions low to high (high not included) of both languages are Positive.

    left, right: int64 [B], the languages i and j of Eq. 1, as indices; low, high: int64 [B].
    outside: None when all words of language j outside the span are Negative; else B arrays, int64, of their positions.
    """

    left: np.ndarray
    right: np.ndarray
    low: np.ndarray
    high: np.ndarray
    outside: Optional[List[np.ndarray]] = None

    def __len__(self) -> int:
        return len(self.low)


class SpanSampler:
    """Draws spans; the draws depend on (seed, epoch, index) alone, so workers, machines and resumed runs agree.

    sizes: the number of words of each language; span: the width n; max_rank: spans lie within the first max_rank ranks
    (section 3.3 of the paper uses 20,000), or within the ranks that both languages have, if fewer;
    names: the languages' names, for messages; language_pairs: "distinct" (i != j, the paper) or "any" (i and j drawn
    apart and maybe equal, the authors' trial code); negatives: "all" words outside the span (Eq. 1) or a "sample" of
    twice the span's width, without replacement, new for every draw (the trial code).
    Raises InputError when a language has too few words for a span and something outside it.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        span: int,
        max_rank: int,
        seed: int,
        names: Optional[Sequence[str]] = None,
        language_pairs: str = "distinct",
        negatives: str = "all",
    ):
        names = names or [str(i) for i in range(len(sizes))]
        if len(sizes) < 2:
            raise InputError(f"CrossInit aligns two languages or more; got {len(sizes)}: {', '.join(names)}")
        if span < 1 or max_rank < span:
            raise InputError(
                f"the span ({span}) must be at least 1 and at most the highest rank for positives ({max_rank}): "
                "change --span or --max-rank"
            )
        for name, count in zip(names, sizes):
            if count <= span:
                raise InputError(
                    f"language {name} has {count:,} distinct words, too few for a span of {span:,} with words left "
                    "outside it: use a smaller --span or more text"
                )
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.limits = np.minimum(self.sizes, max_rank)
        self.span, self.seed = span, seed
        self.language_pairs, self.negatives = language_pairs, negatives

    def draw(self, count: int, epoch: int, index: int) -> SpanDraws:
        """Draw `count` pairs of languages i, j and a span centre k each, all uniform. Returns SpanDraws."""
        rng = np.random.default_rng([self.seed, epoch, index])
        languages = len(self.limits)
        left = rng.integers(languages, size=count)
        lowest = 1 if self.language_pairs == "distinct" else 0
        right = (left + rng.integers(lowest, languages, size=count)) % languages
        # the same ranks in both languages, so the shorter list bounds both
        limit = np.minimum(self.limits[left], self.limits[right])
        centre = rng.integers(limit)
        low = centre - self.span // 2
        # [k - n/2, k + n/2], clipped at the ends of the list
        low, high = np.maximum(low, 0), np.minimum(low + self.span, limit)
        outside = None
        if self.negatives == "sample":
            outside = [self._sample(rng, *draw) for draw in zip(self.sizes[right], low, high)]
        return SpanDraws(left, right, low, high, outside)

    def _sample(self, rng: np.random.Generator, size: int, low: int, high: int) -> np.ndarray:
        """Positions outside [low, high) of a list of `size` words."""
        available = int(size - (high - low))
        chosen = rng.choice(available, size=min(2 * self.span, available), replace=False, shuffle=False)
        return np.where(chosen < low, chosen, chosen + (high - low))
