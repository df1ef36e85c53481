"""A pre-trained encoder with one layer on top: for classification, or for the first and last token of an answer."""

from typing import Any, Dict, List, Optional, Tuple

import torch
import torch.nn as nn
from fairseq.models import BaseFairseqModel, FairseqEncoderDecoderModel

from crossinit_fairseq.errors import InputError, one_sentence

HEAD = "sentence_classification_head"  # as fairseq's criterion `sentence_prediction` calls it by default


class ClassificationHead(nn.Module):
    """Dropout and a linear layer on the first token, as in XLM's fine-tuning on XNLI."""

    def __init__(self, dimensions: int, classes: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out_proj = _linear(dimensions, classes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: float [B, T, d]. Returns float [B, classes]."""
        return self.out_proj(self.dropout(features[:, 0]))


class SpanHead(nn.Module):
    """A linear layer that gives each token a score to be the first one of the answer, and one to be the last."""

    def __init__(self, dimensions: int):
        super().__init__()
        self.out_proj = _linear(dimensions, 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """features: float [B, T, d]. Returns float [B, T, 2]."""
        return self.out_proj(features)


def _linear(dimensions: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(dimensions, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


class FineTunedModel(BaseFairseqModel):
    """A model of fairseq and a head. A checkpoint of the model alone loads: the head then keeps its first values.

    body: XLM, roberta, masked_lm, or an encoder-decoder such as mbart_base, of which the encoder alone is used and
    trained; head: ClassificationHead or SpanHead.
    """

    def __init__(self, body: BaseFairseqModel, head: nn.Module):
        super().__init__()
        self.body = body
        self.classification_heads = nn.ModuleDict({HEAD: head})
        self.args = getattr(body, "args", None)
        if isinstance(body, FairseqEncoderDecoderModel):
            used = {id(parameter) for parameter in body.encoder.parameters()}
        else:
            # what predicts masked tokens has no gradient here, and data-parallel training waits for every gradient
            unused = {id(p) for name in ("lm_head", "output_bias") for p in _parameters(body, name)}
            used = {id(parameter) for parameter in body.parameters() if id(parameter) not in unused}
            used |= {id(parameter) for table in _tables(body) for parameter in table.parameters()}
        for parameter in body.parameters():
            parameter.requires_grad_(id(parameter) in used)

    def features(
        self, src_tokens: torch.Tensor, src_lengths: torch.Tensor, language_ids: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """The last layer. src_tokens, language_ids: int64 [B, T]; src_lengths: int64 [B]. Returns float [B, T, d]."""
        if isinstance(self.body, FairseqEncoderDecoderModel):
            return self.body.encoder(src_tokens, src_lengths)["encoder_out"][0].transpose(0, 1)
        if takes_languages(self.body):
            if language_ids is None:
                language_ids = src_tokens.new_zeros(src_tokens.size(0))
            return self.body(src_tokens, language_ids, features_only=True)[0]
        if hasattr(self.body, "register_classification_head"):  # roberta
            return self.body(src_tokens, features_only=True)[0]
        states, _ = self.body.encoder.sentence_encoder(src_tokens, last_state_only=True)  # masked_lm
        return states[-1].transpose(0, 1)

    def forward(
        self,
        src_tokens: torch.Tensor,
        src_lengths: torch.Tensor,
        language_ids: Optional[torch.Tensor] = None,
        features_only: bool = True,
        classification_head_name: str = HEAD,
    ) -> Tuple[torch.Tensor, None]:
        """The head's output (see there), and None. features_only, which fairseq's criterion gives, changes nothing."""
        features = self.features(src_tokens, src_lengths, language_ids)
        return self.classification_heads[classification_head_name](features), None

    def max_positions(self) -> int:
        """Longest input, in tokens."""
        positions = self.body.max_positions()
        return positions[0] if isinstance(positions, (tuple, list)) else positions

    def load_state_dict(
        self, state_dict: Dict[str, Any], strict: bool = True, model_cfg: Any = None, args: Any = None
    ) -> None:
        """Load a checkpoint of this model, or one of the pre-trained model alone, which that model checks itself."""
        own = {name[5:]: value for name, value in state_dict.items() if name.startswith("body.")}
        if not own:
            self.body.load_state_dict(state_dict, strict=strict, model_cfg=model_cfg)
            return
        self.body.load_state_dict(own, strict=strict, model_cfg=model_cfg)
        prefix, known = "classification_heads.", self.classification_heads.state_dict()
        heads = {name[len(prefix) :]: value for name, value in state_dict.items() if name.startswith(prefix)}
        if {name: value.shape for name, value in heads.items()} != {k: v.shape for k, v in known.items()}:
            with one_sentence():
                raise InputError("the checkpoint was fine-tuned for another task than this one: give its own --task")
        # the heads alone: layers of the official fairseq 0.12.2 fail where their own weights are not in what is given
        self.classification_heads.load_state_dict(heads)

    def upgrade_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Nothing: loading hands the body's part to the body, which upgrades its own."""


def takes_languages(model: nn.Module) -> bool:
    """Whether a model has language embeddings."""
    return hasattr(model, "encoder") and hasattr(model.encoder, "languages")


def dimensions_of(model: BaseFairseqModel) -> int:
    """The width of the last layer of a model's encoder. Raises InputError for a model without an encoder."""
    for holder in (getattr(model, "args", None), getattr(model, "cfg", None)):
        width = getattr(holder, "encoder_embed_dim", None)
        if width:
            return int(width)
    raise InputError(
        f"the architecture ({type(model).__name__}) has no encoder: fine-tuning needs one such as xlm_tiny_3, roberta "
        "or mbart_base"
    )


def _parameters(model: nn.Module, part: str) -> List[nn.Parameter]:
    """The parameters of which a part of the name is `part`, such as lm_head."""
    return [parameter for name, parameter in model.named_parameters() if part in name.split(".")]


def _tables(model: nn.Module) -> List[nn.Module]:
    """The token tables, which the output shares."""
    return [module for name, module in model.named_modules() if name.split(".")[-1] == "embed_tokens"]
