"""Decoding step by step, for several batches at once."""

import torch
import torch.nn.functional as F
from fairseq.models.transformer.transformer_decoder import TransformerDecoderBase
from fairseq.modules import (
    FairseqDropout,
    LearnedPositionalEmbedding,
    MultiheadAttention,
    SinusoidalPositionalEmbedding,
)
from fairseq.modules.transformer_layer import TransformerDecoderLayerBase

from crossinit_fairseq.translation.decoder_cache import DecoderCache, stacked_biases


class CachedDecoder:
    """Steps over the layers of fairseq's TransformerDecoder (BART's, mBART's, XLM's).

    Computes what the decoder computes with an incremental state, in eval mode. Batches that are written together share
    every product with a matrix of weights; each attends to its own source and its own tokens. Nothing is kept from one
    call to the next, since training changes the weights.
    """

    def __init__(self, decoder, steps):
        """decoder: for which `unsupported` returns None; steps: how many there will be at most."""
        self.decoder, self.steps = decoder, steps
        self.layers = [_Layer(layer) for layer in decoder.layers]
        self.norm = None if decoder.layer_norm is None else _norm(decoder.layer_norm)
        self.embedding_norm = None if decoder.layernorm_embedding is None else _norm(decoder.layernorm_embedding)
        self.positions = self._positions(steps)

    def _positions(self, steps):
        # those of fairseq depend on the place alone; any other module is asked at every step
        module, table = self.decoder.embed_positions, self.decoder.embed_tokens.weight
        if type(module) not in (LearnedPositionalEmbedding, SinusoidalPositionalEmbedding):
            return None
        filler = torch.full((1, steps), self.decoder.padding_idx + 1, dtype=torch.long, device=table.device)
        return module(filler)[0].to(table.dtype)

    @property
    def knows_positions(self):
        """Whether a step asks no module of the decoder for the place of a token."""
        return self.positions is not None or self.decoder.embed_positions is None

    def cache(self, encoded, steps, candidates=None):
        """The memory of a batch; see DecoderCache."""
        return DecoderCache(self.decoder, encoded, steps, candidates)

    def __call__(self, caches, prefixes):
        """Take one step, and say what may come next.

        caches: one for each batch; prefixes: for each batch int64 [n, t], the t tokens so far of its n sentences that are
        left, of which the last is read. Returns for each batch logits [n, A].
        """
        x = self.read_tokens(caches, prefixes)
        weight, bias = self.decoder.output_projection.weight, self.decoder.output_projection.bias
        sizes = [prefix.size(0) for prefix in prefixes]
        if all(cache.candidates is None for cache in caches):
            return F.linear(x, weight, bias).split(sizes)
        return [F.linear(part, *cache.output(weight, bias)) for part, cache in zip(x.split(sizes), caches)]

    def read_tokens(self, caches, prefixes):
        """Take one step. Returns [n of all batches, D], what the decoder hands to its output projection."""
        x = self._embed(prefixes)
        end = prefixes[0].size(1)
        sizes = [prefix.size(0) for prefix in prefixes]
        for number, layer in enumerate(self.layers):
            x = layer.step(
                x,
                lambda qkv: _each(caches, sizes, qkv, lambda cache, part: cache.attend_written(number, part, end)),
                lambda q: _each(caches, sizes, q, lambda cache, part: cache.attend_read(number, part)),
            )
        if self.norm is not None:
            x = self.norm(x)
        return x if self.decoder.project_out_dim is None else self.decoder.project_out_dim(x)

    def _embed(self, prefixes):
        decoder = self.decoder
        last = [prefix[:, -1] for prefix in prefixes]
        x = decoder.embed_tokens(last[0] if len(last) == 1 else torch.cat(last)) * decoder.embed_scale
        if decoder.project_in_dim is not None:
            x = decoder.project_in_dim(x)
        if self.positions is not None:
            x.add_(self.positions[prefixes[0].size(1) - 1])
        elif decoder.embed_positions is not None:
            places = [decoder.embed_positions(prefix, incremental_state={})[:, -1] for prefix in prefixes]
            x.add_(torch.cat([place.expand(prefix.size(0), -1) for place, prefix in zip(places, prefixes)]))
        return x if self.embedding_norm is None else self.embedding_norm(x)


