"""crossinit_fairseq/alignment/objectives.py: Eq. 1, and what stands in for it by option."""

import math

import pytest
import torch
import torch.nn.functional as F

from crossinit_fairseq.alignment import OBJECTIVES, SpanMeans, infonce_objective, sigmoid_objective, softmax_objective


def span_means(left, right, outside, ranks=None):
    """SpanMeans; ranks: of spans that share none, when not given."""
    if ranks is None:
        ranks = torch.stack([torch.arange(len(left)), torch.arange(len(left)) + 1])
    return SpanMeans(left, right, outside, ranks)


def contrast(left, right, outside):
    return sigmoid_objective(span_means(*(torch.tensor(rows, dtype=torch.float64) for rows in (left, right, outside))))


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
    got = contrast([left], [right], [outside])
    assert got.positive.tolist() == [positive] and got.negative.tolist() == [negative]
    assert got.loss.item() == pytest.approx(loss, abs=1e-6)


def test_is_binary_cross_entropy_with_labels_1_and_0():
    generator = torch.Generator().manual_seed(1)
    rows = (torch.randn(20, 5, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(3))
    means = span_means(*rows)
    got = sigmoid_objective(means)
    dots = torch.stack([(means.left * means.right).sum(1), (means.left * means.outside).sum(1)])
    labels = torch.tensor([1.0, 0.0], dtype=torch.float64)[:, None].expand(2, 20)
    expected = F.binary_cross_entropy_with_logits(dots, labels, reduction="none").sum(0)
    assert torch.allclose(got.loss, expected, rtol=0, atol=1e-12)
    leaves = (means.left, means.right, means.outside)
    for ours, theirs in zip(torch.autograd.grad(got.loss.sum(), leaves), torch.autograd.grad(expected.sum(), leaves)):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)


def random_means(draws=6, requires_grad=False, ranks=None):
    generator = torch.Generator().manual_seed(2)
    rows = (torch.randn(draws, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    return span_means(*(row.requires_grad_(requires_grad) for row in rows), ranks=ranks)


def test_softmax_hand_worked():
    # equal dot products: ln 2; positive 1 and negative -1: ln(1 + e^-2)
    means = span_means(*(torch.tensor(rows) for rows in ([[1.0, 0], [1, 2]], [[2.0, 1], [1, 0]], [[2.0, 5], [-1, 0]])))
    got = softmax_objective(means)
    assert got.positive.tolist() == [2, 1] and got.negative.tolist() == [2, -1]
    assert got.loss.tolist() == pytest.approx([math.log(2), 0.1269280])


def test_softmax_is_cross_entropy_of_two_classes():
    means = random_means()
    got = softmax_objective(means)
    logits = torch.stack([got.positive, got.negative], 1)
    expected = F.cross_entropy(logits, torch.zeros(6, dtype=torch.long), reduction="none")
    assert torch.allclose(got.loss, expected, rtol=0, atol=1e-12)


def test_infonce_hand_worked():
    # dots: row 0: 1, 0, 2; row 1: 0, 3, 0; row 2: 0, 0, 0
    left, right = torch.tensor([[1.0, 0], [0, 1], [0, 0]]), torch.tensor([[1.0, 0], [0, 3], [2, 0]])
    outside = torch.full((3, 2), float("nan"))  # not used
    got = infonce_objective(span_means(left, right, outside))
    assert got.positive.tolist() == [1, 3, 0] and got.negative.tolist() == [1, 0, 0]
    e = math.exp
    expected = [math.log(e(1) + 1 + e(2)) - 1, math.log(2 + e(3)) - 3, math.log(3)]
    assert got.loss.tolist() == pytest.approx(expected)
    # draws 0 and 2, [0, 3) and [2, 4), share rank 2: no Negatives of each other
    got = infonce_objective(span_means(left, right, outside, torch.tensor([[0, 7, 2], [3, 9, 4]])))
    assert got.negative.tolist() == [0, 0, 0]
    assert got.loss.tolist() == pytest.approx([math.log(e(1) + 1) - 1, math.log(2 + e(3)) - 3, math.log(2)])


def test_infonce_without_any_negative_has_no_loss():
    means = random_means(requires_grad=True, ranks=torch.tensor([[1] * 6, [3] * 6]))
    got = infonce_objective(means)
    assert got.loss.abs().max() < 1e-12 and not got.negative.any()
    got.loss.sum().backward()
    assert means.left.grad.abs().max() < 1e-12, "and no NaN"


def test_infonce_is_cross_entropy_over_the_batch():
    means = random_means()
    expected = F.cross_entropy(means.left @ means.right.t(), torch.arange(6), reduction="none")
    assert torch.allclose(infonce_objective(means).loss, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_temperature_divides_the_dot_products(name):
    means = random_means()
    scaled = span_means(means.left / 0.5, means.right, means.outside)
    cool, plain = OBJECTIVES[name](means, temperature=0.5), OBJECTIVES[name](scaled)
    assert torch.allclose(cool.loss, plain.loss, rtol=0, atol=1e-12)
    # what is logged stays the dot product itself
    assert torch.equal(cool.positive, OBJECTIVES[name](means).positive)
    assert torch.equal(cool.negative, OBJECTIVES[name](means).negative)
