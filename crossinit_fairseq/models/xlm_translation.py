"""An encoder and a decoder that both can be XLM: where translation starts from a masked language model."""

import argparse
import logging

import torch.nn as nn
from fairseq.models import register_model, register_model_architecture
from fairseq.models.transformer import TransformerConfig, TransformerDecoder, TransformerEncoder
from fairseq.models.transformer.transformer_base import TransformerModelBase

from crossinit_fairseq.errors import one_sentence
from crossinit_fairseq.models.language_tokens import languages_in
from crossinit_fairseq.models.parameter_fit import check_parameters_fit
from crossinit_fairseq.models.xlm_options import add_options, complete
from crossinit_fairseq.models.xlm_positions import LanguagePositions
from crossinit_fairseq.models.xlm_state import count_left, is_xlm, state_for_translation

logger = logging.getLogger(__name__)


@register_model("xlm_translation")
class XLMTranslationModel(TransformerModelBase):
    """fairseq's Transformer with XLM's layers: learned positions, language embeddings, normalised embeddings, gelu, layers
    that normalise after the residual sum, and one token table for encoder, decoder and output, which has a bias.

    Encoder sentences end with their language token and decoder inputs begin with it, as `crossinit_unmt` writes them;
    by it the language embedding is chosen (see LanguagePositions).

    Loads, with `--finetune-from-model`, the checkpoint of an xlm architecture as Lample and Conneau (2019, section 5.2)
    do: into the encoder and again into the decoder, whose attention to the encoder has no counterpart and stays random.
    (Theirs also copies the token table twice; here it is one.)
    """

    def __init__(self, args, cfg, encoder, decoder):
        super().__init__(cfg, encoder, decoder)
        self.args = args

    @classmethod
    def add_args(cls, parser):
        """XLMOptions."""
        add_options(parser)

    @classmethod
    def build_model(cls, args, task):
        """args: XLMOptions, among others; task: has `source_dictionary`, which is the target's as well."""
        dictionary = task.source_dictionary
        with one_sentence():
            tokens = list(languages_in(dictionary).values())
        cfg = TransformerConfig.from_namespace(_transformer_options(args))
        table = cls.build_embedding(cfg, dictionary, args.encoder_embed_dim)
        output = nn.Linear(args.encoder_embed_dim, len(dictionary))
        output.weight = table.weight
        nn.init.zeros_(output.bias)
        encoder = TransformerEncoder(cfg, dictionary, table)
        decoder = TransformerDecoder(cfg, dictionary, table, output_projection=output)
        for side in (encoder, decoder):
            side.embed_positions = LanguagePositions(
                args.max_positions, args.encoder_embed_dim, dictionary.pad(), tokens, len(dictionary), side is decoder
            )
        return cls(args, cfg, encoder, decoder)

    def upgrade_state_dict_named(self, state_dict, name):
        """Make an XLM state dict one of this model; refuse what cannot be loaded, in one sentence."""
        with one_sentence():
            if is_xlm(state_dict):
                own = self.state_dict()
                made, copied = state_for_translation(state_dict, own)
                state_dict.clear()
                state_dict.update(made)
                logger.info(
                    "from the XLM checkpoint: {} tensors, into encoder and decoder; as initialised: the attention of {} "
                    "decoder layers to the encoder, {} tensors".format(
                        copied, len(self.decoder.layers), count_left(own)
                    )
                )
            super().upgrade_state_dict_named(state_dict, name)
            check_parameters_fit(self, state_dict, "xlm_translation")


def _transformer_options(args):
    """XLMOptions as fairseq's Transformer names them."""
    sizes = {
        "layers": args.encoder_layers,
        "embed_dim": args.encoder_embed_dim,
        "ffn_embed_dim": args.encoder_ffn_embed_dim,
        "attention_heads": args.encoder_attention_heads,
        "learned_pos": True,
    }
    options = {side + "_" + key: value for side in ("encoder", "decoder") for key, value in sizes.items()}
    return argparse.Namespace(
        decoder_input_dim=args.encoder_embed_dim,
        decoder_output_dim=args.encoder_embed_dim,
        dropout=args.dropout,
        attention_dropout=args.attention_dropout,
        activation_fn="gelu",
        layernorm_embedding=True,
        no_scale_embedding=True,
        share_all_embeddings=True,
        share_decoder_input_output_embed=True,
        max_source_positions=args.max_positions,
        max_target_positions=args.max_positions,
        **options,
    )


@register_model_architecture("xlm_translation", "xlm_translation")
def xlm_translation(args):
    """6 layers of 1024 dimensions and 8 heads a side, as Lample and Conneau (2019) translate: takes xlm_tiny_3.

    For xlm_mlm_xnli15_1024 give --encoder-layers 12.
    """
    complete(args, encoder_layers=6)
