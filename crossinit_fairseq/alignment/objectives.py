"""Step 3, Contrastive Learning (paper section 2.3): the objectives over span means.

Each takes SpanMeans and returns a Contrast. positive = E_i . E_j, negative = E_i . E_outside (Eq. 1).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Contrast:
    """loss, positive, negative: float [B]; the two dot products of each draw, and the loss they make."""

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor


def sigmoid_objective(means, overlap=None, temperature=1.0):
    """Eq. 1: binary cross-entropy of the two dot products against the labels 1 (Positive) and 0 (Negative).

    -log P(1 | E_i E_j^T) - log P(0 | E_i E_outside^T) = softplus(-positive) + softplus(negative).
    """
    positive, negative = _dots(means)
    return Contrast(F.softplus(-positive / temperature) + F.softplus(negative / temperature), positive, negative)


def softmax_objective(means, overlap=None, temperature=1.0):
    """The authors' trial code: a softmax over the two dot products, -log P(positive) = softplus(negative - positive)."""
    positive, negative = _dots(means)
    return Contrast(F.softplus((negative - positive) / temperature), positive, negative)


def infonce_objective(means, overlap=None, temperature=1.0):
    """InfoNCE: the span of language j that belongs to language i's, among the spans of the other draws of the batch.

    overlap: bool [B, B], True where two draws' spans share a rank: such a pair is no Negative. A draw that every other
    one overlaps has no Negative and no loss. The outside mean is not used; `negative` is the mean dot product with the
    Negatives.
    """
    dots = means.left @ means.right.t()
    positive = dots.diagonal()
    excluded = torch.zeros_like(dots, dtype=torch.bool) if overlap is None else overlap.clone()
    excluded.fill_diagonal_(False)
    loss = torch.logsumexp(dots.masked_fill(excluded, float("-inf")) / temperature, 1) - positive / temperature
    others = ~excluded
    others.fill_diagonal_(False)
    negative = (dots * others).sum(1) / others.sum(1).clamp(min=1)
    return Contrast(loss, positive, negative)


OBJECTIVES = {"sigmoid": sigmoid_objective, "softmax": softmax_objective, "infonce": infonce_objective}


def _dots(means):
    return (means.left * means.right).sum(1), (means.left * means.outside).sum(1)
