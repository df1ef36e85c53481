"""crossinit_fairseq/alignment/span_means.py, against means taken word by word and span by span."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.alignment import RankedTable, SpanMeans, SpanPlan, sigmoid_objective, span_means
from crossinit_fairseq.ranks import RankedWords
from crossinit_fairseq.spans import SpanDraws, SpanSampler
from tests.helpers import ranked_words, word_lists

V = 12
EPSILON = 2.0**-24  # the relative rounding of one float32 operation


def means_word_by_word(table, words, draws):
    """Eq. 1 to the letter: the mean of each word's sub-tokens, then the mean of words inside and outside the span."""
    vectors = [[table[word].mean(0) for word in language] for language in words]
    rows = []
    for b, (i, j, low, high) in enumerate(zip(draws.left, draws.right, draws.low, draws.high)):
        inside_i, inside_j = vectors[i][low:high], vectors[j][low:high]
        outside_j = vectors[j][:low] + vectors[j][high:]
        if draws.outside is not None:
            outside_j = [vectors[j][position] for position in draws.outside[b]]
        rows.append([torch.stack(some).mean(0) for some in (inside_i, inside_j, outside_j)])
    ranks = torch.from_numpy(np.stack([draws.low, draws.high]))
    return SpanMeans(*(torch.stack(column) for column in zip(*rows)), ranks=ranks)


def means(table, words, max_rank, draws):
    ranked = RankedTable([ranked_words(language) for language in words], max_rank, len(table))
    return ranked(table, SpanPlan(**ranked.plan(draws).tensors()))


def draws_of(*rows, outside=None):
    """SpanDraws of (left, right, low, high) each."""
    return SpanDraws(*(np.array(column, dtype=np.int64) for column in zip(*rows)), outside=outside)


def draw_strategy(words, max_rank):
    """Any (left, right, low, high) that a sampler may give, spans that touch the ends among them."""

    def span(pair):
        left, right = pair
        limit = min(len(words[left]), len(words[right]), max_rank)
        edges = st.tuples(st.integers(0, limit), st.integers(0, limit)).map(sorted)
        # not empty, and something outside
        return edges.filter(lambda e: 0 < e[1] - e[0] < len(words[right])).map(lambda e: (left, right, e[0], e[1]))

    indices = st.integers(0, len(words) - 1)
    # equal languages only by option, but the sums must not mind
    return st.tuples(indices, indices).flatmap(span)


def sampled(words, rows, rng):
    """For each draw some positions outside its span, or none at all for all draws."""
    positions = []
    for _, right, low, high in rows:
        outside = [k for k in range(len(words[right])) if not low <= k < high]
        positions.append(np.array(rng.sample(outside, rng.randint(1, len(outside))), dtype=np.int64))
    return positions


@given(
    words=word_lists(V, least_words=2),
    max_rank=st.integers(1, 10),
    data=st.data(),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.1, 1.0, 3.0]),
    rng=st.one_of(st.none(), st.randoms(use_true_random=False)),
    way=st.sampled_from([span_means.sums_by_running_sum, span_means.sums_by_products]),
    longest=st.sampled_from([1, 3, 128]),
)
def test_equals_means_word_by_word_in_value_and_gradient(words, max_rank, data, seed, scale, rng, way, longest):
    with mock.patch.multiple(span_means, sums_by_running_sum=way, _LONGEST=longest):
        check_value_and_gradient(words, max_rank, data, seed, scale, rng)


def check_value_and_gradient(words, max_rank, data, seed, scale, rng):
    rows = data.draw(st.lists(draw_strategy(words, max_rank), min_size=1, max_size=6))
    draws = draws_of(*rows, outside=sampled(words, rows, rng) if rng else None)
    generator = torch.Generator().manual_seed(seed)
    table = (torch.randn(V, 3, generator=generator, dtype=torch.float64) * scale).requires_grad_()
    fast, slow = means(table, words, max_rank, draws), means_word_by_word(table, words, draws)
    for name in ("left", "right", "outside"):
        assert torch.allclose(getattr(fast, name), getattr(slow, name), rtol=0, atol=1e-10), name
    gradients = [torch.autograd.grad(sigmoid_objective(some).loss.sum(), table)[0] for some in (fast, slow)]
    assert torch.allclose(*gradients, rtol=0, atol=1e-10)
    unused = [row for row in range(V) if not any(row in word for language in words for word in language)]
    assert not gradients[0][unused].any()


