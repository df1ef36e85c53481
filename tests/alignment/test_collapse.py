"""crossinit_fairseq/alignment/collapse.py, against cosines taken pair by pair."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.alignment import RandomWords
from tests.helpers import ranked_words, word_lists

V = 12


def sampled_words(sample):
    """The sampled words of each language, as lists of sub-tokens."""
    bounds = sample.starts.tolist() + [len(sample.tokens)]
    words = [sample.tokens[begin:end].tolist() for begin, end in zip(bounds, bounds[1:])]
    languages, count = sample.shape
    assert len(words) == languages * count
    return [words[k * count : (k + 1) * count] for k in range(languages)]


def measure_slowly(languages, table):
    """(mean norm, mean cosine of two words of one language, of two languages, 1 / mean squared cosine)."""
    vectors = [[table[word].mean(0) for word in words] for words in languages]
    norms = [vector.norm() for words in vectors for vector in words]
    within, across = [], []
    for i, some in enumerate(vectors):
        for j, others in enumerate(vectors):
            for a, one in enumerate(some):
                for b, other in enumerate(others):
                    cosine = torch.dot(one, other) / (one.norm() * other.norm())
                    if i != j:
                        across.append(cosine)
                    elif a != b:
                        within.append(cosine)
    means = [torch.stack(values).mean().item() for values in (norms, within, across)]
    squared = torch.stack(within + across).pow(2).mean().item()
    return means + [1 / max(squared, 1 / table.size(1))]


@given(words=word_lists(V, least_words=2), count=st.integers(2, 6), max_rank=st.integers(2, 9), seed=st.integers(0, 99))
def test_equals_cosines_pair_by_pair(words, count, max_rank, seed):
    table = torch.randn(V, 3, generator=torch.Generator().manual_seed(seed))
    sample = RandomWords([ranked_words(language) for language in words], max_rank, count, seed)
    expected = measure_slowly(sampled_words(sample), table.double())
    # float32, cosines between -1 and 1: the sum over at most 24 x 24 pairs is off by some 576 units of 6e-8 at worst
    *got, directions = (value.item() for value in sample(table))
    assert got == pytest.approx(expected[:3], abs=5e-5)
    assert 1 / directions == pytest.approx(1 / expected[3], abs=5e-5)


def test_all_vectors_equal():
    sample = RandomWords([ranked_words([[k], [k, 1], [2]]) for k in range(2)], max_rank=3, count=3)
    assert [value.item() for value in sample(torch.tensor([[3.0, 4.0]] * V))] == pytest.approx([5, 1, 1, 1], abs=1e-6)


def test_one_word_of_each_language_has_no_other_to_compare_with():
    # of lengths 5 and 1, at right angles
    sample = RandomWords([ranked_words([[k], [2]]) for k in range(2)], max_rank=1)
    table = torch.tensor([[3.0, 4.0], [0.8, -0.6]] + [[0.0, 1.0]] * (V - 2))
    assert [value.item() for value in sample(table)] == pytest.approx([3, 0, 0, 2], abs=1e-6)


def test_hand_worked():
    # language 0 has words along x and y, language 1 along y and -y, of lengths 1, 2, 3, 4
    table = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 3.0], [0.0, -4.0]])
    sample = RandomWords([ranked_words([[0], [1]]), ranked_words([[2], [3]])], max_rank=2, count=2)
    # within: x.y = 0 and y.(-y) = -1; across: 0, 0, 1, -1; of the six pairs three have a squared cosine of 1
    assert [value.item() for value in sample(table)] == pytest.approx([2.5, -0.5, 0.0, 2.0], abs=1e-6)


@pytest.mark.parametrize("kept", [1, 2, 5])
@pytest.mark.parametrize("words", [40, 200])  # fewer and more than dimensions
def test_directions_of_words_both_ways_along_few_axes(kept, words):
    # the mean cosine is about 0 for any number of axes; word k of either language points one way or the other along
    # axis k
    table = torch.zeros(words, 64)
    table[torch.arange(words), torch.arange(words) % kept] = torch.randn(words, generator=torch.manual_seed(1)).sign()
    sample = RandomWords([ranked_words([[k] for k in range(words)])] * 2, max_rank=words, count=words)
    measures = sample(table)
    assert abs(measures.cos_across) < 0.2
    # words of one axis among the others: (2 words / kept - 1) of 2 words - 1 pairs
    assert measures.directions.item() == pytest.approx((2 * words - 1) / (2 * words / kept - 1), rel=1e-5)


def test_random_vectors_use_all_directions():
    sample = RandomWords([ranked_words([[k] for k in range(n, n + 300)]) for n in (0, 300)], max_rank=300)
    assert sample(torch.randn(600, 50, generator=torch.manual_seed(1))).directions.item() == pytest.approx(50, rel=0.03)


def test_a_sample_is_of_the_first_ranks_and_repeats_no_word():
    words = [ranked_words([[k] for k in range(100)]), ranked_words([[k] for k in range(100, 110)])]
    sample = RandomWords(words, max_rank=40, count=20, seed=1)
    large, small = ([word[0] for word in language] for language in sampled_words(sample))
    # only 10 words to choose 20 from, so 10 of each language
    assert len(set(large)) == 10 and max(large) < 40
    assert set(small) == set(range(100, 110))
    assert sampled_words(RandomWords(words, 40, 20, seed=1)) == [[[k] for k in large], [[k] for k in small]]
    assert sampled_words(RandomWords(words, 40, 20, seed=2)) != [[[k] for k in large], [[k] for k in small]]


def test_takes_no_gradient_and_saves_nothing():
    sample = RandomWords([ranked_words([[0], [1]])] * 2, max_rank=2, count=2)
    table = torch.nn.Parameter(torch.randn(V, 3))
    assert not any(value.requires_grad for value in sample(table))
    assert not sample.state_dict()
    assert np.array_equal(sample.shape, (2, 2))
