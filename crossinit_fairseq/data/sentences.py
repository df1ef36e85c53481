"""Sentences that can be used, and batches of like lengths."""

import logging

import numpy as np
import torch

logger = logging.getLogger(__name__)


def usable_sentences(sizes, longest, name):
    """Indices of the sentences that hold a word and fit the model; the others are counted and reported.

    sizes: integer [N] in tokens, ``</s>`` included; longest: in the same measure.
    """
    sizes = np.asarray(sizes)
    empty, long = sizes <= 1, sizes > longest
    if empty.any() or long.any():
        logger.warning(
            "{}: skipped {:,} empty and {:,} sentences of more than {} sub-tokens, of {:,}".format(
                name, int(empty.sum()), int(long.sum()), longest - 1, len(sizes)
            )
        )
    return np.flatnonzero(~(empty | long))


def cut_batches(indices, lengths, max_tokens, max_sentences):
    """Cut sentences, sorted by length, into batches of at most max_tokens padded tokens and max_sentences sentences.

    Unlike the batch_by_size of the forks of fairseq, the last batch is never dropped.
    """
    batches, begin = [], 0
    for end in range(1, len(indices) + 1):
        if end == len(indices) or (
            (max_sentences and end - begin >= max_sentences)
            or (max_tokens and (end + 1 - begin) * int(lengths[end]) > max_tokens)
        ):
            batches.append(indices[begin:end])
            begin = end
    return batches


class Subset(torch.utils.data.Dataset):
    """Some sentences of a dataset, in a given order, with their sizes."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, np.asarray(indices)
        self.sizes = np.asarray(dataset.sizes)[self.indices]

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[int(self.indices[index])]
