"""Decoding step by step, for several batches at once: what a decoder computes anew, and what it keeps of each batch."""

from typing import Callable, Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from fairseq.models.transformer.transformer_decoder import TransformerDecoderBase
from fairseq.modules import LearnedPositionalEmbedding, SinusoidalPositionalEmbedding
from fairseq.modules.transformer_layer import TransformerDecoderLayerBase
from torch import Tensor, nn

Encoded = Dict[str, List[Tensor]]  # what a fairseq encoder returns
# the whole of attention in one call, up to twice as fast on a CPU; its `scale` is of torch 2.1
_FUSED = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 1)


class CachedDecoder:
    """Steps over the layers of fairseq's TransformerDecoder (BART's, mBART's, XLM's).

    Computes what the decoder computes with an incremental state, in eval mode. Batches that are written together share
    every product with a matrix of weights; each attends to its own source and its own tokens. Nothing is kept from one
    call to the next, since training changes the weights.
    """

    def __init__(self, decoder: TransformerDecoderBase, steps: int):
        """decoder: for which growing_decoder.unsupported returns None; steps: how many there will be at most."""
        self.decoder, self.steps = decoder, steps
        self.layers = [_Layer(layer) for layer in decoder.layers]
        self.norm = None if decoder.layer_norm is None else _norm(decoder.layer_norm)
        self.embedding_norm = None if decoder.layernorm_embedding is None else _norm(decoder.layernorm_embedding)
        self.positions = self._positions(steps)

    def _positions(self, steps: int) -> Optional[Tensor]:
        # those of fairseq depend on the place alone; any other module is asked at every step
        module, table = self.decoder.embed_positions, self.decoder.embed_tokens.weight
        if type(module) not in (LearnedPositionalEmbedding, SinusoidalPositionalEmbedding):
            return None
        filler = torch.full((1, steps), self.decoder.padding_idx + 1, dtype=torch.long, device=table.device)
        return module(filler)[0].to(table.dtype)

    @property
    def knows_positions(self) -> bool:
        """Whether a step asks no module of the decoder for the place of a token."""
        return self.positions is not None or self.decoder.embed_positions is None

    def cache(self, encoded: Encoded, steps: int, candidates: Optional[Tensor] = None) -> "DecoderCache":
        """What is kept of a batch; see DecoderCache."""
        return DecoderCache(self.decoder, encoded, steps, candidates)

    def __call__(self, caches: Sequence["DecoderCache"], prefixes: Sequence[Tensor]) -> List[Tensor]:
        """Take one step, and say what may come next.

        caches: one for each batch; prefixes: for each batch int64 [n, t], the t tokens so far of its n sentences that
        are left, of which the last is read. Returns for each batch logits [n, A].
        """
        x = self.read_tokens(caches, prefixes)
        weight, bias = self.decoder.output_projection.weight, self.decoder.output_projection.bias
        sizes = [prefix.size(0) for prefix in prefixes]
        if all(cache.candidates is None for cache in caches):
            return F.linear(x, weight, bias).split(sizes)
        return [F.linear(part, *cache.output(weight, bias)) for part, cache in zip(x.split(sizes), caches)]

    def read_tokens(self, caches: Sequence["DecoderCache"], prefixes: Sequence[Tensor]) -> Tensor:
        """Take one step. Returns [n of all batches, D], what the decoder hands to its output projection."""
        x = self._embed(prefixes)
        end = prefixes[0].size(1)
        sizes = [prefix.size(0) for prefix in prefixes]
        for number, layer in enumerate(self.layers):
            x = layer.step(
                x,
                lambda qkv, n=number: _each(caches, sizes, qkv, lambda cache, part: cache.attend_written(n, part, end)),
                lambda q, n=number: _each(caches, sizes, q, lambda cache, part: cache.attend_read(n, part)),
            )
        if self.norm is not None:
            x = self.norm(x)
        return x if self.decoder.project_out_dim is None else self.decoder.project_out_dim(x)

    def _embed(self, prefixes: Sequence[Tensor]) -> Tensor:
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


def _each(
    caches: Sequence["DecoderCache"],
    sizes: List[int],
    x: Tensor,
    attend: Callable[["DecoderCache", Tensor], Tensor],
) -> Tensor:
    if len(caches) == 1:
        return attend(caches[0], x)
    return torch.cat([attend(cache, part) for cache, part in zip(caches, x.split(sizes))])


class _Layer:
    """A decoder layer's weights as a step needs them: query, key and value in one matrix, queries scaled.

    At these sizes a call of a module takes as long as what it computes, so its functions are called here.
    """

    def __init__(self, layer: TransformerDecoderLayerBase):
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

    def step(
        self,
        x: Tensor,
        attend_written: Callable[[Tensor], Tensor],
        attend_read: Callable[[Tensor], Tensor],
    ) -> Tensor:
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


