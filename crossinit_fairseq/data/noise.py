"""The noise of denoising auto-encoding, on whole words: shuffle, drop, blank (Lample et al. 2018b, section 2)."""

import numpy as np
import torch

from crossinit_fairseq.ranks import WordPieces


class WordNoise:
    """Adds noise to the words of a sentence; fairseq's own noise takes each SentencePiece sub-token for a word.

    pieces: WordPieces of the dictionary; mask: row of ``<mask>``, which stands for a blanked word (one for a word, as
    in mBART); max_shuffle_distance: a word moves by less than this many places; dropout, blanking: probabilities.
    """

    def __init__(
        self,
        pieces: WordPieces,
        mask: int,
        max_shuffle_distance: float = 3.0,
        dropout: float = 0.1,
        blanking: float = 0.2,
    ):
        self.pieces, self.mask = pieces, mask
        self.distance, self.dropout, self.blanking = max_shuffle_distance, dropout, blanking

    def __call__(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """tokens: int64 [T] without ``</s>``, T >= 1. Returns int64 [T'], at least one token."""
        starts = self.pieces.starts[tokens]
        starts[1:] |= self.pieces.ends[tokens[:-1]]
        starts[0] = True
        begins = np.flatnonzero(starts)
        lengths = np.diff(begins, append=len(tokens))
        words = len(begins)
        # always draw all three, so that one probability does not change what the others draw
        places = np.arange(words) + rng.random(words) * self.distance
        keep = rng.random(words) >= self.dropout
        blank = rng.random(words) < self.blanking
        if not keep.any():
            keep[rng.integers(words)] = True
        order = np.argsort(places, kind="stable")
        order = order[keep[order]]
        taken = np.where(blank[order], 1, lengths[order])
        ends = np.cumsum(taken)
        noisy = tokens[np.repeat(begins[order] - (ends - taken), taken) + np.arange(ends[-1])]
        noisy[(ends - taken)[blank[order]]] = self.mask
        return noisy


def add_noise(sentence: torch.Tensor, noise: WordNoise, rng: np.random.Generator) -> torch.Tensor:
    """Apply WordNoise to an int64 [T] sentence that ends in ``</s>``, which stays."""
    return torch.cat([torch.from_numpy(noise(sentence[:-1].numpy(), rng)), sentence[-1:]])
