import numpy as np

from crossinit_fairseq.analysis.controls import (
    NO_MEAN,
    Control,
    Finding,
    is_evidence,
    random_space,
    rank_only_space,
    untrained_cosine,
    verdict,
    without_directions,
    without_mean,
)
from crossinit_fairseq.analysis.words import Space
from crossinit_fairseq.lexicon.similarity import units
from tests.analysis.spaces import collapsed, random_vectors, rank_table, table_words, two_languages  # noqa: F401


def test_a_figure_that_a_control_reaches_is_no_evidence_in_words():
    reached = Finding("as it is", 0.9, [Control("random words", 0.9, 0.9), Control("random table", 0.0, 0.1)])
    assert verdict([reached]) == "no evidence: reached by random words (0.9)"
    above = Finding("as it is", 0.95, reached.controls)
    assert verdict([above]) == "evidence: above every control" and is_evidence([above])
    gone = Finding(NO_MEAN, 0.1, [Control("random words", 0.0, 0.2)])
    assert verdict([above, gone]) == "no evidence without the mean vector: reached by random words (0.2)"
    assert not is_evidence([above, gone])


def test_a_figure_that_is_equal_but_for_rounding_is_reached():
    assert Finding("as it is", 1.0, [Control("x", 1.0, 1 - 1e-9)]).reached_by
    # a figure that cannot be computed exceeds nothing
    assert Finding("as it is", float("nan"), [Control("x", 0.0, 0.0)]).reached_by


def test_taking_out_the_mean_and_the_first_directions():
    space = Space("x", {"aa": random_vectors(1) + 7, "bb": random_vectors(2) - 1})
    assert np.allclose(without_mean(space).stacked().mean(0), 0)
    # two strong directions of a known place: nothing of them is left
    axes = np.zeros((300, 16))
    axes[:, 3], axes[:, 8] = 50 * random_vectors(3)[:, 0], 40 * random_vectors(3)[:, 1]
    space = Space("x", {"aa": random_vectors(1) + axes, "bb": random_vectors(2) + axes})
    left = without_directions(space).stacked()
    assert left[:, [3, 8]].std() < 0.2 and left[:, [0, 1, 2]].std() > 0.8
    assert abs(without_directions(collapsed()).stacked()).max() < 1e-6


def test_a_random_table_knows_nothing_but_shared_rows():
    words = table_words({"aa": random_vectors(1), "bb": random_vectors(2)})
    one, other = random_space(words, 1), random_space(words, 2)
    assert one.vectors["aa"].shape == (300, 16)
    assert np.allclose(one.stacked(), random_space(words, 1).stacked())
    assert abs((units(one.stacked()) * units(other.stacked())).sum(1).mean()) < 0.03
    assert abs(np.linalg.norm(one.stacked(), axis=1).mean() - 1) < 0.05


def test_a_random_table_reaches_by_chance_what_is_said_and_no_other_table_anything():
    drawn = Space("random table", {"aa": random_vectors(1)})  # of 16 dimensions
    assert abs(untrained_cosine(drawn, 0.1).limit - 1.645 / 4) < 1e-9
    assert abs(untrained_cosine(drawn, 0.0, 25).limit - 1.645 / 20) < 1e-9
    assert untrained_cosine(drawn, 0.5).limit == 0.5
    assert untrained_cosine(Space("rank-only table", drawn.vectors), 0.1).limit == 0.1
    # one in twenty, seen in 4,000 pairs of random vectors
    one, other = (np.random.default_rng(seed).standard_normal((4000, 64)) for seed in (1, 2))
    limit = untrained_cosine(Space("random table", {"aa": one}), -1.0).limit
    assert 0.04 < ((units(one) * units(other)).sum(1) > limit).mean() < 0.06


def test_a_rank_only_table_gives_the_same_vector_to_the_same_rank_of_any_language():
    space = rank_only_space(two_languages(), 64, 1)
    assert np.allclose(space.vectors["aa"], space.vectors["bb"])
    cosines = space.vectors["aa"] @ space.vectors["aa"].T
    assert cosines[199, 200] > 0.9 > cosines[199, 260] > cosines[199, 2]
