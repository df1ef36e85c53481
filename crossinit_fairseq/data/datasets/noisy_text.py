"""The batches that mBART's pre-training learns from: text with noise, and the text as it was."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from fairseq.data import FairseqDataset

from crossinit_fairseq.data.bart_noise import BartNoise
from crossinit_fairseq.data.dictionary import BOS, PAD
from crossinit_fairseq.data.sentences import cut_batches, pad_rows


class NoisyInput(NamedTuple):
    """One training example. number: its place in the epoch; source, target: int64 [S] and [T]."""

    number: int
    source: np.ndarray
    target: np.ndarray


class NoisyText(FairseqDataset):
    """The blocks of some languages, each as ``<s> block [language]``, with noise as source and without as target.

    Input k of epoch e is a function of (seed, e, k): the same in every process, with any number of workers and after a
    resume, and new in every epoch. Batches are of like lengths in every epoch, and mix languages.

    blocks: {language: dataset of int64 [T], with `sizes`}; noise: {language: BartNoise}; ends: {language: row of the
    token that stands after a block}, with which the decoder starts; alpha: a language with the share p of the blocks is
    drawn in proportion to ``p ** alpha`` (Liu et al., 2020, equation 1), in an epoch of as many blocks as there are;
    None: each block once, in its order.
    """

    can_reuse_epoch_itr_across_epochs = False

    def __init__(
        self,
        blocks: Mapping[str, Any],
        noise: Mapping[str, BartNoise],
        ends: Mapping[str, int],
        seed: int,
        alpha: Optional[float] = None,
    ):
        super().__init__()
        self.languages = list(blocks)
        self.blocks = [blocks[language] for language in self.languages]
        self.noise = [noise[language] for language in self.languages]
        self.ends = [ends[language] for language in self.languages]
        self.seed, self.alpha = seed, alpha
        self.epoch = 0
        self._draw()

    def set_epoch(self, epoch: int) -> None:
        """Draw anew from now on (fairseq counts training epochs from 1; what validates stays at 0)."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._draw()

    def _draw(self) -> None:
        counts = np.array([len(blocks) for blocks in self.blocks])
        chosen = [
            self._times(number, count, times)
            for number, (count, times) in enumerate(zip(counts, sampling_ratios(counts, self.alpha)))
        ]
        # int64 [N] each: of which language an input is, which of its blocks, how long it is without noise
        self.drawn = np.repeat(np.arange(len(chosen)), [len(own) for own in chosen])
        self.chosen = np.concatenate(chosen)
        lengths = [np.asarray(blocks.sizes)[own] for blocks, own in zip(self.blocks, chosen)]
        self.sizes = np.concatenate(lengths).astype(np.int64) + 2

    def _times(self, number: int, count: int, times: float) -> np.ndarray:
        """The blocks of a language as often as `times` says: all of them, and a sample for the fraction."""
        rest = round(times % 1 * count)
        rng = np.random.default_rng([self.seed, self.epoch, number, 1])
        sample = rng.permutation(count)[:rest] if rest else np.empty(0, dtype=np.int64)
        return np.concatenate([np.tile(np.arange(count), int(times)), sample])

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> NoisyInput:
        language = self.drawn[index]
        block = self.blocks[language][self.chosen[index]]
        target = np.empty(len(block) + 2, dtype=np.int64)
        target[0], target[1:-1], target[-1] = BOS, block, self.ends[language]
        rng = np.random.default_rng([self.seed, self.epoch, int(index)])
        return NoisyInput(int(index), self.noise[language](target, rng), target)

    def collater(self, samples: Sequence[NoisyInput]) -> Dict[str, Any]:
        """A batch: net_input.{src_tokens: int64 [B, S], prev_output_tokens: int64 [B, T], src_lengths: int64 [B]},
        target: int64 [B, T]; padded on the right. id: int64 [B].

        prev_output_tokens are the target one place later, its last token in front.
        """
        if not samples:
            return {}
        target = pad_rows([sample.target for sample in samples], PAD)
        shifted = torch.full_like(target, PAD)
        shifted[:, 1:] = target[:, :-1].masked_fill(target[:, 1:].eq(PAD), PAD)
        shifted[:, 0] = torch.tensor([int(sample.target[-1]) for sample in samples])
        return {
            "id": torch.tensor([sample.number for sample in samples]),
            "nsentences": len(samples),
            "ntokens": sum(len(sample.target) for sample in samples),
            "net_input": {
                "src_tokens": pad_rows([sample.source for sample in samples], PAD),
                "src_lengths": torch.tensor([len(sample.source) for sample in samples]),
                "prev_output_tokens": shifted,
            },
            "target": target,
        }

    def num_tokens(self, index: int) -> int:
        """Tokens of an input without noise, its first and last included."""
        return int(self.sizes[index])

    def size(self, index: int) -> int:
        """The same as num_tokens: fairseq asks for both."""
        return int(self.sizes[index])

    def ordered_indices(self) -> np.ndarray:
        """By length; equal lengths in an order of this epoch."""
        order = np.random.default_rng([self.seed, self.epoch, 0, 2]).permutation(len(self))
        return order[np.argsort(self.sizes[order], kind="stable")]

    def filter_indices_by_size(self, indices: np.ndarray, max_sizes: Any) -> Tuple[np.ndarray, List[int]]:
        """Nothing is left to filter: see open_blocks."""
        return indices, []

    def batch_by_size(
        self,
        indices: np.ndarray,
        max_tokens: Optional[int] = None,
        max_sentences: Optional[int] = None,
        required_batch_size_multiple: int = 1,
    ) -> List[np.ndarray]:
        """Batches of like lengths; the last one is kept, whatever its size."""
        return cut_batches(indices, self.sizes[indices], max_tokens, max_sentences)


def sampling_ratios(counts: Sequence[int], alpha: Optional[float]) -> np.ndarray:
    """How often each language's blocks stand in an epoch: float64 [languages], of the mean 1 by blocks. See NoisyText.

    counts: the number of blocks of each language.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if alpha is None or alpha == 1:
        return np.ones(len(counts))
    shares = (counts / counts.sum()) ** alpha
    return shares / shares.sum() * counts.sum() / counts
