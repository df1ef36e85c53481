import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from crossinit_fairseq.lexicon import self_learning
from crossinit_fairseq.lexicon.anchors import as_pairs
from crossinit_fairseq.lexicon.self_learning import (
    as_given,
    growing_vocabulary,
    learn_by_mapping,
    learn_by_pairs,
    orthogonal_map,
    shared_space,
    with_given,
)
from crossinit_fairseq.lexicon.similarity import Nearest, Priors, nearest
from crossinit_fairseq.lexicon.word_vectors import normalise, positive_pmi
from tests.lexicon.toy_cooccurrence import in_other_words, toy_language

NOTHING = as_pairs([])


def no_priors(words):
    return Priors(np.zeros(words), np.zeros(words), 0.0, None, 0.0)


def test_orthogonal_map_by_hand():
    # (1, 0) -> (0, 1) and (0, 1) -> (-1, 0): a quarter turn
    left, right = np.array([[1.0, 0], [0, 1]]), np.array([[0.0, 1], [-1, 0]])
    np.testing.assert_allclose(orthogonal_map(left, right), [[0, 1], [-1, 0]], atol=1e-12)


def test_orthogonal_map_is_a_rotation_even_when_lengths_differ():
    random = np.random.default_rng(0)
    found = orthogonal_map(random.normal(size=(20, 4)), 5 * random.normal(size=(20, 4)))
    np.testing.assert_allclose(found @ found.T, np.eye(4), atol=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(10, 24))
def test_a_rotated_and_permuted_copy_is_recovered(seed, dimensions):
    random = np.random.default_rng(seed)
    left = normalise(random.normal(size=(120, dimensions)))
    rotation = np.linalg.qr(random.normal(size=(dimensions, dimensions)))[0]
    order = random.permutation(120)
    right = (left @ rotation)[order]
    gone = np.argsort(order)
    anchors = as_pairs([(k, gone[k]) for k in range(2 * dimensions)])
    learnt = learn_by_mapping(left, right, no_priors(120), anchors, NOTHING, 10, 20, seed)
    np.testing.assert_array_equal(learnt.forward, gone)
    np.testing.assert_array_equal(learnt.backward, order)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_a_permuted_copy_is_recovered_by_pairs(seed):
    language = toy_language(seed=seed)
    other, gone = in_other_words(language, seed=seed + 1)
    random = np.random.default_rng(seed)
    known = random.choice(100, 12, replace=False)
    start = as_pairs([(k, gone[k]) for k in known])
    learnt = learn_by_pairs(
        positive_pmi(language.window),
        positive_pmi(other.window),
        no_priors(len(language)),
        start,
        NOTHING,
        growing_vocabulary(6, words=len(language)),
        dimensions=40,
        neighbours=10,
        seed=1,
    )
    assert (learnt.forward == gone).mean() > 0.95


def test_the_vocabulary_grows_in_the_last_third_of_the_rounds():
    assert growing_vocabulary(12, words=6000) == [3000] * 8 + [6000] * 4
    assert growing_vocabulary(2, words=500) == [500, 500]
    assert growing_vocabulary(1, words=6000) == [6000]


def test_words_that_join_later_are_paired_by_those_before():
    language = toy_language()
    other, gone = in_other_words(language)
    start = as_pairs([(k, gone[k]) for k in range(0, 100, 4) if gone[k] < 100])
    pmi = positive_pmi(language.window), positive_pmi(other.window)
    rare = [(k, gone[k]) for k in range(200, 300)]
    # a given pair of rare words, a wrong one, holds from the round on that these words take part in
    given = as_pairs([(rare[0][0], rare[1][1])])
    vocabulary = [150] * 3 + [300] * 2
    best = learn_by_pairs(*pmi, no_priors(300), start, NOTHING, vocabulary, 40, 10, 1)
    assert np.mean([best.forward[k] == partner for k, partner in rare]) > 0.8
    kept = with_given(learn_by_pairs(*pmi, no_priors(300), start, given, vocabulary, 40, 10, 1), given)
    assert rare[0][0] == kept[0][0] and rare[1][1] == kept[1][0]


