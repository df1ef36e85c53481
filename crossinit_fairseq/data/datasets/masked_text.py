"""The text of masked-LM pre-training: blocks of one language, masked, with the number of that language."""

import os
from typing import Any, Mapping

from fairseq.data import (
    AppendTokenDataset,
    Dictionary,
    MaskTokensDataset,
    NestedDictionaryDataset,
    NumelDataset,
    NumSamplesDataset,
    PadDataset,
    PrependTokenDataset,
    RawLabelDataset,
    TokenBlockDataset,
)

from crossinit_fairseq.data.datasets.corpus import open_blocks
from crossinit_fairseq.data.dictionary import MASK

_SEEDS_APART = 1_000_003  # seeds of runs are nearer to each other than those of an epoch's repetitions of a text


class MaskedText:
    """Makes masked-LM datasets of binarised text under one dictionary.

    tokens: {language: row of its token}, of all languages of the dictionary in their order; block: longest input, in
    sub-tokens, the first and the last token included; break_mode: see open_blocks; chances: mask_prob,
    leave_unmasked_prob and random_token_prob of MaskTokensDataset; seed: of what is masked.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        tokens: Mapping[str, int],
        block: int,
        break_mode: str,
        chances: Mapping[str, float],
        seed: int,
    ):
        self.dictionary, self.tokens, self.mask = dictionary, tokens, dictionary.index(MASK)
        self.rows = {language: row for row, language in enumerate(tokens)}
        self.block, self.break_mode, self.chances, self.seed = block, break_mode, chances, seed
        self._weights: Any = None  # float64 [V], of random tokens

    def blocks(self, folder: str, language: str, split: str) -> TokenBlockDataset:
        """The text of a language in blocks. What is left out, and what raises InputError: see open_blocks."""
        prefix = os.path.join(folder, language, split)
        return open_blocks(prefix, self.dictionary, self.tokens, self.block - 2, self.break_mode)

    def masked(self, blocks: TokenBlockDataset, language: str, repetition: int = 0) -> NestedDictionaryDataset:
        """Blocks of a language, each with net_input.{src_tokens, language_ids}, target, ntokens and nsentences.

        repetition: how many times the epoch already has these blocks; each time other tokens are masked.
        """
        seed = self.seed + repetition * _SEEDS_APART
        # <s> and the language token are added after masking: stock tasks mask <s> too. MaskTokensDataset.apply_mask is
        # not used: its caches, one for all datasets, know no epochs, and can pair a source with the targets of the
        # epoch before
        source, target = (self._mask(blocks, targets, seed) for targets in (False, True))
        pad = self.dictionary.pad()
        source = self._with_ends(source, self.dictionary.bos(), self.tokens[language])
        target = self._with_ends(target, pad, pad)
        return NestedDictionaryDataset(
            {
                "net_input": {
                    "src_tokens": PadDataset(source, pad_idx=pad, left_pad=False),
                    "language_ids": RawLabelDataset([self.rows[language]] * len(source)),
                },
                "target": PadDataset(target, pad_idx=pad, left_pad=False),
                "nsentences": NumSamplesDataset(),
                "ntokens": NumelDataset(source, reduce=True),
            },
            sizes=[source.sizes],
        )

    def _mask(self, blocks: TokenBlockDataset, targets: bool, seed: int) -> MaskTokensDataset:
        dataset = MaskTokensDataset(
            blocks,
            self.dictionary,
            pad_idx=self.dictionary.pad(),
            mask_idx=self.mask,
            return_masked_tokens=targets,
            seed=seed,
            **self.chances,
        )
        if self.chances["random_token_prob"] > 0:
            if self._weights is None:
                self._weights = dataset.weights
                # fairseq spares its own special symbols only; these are no words either
                self._weights[list(self.tokens.values()) + [self.mask]] = 0
                self._weights /= self._weights.sum()
            dataset.weights = self._weights
        return dataset

    @staticmethod
    def _with_ends(dataset: Any, first: int, last: int) -> AppendTokenDataset:
        return AppendTokenDataset(PrependTokenDataset(dataset, first), last)
