"""Decoding step by step by the decoder itself, for those that CachedDecoder does not compute, and which they are."""

from typing import Any, Dict, List, Optional, Sequence

import torch
from fairseq.models.transformer.transformer_decoder import TransformerDecoderBase
from fairseq.modules import FairseqDropout, MultiheadAttention
from fairseq.modules.transformer_layer import TransformerDecoderLayerBase
from torch import Tensor, nn

from crossinit_fairseq.generation.incremental_decoder import Encoded


def unsupported(decoder: nn.Module) -> Optional[str]:
    """Say what in a decoder CachedDecoder does not compute, in a few words; None if it computes all of it."""
    if not isinstance(decoder, TransformerDecoderBase):
        return "it is a " + type(decoder).__name__
    base, own = TransformerDecoderBase, type(decoder)
    if any(
        getattr(own, name) is not getattr(base, name)
        for name in ("forward", "extract_features", "extract_features_scriptable", "output_layer")
    ):
        return f"{own.__name__} computes in its own way"
    for name in ("adaptive_softmax", "quant_noise"):
        if getattr(decoder, name, None) is not None:
            return "it has " + name
    if any(isinstance(m, FairseqDropout) and m.p > 0 and m.apply_during_inference for m in decoder.modules()):
        return "dropout is retained"
    if type(decoder.output_projection) is not nn.Linear:
        return "its output projection is a " + type(decoder.output_projection).__name__
    if not len(decoder.layers):
        return "it has no layers"
    for layer in decoder.layers:
        reason = _unsupported_in_layer(layer)
        if reason:
            return reason
    if (
        len({(layer.self_attn.num_heads, layer.encoder_attn.num_heads, layer.embed_dim) for layer in decoder.layers})
        > 1
    ):
        return "its layers are of several sizes"
    return None


def _unsupported_in_layer(layer: nn.Module) -> Optional[str]:
    if (
        not isinstance(layer, TransformerDecoderLayerBase)
        or type(layer).forward is not TransformerDecoderLayerBase.forward
    ):
        return "it has layers of the kind " + type(layer).__name__
    if layer.encoder_attn is None or layer.cross_self_attention:
        return "a layer has no attention to the source of its own"
    for name in ("c_attn", "attn_ln", "ffn_layernorm", "w_resid"):
        if getattr(layer, name, None) is not None:
            return "a layer has " + name
    for attention in (layer.self_attn, layer.encoder_attn):
        if type(attention) is not MultiheadAttention or attention.num_heads != layer.self_attn.num_heads:
            return "a layer has attention of another kind"
        if attention.bias_k is not None or attention.add_zero_attn or getattr(attention, "use_xformers", False):
            return "a layer's attention has extra keys or is of xFormers"
    attention, cross = layer.self_attn, layer.encoder_attn
    linear = [part for a in (attention, cross) for part in (a.q_proj, a.k_proj, a.v_proj, a.out_proj)]
    for part in linear + [layer.fc1, layer.fc2]:
        if type(part) is not nn.Linear:
            return f"a layer has {type(part).__name__} in the place of Linear"
    if attention.embed_dim != layer.embed_dim or cross.embed_dim != layer.embed_dim:
        return "a layer's attention is of another size"
    return None


class GrowingDecoder:
    """The same steps as CachedDecoder's by the decoder itself, one batch after the other."""

    knows_positions = False

    def __init__(self, decoder: nn.Module, encoder: nn.Module):
        """Both of one model of fairseq."""
        self.decoder, self.encoder = decoder, encoder

    def cache(self, encoded: Encoded, steps: int, candidates: Optional[Tensor] = None) -> "GrowingCache":
        """What is kept of a batch; the arguments are DecoderCache's."""
        return GrowingCache(self.encoder, self.decoder, encoded, candidates)

    def __call__(self, caches: Sequence["GrowingCache"], prefixes: Sequence[Tensor]) -> List[Tensor]:
        """As CachedDecoder's; or log-probabilities."""
        return [self._logits(cache, prefix) for cache, prefix in zip(caches, prefixes)]

    def _logits(self, cache: "GrowingCache", prefix: Tensor) -> Tensor:
        output = self.decoder(prefix, encoder_out=cache.encoded, incremental_state=cache.state)
        logits = output[0][:, -1]
        if getattr(self.decoder, "adaptive_softmax", None) is not None:
            logits = self.decoder.get_normalized_probs((output[0][:, -1:], None), log_probs=True, sample=None)[:, -1]
        return logits if cache.candidates is None else logits[:, cache.candidates]

    def read_tokens(self, caches: Sequence["GrowingCache"], prefixes: Sequence[Tensor]) -> None:
        """Take one step."""
        for cache, prefix in zip(caches, prefixes):
            self.decoder(prefix, encoder_out=cache.encoded, incremental_state=cache.state, features_only=True)


class GrowingCache:
    """fairseq's incremental state of one batch."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, encoded: Encoded, candidates: Optional[Tensor]):
        self.encoder, self.decoder, self.encoded, self.candidates = encoder, decoder, encoded, candidates
        self.state: Dict[str, Any] = {}

    def move(self, takers: Tensor, givers: Tensor, end: int, left: int) -> None:
        """As DecoderCache's."""
        order = torch.arange(left, device=takers.device)
        order[takers] = givers
        self.decoder.reorder_incremental_state_scripting(self.state, order)
        self.encoded = self.encoder.reorder_encoder_out(self.encoded, order)
