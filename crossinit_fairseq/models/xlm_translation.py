"""An encoder and a decoder that both can start from XLM: where translation starts from a masked language model."""

import argparse
import logging
import re
from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn as nn
from fairseq.models import register_model, register_model_architecture
from fairseq.models.transformer import TransformerConfig, TransformerDecoder, TransformerEncoder
from fairseq.models.transformer.transformer_base import TransformerModelBase
from fairseq.modules import LearnedPositionalEmbedding
from fairseq.tasks import FairseqTask

from crossinit_fairseq.data.dictionary import languages_in
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.checkpoint_fit import COPIES, check_parameters_fit
from crossinit_fairseq.models.xlm import add_options, complete_options

logger = logging.getLogger(__name__)

# names in the checkpoint of an XLM, and the names of the same parameters in encoder and decoder
_XLM = "encoder.sentence_encoder."
_BOTH = ("encoder.", "decoder.")
_SAME_AS = {
    "embed_tokens.weight": [
        "encoder.embed_tokens.weight",
        "decoder.embed_tokens.weight",
        "decoder.output_projection.weight",
    ],
    "segment_embeddings.weight": [prefix + "embed_positions.languages.weight" for prefix in _BOTH],
}
# what an XLM lacks: the decoder's attention to the encoder, fairseq's version numbers, and copies that loading fills
_ATTENTION_TO_ENCODER = re.compile(r"\.encoder_attn(_layer_norm)?\.")
_NOT_IN_XLM = re.compile("|".join([_ATTENTION_TO_ENCODER.pattern, r"coder\.version$", COPIES.pattern]))


