"""crossinit_fairseq/alignment/objectives.py: Eq. 1."""

import math

import pytest
import torch
import torch.nn.functional as F

from crossinit_fairseq.alignment import SpanMeans, sigmoid_objective


def contrast(left, right, outside):
    return sigmoid_objective(SpanMeans(*(torch.tensor(rows, dtype=torch.float64) for rows in (left, right, outside))))


@pytest.mark.parametrize(
    "left, right, outside, positive, negative, loss",
    [
        # both dot products zero: -log 1/2 - log 1/2
        ([1, 0], [0, 1], [0, 2], 0, 0, 2 * math.log(2)),
        # P(1 | 1) = 0.7310586, P(0 | -1) the same: 2 * 0.3132617
        ([1, 2], [1, 0], [-1, 0], 1, -1, 0.6265233),
        # wrong on both sides: 2 * 1.3132617
        ([1, 2], [-1, 0], [1, 0], -1, 1, 2.6265233),
        # 3 * 2 - 1 * 2 = 4 and 3 * 0 + 1 * 1 = 1 (left [3, 1]): 0.0181499 + 1.3132617
        ([3, 1], [2, -2], [0, 1], 4, 1, 1.3314116),
        # far out there is no overflow: 0 + 100
        ([10, 0], [10, 0], [10, 0], 100, 100, 100.0),
        ([10, 0], [-100, 0], [-100, 0], -1000, -1000, 1000.0),
    ],
)
def test_hand_worked(left, right, outside, positive, negative, loss):
    made = contrast([left], [right], [outside])
    assert made.positive.tolist() == [positive] and made.negative.tolist() == [negative]
    assert made.loss.item() == pytest.approx(loss, abs=1e-6)


def test_is_binary_cross_entropy_with_labels_1_and_0():
    generator = torch.Generator().manual_seed(1)
    means = SpanMeans(*(torch.randn(20, 5, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(3)))
    made = sigmoid_objective(means)
    dots = torch.stack([(means.left * means.right).sum(1), (means.left * means.outside).sum(1)])
    labels = torch.tensor([1.0, 0.0], dtype=torch.float64)[:, None].expand(2, 20)
    expected = F.binary_cross_entropy_with_logits(dots, labels, reduction="none").sum(0)
    assert torch.allclose(made.loss, expected, rtol=0, atol=1e-12)
    leaves = (means.left, means.right, means.outside)
    for ours, theirs in zip(torch.autograd.grad(made.loss.sum(), leaves), torch.autograd.grad(expected.sum(), leaves)):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
