"""Which sentences of a text are used, how much of them, and in which batches."""

import logging
from typing import Any, List, Optional, Sequence

import numpy as np
import torch

logger = logging.getLogger(__name__)


def usable_sentences(sizes: Sequence[int], longest: int, name: str) -> np.ndarray:
    """The numbers of the sentences that hold a word and fit the model; the others are counted and reported.

    sizes: integer [N] in tokens, ``</s>`` included; longest: in the same measure; name: of the text, for the log.
    Returns int64 [n], rising.
    """
    lengths = np.asarray(sizes)
    empty, long = lengths <= 1, lengths > longest
    if empty.any() or long.any():
        logger.warning(
            f"{name}: skipped {int(empty.sum()):,} empty and {int(long.sum()):,} sentences of more than {longest - 1} "
            f"sub-tokens, of {len(lengths):,}"
        )
    return np.flatnonzero(~(empty | long))


def cut_batches(
    indices: np.ndarray, lengths: np.ndarray, max_tokens: Optional[int], max_sentences: Optional[int]
) -> List[np.ndarray]:
    """Cut sentences, sorted by length, into batches of at most max_tokens padded tokens and max_sentences sentences.

    indices, lengths: int64 [N], numbers of the sentences and their lengths in tokens, rising. Returns parts of
    `indices`. Unlike the batch_by_size of the forks of fairseq, the last batch is never dropped.
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
    """Some sentences of a dataset, in a given order, with their sizes.

    dataset: of int64 [T] sentences, with `sizes`; indices: int64 [n], the numbers of the sentences.
    """

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, np.asarray(indices)
        self.sizes = np.asarray(dataset.sizes)[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.dataset[int(self.indices[index])]


class ShortenedSentences(torch.utils.data.Dataset):
    """A dataset of sentences, int64 [T], of which at most `longest` tokens are left: the first, and their ``</s>``.

    sizes: as those of the dataset, at most `longest`; cut: how many sentences were longer.
    """

    def __init__(self, dataset: Any, longest: int):
        self.dataset, self.longest = dataset, longest
        sizes = np.asarray(dataset.sizes)
        self.sizes, self.cut = np.minimum(sizes, longest), int((sizes > longest).sum())

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> torch.Tensor:
        return shorten(self.dataset[index], self.longest)


class SentenceList(list):
    """A list of sentences, int64 [T] each, with their sizes, as a dataset has them."""

    @property
    def sizes(self) -> np.ndarray:
        """int64 [N]."""
        return np.array([len(sentence) for sentence in self], dtype=np.int64)


def pad_rows(rows: Sequence[np.ndarray], filling: int) -> torch.Tensor:
    """int64 [T] arrays as int64 [B, longest T], filled up on the right."""
    lengths = np.array([len(row) for row in rows])
    batch = np.full((len(rows), int(lengths.max())), filling, dtype=np.int64)
    batch[np.arange(batch.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return torch.from_numpy(batch)


def shorten(sentence: torch.Tensor, longest: int) -> torch.Tensor:
    """An int64 [T] sentence that ends in ``</s>``, cut to `longest` tokens, of which the last is its ``</s>``."""
    if len(sentence) <= longest:
        return sentence
    return torch.cat([sentence[: longest - 1], sentence[-1:]])