def test_wrong_pairs_to_begin_with_recover_nothing():
    language = toy_language()
    other, gone = in_other_words(language)
    start = as_pairs([(k, gone[(k + 7) % 40]) for k in range(40)])
    pmi = positive_pmi(language.window), positive_pmi(other.window)
    learnt = learn_by_pairs(*pmi, no_priors(len(language)), start, NOTHING, [len(language)] * 2, 40, 10, 1)
    assert (learnt.forward == gone).mean() < 0.2


def test_shared_space_of_equal_associations_is_one_point():
    language = toy_language(words=60)
    pmi = positive_pmi(language.window)
    order = np.random.default_rng(0).permutation(60)
    gone = np.argsort(order)
    pairs = as_pairs([(k, gone[k]) for k in range(60)])
    ours, theirs = shared_space(pmi, pmi[order][:, order], pairs, 20, seed=0)
    np.testing.assert_allclose(ours, theirs[gone], atol=1e-4)


def test_given_pairs_stay_whatever_is_found():
    best = Nearest(np.array([0, 1, 2]), np.zeros(3), np.array([0, 1, 2]), np.zeros(3))
    left, right = with_given(best, as_pairs([(0, 1)]))
    # 0 is given to 1, so 0's own and 1's own partner are out
    assert list(zip(left.tolist(), right.tolist())) == [(0, 1), (2, 2)]


def fixed_rounds(monkeypatch, spaces, given=NOTHING, vocabulary=(2, 2)):
    """learn_by_pairs over spaces that are set, with the pair 0, 0 to begin with: (scores, pairs) of each round."""
    scores, known = [], []

    def space(left, right, pairs, dimensions, seed):
        known.append(list(zip(pairs[0].tolist(), pairs[1].tolist())))
        return spaces[len(known) - 1]

    def partners(judged):
        scores.append(judged)
        return nearest(judged)

    monkeypatch.setattr(self_learning, "shared_space", space)
    pmi = sparse.identity(3, format="csr")
    start = as_pairs([(0, 0)])
    learn_by_pairs(pmi, pmi, no_priors(3), start, given, vocabulary, 2, 1, 0, partners=partners)
    return scores, known


def test_scores_of_earlier_rounds_count_by_hand(monkeypatch):
    """CSLS of one neighbour, of orthogonal words 2 - 1 - 1 = 0 with the like one, 0 - 2 with the other.

    In the second round words 0 and 1 have changed places, and half of the first one's scores is left: -1 for all.
    """
    eye, turned = np.eye(2), np.eye(2)[::-1]
    scores, known = fixed_rounds(monkeypatch, [(eye, eye), (eye, turned)])
    np.testing.assert_allclose(scores[0], [[0, -2], [-2, 0]])
    np.testing.assert_allclose(scores[1], [[-1, -1], [-1, -1]])
    assert known == [[(0, 0)], [(0, 0), (1, 1)]]


def test_given_pairs_are_known_in_every_round_that_has_their_words(monkeypatch):
    eye, three = np.eye(2), np.eye(3)
    given = as_pairs([(0, 1), (2, 0)])
    _, known = fixed_rounds(monkeypatch, [(eye, eye), (eye, eye), (three, three)], given, vocabulary=[2, 2, 3])
    # found are 0 0 and 1 1; 0 is given 1, so neither stays; 2 takes no part in the first two rounds
    assert known == [[(0, 0)], [(0, 1)], [(0, 1)]]
    best = Nearest(np.arange(3), np.zeros(3), np.arange(3), np.zeros(3))
    assert [side.tolist() for side in with_given(best, given)] == [[0, 2], [1, 0]]
    # of words that are rarer than those that have a partner too
    assert [side.tolist() for side in with_given(best, as_pairs([(5, 7)]))] == [[5, 0, 1, 2], [7, 0, 1, 2]]


def test_given_pairs_are_what_the_lexicon_has():
    best = Nearest(np.array([1, 0, 2]), np.full(3, 0.4), np.array([1, 0, 2]), np.full(3, 0.3))
    given = as_pairs([(0, 2), (1, 2)])
    found = as_given(best, given)
    # 2 is given to 0 and to 1: it has the first
    assert found.forward.tolist() == [2, 2, 2] and found.backward.tolist() == [1, 0, 0]
    assert found.forward_score.tolist() == [1, 1, 0.4] and found.backward_score.tolist() == [0.3, 0.3, 1]
    assert found.mutual.tolist() == [True, False, False] and best.forward.tolist() == [1, 0, 2]
