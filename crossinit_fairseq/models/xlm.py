"""XLM (Lample and Conneau, 2019): a masked language model of many languages, each with an embedding of its own."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from fairseq.models import FairseqEncoder, FairseqEncoderModel, register_model, register_model_architecture
from fairseq.modules import TransformerSentenceEncoder

from crossinit_fairseq.errors import one_sentence
from crossinit_fairseq.models.language_tokens import languages_in
from crossinit_fairseq.models.parameter_fit import check_parameters_fit
from crossinit_fairseq.models.xlm_options import add_options, complete


class XLMEncoder(FairseqEncoder):
    """fairseq's own sentence encoder, whose segment embeddings serve as language embeddings, and XLM's tied output.

    A position holds the sum of its token's, its place's and its language's embedding, normalised; layers normalise after
    the residual sum; the output is the token table again, with a bias, and nothing between (fairseq's `masked_lm` and
    `roberta` put a layer there, which a decoder could not inherit). Initialised as the published models: normal, 0.02.

    options: XLMOptions; dictionary: ends with language tokens, see `languages_in`, of which each is an embedding.
    """

    def __init__(self, options, dictionary):
        super().__init__(dictionary)
        self.languages = list(languages_in(dictionary))
        self.sentence_encoder = TransformerSentenceEncoder(
            padding_idx=dictionary.pad(),
            vocab_size=len(dictionary),
            num_encoder_layers=options.encoder_layers,
            embedding_dim=options.encoder_embed_dim,
            ffn_embedding_dim=options.encoder_ffn_embed_dim,
            num_attention_heads=options.encoder_attention_heads,
            dropout=options.dropout,
            attention_dropout=options.attention_dropout,
            activation_dropout=0.0,
            max_seq_len=options.max_positions,
            num_segments=len(self.languages),
            encoder_normalize_before=True,  # fairseq's name for normalising the embeddings
            apply_bert_init=True,
            activation_fn="gelu",
            learned_pos_embedding=True,
        )
        self.output_bias = nn.Parameter(torch.zeros(len(dictionary)))

    def forward(self, src_tokens, language_ids, masked_tokens=None, features_only=False):
        """See XLMModel.forward."""
        if language_ids.dim() == 1:
            language_ids = language_ids.unsqueeze(1)
        states, _ = self.sentence_encoder(src_tokens, segment_labels=language_ids, last_state_only=True)
        features = states[-1].transpose(0, 1)
        if features_only:
            return features
        if masked_tokens is not None:
            features = features[masked_tokens]
        return F.linear(features, self.sentence_encoder.embed_tokens.weight, self.output_bias)

    def max_positions(self):
        """Longest input, in sub-tokens."""
        return self.sentence_encoder.max_seq_len


@register_model("xlm")
class XLMModel(FairseqEncoderModel):
    """XLM under fairseq's roof. Language k is the k-th language token of the dictionary."""

    def __init__(self, args, encoder):
        super().__init__(encoder)
        self.args = args

    @staticmethod
    def add_args(parser):
        """XLMOptions."""
        add_options(parser)

    @classmethod
    def build_model(cls, args, task):
        """args: XLMOptions, among others; task: has `source_dictionary`."""
        with one_sentence():
            return cls(args, XLMEncoder(args, task.source_dictionary))

    def forward(self, src_tokens, language_ids, masked_tokens=None, features_only=False):
        """Predict tokens.

        src_tokens: int64 [B, T], padded; language_ids: int64 [B], or [B, T] for inputs of several languages; padding gets no
        embedding, whatever stands there; masked_tokens: bool [B, T], where to predict, or None for everywhere.
        Returns (float [M, V] of the M places to predict, or [B, T, V]; None). With features_only, float [B, T, d] of the
        last layer in their place.
        """
        return self.encoder(src_tokens, language_ids, masked_tokens, features_only), None

    def upgrade_state_dict_named(self, state_dict, name):
        """Refuse a checkpoint that cannot be loaded, in one sentence."""
        super().upgrade_state_dict_named(state_dict, name)
        with one_sentence():
            check_parameters_fit(self, state_dict, getattr(self.args, "arch", "xlm_..."))


@register_model_architecture("xlm", "xlm_mlm_xnli15_1024")
def xlm_mlm_xnli15_1024(args):
    """The published mlm_xnli15_1024: 12 layers of 1024 dimensions and 8 heads."""
    complete(args)


@register_model_architecture("xlm", "xlm_tiny_3")
def xlm_tiny_3(args):
    """The paper's analysis model (section 3.2): 6 layers, all else as in XLM; its languages are En, De and Hi."""
    complete(args, encoder_layers=6)
