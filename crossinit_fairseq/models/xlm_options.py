"""The sizes of XLM, which masked-LM pre-training and translation give by the same options."""

from dataclasses import dataclass, field, fields

from fairseq.dataclass import FairseqDataclass
from fairseq.dataclass.utils import gen_parser_from_dataclass


@dataclass
class XLMOptions(FairseqDataclass):
    """Options of the XLM architectures; the defaults are those of the published mlm_xnli15_1024."""

    encoder_layers: int = field(
        default=12, metadata={"help": "layers (as many again in the decoder of xlm_translation)"}
    )
    encoder_embed_dim: int = field(default=1024, metadata={"help": "dimensions of the embeddings and of the layers"})
    encoder_ffn_embed_dim: int = field(default=4096, metadata={"help": "dimensions within feed-forward layers"})
    encoder_attention_heads: int = field(default=8, metadata={"help": "attention heads"})
    dropout: float = field(default=0.1, metadata={"help": "dropout probability"})
    attention_dropout: float = field(default=0.1, metadata={"help": "dropout probability of attention weights"})
    max_positions: int = field(default=512, metadata={"help": "position embeddings: longest input, in sub-tokens"})


def add_options(parser):
    """Add the options to an argparse parser, without defaults, which the architecture gives."""
    gen_parser_from_dataclass(parser, XLMOptions(), delete_default=True)


def complete(args, **defaults):
    """Set the options that were not given: to `defaults`, else to XLMOptions'. args: Namespace or DictConfig."""
    for option in fields(XLMOptions):
        if option.name != "_name" and getattr(args, option.name, None) is None:
            setattr(args, option.name, defaults.get(option.name, option.default))
