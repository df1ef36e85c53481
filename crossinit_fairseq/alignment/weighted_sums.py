"""Sums of weighted rows of an embedding table, and their gradient in one pass over it.

The rows that a step sums are always the same, only where one sum ends and the next begins changes. So what each row of
the table gives to which entries is laid out once; the gradient of the table is then written row by row, once, where the
usual way fills it with zeros and scatters into it, and adds a second table of the same size for the tail.
"""

from typing import Any, Callable, Optional, Tuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

_NO_BFLOAT16 = torch.__version__.startswith("1.")
_TILE = 1000  # rows; on a CPU many short products at once take a third of the time of one long thin one


class RowWeights(nn.Module):
    """Which rows of a table are summed, with which weights.

    tokens: integer [T], rows in the order in which they are summed; weights: float [T]; tail: float [L, V], L further
    sums over the whole table.

    Buffers, not saved with a model: tokens int64 [T]; weights float64 [T]; tail float64 [L, V]; and the same by row of
    the table: entries int64 [E], positions in tokens, or T + l for a weight of tail[l]; entry_weights float64 [E];
    entry_starts int64 [V], the first entry of each row. E is T and the number of weights in tail that are not 0. They
    keep their precision in a model of half precision, whose numbers end at 65,504: a sub-token may stand in more words.
    """

    tokens: torch.Tensor
    weights: torch.Tensor
    tail: torch.Tensor
    entries: torch.Tensor
    entry_weights: torch.Tensor
    entry_starts: torch.Tensor

    def __init__(self, tokens: np.ndarray, weights: np.ndarray, tail: np.ndarray):
        super().__init__()
        tail_sums, tail_tokens = np.nonzero(tail)
        rows = np.concatenate([tokens, tail_tokens]).astype(np.int64)
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=tail.shape[1])
        buffers = {
            "tokens": np.asarray(tokens, dtype=np.int64),
            "weights": np.asarray(weights, dtype=np.float64),
            "tail": np.asarray(tail, dtype=np.float64),
            "entries": np.concatenate([np.arange(len(tokens)), len(tokens) + tail_sums])[order],
            "entry_weights": np.concatenate([weights, tail[tail_sums, tail_tokens]])[order],
            "entry_starts": np.cumsum(counts) - counts,
        }
        for name, values in buffers.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], *args: Any) -> nn.Module:
        """Move the buffers, and leave their precision as it is: torch moves and converts a module by this method."""
        return super()._apply(lambda buffer: buffer.to(fn(buffer).device), *args)


class _SegmentAndTailSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, table: torch.Tensor, rows: RowWeights, starts: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        ctx.rows, ctx.dtype = rows, table.dtype
        ctx.save_for_backward(starts)
        return weighted_sums(table, rows.tokens, rows.weights, starts), _dense_sums(_at_least_single(table), rows.tail)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, segments: torch.Tensor, tail: torch.Tensor) -> Tuple[Optional[torch.Tensor], None, None]:
        rows, (starts,) = ctx.rows, ctx.saved_tensors
        # the segment that each position belongs to
        numbers = torch.zeros_like(rows.tokens).index_fill_(0, starts, 1).cumsum(0) - 1
        sums = torch.cat([numbers, len(starts) + torch.arange(len(tail), device=numbers.device)])
        gradients = torch.cat([_at_least_single(segments), tail])
        gradient = weighted_sums(gradients, sums[rows.entries], rows.entry_weights, rows.entry_starts)
        return gradient.to(ctx.dtype), None, None


def segment_and_tail_sums(
    table: torch.Tensor, rows: RowWeights, starts: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The sums of rows.tokens from each start to the next, and of the tail.

    table: float [V, d], the gradient flows into it; rows: RowWeights; starts: int64 [S], rising, the first of them 0.
    Returns float [S, d] of the table's dtype, and float [L, d] in single precision at least: a tail may hold millions
    of words.
    """
    return _SegmentAndTailSums.apply(table, rows, starts)


def weighted_sums(
    table: torch.Tensor, tokens: torch.Tensor, weights: torch.Tensor, starts: torch.Tensor
) -> torch.Tensor:
    """The sums of weighted rows of float [V, d], from each int64 [S] start in int64 [T] tokens to the next.

    weights: float [T]. Returns float [S, d].
    """
    return embedding_bag(table, tokens, starts, "sum", weights.to(table.dtype))


def embedding_bag(
    table: torch.Tensor, tokens: torch.Tensor, starts: torch.Tensor, mode: str, weights: Optional[torch.Tensor] = None
) -> torch.Tensor:
    """torch's own, of any dtype: in bfloat16 on a CPU torch 1 has none, so there it is in single precision.

    table: float [V, d]; tokens: int64 [T]; starts: int64 [S]; mode: "sum" or "mean"; weights: [T], of the table's
    dtype. Returns [S, d] of that dtype.
    """
    if _NO_BFLOAT16 and table.dtype == torch.bfloat16 and table.device.type == "cpu":
        weights = None if weights is None else weights.float()
        return embedding_bag(table.float(), tokens, starts, mode, weights).to(table.dtype)
    return F.embedding_bag(tokens, table, starts, mode=mode, per_sample_weights=weights)


def _dense_sums(table: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """weights float [L, V] @ table float [V, d]. Returns float [L, d] of the table's dtype."""
    weights = weights.to(table.dtype)
    tiles, dim = len(table) // _TILE, table.size(1)
    end = tiles * _TILE
    sums = weights[:, end:] @ table[end:]
    if tiles:
        tiled = weights[:, :end].reshape(len(weights), tiles, _TILE).transpose(0, 1)
        sums = sums + (tiled @ table[:end].view(tiles, _TILE, dim)).sum(0)
    return sums


def _at_least_single(values: torch.Tensor) -> torch.Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
