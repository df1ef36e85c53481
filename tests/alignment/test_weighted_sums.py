"""crossinit_fairseq/alignment/weighted_sums.py, against dense products in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.alignment.weighted_sums import RowWeights, segment_and_tail_sums, weighted_sums

V, D = 7, 3


@st.composite
def cases(draw):
    """(RowWeights, starts, the dense [S + L, V] matrix that the sums are products with)."""
    count = draw(st.integers(1, 12))
    tokens = np.array(draw(st.lists(st.integers(0, V - 1), min_size=count, max_size=count)))
    starts = sorted({0} | set(draw(st.lists(st.integers(0, count - 1), max_size=4))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = rng.random(count)
    tail = rng.random((draw(st.integers(1, 3)), V)) * (rng.random(V) < 0.6)
    dense = np.zeros((len(starts), V))
    for position, token in enumerate(tokens):
        dense[np.searchsorted(starts, position, side="right") - 1, token] += weights[position]
    return RowWeights(tokens, weights, tail), torch.tensor(starts), torch.from_numpy(np.concatenate([dense, tail]))


@given(case=cases(), seed=st.integers(0, 99))
def test_sums_and_gradient_equal_dense_products(case, seed):
    rows, starts, dense = case
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(V, D, dtype=torch.float64, generator=generator, requires_grad=True)
    weights = torch.randn(len(dense), D, dtype=torch.float64, generator=generator)
    sums = torch.cat(segment_and_tail_sums(table, rows, starts))
    assert torch.allclose(sums, dense @ table, rtol=0, atol=1e-12)
    (sums * weights).sum().backward()
    assert torch.allclose(table.grad, dense.t() @ weights, rtol=0, atol=1e-12)


def test_hand_worked():
    # rows 1, 0, 1 weigh 1, 2, 4; sums of the first, and of the other two; the tail is 3 times row 2
    rows = RowWeights(np.array([1, 0, 1]), np.array([1.0, 2, 4]), np.array([[0.0, 0, 3, 0]]))
    table = torch.tensor([[1.0], [10], [100], [1000]], requires_grad=True)
    segments, tail = segment_and_tail_sums(table, rows, torch.tensor([0, 1]))
    assert segments.tolist() == [[10], [42]] and tail.tolist() == [[300]]
    (segments[0] + 10 * segments[1] + 100 * tail[0]).backward()
    # row 0: 2 in the second sum; row 1: 1 in the first, 4 in the second; row 2: 3 in the tail; row 3: in none
    assert table.grad.tolist() == [[20], [41], [300], [0]]


def test_gradient_of_one_output_alone():
    rows = RowWeights(np.array([1, 0]), np.array([1.0, 2]), np.array([[0.0, 5]]))
    table = torch.ones(2, 1, requires_grad=True)
    segment_and_tail_sums(table, rows, torch.tensor([0]))[0].sum().backward()
    assert table.grad.tolist() == [[2], [1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_keeps_the_dtype_of_the_table(dtype):
    rows = RowWeights(np.array([1, 0]), np.array([1.0, 2]), np.array([[0.0, 5]]))
    table = torch.ones(2, 1, dtype=dtype, requires_grad=True)
    segments, tail = segment_and_tail_sums(table, rows, torch.tensor([0]))
    (segments.sum() + tail.sum()).backward()
    assert {segments.dtype, table.grad.dtype} == {dtype} and tail.dtype == torch.promote_types(dtype, torch.float32)
    assert weighted_sums(table, rows.tokens, rows.weights, torch.tensor([0, 1])).tolist() == [[1], [2]]


@pytest.mark.parametrize("vocabulary", [999, 1000, 2345])  # below, at and above the size of a tile
def test_tail_of_a_long_table(vocabulary):
    generator = torch.Generator().manual_seed(vocabulary)
    table = torch.randn(vocabulary, D, dtype=torch.float64, generator=generator)
    tail = torch.rand(2, vocabulary, dtype=torch.float64, generator=generator)
    rows = RowWeights(np.array([0]), np.array([1.0]), tail.numpy())
    assert torch.allclose(segment_and_tail_sums(table, rows, torch.tensor([0]))[1], tail @ table, rtol=0, atol=1e-10)


def test_saves_nothing_with_a_model():
    assert not RowWeights(np.array([1, 0]), np.array([1.0, 2]), np.array([[0.0, 5]])).state_dict()
