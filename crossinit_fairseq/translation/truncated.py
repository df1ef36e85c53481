"""Sentences that are no longer than a model can read."""

import numpy as np
import torch


class Truncated(torch.utils.data.Dataset):
    """A dataset of sentences, int64 [length], of which at most `longest` sub-tokens are left: the first, and their ``</s>``.

    sizes: as those of the dataset, at most `longest`; cut: how many sentences were longer.
    """

    def __init__(self, dataset, longest):
        self.dataset, self.longest = dataset, longest
        sizes = np.asarray(dataset.sizes)
        self.sizes, self.cut = np.minimum(sizes, longest), int((sizes > longest).sum())

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        sentence = self.dataset[index]
        if len(sentence) <= self.longest:
            return sentence
        return torch.cat([sentence[: self.longest - 1], sentence[-1:]])
