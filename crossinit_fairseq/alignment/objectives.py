"""Step 3, Contrastive Learning (paper section 2.3): the objectives over span means.

Each takes SpanMeans and a temperature, which divides the dot products, and returns a Contrast.
positive = E_i . E_j, negative = E_i . E_outside (Eq. 1).
"""

from dataclasses import dataclass
from typing import Tuple

import torch
import torch.nn.functional as F

from crossinit_fairseq.alignment.span_means import SpanMeans


@dataclass(frozen=True)
class Contrast:
    """loss, positive, negative: float [B]; the two dot products of each draw, and the loss that follows from them."""

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor


def sigmoid_objective(means: SpanMeans, temperature: float = 1.0) -> Contrast:
    """Eq. 1: binary cross-entropy of the two dot products against the labels 1 (Positive) and 0 (Negative).

    -log P(1 | E_i E_j^T) - log P(0 | E_i E_outside^T) = softplus(-positive) + softplus(negative).
    """
    positive, negative = _dots(means)
    return Contrast(F.softplus(-positive / temperature) + F.softplus(negative / temperature), positive, negative)


def softmax_objective(means: SpanMeans, temperature: float = 1.0) -> Contrast:
    """The authors' trial code: a softmax over the two dot products; loss = softplus(negative - positive)."""
    positive, negative = _dots(means)
    return Contrast(F.softplus((negative - positive) / temperature), positive, negative)


def infonce_objective(means: SpanMeans, temperature: float = 1.0) -> Contrast:
    """InfoNCE: the span of language j that belongs to language i's, among the spans of the other draws of the batch.

    Two draws whose spans share a rank are no Negatives of each other. A draw that every other one overlaps has no
    Negative and no loss. The outside mean is not used; `negative` is the mean dot product with the Negatives.
    """
    dots = means.left @ means.right.t()
    positive = dots.diagonal()
    excluded = means.overlap()
    excluded.fill_diagonal_(False)
    loss = torch.logsumexp(dots.masked_fill(excluded, float("-inf")) / temperature, 1) - positive / temperature
    others = ~excluded
    others.fill_diagonal_(False)
    negative = (dots * others).sum(1) / others.sum(1).clamp(min=1)
    return Contrast(loss, positive, negative)


OBJECTIVES = {"sigmoid": sigmoid_objective, "softmax": softmax_objective, "infonce": infonce_objective}


def _dots(means: SpanMeans) -> Tuple[torch.Tensor, torch.Tensor]:
    return (means.left * means.right).sum(1), (means.left * means.outside).sum(1)
