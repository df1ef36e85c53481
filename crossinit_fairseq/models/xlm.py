"""XLM (Lample and Conneau, 2019): a masked language model of many languages, each with an embedding of its own."""

import argparse
from dataclasses import dataclass, field, fields
from typing import Any, Dict, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from fairseq.data import Dictionary
from fairseq.dataclass import FairseqDataclass
from fairseq.dataclass.utils import gen_parser_from_dataclass
from fairseq.models import FairseqEncoder, FairseqEncoderModel, register_model, register_model_architecture
from fairseq.modules import TransformerSentenceEncoder
from fairseq.tasks import FairseqTask

from crossinit_fairseq.data.dictionary import languages_in
from crossinit_fairseq.errors import one_sentence
from crossinit_fairseq.models.checkpoint_fit import check_parameters_fit


@dataclass
class XLMOptions(FairseqDataclass):
    """Options of the XLM architectures; the defaults are those of the published mlm_xnli15_1024.

    Masked-LM pre-training (`xlm_...`) and translation (`xlm_translation`) share them.
    """

    encoder_layers: int = field(
        default=12, metadata={"help": "layers (as many again in the decoder of xlm_translation)"}
    )
    encoder_embed_dim: int = field(default=1024, metadata={"help": "dimensions of the embeddings and of the layers"})
    encoder_ffn_embed_dim: int = field(default=4096, metadata={"help": "dimensions within feed-forward layers"})
    encoder_attention_heads: int = field(default=8, metadata={"help": "attention heads"})
    dropout: float = field(default=0.1, metadata={"help": "dropout probability"})
    attention_dropout: float = field(default=0.1, metadata={"help": "dropout probability of attention weights"})
    max_positions: int = field(default=512, metadata={"help": "position embeddings: longest input, in sub-tokens"})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add XLMOptions to a parser, without defaults, which the architecture gives."""
    gen_parser_from_dataclass(parser, XLMOptions(), delete_default=True)


def complete_options(args: argparse.Namespace, **defaults: Any) -> None:
    """Set those of the XLMOptions that were not given: to `defaults`, else to the defaults of XLMOptions.

    args: Namespace or DictConfig.
    """
    for option in fields(XLMOptions):
        if option.name != "_name" and getattr(args, option.name, None) is None:
            setattr(args, option.name, defaults.get(option.name, option.default))


class XLMEncoder(FairseqEncoder):
    """fairseq's own sentence encoder, whose segment embeddings serve as language embeddings, and XLM's tied output.

    A position holds the sum of the embeddings of its token, its place and its language, normalised. Layers normalise
    after the residual sum. The output is the token table again, with a bias, and nothing between (fairseq's `masked_lm`
    and `roberta` put a layer there, which a decoder could not inherit). Initialised as the published models: normal,
    0.02.

    options: XLMOptions; dictionary: ends with language tokens, see `languages_in`, each of which has an embedding.
    """

    def __init__(self, options: argparse.Namespace, dictionary: Dictionary):
        super().__init__(dictionary)
        self.languages = list(languages_in(dictionary.symbols))
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

    def forward(
        self,
        src_tokens: torch.Tensor,
        language_ids: torch.Tensor,
        masked_tokens: Optional[torch.Tensor] = None,
        features_only: bool = False,
    ) -> torch.Tensor:
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

    def max_positions(self) -> int:
        """Longest input, in sub-tokens."""
        return self.sentence_encoder.max_seq_len


@register_model("xlm")
class XLMModel(FairseqEncoderModel):
    """XLM as a model of fairseq. Language k is the k-th language token of the dictionary."""

    def __init__(self, args: argparse.Namespace, encoder: XLMEncoder):
        super().__init__(encoder)
        self.args = args

    @staticmethod
    def add_args(parser: argparse.ArgumentParser) -> None:
        """XLMOptions."""
        add_options(parser)

    @classmethod
    def build_model(cls, args: argparse.Namespace, task: FairseqTask) -> "XLMModel":
        """args: XLMOptions, among others; task: has `source_dictionary`."""
        with one_sentence():
            return cls(args, XLMEncoder(args, task.source_dictionary))

    def forward(
        self,
        src_tokens: torch.Tensor,
        language_ids: torch.Tensor,
        masked_tokens: Optional[torch.Tensor] = None,
        features_only: bool = False,
    ) -> Tuple[torch.Tensor, None]:
        """Predict tokens.

        src_tokens: int64 [B, T], padded; language_ids: int64 [B], or [B, T] for inputs of several languages; padding
        gets no embedding, whatever stands there; masked_tokens: bool [B, T], where to predict, or None for everywhere.
        Returns (float [M, V] of the M places to predict, or [B, T, V]; None). With features_only it returns float [B,
        T, d] of the last layer in their place.
        """
        return self.encoder(src_tokens, language_ids, masked_tokens, features_only), None

    def upgrade_state_dict_named(self, state_dict: Dict[str, torch.Tensor], name: str) -> None:
        """Refuse a checkpoint that cannot be loaded, in one sentence."""
        super().upgrade_state_dict_named(state_dict, name)
        with one_sentence():
            check_parameters_fit(self, state_dict, getattr(self.args, "arch", "xlm_..."))


@register_model_architecture("xlm", "xlm_mlm_xnli15_1024")
def xlm_mlm_xnli15_1024(args: argparse.Namespace) -> None:
    """The published mlm_xnli15_1024: 12 layers of 1024 dimensions and 8 heads."""
    complete_options(args)


@register_model_architecture("xlm", "xlm_tiny_3")
def xlm_tiny_3(args: argparse.Namespace) -> None:
    """The paper's analysis model (section 3.2): 6 layers, all else as in XLM; its languages are En, De and Hi."""
    complete_options(args, encoder_layers=6)
