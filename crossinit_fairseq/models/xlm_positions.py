"""Position embeddings that know the language of the sentence, for a Transformer that knows of none."""

import torch
import torch.nn as nn
from fairseq.modules import LearnedPositionalEmbedding

from crossinit_fairseq.errors import InputError, one_sentence


class LanguagePositions(LearnedPositionalEmbedding):
    """Learned positions, and at each of them the embedding of the sentence's language, read from its language token.

    Stands in the place of a fairseq encoder's or decoder's `embed_positions`, which sees the whole sentence even when
    decoding goes token by token.

    positions: how many; tokens: indices of the language tokens, one for each language embedding; vocabulary: V; first:
    the language token is the first token (decoders), else the last one that is not padding (encoders).
    """

    def __init__(self, positions, dim, padding_idx, tokens, vocabulary, first):
        super().__init__(padding_idx + 1 + positions, dim, padding_idx)
        self.languages = nn.Embedding(len(tokens), dim)
        for table in (self, self.languages):
            nn.init.normal_(table.weight, mean=0, std=dim**-0.5)
        nn.init.constant_(self.weight[padding_idx], 0)
        rows = torch.full((vocabulary,), -1, dtype=torch.long)
        rows[list(tokens)] = torch.arange(len(tokens))
        self.register_buffer("rows", rows, persistent=False)
        self.first = first

    def forward(self, input, incremental_state=None, positions=None):
        """input: int64 [B, T]. Returns float [B, T, d]; with an incremental state [B, 1, d], of the last position."""
        places = super().forward(input, incremental_state, positions)
        return places + self.languages(self._languages_of(input)).unsqueeze(1)

    def _languages_of(self, input):
        if self.first:
            tokens = input[:, 0]
        else:
            counting = torch.arange(input.size(1), device=input.device)
            last = (counting * input.ne(self.padding_idx)).argmax(1, keepdim=True)
            tokens = input.gather(1, last).squeeze(1)
        rows = self.rows[tokens]
        # on a GPU looking would wait for it, and the table itself refuses -1
        if not rows.is_cuda and bool((rows < 0).any()):
            with one_sentence():
                raise InputError(
                    "a sentence does not {} with a language token, by which --arch xlm_translation knows its language: "
                    "use --task crossinit_unmt".format("begin" if self.first else "end")
                )
        return rows