def _each(caches, sizes, x, attend):
    if len(caches) == 1:
        return attend(caches[0], x)
    return torch.cat([attend(cache, part) for cache, part in zip(caches, x.split(sizes))])


class _Layer:
    """A decoder layer's weights as a step needs them: query, key and value in one matrix, queries scaled.

    At these sizes a call of a module takes as long as what it computes, so its functions are called here.
    """

    def __init__(self, layer):
        attention, cross = layer.self_attn, layer.encoder_attn
        parts = (attention.q_proj, attention.k_proj, attention.v_proj)
        self.heads, self.before = attention.num_heads, layer.normalize_before
        self.qkv_weight, self.qkv_bias = torch.cat([part.weight for part in parts]), stacked_biases(parts)
        self.qkv_weight[: attention.embed_dim].mul_(attention.scaling)
        if self.qkv_bias is not None:
            self.qkv_bias[: attention.embed_dim].mul_(attention.scaling)
        self.q_weight = cross.q_proj.weight * cross.scaling
        self.q_bias = None if cross.q_proj.bias is None else cross.q_proj.bias * cross.scaling
        self.self_out, self.cross_out, self.fc1, self.fc2 = (
            (part.weight, part.bias) for part in (attention.out_proj, cross.out_proj, layer.fc1, layer.fc2)
        )
        self.norms = [
            _norm(m) for m in (layer.self_attn_layer_norm, layer.encoder_attn_layer_norm, layer.final_layer_norm)
        ]
        self.activation = layer.activation_fn

    def step(self, x, attend_written, attend_read):
        """x: [n, D]; attend_written: from queries, keys and values [n, 3, H, 1, h] of the newest tokens to [n, H * h];
        attend_read: from queries [n, H, 1, h] to [n, H * h]. Returns [n, D]."""
        n = x.size(0)
        after_self, after_cross, after_feed = self.norms
        qkv = F.linear(after_self(x) if self.before else x, self.qkv_weight, self.qkv_bias)
        x = F.linear(attend_written(qkv.view(n, 3, self.heads, 1, -1)), *self.self_out).add_(x)
        if not self.before:
            x = after_self(x)
        q = F.linear(after_cross(x) if self.before else x, self.q_weight, self.q_bias)
        x = F.linear(attend_read(q.view(n, self.heads, 1, -1)), *self.cross_out).add_(x)
        if not self.before:
            x = after_cross(x)
        y = self.activation(F.linear(after_feed(x) if self.before else x, *self.fc1))
        x = F.linear(y, *self.fc2).add_(x)
        return x if self.before else after_feed(x)


def _norm(module):
    """A LayerNorm as a function."""
    if type(module) is not torch.nn.LayerNorm:
        return module
    shape, weight, bias, eps = module.normalized_shape, module.weight, module.bias, module.eps
    return lambda x: torch.layer_norm(x, shape, weight, bias, eps)


def unsupported(decoder):
    """Say what in a decoder CachedDecoder does not compute, in a few words; None if it computes all of it."""
    if not isinstance(decoder, TransformerDecoderBase):
        return "it is a " + type(decoder).__name__
    base, own = TransformerDecoderBase, type(decoder)
    if any(
        getattr(own, name) is not getattr(base, name)
        for name in ("forward", "extract_features", "extract_features_scriptable", "output_layer")
    ):
        return "{} computes in its own way".format(own.__name__)
    for name in ("adaptive_softmax", "quant_noise"):
        if getattr(decoder, name, None) is not None:
            return "it has " + name
    if any(isinstance(m, FairseqDropout) and m.p > 0 and m.apply_during_inference for m in decoder.modules()):
        return "dropout is retained"
    if type(decoder.output_projection) is not torch.nn.Linear:
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


def _unsupported_in_layer(layer):
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
        if type(part) is not torch.nn.Linear:
            return "a layer has {} in the place of Linear".format(type(part).__name__)
    if attention.embed_dim != layer.embed_dim or cross.embed_dim != layer.embed_dim:
        return "a layer's attention is of another size"
    return None
