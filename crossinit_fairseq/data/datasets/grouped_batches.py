"""Batches of which each is of one group: of one language, or of one direction of translation."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import Dictionary, FairseqDataset, LanguagePairDataset

from crossinit_fairseq.data.noise import WordNoise, add_noise
from crossinit_fairseq.data.sentences import cut_batches
from crossinit_fairseq.data.special_tokens import SpecialTokens


class GroupedBatches(FairseqDataset):
    """The sentences of several groups, for validation: a batch never mixes groups.

    groups: list of (name, FairseqDataset); a batch carries its group's name under "group".
    """

    def __init__(self, groups: Sequence[Tuple[Any, FairseqDataset]]):
        super().__init__()
        self.groups = list(groups)
        self.firsts = np.cumsum([0] + [len(dataset) for _, dataset in self.groups])

    def _locate(self, index: int) -> Tuple[int, int]:
        group = int(np.searchsorted(self.firsts, index, side="right")) - 1
        return group, int(index - self.firsts[group])

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def __getitem__(self, index: int) -> Tuple[int, Any]:
        group, inner = self._locate(index)
        return group, self.groups[group][1][inner]

    def collater(self, samples: Sequence[Tuple[int, Any]]) -> Dict[str, Any]:
        """Merge samples of one group, as the group's own dataset does."""
        if not samples:
            return {}
        name, dataset = self.groups[samples[0][0]]
        batch = dataset.collater([sample for _, sample in samples])
        batch["group"] = name
        return batch

    def ordered_indices(self) -> np.ndarray:
        """All sentences, group by group."""
        return np.arange(len(self))

    def num_tokens(self, index: int) -> int:
        """Length of a sentence, as its group's dataset measures it."""
        group, inner = self._locate(index)
        return self.groups[group][1].num_tokens(inner)

    def size(self, index: int) -> Any:
        """Size of a sentence, as its group's dataset gives it."""
        group, inner = self._locate(index)
        return self.groups[group][1].size(inner)

    def filter_indices_by_size(self, indices: np.ndarray, max_sizes: Any) -> Tuple[np.ndarray, List[int]]:
        """Nothing is left to filter: see usable_sentences."""
        return indices, []

    def batch_by_size(
        self,
        indices: Optional[np.ndarray],
        max_tokens: Optional[int] = None,
        max_sentences: Optional[int] = None,
        required_batch_size_multiple: int = 1,
    ) -> List[List[int]]:
        """Batches of like lengths within each group; the last one of each is kept, whatever its size."""
        batches = []
        for first, (_, dataset) in zip(self.firsts, self.groups):
            lengths = np.array([dataset.num_tokens(i) for i in range(len(dataset))])
            order = np.argsort(lengths, kind="stable")
            batches += cut_batches(first + order, lengths[order], max_tokens, max_sentences)
        return [list(map(int, batch)) for batch in batches]


class WithSpecialTokens(torch.utils.data.Dataset):
    """Sentences of a language with special tokens, and with noise if one is given: always the same noise.

    dataset: of int64 [T] sentences ``x </s>``, with `sizes`.
    """

    def __init__(
        self,
        dataset: Any,
        special_tokens: SpecialTokens,
        language: str,
        noise: Optional[WordNoise] = None,
        seed: int = 0,
    ):
        self.dataset, self.special_tokens, self.language = dataset, special_tokens, language
        self.noise, self.seed = noise, seed
        self.sizes = np.asarray(dataset.sizes) + 2

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> torch.Tensor:
        sentence = self.dataset[index]
        if self.noise is not None:
            sentence = add_noise(sentence, self.noise, np.random.default_rng([self.seed, int(index)]))
        return self.special_tokens.add(sentence, self.language)


def pair_dataset(
    source: Any, target: Any, dictionary: Dictionary, special_tokens: SpecialTokens, target_language: str
) -> LanguagePairDataset:
    """A LanguagePairDataset whose decoder starts with the target language's token.

    source, target: datasets of int64 [T] sentences with special tokens, with `sizes`; target may be None (no
    reference).
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
        eos=special_tokens.languages[target_language],
    )
