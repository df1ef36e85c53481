"""How far a table has fallen into one direction: the mean cosine between random words."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class RandomWords(nn.Module):
    """A fixed random sample of the words of each language, and what they tell of a table.

    words: RankedWords per language; max_rank: sample among the first max_rank ranks; count: words per language (fewer
    if a language has fewer: a word drawn twice would count as two that agree); seed: of the sample.
    """

    def __init__(self, words, max_rank, count=256, seed=0):
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
    def forward(self, table):
        """table: float [V, d]. Returns (mean norm, mean cosine within a language, across languages), float scalars."""
        vectors = F.embedding_bag(self.tokens, table, self.starts, mode="mean").view(*self.shape, -1).float()
        norm = vectors.norm(dim=2).mean()
        sums = F.normalize(vectors, dim=2).sum(1)
        products = sums @ sums.t()
        languages, words = self.shape
        own = products.diagonal().sum()
        # the cosine of a word with itself, 1, is left out
        within = (own - languages * words) / (languages * words * (words - 1))
        across = (products.sum() - own) / (languages * (languages - 1) * words * words)
        return norm, within, across
