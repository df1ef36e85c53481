"""The text of masked-LM pre-training: blocks of one language, masked, with the number of that language."""

import os

import numpy as np
from fairseq.data import (
    AppendTokenDataset,
    MaskTokensDataset,
    NestedDictionaryDataset,
    NumelDataset,
    NumSamplesDataset,
    PadDataset,
    PrependTokenDataset,
    RawLabelDataset,
    TokenBlockDataset,
    data_utils,
)

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import open_binarised
from crossinit_fairseq.translation.batches import Subset, usable_sentences


class MaskedText:
    """Makes masked-LM datasets of binarised text under one dictionary.

    dictionary: ends with `tokens`, {language: index of its token}, and the mask; block: longest input, in sub-tokens,
    the first and the last token included; break_mode: TokenBlockDataset's; chances: mask_prob, leave_unmasked_prob and
    random_token_prob of MaskTokensDataset; seed: of what is masked.
    """

    def __init__(self, dictionary, tokens, mask, block, break_mode, chances, seed):
        self.dictionary, self.tokens, self.mask = dictionary, tokens, mask
        self.rows = {language: row for row, language in enumerate(tokens)}
        self.block, self.break_mode, self.chances, self.seed = block, break_mode, chances, seed

    def read(self, folder, language, split):
        """Return the NestedDictionaryDataset of a language: net_input.{src_tokens, language_ids}, target, ntokens, nsentences.

        Empty sentences, and those longer than a block, are counted and left out (break mode `none` cuts them instead).
        Raises InputError when the text is missing, damaged, or has no sentence left.
        """
        prefix = os.path.join(folder, language, split)
        open_binarised(prefix)  # says what is wrong, where fairseq would crash or read garbage
        text = data_utils.load_indexed_dataset(prefix, self.dictionary, "mmap")
        room = self.block - 2
        longest = np.iinfo(np.int64).max if self.break_mode == "none" else room
        usable = usable_sentences(text.sizes, longest, prefix)
        if not len(usable):
            raise InputError("{} has no sentence that can be used".format(prefix))
        text = Subset(text, usable)
        pad, eos = self.dictionary.pad(), self.dictionary.eos()
        blocks = TokenBlockDataset(text, text.sizes, room, pad=pad, eos=eos, break_mode=self.break_mode)
        return self._masked(blocks, language)

    def _masked(self, blocks, language):
        # the frame is put on after masking: stock tasks mask <s> too. MaskTokensDataset.apply_mask is not used: its
        # caches, one for all datasets, know no epochs, and can pair a source with the targets of the epoch before
        source, target = (self._mask(blocks, targets) for targets in (False, True))
        pad = self.dictionary.pad()
        source = self._frame(source, self.dictionary.bos(), self.tokens[language])
        target = self._frame(target, pad, pad)
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

    def _mask(self, blocks, targets):
        dataset = MaskTokensDataset(
            blocks,
            self.dictionary,
            pad_idx=self.dictionary.pad(),
            mask_idx=self.mask,
            return_masked_tokens=targets,
            seed=self.seed,
            **self.chances,
        )
        if self.chances["random_token_prob"] > 0:
            # fairseq spares its own special symbols only; these are no words either
            dataset.weights[list(self.tokens.values()) + [self.mask]] = 0
            dataset.weights /= dataset.weights.sum()
        return dataset

    @staticmethod
    def _frame(dataset, first, last):
        return AppendTokenDataset(PrependTokenDataset(dataset, first), last)
