"""The batches that unsupervised translation is validated on."""

import numpy as np
import torch
from fairseq.data import FairseqDataset, LanguagePairDataset

from crossinit_fairseq.translation.batches import cut_batches
from crossinit_fairseq.translation.noise import disturb


class DirectionBatches(FairseqDataset):
    """Validation batches of several directions, each batch of one direction.

    parts: list of (tag, LanguagePairDataset); a batch carries its part's tag under "tag".
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = parts
        self.firsts = np.cumsum([0] + [len(dataset) for _, dataset in parts])

    def _locate(self, index):
        part = int(np.searchsorted(self.firsts, index, side="right")) - 1
        return part, int(index - self.firsts[part])

    def __len__(self):
        return int(self.firsts[-1])

    def __getitem__(self, index):
        part, inner = self._locate(index)
        return part, self.parts[part][1][inner]

    def collater(self, samples):
        """Merge samples of one part."""
        if not samples:
            return {}
        part = samples[0][0]
        batch = self.parts[part][1].collater([sample for _, sample in samples])
        batch["tag"] = self.parts[part][0]
        return batch

    def ordered_indices(self):
        return np.arange(len(self))

    def num_tokens(self, index):
        part, inner = self._locate(index)
        return self.parts[part][1].num_tokens(inner)

    def size(self, index):
        part, inner = self._locate(index)
        return self.parts[part][1].size(inner)

    def filter_indices_by_size(self, indices, max_sizes):
        """Nothing is left to filter: see usable_sentences."""
        return indices, []

    def batch_by_size(self, indices, max_tokens=None, max_sentences=None, required_batch_size_multiple=1):
        """Batches of like lengths within each part; the last one of each is kept, whatever its size."""
        batches = []
        for part, (_, dataset) in enumerate(self.parts):
            lengths = np.array([dataset.num_tokens(i) for i in range(len(dataset))])
            order = np.argsort(lengths, kind="stable")
            batches += cut_batches(self.firsts[part] + order, lengths[order], max_tokens, max_sentences)
        return [list(map(int, batch)) for batch in batches]


class Dressed(torch.utils.data.Dataset):
    """Sentences of a language in mBART's dress, with noise or without."""

    def __init__(self, dataset, convention, language, noise=None, seed=0):
        self.dataset, self.convention, self.language = dataset, convention, language
        self.noise, self.seed = noise, seed
        self.sizes = np.asarray(dataset.sizes) + 2

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        sentence = self.dataset[index]
        if self.noise is not None:
            sentence = disturb(sentence, self.noise, np.random.default_rng([self.seed, int(index)]))
        return self.convention.dress(sentence, self.language)


def pair_dataset(source, target, dictionary, convention, target_language):
    """A LanguagePairDataset of dressed sides whose decoder starts with the target language's token.

    target may be None (no reference).
    """
    return LanguagePairDataset(
        source,
        source.sizes,
        dictionary,
        target,
        None if target is None else target.sizes,
        dictionary,
        left_pad_source=False,
        left_pad_target=False,
        shuffle=False,
        eos=convention.languages[target_language],
    )