def test_hand_worked():
    table = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    words = [
        [[1], [2], [1, 3]],  # 1, 3, 4
        [[2, 3], [0], [1], [1, 1, 3]],  # 5, 0, 1, 3
    ]
    draws = draws_of(
        (0, 1, 0, 2),  # left (1 + 3) / 2, right (5 + 0) / 2, outside (1 + 3) / 2
        (1, 0, 0, 2),  # left (5 + 0) / 2, right (1 + 3) / 2, outside 4
        (0, 1, 2, 3),  # left 4, right 1, outside (5 + 0 + 3) / 3
        (1, 0, 1, 2),  # left 0, right 3, outside (1 + 4) / 2
    )
    for max_rank in (3, 4, 20):  # with the last word of language 1 in the tail, and without a tail
        got = means(table, words, max_rank, draws)
        assert got.left[:, 0].tolist() == pytest.approx([2, 2.5, 4, 0])
        assert got.right[:, 0].tolist() == pytest.approx([2.5, 2, 1, 3])
        assert got.outside[:, 0].tolist() == pytest.approx([2, 4, 8 / 3, 2.5])


def test_sampled_negatives_hand_worked():
    table = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    words = [[[1], [2], [1, 3]], [[2, 3], [0], [1], [1, 1, 3]]]  # 1, 3, 4 and 5, 0, 1, 3
    draws = draws_of((0, 1, 0, 2), (1, 0, 1, 2), outside=[np.array([3]), np.array([2, 0])])
    for max_rank in (2, 20):  # the sample may lie beyond the highest rank
        got = means(table, words, max_rank, draws)
        assert got.left[:, 0].tolist() == pytest.approx([2, 0])
        assert got.right[:, 0].tolist() == pytest.approx([2.5, 3])
        assert got.outside[:, 0].tolist() == pytest.approx([3, 2.5])  # 3; (4 + 1) / 2


def test_which_spans_overlap():
    # [0, 3), [2, 4), [3, 5), whatever the languages are
    ranked = RankedTable([ranked_words([[1]] * 9)] * 3, 9, V)
    plan = ranked.plan(draws_of((0, 1, 0, 3), (1, 2, 2, 4), (2, 0, 3, 5)))
    assert ranked(torch.zeros(V, 1), plan).overlap().tolist() == [
        [True, True, False],
        [True, True, True],
        [False, True, True],
    ]


def test_has_a_tail_only_where_words_lie_beyond():
    words = [ranked_words([[1], [2], [3]]), ranked_words([[1], [2, 3]])]
    assert not RankedTable(words, 3, V).rows.tail.any()
    table = RankedTable(words, 1, V)
    assert table.rows.tail.any()
    # words 2 and 3 of language 0 weigh 1 each; the one word of language 1, of two sub-tokens, 1/2 each
    assert table.rows.tail[:, :4].tolist() == [[0, 0, 1, 1], [0, 0, 0.5, 0.5]]
    assert table.rows.tokens.tolist() == [1, 1]


def test_a_plan_stays_small():
    # 5 draws of one pair of languages have at most 2 * 10 boundaries of spans, 3 of languages, one in 128 sub-tokens
    words = [ranked_words([[k % V] for k in range(500)])] * 2
    plan = RankedTable(words, 500, V).plan(SpanSampler([500, 500], 20, 500, seed=1).draw(5, 1, 0))
    assert len(plan.segments) <= 22 + 1000 // 128
    assert plan.segments.diff().max() <= 128
    assert plan.inside.tolist() == (20 + 480 - plan.outside).tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_means_are_in_single_precision_at_least(dtype):
    words = [[[1], [2]], [[3], [4]]]
    got = means(torch.rand(V, 3, dtype=dtype, requires_grad=True), words, 2, draws_of((0, 1, 0, 1)))
    expected = torch.promote_types(dtype, torch.float32)
    assert {got.left.dtype, got.right.dtype, got.outside.dtype} == {expected}
    sigmoid_objective(got).loss.sum().backward()