def _norm(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """A LayerNorm as a function."""
    if type(module) is not nn.LayerNorm:
        return module
    shape, weight, bias, eps = module.normalized_shape, module.weight, module.bias, module.eps
    return lambda x: torch.layer_norm(x, shape, weight, bias, eps)


class DecoderCache:
    """What the layers of a decoder keep of one batch of B sentences, of which the first n are left.

    fairseq's incremental state is concatenated and copied at every step. Here a step writes its keys and values into
    place, all layers' keys and values of the source are computed once, and dropping a sentence moves one other.
    """

    def __init__(self, decoder: TransformerDecoderBase, encoded: Encoded, steps: int, candidates: Optional[Tensor]):
        """decoder: fairseq's; encoded: what the encoder returned; steps: how many there will be at most; candidates:
        int64 [A], the tokens to compute logits of, None for all V."""
        source, padding = encoded["encoder_out"][0], encoded["encoder_padding_mask"]  # [S, B, C], bool [B, S] or none
        layers, heads = len(decoder.layers), decoder.layers[0].self_attn.num_heads
        size, head = source.size(1), decoder.embed_dim // heads
        self.candidates, self._output = candidates, None
        # [layers, keys and values, B, heads, time, head]
        self.written = source.new_empty((layers, 2, size, heads, steps, head))
        parts = [part for layer in decoder.layers for part in (layer.encoder_attn.k_proj, layer.encoder_attn.v_proj)]
        projected = F.linear(source, torch.cat([part.weight for part in parts]), stacked_biases(parts))
        self.read = projected.view(-1, size, layers, 2, heads, head).permute(2, 3, 1, 4, 0, 5).contiguous()
        self._left = None
        self.mask = None
        if len(padding) and bool(padding[0].any()):
            self.mask = source.new_zeros((size, 1, 1, source.size(0)))
            self.mask.masked_fill_(padding[0][:, None, None, :], float("-inf"))

    def output(self, weight: Tensor, bias: Optional[Tensor]) -> Tuple[Tensor, Optional[Tensor]]:
        """The candidates' rows of an output projection, [A, D] and [A] or None."""
        if self.candidates is None:
            return weight, bias
        if self._output is None:
            self._output = weight[self.candidates], None if bias is None else bias[self.candidates]
        return self._output

    def attend_written(self, layer: int, qkv: Tensor, end: int) -> Tensor:
        """Attention of the newest of `end` tokens to all of them. qkv: [n, 3, H, 1, h]. Returns [n, H * h]."""
        self._leave(qkv.size(0))
        written = self._written[layer]
        written.narrow(3, end - 1, 1).copy_(qkv.narrow(1, 1, 2).transpose(0, 1))
        return _attend(qkv.select(1, 0), *written.narrow(3, 0, end).unbind(0), None)

    def attend_read(self, layer: int, query: Tensor) -> Tensor:
        """Attention to the source. query: [n, H, 1, h]. Returns [n, H * h]."""
        self._leave(query.size(0))
        return _attend(query, *self._read[layer], self._mask)

    def _leave(self, n: int) -> None:
        """Look at the first n sentences from now on: a slice takes as long as many a product, and n seldom changes."""
        if n != self._left:
            self._left = n
            self._written = [of_layer[:, :n] for of_layer in self.written]  # [keys and values, n, heads, steps, head]
            self._read = [(keys[:n], values[:n]) for keys, values in self.read]  # [n, heads, S, head] each
            self._mask = None if self.mask is None else self.mask[:n]

    def move(self, takers: Tensor, givers: Tensor, end: int, left: int) -> None:
        """Put sentence givers[k] into the place of takers[k], so that the first `left` places hold those that are left.

        takers, givers: int64 [k]; end: tokens read so far.
        """
        self.written[:, :, takers, :, :end] = self.written[:, :, givers, :, :end]
        self.read[:, :, takers] = self.read[:, :, givers]
        if self.mask is not None:
            self.mask[takers] = self.mask[givers]


def stacked_biases(parts: Sequence[nn.Linear]) -> Optional[Tensor]:
    """The biases of Linear modules as one vector, None if they have none."""
    if all(part.bias is None for part in parts):
        return None
    return torch.cat([part.weight.new_zeros(len(part.weight)) if part.bias is None else part.bias for part in parts])


def _attend(query: Tensor, keys: Tensor, values: Tensor, mask: Optional[Tensor]) -> Tensor:
    """query: [n, H, 1, h], scaled; keys, values: [n, H, T, h]; mask: [n, 1, 1, T] or None. Returns [n, H * h]."""
    if _FUSED and query.device.type == "cpu" and query.dtype == torch.float32:
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=1.0).flatten(1)
    scores = torch.matmul(query, keys.transpose(2, 3))
    if mask is not None:
        scores.add_(mask)
    # as fairseq: the softmax of half precision in single
    half = scores.dtype in (torch.float16, torch.bfloat16)
    weights = torch.softmax(scores, -1, torch.float32).to(scores.dtype) if half else torch.softmax(scores, -1)
    return torch.matmul(weights, values).flatten(1)
