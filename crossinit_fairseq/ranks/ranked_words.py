"""The words of one language in the order of their counts: what Step 1 (paper section 2.1) hands to Step 2."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RankedWords:
    """Words as sub-tokens of one dictionary, most frequent first. Rank 1 of the paper is position 0 here.

    tokens: int32 [sum of the words' lengths], the sub-tokens of all words, one word after the other.
    offsets: int64 [N + 1], word k is ``tokens[offsets[k]:offsets[k + 1]]``; no word is empty.
    counts: int64 [N], never increasing.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray

    def __len__(self):
        return len(self.counts)

    def word(self, position):
        """The sub-tokens of the word at a position, int32 [its length]."""
        return self.tokens[self.offsets[position] : self.offsets[position + 1]]

    def coverage(self, ranks):
        """The share of all word occurrences that the first `ranks` words make up (paper section 3.3), 0 to 1."""
        return float(self.counts[:ranks].sum() / self.counts.sum())

    @classmethod
    def sort(cls, groups):
        """Sort counted words by falling count; ties by fewer sub-tokens, then by the sub-tokens themselves.

        groups: pairs of (integer [m, l] words of l sub-tokens each, in lexicographic order; int64 [m] counts), by
        rising l.
        """
        groups = list(groups)
        tokens = np.concatenate([words.astype(np.int32).ravel() for words, _ in groups])
        counts = np.concatenate([count for _, count in groups])
        lengths = np.concatenate([np.full(len(words), words.shape[1], dtype=np.int64) for words, _ in groups])
        order = np.argsort(-counts, kind="stable")
        starts = np.cumsum(lengths) - lengths
        offsets = np.concatenate([[0], np.cumsum(lengths[order])])
        # position of every sub-token of the sorted words in the unsorted array
        gather = np.repeat(starts[order] - offsets[:-1], lengths[order]) + np.arange(offsets[-1])
        return cls(tokens[gather], offsets.astype(np.int64), counts[order])