def test_saves_nothing():
    assert not RankedTable([ranked_words([[1]])] * 2, 1, V).state_dict()


def bound(words, draws, largest):
    """How far float32 may be off for spans and for the outside, by counting roundings.

    A sum of m numbers of at most `largest` is off by at most m * EPSILON * (m * largest); the sums inside a span are
    made of its own sub-tokens only, added up in double precision, and divided by its n words. One more rounding for
    the weight, the product and the division each. The sum outside is made of all sub-tokens of the language.
    """
    pieces = max(len(word) for language in words for word in language)
    spans, all_words = (draws.high - draws.low).max(), max(map(len, words))
    outside = (np.array([len(words[j]) for j in draws.right]) - (draws.high - draws.low)).min()
    inside = (spans * pieces + 4) * EPSILON * largest
    return inside, (2 * all_words * pieces + 4) * EPSILON * largest * all_words / outside


@pytest.mark.parametrize("max_rank", [300, 1000])
def test_float32_is_close_to_float64(max_rank):
    rng = np.random.default_rng(3)
    words = [[rng.integers(V, size=rng.integers(1, 5)).tolist() for _ in range(600)] for _ in range(3)]
    draws = SpanSampler([600] * 3, 50, max_rank, seed=2).draw(40, 1, 0)
    table = torch.randn(V, 8, generator=torch.Generator().manual_seed(1))
    single, double = means(table, words, max_rank, draws), means(table.double(), words, max_rank, draws)
    inside, outside = bound(words, draws, table.abs().max().item())
    assert inside < 5e-5 and outside < 2e-3, "the bounds are worth something"
    for name, limit in (("left", inside), ("right", inside), ("outside", outside)):
        got = getattr(single, name)
        assert got.dtype == torch.float32
        assert (got.double() - getattr(double, name)).abs().max() < limit, name


def test_a_narrow_span_far_down_a_long_list_loses_nothing():
    # a float32 running sum has reached 20,000 there and is rounded to steps of 0.002, far too coarse for a span of 4
    words = [[[k % V] for k in range(20000)]] * 2
    table = 1 + torch.rand(V, 2, generator=torch.Generator().manual_seed(1)) / 10
    # the draws before it cut the list into many segments, whose sums run up to 20,000
    cuts = [(0, 1, low, low + 4) for low in range(0, 19990, 97)]
    draws = draws_of(*cuts)
    single, double = means(table, words, 20000, draws), means(table.double(), words, 20000, draws)
    inside, _ = bound(words, draws, table.max().item())
    assert inside < 1e-6
    assert (single.left.double() - double.left).abs().max() < inside
    assert (single.right.double() - double.right).abs().max() < inside


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_more_words_than_half_precision_can_count(dtype):
    """As the trainer does with --fp16 and --bf16: the model is converted, and of a batch what is float32."""
    if dtype is torch.float16 and torch.__version__.startswith("1."):
        pytest.skip("torch 1 adds up no half precision on a CPU")
    # 200,000 words of each language are token 1, and half precision ends at 65,504
    words = RankedWords(np.ones(200_000, dtype=np.int32), np.arange(200_001), np.ones(200_000, dtype=np.int64))
    ranked = RankedTable([words, words], 50, 3).to(dtype)
    plan = ranked.plan(draws_of((0, 1, 3, 13), (1, 0, 0, 10))).tensors()
    plan = {name: value.to(dtype) if value.dtype is torch.float32 else value for name, value in plan.items()}
    table = torch.tensor([[9.0, 9], [0.5, 0.25], [9, 9]], dtype=dtype, requires_grad=True)
    means = ranked(table, SpanPlan(**plan))
    for mean in (means.left, means.right, means.outside):
        assert mean.tolist() == [[0.5, 0.25]] * 2, "of any number of equal words the mean is that word"
    # both draws' means outside are 199,990 times 1/199,990 of row 1
    means.outside.sum().backward()
    assert torch.allclose(table.grad.float(), torch.tensor([[0.0, 0], [2, 2], [0, 0]]), rtol=0.01)
