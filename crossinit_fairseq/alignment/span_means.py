"""The means of Eq. 1 for many spans at once, from one pass over the embedding table.

A word's vector is the mean of its sub-tokens' vectors, so a sum of words is linear in the table, and with the running
sum C of the words' vectors in rank order

    sum of the words in [low, high) = C[high] - C[low],    sum of the words outside = C[N] - (C[high] - C[low]).

Only the rows of C at boundaries of a span are ever needed. The words between neighbouring boundaries are summed in one
pass; the words beyond the highest rank for positives are never inside a span, so their sum is one fixed weighting of
the sub-tokens. See weighted_sums.py for both, and for their gradient.
"""

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from crossinit_fairseq.alignment.weighted_sums import RowWeights, segment_and_tail_sums, weighted_sums
from crossinit_fairseq.ranks import RankedWords
from crossinit_fairseq.spans import SpanDraws

_LONGEST = 128  # sub-tokens of a segment: a GPU sums the segments side by side, and each of them one by one


@dataclass(frozen=True)
class SpanPlan:
    """Where the sums of one step begin and end. Made on the CPU with the draws, so that a GPU never waits for it.

    segments: int64 [S], the first sub-token of each segment between neighbouring boundaries, of which there are more
    than the spans need, so that none is long.
    low, high: int64 [2, B], rows of the running sum over segments, for the spans in languages i (row 0) and j (row 1).
    ends: int64 [2, languages], the rows at which the words of a language begin and end.
    right: int64 [B], the language j.
    inside, outside: int64 [B], the number of words in the span, and of the words of language j outside it: fairseq
    makes what is float32 in a batch half precision, which has no numbers beyond 65,504.
    ranks: int64 [2, B], where the spans begin and end in the lists.
    sample_tokens, sample_weights: int64 and float64 [K], sampled Negatives as sub-tokens with their weights in the
    mean; sample_starts: int64 [B], the first of each draw; None when all words outside are Negative.
    """

    segments: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    ends: torch.Tensor
    right: torch.Tensor
    inside: torch.Tensor
    outside: torch.Tensor
    ranks: torch.Tensor
    sample_tokens: Optional[torch.Tensor] = None
    sample_weights: Optional[torch.Tensor] = None
    sample_starts: Optional[torch.Tensor] = None

    def tensors(self) -> Dict[str, torch.Tensor]:
        """The fields as a dict, to be collated and moved to a device; ``SpanPlan(**tensors)`` is the way back."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def words(self) -> int:
        """How many words' means are taken, in both languages."""
        return int(2 * (self.ranks[1] - self.ranks[0]).sum())


@dataclass(frozen=True)
class SpanMeans:
    """E_span of language i, E_span of language j, and E_outside of language j (Eq. 1), each float [B, d].

    ranks: int64 [2, B], where the spans begin and end in the lists.
    """

    left: torch.Tensor
    right: torch.Tensor
    outside: torch.Tensor
    ranks: torch.Tensor

    def overlap(self) -> torch.Tensor:
        """Which draws have spans that share a rank, bool [B, B]."""
        low, high = self.ranks
        return (low[:, None] < high) & (low < high[:, None])


