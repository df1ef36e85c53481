"""How a sentence stands in a model's input and output: as mBART's pre-training writes it, in every stage.

`crossinit_denoising --add-lang-token`, like the stock `multilingual_denoising`, reads and writes ``<s> x </s> [lang]``
and starts its decoder with ``[lang]``. Translation does the same, so the decoder that pre-training leaves is asked
nothing new: begin with ``[lang] <s>``, end with ``</s>``.
"""

from typing import Any, Dict, Mapping, Sequence

import torch

from crossinit_fairseq.data.dictionary import BOS, EOS, PAD


class SpecialTokens:
    """Adds special tokens to sentences and takes them away. A sentence without them is ``x </s>``, as it was binarised.

    languages: {language: row of its token in the dictionary}. The rows of ``<s>``, ``</s>`` and ``<pad>`` are
    fairseq's.
    """

    def __init__(self, languages: Mapping[str, int]):
        self.bos, self.eos, self.pad = BOS, EOS, PAD
        self.languages: Dict[str, int] = dict(languages)

    def add(self, sentence: torch.Tensor, language: str) -> torch.Tensor:
        """``x </s>``, int64 [T], as ``<s> x </s> [language]``, int64 [T + 2]."""
        return torch.cat([sentence.new_tensor([self.bos]), sentence, sentence.new_tensor([self.languages[language]])])

    def remove(self, sentence: torch.Tensor) -> torch.Tensor:
        """``<s> x </s> [language]``, or a part of it, padded or not, int64 [T], as ``x </s>``."""
        special = [self.bos, self.pad] + list(self.languages.values())
        return sentence[~torch.isin(sentence, sentence.new_tensor(special))]

    def collate(self, sentences: Sequence[torch.Tensor]) -> torch.Tensor:
        """Pad int64 [T] tensors on the right. Returns int64 [B, longest T]."""
        return torch.nn.utils.rnn.pad_sequence(list(sentences), batch_first=True, padding_value=self.pad)

    def add_to_batch(self, batch: torch.Tensor, language: str) -> torch.Tensor:
        """Rows of ``x </s>`` and padding, int64 [B, T], as rows of ``<s> x </s> [language]`` and padding, int64 [B, T +
        2]."""
        framed = batch.new_full((batch.size(0), batch.size(1) + 2), self.pad)
        framed[:, 0] = self.bos
        framed[:, 1:-1] = batch
        lengths = batch.ne(self.pad).sum(1, keepdim=True)
        return framed.scatter_(1, lengths + 1, self.languages[language])

    def training_sample(self, source: torch.Tensor, target: torch.Tensor, language: str) -> Dict[str, Any]:
        """A training sample as fairseq's criterions expect it.

        source, target: int64 [B, S] and [B, T], with special tokens and padding; language: of the target, with whose
        token the decoder starts.
        """
        # what follows the last token of a shorter row is padding, not that token shifted
        shifted = target.roll(1, 1).masked_fill(target.eq(self.pad), self.pad)
        shifted[:, 0] = self.languages[language]
        return {
            "id": torch.arange(source.size(0)),
            "nsentences": source.size(0),
            "ntokens": int(target.ne(self.pad).sum()),
            "net_input": {
                "src_tokens": source,
                "src_lengths": source.ne(self.pad).sum(1),
                "prev_output_tokens": shifted,
            },
            "target": target,
        }
