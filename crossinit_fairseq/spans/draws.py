"""Step 2, Pairing (paper section 2.2): draw two languages and a span of consecutive ranks."""

from dataclasses import dataclass

import numpy as np

from crossinit_fairseq.errors import InputError


@dataclass(frozen=True)
class SpanDraws:
    """B draws. Each says: the words at positions low to high (high not included) of both languages are Positive.

    left, right: int64 [B], the languages i and j of Eq. 1, as indices; low, high: int64 [B].
    """

    left: np.ndarray
    right: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __len__(self):
        return len(self.low)


class SpanSampler:
    """Draws spans; the draws depend on (seed, epoch, index) alone, so workers, machines and resumed runs agree.

    words: number of words of each language; span: the width n; max_rank: spans lie within the first max_rank ranks
    (section 3.3 of the paper uses 20,000), or within the ranks that both languages have, if fewer;
    names: the languages' names, for messages.
    Raises InputError when a language has too few words for a span and something outside it.
    """

    def __init__(self, words, span, max_rank, seed, names=None):
        names = names or [str(i) for i in range(len(words))]
        if len(words) < 2:
            raise InputError("CrossInit aligns two languages or more; got {}: {}".format(len(words), ", ".join(names)))
        if span < 1 or max_rank < span:
            raise InputError(
                "the span ({}) must be at least 1 and at most the highest rank for positives ({}): "
                "change --span or --max-rank".format(span, max_rank)
            )
        for name, count in zip(names, words):
            if count <= span:
                raise InputError(
                    "language {} has {:,} distinct words, too few for a span of {:,} with words left outside it: "
                    "use a smaller --span or more text".format(name, count, span)
                )
        self.limits = np.minimum(np.asarray(words, dtype=np.int64), max_rank)
        self.span, self.seed = span, seed

    def draw(self, count, epoch, index):
        """Draw `count` pairs: languages i != j and a span centre k, all uniform. Returns SpanDraws."""
        rng = np.random.default_rng([self.seed, epoch, index])
        languages = len(self.limits)
        left = rng.integers(languages, size=count)
        right = (left + rng.integers(1, languages, size=count)) % languages
        # the same ranks in both languages, so the shorter list bounds both
        limit = np.minimum(self.limits[left], self.limits[right])
        centre = rng.integers(limit)
        low = centre - self.span // 2
        # [k - n/2, k + n/2], clipped at the ends of the list
        return SpanDraws(left, right, np.maximum(low, 0), np.minimum(low + self.span, limit))
