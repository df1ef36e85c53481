"""Step 3, Contrastive Learning (paper section 2.3): the objectives over span means."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Contrast:
    """loss, positive, negative: float [B]; the two dot products of each draw, and the loss they make."""

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor


def sigmoid_objective(means):
    """Eq. 1: binary cross-entropy of the two dot products against the labels 1 (Positive) and 0 (Negative).

    -log P(1 | E_i E_j^T) - log P(0 | E_i E_outside^T) = softplus(-positive) + softplus(negative).
    means: SpanMeans. Returns Contrast.
    """
    positive = (means.left * means.right).sum(1)
    negative = (means.left * means.outside).sum(1)
    return Contrast(F.softplus(-positive) + F.softplus(negative), positive, negative)
