"""The keys and values that a decoder keeps while it writes a batch, in memory that is laid out once."""

import torch
import torch.nn.functional as F

# the whole of attention in one call, up to twice as fast on a CPU; its `scale` is of torch 2.1
_FUSED = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 1)


class DecoderCache:
    """What the layers of a decoder keep of one batch of B sentences, of which the first n are left.

    fairseq's incremental state is concatenated and copied at every step. Here a step writes its keys and values into
    place, all layers' keys and values of the source are computed once, and dropping a sentence moves one other.
    """

    def __init__(self, decoder, encoded, steps, candidates):
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

    def output(self, weight, bias):
        """The candidates' rows of an output projection, [A, D] and [A] or None."""
        if self.candidates is None:
            return weight, bias
        if self._output is None:
            self._output = weight[self.candidates], None if bias is None else bias[self.candidates]
        return self._output

    def attend_written(self, layer, qkv, end):
        """Attention of the newest of `end` tokens to all of them. qkv: [n, 3, H, 1, h]. Returns [n, H * h]."""
        self._leave(qkv.size(0))
        written = self._written[layer]
        written.narrow(3, end - 1, 1).copy_(qkv.narrow(1, 1, 2).transpose(0, 1))
        return _attend(qkv.select(1, 0), *written.narrow(3, 0, end).unbind(0), None)

    def attend_read(self, layer, query):
        """Attention to the source. query: [n, H, 1, h]. Returns [n, H * h]."""
        self._leave(query.size(0))
        return _attend(query, *self._read[layer], self._mask)

    def _leave(self, n):
        """Look at the first n sentences from now on: a slice takes as long as many a product, and n seldom changes."""
        if n != self._left:
            self._left = n
            self._written = [of_layer[:, :n] for of_layer in self.written]  # [keys and values, n, heads, steps, head]
            self._read = [(keys[:n], values[:n]) for keys, values in self.read]  # [n, heads, S, head] each
            self._mask = None if self.mask is None else self.mask[:n]

    def move(self, takers, givers, end, left):
        """Put sentence givers[k] into the place of takers[k], so that the first `left` places hold those that are left.

        takers, givers: int64 [k]; end: tokens read so far.
        """
        self.written[:, :, takers, :, :end] = self.written[:, :, givers, :, :end]
        self.read[:, :, takers] = self.read[:, :, givers]
        if self.mask is not None:
            self.mask[takers] = self.mask[givers]


def stacked_biases(parts):
    """The biases of Linear modules as one vector, None if they have none."""
    if all(part.bias is None for part in parts):
        return None
    return torch.cat([part.weight.new_zeros(len(part.weight)) if part.bias is None else part.bias for part in parts])


def _attend(query, keys, values, mask):
    """query: [n, H, 1, h], scaled; keys, values: [n, H, T, h]; mask: [n, 1, 1, T], added, or None. Returns [n, H * h]."""
    if _FUSED and query.device.type == "cpu" and query.dtype == torch.float32:
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=1.0).flatten(1)
    scores = torch.matmul(query, keys.transpose(2, 3))
    if mask is not None:
        scores.add_(mask)
    # as fairseq: the softmax of half precision in single
    half = scores.dtype in (torch.float16, torch.bfloat16)
    weights = torch.softmax(scores, -1, torch.float32).to(scores.dtype) if half else torch.softmax(scores, -1)
    return torch.matmul(weights, values).flatten(1)
