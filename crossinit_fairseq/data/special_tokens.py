"""How a sentence stands in a model's input and output: mBART's way, in every stage.

`multilingual_denoising --add-lang-token` reads and writes ``<s> x </s> [lang]`` and starts its decoder with ``[lang]``.
Translation does the same, so the decoder that pre-training leaves is asked nothing new: begin with ``[lang] <s>``, end
with ``</s>``.
"""

import torch


class Convention:
    """The special symbols of one dictionary. Sentences are int64 [length] and end with ``</s>``, as binarised."""

    def __init__(self, dictionary, language_indices):
        self.bos, self.eos, self.pad = dictionary.bos(), dictionary.eos(), dictionary.pad()
        self.languages = dict(language_indices)

    def dress(self, sentence, language):
        """``x </s>`` as ``<s> x </s> [language]``."""
        return torch.cat([sentence.new_tensor([self.bos]), sentence, sentence.new_tensor([self.languages[language]])])

    def undress(self, sentence):
        """``<s> x </s> [language]``, or part of that dress, with padding or without, as ``x </s>``."""
        dress = [self.bos, self.pad] + list(self.languages.values())
        return sentence[~torch.isin(sentence, sentence.new_tensor(dress))]

    def stack(self, sentences):
        """Pad int64 [length] tensors on the right. Returns int64 [B, longest]."""
        return torch.nn.utils.rnn.pad_sequence(sentences, batch_first=True, padding_value=self.pad)

    def dress_generated(self, tokens, language):
        """The same for a batch: int64 [B, T] rows of ``x </s>`` and padding. Returns int64 [B, T + 2]."""
        dressed = tokens.new_full((tokens.size(0), tokens.size(1) + 2), self.pad)
        dressed[:, 0] = self.bos
        dressed[:, 1:-1] = tokens
        lengths = tokens.ne(self.pad).sum(1, keepdim=True)
        return dressed.scatter_(1, lengths + 1, self.languages[language])

    def sample(self, source, target, language):
        """A training sample as fairseq's criterions expect it.

        source, target: int64 [B, S] and [B, T], dressed and padded; language: of the target.
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
