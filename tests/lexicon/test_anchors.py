import numpy as np
import pytest
from scipy import sparse

from crossinit_fairseq.lexicon.anchors import (
    given_pairs,
    log_frequencies,
    pairs_by_rank_profile,
    rank_profiles,
    words_spelt_alike,
)
from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence
from crossinit_fairseq.lexicon.similarity import Priors
from tests.lexicon.toy_cooccurrence import in_other_words, toy_language


def counted(language, words, counts, total=1000):
    empty = sparse.csr_matrix((len(words), len(words)))
    return CoOccurrence(language, words, np.array(counts), total, empty, empty, np.zeros(len(words)))


def listed(pairs):
    return list(zip(pairs[0].tolist(), pairs[1].tolist()))


def test_words_spelt_alike():
    left = counted("en", ["the", "radio", "chat", "taxi", "son"], [300, 20, 20, 20, 4])
    right = counted("fr", ["chat", "radio", "son", "taxi", "thé"], [200, 19, 18, 5, 5])
    # chat: ln(200 / 20) = 2.3 is more than 1.5; son: a count of 4 is too rare; taxi: ln(20 / 5) = 1.39; thé is not the
    assert listed(words_spelt_alike(left, right)) == [(1, 1), (3, 3)]


def test_words_spelt_alike_across_scripts():
    pytest.importorskip("anyascii")
    left = counted("en", ["the", "nepal", "nato"], [50, 20, 20])
    right = counted("ne", ["नेपाल", "नाटो", "हो"], [20, 20, 20])
    assert listed(words_spelt_alike(left, right)) == [(1, 0), (2, 1)]


def test_given_pairs():
    left = counted("en", ["dog", "cat"], [9, 9])
    right = counted("fr", ["chat", "chien"], [9, 9])
    seeds = [("dog", "chien"), ("dog", "chat"), ("cow", "chat"), ("cat", "vache"), ("cat", "chat")]
    assert listed(given_pairs(left, right, seeds)) == [(0, 1), (1, 0)]


def test_log_frequencies():
    assert log_frequencies(counted("en", ["a", "b"], [100, 10])).tolist() == pytest.approx(np.log([0.1, 0.01]).tolist())


def test_rank_profiles_know_nothing_of_the_words_themselves():
    language = toy_language()
    other, gone = in_other_words(language)
    ours, theirs = rank_profiles(language, 200), rank_profiles(other, 200)
    both = [k for k in range(200) if gone[k] < 200]
    # bands are wide: only ties that changed places across an edge make a difference
    assert np.mean([ours[k] @ theirs[gone[k]] for k in both]) > 0.95


def test_pairs_by_rank_profile_find_much_of_a_copy():
    language = toy_language()
    other, gone = in_other_words(language)
    priors = Priors(log_frequencies(language), log_frequencies(other), 0.1, None, 0.0)
    left, right = pairs_by_rank_profile(language, other, priors, 200)
    assert len(left) > 50
    assert (right == gone[left]).mean() > 0.8


def test_rank_profiles_agree_with_a_slow_count():
    language, count = toy_language(words=40), 30
    edges = sorted({int(edge) - 1 for edge in np.geomspace(1, count + 1, 5)})
    columns = []
    for matrix in (language.left, language.right, language.window):
        table = matrix.toarray()[:count, :count]
        bands = [[sum(row[low:high]) + 0.1 for low, high in zip(edges, edges[1:])] for row in table]
        columns += np.transpose([np.sqrt(np.array(row) / sum(row)) for row in bands]).tolist()
    columns.append(language.place[:count].tolist())
    slow = np.transpose([(np.array(column) - np.mean(column)) / np.std(column) for column in columns])
    slow[:, -1] *= 2
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    slow -= slow.mean(0)
    slow /= np.linalg.norm(slow, axis=1, keepdims=True)
    np.testing.assert_allclose(rank_profiles(language, count, bands=4), slow, atol=1e-5)