class RankedTable(nn.Module):
    """The ranked words of all languages, ready to be averaged over spans of any table of the same vocabulary.

    words: RankedWords per language; max_rank: spans lie within the first max_rank ranks; vocabulary: rows of the table.

    rows: RowWeights, of the sub-tokens of the first max_rank words of all languages, one after another, each weighted
    by 1 / length of its word; its tail is the summed weight of each sub-token in the words beyond max_rank.
    """

    def __init__(self, words: Sequence[RankedWords], max_rank: int, vocabulary: int):
        super().__init__()
        self.words = words
        self.sizes = np.array([len(w) for w in words], dtype=np.int64)
        heads = [w.offsets[: max_rank + 1] for w in words]
        # position of every head word (and of the end) of each language in head_tokens
        firsts = np.cumsum([0] + [int(h[-1]) for h in heads])
        self.bounds = [h + first for h, first in zip(heads, firsts)]
        tokens = np.concatenate([w.tokens[: h[-1]] for w, h in zip(words, heads)])
        weights = np.concatenate([_weights(h) for h in heads])
        tail = np.stack(
            [
                np.bincount(w.tokens[h[-1] :], _weights(w.offsets[len(h) - 1 :]), minlength=vocabulary)
                for w, h in zip(words, heads)
            ]
        )
        self.rows = RowWeights(tokens, weights, tail)

    def plan(self, draws: SpanDraws) -> SpanPlan:
        """Lay out the sums that the draws need. Returns SpanPlan, on the CPU."""
        low, high = (
            np.stack([self._positions(language, edge) for language in (draws.left, draws.right)])
            for edge in (draws.low, draws.high)
        )
        ends = np.array([[bounds[0] for bounds in self.bounds], [bounds[-1] for bounds in self.bounds]])
        grid = np.arange(0, self.bounds[-1][-1], _LONGEST)
        boundaries = np.unique(np.concatenate([low.ravel(), high.ravel(), ends.ravel(), grid]))
        inside = draws.high - draws.low
        return SpanPlan(
            segments=torch.from_numpy(boundaries[:-1]),
            low=torch.from_numpy(np.searchsorted(boundaries, low)),
            high=torch.from_numpy(np.searchsorted(boundaries, high)),
            ends=torch.from_numpy(np.searchsorted(boundaries, ends)),
            right=torch.from_numpy(draws.right),
            inside=torch.from_numpy(inside),
            outside=torch.from_numpy(self.sizes[draws.right] - inside),
            ranks=torch.from_numpy(np.stack([draws.low, draws.high])),
            **(self._sampled(draws.right, draws.outside) if draws.outside is not None else {}),
        )

    def _sampled(self, right: np.ndarray, outside: Sequence[np.ndarray]) -> Dict[str, torch.Tensor]:
        """The sampled Negatives of SpanDraws as one list of weighted sub-tokens: the fields of SpanPlan for them."""
        tokens, weights = [], []
        for language, positions in zip(right, outside):
            ranked = self.words[language]
            first, lengths = ranked.offsets[positions], np.diff(ranked.offsets)[positions]
            ends = np.cumsum(lengths)
            tokens.append(ranked.tokens[np.repeat(first - (ends - lengths), lengths) + np.arange(ends[-1])])
            weights.append(np.repeat(1.0 / lengths, lengths) / len(positions))
        lengths = np.array([len(part) for part in tokens])
        return dict(
            sample_tokens=torch.from_numpy(np.concatenate(tokens).astype(np.int64)),
            sample_weights=torch.from_numpy(np.concatenate(weights)),
            sample_starts=torch.from_numpy(np.cumsum(lengths) - lengths),
        )

    def _positions(self, language: np.ndarray, rank: np.ndarray) -> np.ndarray:
        """Where in head_tokens the word at a rank of a language begins; all int64 [B]."""
        at = np.empty(len(rank), dtype=np.int64)
        for index, bounds in enumerate(self.bounds):
            mine = language == index
            at[mine] = bounds[rank[mine]]
        return at

    def forward(self, table: torch.Tensor, plan: SpanPlan) -> SpanMeans:
        """Average a table over the spans of a plan.

        table: float [V, d], the gradient flows into it; plan: SpanPlan on the table's device. Returns SpanMeans.
        """
        segments, tail = segment_and_tail_sums(table, self.rows, plan.segments)
        # a running sum is one step after another, which a GPU is slow at
        sums = sums_by_products if table.is_cuda else sums_by_running_sum
        left, right, everything = sums(segments.double(), plan)
        inside = plan.inside.double().unsqueeze(1)
        if plan.sample_tokens is None or plan.sample_weights is None or plan.sample_starts is None:
            outside = ((everything + tail.double())[plan.right] - right) / plan.outside.double().unsqueeze(1)
        else:
            outside = weighted_sums(table, plan.sample_tokens, plan.sample_weights, plan.sample_starts)
        # half precision would round the loss to two or three digits, of which --flatness wants more
        dtype = torch.promote_types(table.dtype, torch.float32)
        left, right, outside = (mean.to(dtype) for mean in (left / inside, right / inside, outside))
        return SpanMeans(left, right, outside, plan.ranks)


def sums_by_running_sum(segments: torch.Tensor, plan: SpanPlan) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The sums of spans and of whole languages from those of their segments.

    segments: float64 [S, d]: double precision, since the sum of a span is a small difference of large sums. Returns
    float64 [B, d] of the spans in languages i and j, and float64 [languages, d] of all words that spans may hold.
    """
    running = F.pad(segments.cumsum(0), (0, 0, 1, 0))
    left, right = running[plan.high] - running[plan.low]
    return left, right, running[plan.ends[1]] - running[plan.ends[0]]


def sums_by_products(segments: torch.Tensor, plan: SpanPlan) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What `sums_by_running_sum` returns, as one product with the matrix that says which segments are in which sum."""
    low, high = (torch.cat([of_spans.flatten(), end]) for of_spans, end in zip((plan.low, plan.high), plan.ends))
    at = torch.arange(len(segments), device=segments.device)
    held = (at >= low[:, None]) & (at < high[:, None])
    sums, draws = held.to(segments.dtype) @ segments, plan.low.size(1)
    return sums[:draws], sums[draws : 2 * draws], sums[2 * draws :]


def _weights(offsets: np.ndarray) -> np.ndarray:
    """1 / (number of sub-tokens of the word) for every sub-token of the words at int64 [m + 1] offsets."""
    lengths = np.diff(offsets)
    return np.repeat(1.0 / lengths, lengths)