class LanguagePositions(LearnedPositionalEmbedding):
    """Learned position embeddings, each with the embedding of the sentence's language added to it.

    fairseq's Transformer knows no languages; this module reads the language from the sentence's language token. It
    takes the place of an encoder's or decoder's `embed_positions`, which sees the whole sentence even when decoding
    goes token by token.

    positions: how many; dim: d; padding_idx: the padding token; tokens: indices of the language tokens, one for each
    language embedding; vocabulary: V; first: the language token is the first token (decoders), else it is the last one
    that is not padding (encoders).
    """

    def __init__(self, positions: int, dim: int, padding_idx: int, tokens: Sequence[int], vocabulary: int, first: bool):
        super().__init__(padding_idx + 1 + positions, dim, padding_idx)
        self.languages = nn.Embedding(len(tokens), dim)
        for table in (self, self.languages):
            nn.init.normal_(table.weight, mean=0, std=dim**-0.5)
        nn.init.constant_(self.weight[padding_idx], 0)
        rows = torch.full((vocabulary,), -1, dtype=torch.long)
        rows[list(tokens)] = torch.arange(len(tokens))
        self.register_buffer("rows", rows, persistent=False)
        self.first = first

    def forward(
        self,
        input: torch.Tensor,
        incremental_state: Optional[Dict] = None,
        positions: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """input: int64 [B, T]. Returns float [B, T, d]; with an incremental state [B, 1, d], of the last position.

        Ends the program with one sentence for a sentence without a language token.
        """
        embedded = super().forward(input, incremental_state, positions)
        return embedded + self.languages(self._languages_of(input)).unsqueeze(1)

    def _languages_of(self, input: torch.Tensor) -> torch.Tensor:
        """input: int64 [B, T]. Returns int64 [B], rows of `languages`."""
        if self.first:
            tokens = input[:, 0]
        else:
            counting = torch.arange(input.size(1), device=input.device)
            last = (counting * input.ne(self.padding_idx)).argmax(1, keepdim=True)
            tokens = input.gather(1, last).squeeze(1)
        rows = self.rows[tokens]
        # on a GPU this check would have to wait for the result; there the embedding itself refuses -1
        if not rows.is_cuda and bool((rows < 0).any()):
            with one_sentence():
                raise InputError(
                    f"a sentence does not {'begin' if self.first else 'end'} with a language token, by which --arch "
                    "xlm_translation knows its language: use --task crossinit_unmt"
                )
        return rows


@register_model("xlm_translation")
class XLMTranslationModel(TransformerModelBase):
    """fairseq's Transformer with XLM's layers: learned positions, language embeddings, normalised embeddings, gelu,
    layers that normalise after the residual sum, and one token table for encoder, decoder and output, which has a bias.

    Encoder sentences end with their language token and decoder inputs begin with it, as `crossinit_unmt` writes them;
    by it the language embedding is chosen (see LanguagePositions).

    Loads, with `--finetune-from-model`, the checkpoint of an xlm architecture as Lample and Conneau (2019, section 5.2)
    do: into the encoder and again into the decoder, whose attention to the encoder has no counterpart and stays random.
    (Theirs also copies the token table twice; here it is one.)
    """

    def __init__(
        self,
        args: argparse.Namespace,
        cfg: TransformerConfig,
        encoder: TransformerEncoder,
        decoder: TransformerDecoder,
    ):
        super().__init__(cfg, encoder, decoder)
        self.args = args

    @classmethod
    def add_args(cls, parser: argparse.ArgumentParser) -> None:
        """XLMOptions."""
        add_options(parser)

    @classmethod
    def build_model(cls, args: argparse.Namespace, task: FairseqTask) -> "XLMTranslationModel":
        """args: XLMOptions, among others; task: has `source_dictionary`, which is the target's as well."""
        dictionary = task.source_dictionary
        with one_sentence():
            tokens = list(languages_in(dictionary.symbols).values())
        cfg = TransformerConfig.from_namespace(_transformer_options(args))
        table = cls.build_embedding(cfg, dictionary, args.encoder_embed_dim)
        output = nn.Linear(args.encoder_embed_dim, len(dictionary))
        output.weight = table.weight
        nn.init.zeros_(output.bias)
        encoder = TransformerEncoder(cfg, dictionary, table)
        decoder = TransformerDecoder(cfg, dictionary, table, output_projection=output)
        for half in (encoder, decoder):
            half.embed_positions = LanguagePositions(
                args.max_positions, args.encoder_embed_dim, dictionary.pad(), tokens, len(dictionary), half is decoder
            )
        return cls(args, cfg, encoder, decoder)

    def upgrade_state_dict_named(self, state_dict: Dict[str, torch.Tensor], name: str) -> None:
        """Turn the state dict of an XLM into one of this model; refuse what cannot be loaded, in one sentence."""
        with one_sentence():
            if is_xlm(state_dict):
                own = self.state_dict()
                started, copied = state_for_translation(state_dict, own)
                state_dict.clear()
                state_dict.update(started)
                random = sum(bool(_ATTENTION_TO_ENCODER.search(name)) for name in own)
                logger.info(
                    f"from the XLM checkpoint: {copied} tensors, into encoder and decoder; as initialised: the "
                    f"attention of {len(self.decoder.layers)} decoder layers to the encoder, {random} tensors"
                )
            super().upgrade_state_dict_named(state_dict, name)
            check_parameters_fit(self, state_dict, "xlm_translation")


def is_xlm(state: Dict[str, torch.Tensor]) -> bool:
    """Whether a state dict is of a model with fairseq's sentence encoder: XLM, or roberta and the like."""
    return any(name.startswith(_XLM) for name in state)


def state_for_translation(
    xlm: Dict[str, torch.Tensor], own: Dict[str, torch.Tensor]
) -> Tuple[Dict[str, torch.Tensor], int]:
    """The state dict of a translation model that starts from XLM.

    xlm: {name: tensor} of an XLMModel; own: {name: tensor} of the freshly initialised XLMTranslationModel.
    Returns (the state dict, the number of XLM's tensors in it); what XLM lacks is from `own`.
    Raises InputError when XLM has a tensor that there is no place for.
    """
    state = {name: value for name, value in own.items() if _NOT_IN_XLM.search(name)}
    for name, value in xlm.items():
        for counterpart in _counterparts(name):
            state[counterpart] = value
    return state, len(xlm)


def _counterparts(name: str) -> List[str]:
    """The names, in the translation model, of XLM's parameter `name`."""
    if name == "encoder.output_bias":
        return ["decoder.output_projection.bias"]
    inner = name[len(_XLM) :] if name.startswith(_XLM) else ""
    if inner in _SAME_AS:
        return _SAME_AS[inner]
    if inner == "embed_positions.weight" or re.match(r"layers\.\d+\.", inner):
        return [prefix + inner for prefix in _BOTH]
    if inner.startswith("emb_layer_norm."):
        return [prefix + inner.replace("emb_layer_norm", "layernorm_embedding") for prefix in _BOTH]
    raise InputError(
        f"the checkpoint's {name} has no place in --arch xlm_translation, which starts from the xlm architectures of "
        "crossinit_fairseq (xlm_tiny_3, xlm_mlm_xnli15_1024)"
    )


def _transformer_options(args: argparse.Namespace) -> argparse.Namespace:
    """XLMOptions as fairseq's Transformer names them."""
    sizes = {
        "layers": args.encoder_layers,
        "embed_dim": args.encoder_embed_dim,
        "ffn_embed_dim": args.encoder_ffn_embed_dim,
        "attention_heads": args.encoder_attention_heads,
        "learned_pos": True,
    }
    options = {f"{half}_{key}": value for half in ("encoder", "decoder") for key, value in sizes.items()}
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
def xlm_translation(args: argparse.Namespace) -> None:
    """6 layers of 1024 dimensions and 8 heads in encoder and decoder each, as Lample and Conneau (2019) translate.

    It takes an xlm_tiny_3; for xlm_mlm_xnli15_1024 give --encoder-layers 12.
    """
    complete_options(args, encoder_layers=6)
