"""How far a table has fallen into few directions, seen on random words."""

from typing import NamedTuple, Sequence

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from crossinit_fairseq.alignment.weighted_sums import embedding_bag
from crossinit_fairseq.ranks import RankedWords


class Measures(NamedTuple):
    """What RandomWords measure in a table, float scalars.

    norm: mean norm of a word; cos_within, cos_across: mean cosine of two different words of one language (0 where there
    is but one), and of words of two languages: near 1 where all words point one way. directions: 1 / mean squared
    cosine of two different words, which also sees words that point both ways along few axes: d (at most) for random
    vectors, k for words spread evenly over k orthogonal axes, 1 where only one is left. (It is the participation ratio
    of the singular values of the normalised words, made independent of the number of words by leaving out the cosine of
    a word with itself.)
    """

    norm: torch.Tensor
    cos_within: torch.Tensor
    cos_across: torch.Tensor
    directions: torch.Tensor


class RandomWords(nn.Module):
    """A fixed random sample of the words of each language, to measure a table on.

    words: RankedWords per language; max_rank: sample among the first max_rank ranks; count: words per language (fewer
    if a language has fewer: a word drawn twice would count as two that agree); seed: of the sample.
    """

    tokens: torch.Tensor
    starts: torch.Tensor

    def __init__(self, words: Sequence[RankedWords], max_rank: int, count: int = 128, seed: int = 0):
        super().__init__()
        rng = np.random.default_rng(seed)
        available = [min(len(ranked), max_rank) for ranked in words]
        count = min(available + [count])
        chosen = [
            ranked.word(k)
            for ranked, ranks in zip(words, available)
            for k in rng.choice(ranks, size=count, replace=False)
        ]
        lengths = np.array([len(word) for word in chosen])
        self.shape = (len(words), count)
        self.register_buffer("tokens", torch.from_numpy(np.concatenate(chosen).astype(np.int64)), persistent=False)
        self.register_buffer("starts", torch.from_numpy(np.cumsum(lengths) - lengths), persistent=False)

    @torch.no_grad()
    def forward(self, table: torch.Tensor) -> Measures:
        """table: float [V, d]. Returns Measures."""
        vectors = embedding_bag(table, self.tokens, self.starts, "mean").view(*self.shape, -1).float()
        units = F.normalize(vectors, dim=2)
        sums = units.sum(1)
        products = sums @ sums.t()
        languages, count = self.shape
        own = products.diagonal().sum()
        # the cosine of a word with itself, 1, is left out
        within = (own - languages * count) / max(languages * count * (count - 1), 1)
        across = (products.sum() - own) / (languages * (languages - 1) * count * count)
        units = units.flatten(0, 1)
        total, dimensions = units.shape
        # the sum of all squared cosines is also that of this product, whichever way it is taken
        products = units @ units.t() if total < dimensions else units.t() @ units
        squared = (products.pow(2).sum() - total) / (total * (total - 1))
        return Measures(vectors.norm(dim=2).mean(), within, across, 1 / squared.clamp(min=1 / dimensions))
