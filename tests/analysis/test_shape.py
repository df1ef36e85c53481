import numpy as np
import pytest

from crossinit_fairseq.analysis.controls import is_evidence, rank_only_space, verdict
from crossinit_fairseq.analysis.shape import (
    compare_languages,
    compare_tables,
    explained,
    procrustes_distance,
    project,
)
from crossinit_fairseq.analysis.words import Space
from tests.analysis.spaces import collapsed, language_words, random_vectors, rotation, two_languages

WORDS = two_languages()


def cka(left, right):
    """Linear CKA by its definition: products of the words among themselves, centred."""
    centre = np.eye(len(left)) - 1 / len(left)
    one, two = centre @ left @ left.T @ centre, centre @ right @ right.T @ centre
    return (one * two).sum() / np.sqrt((one * one).sum() * (two * two).sum())


def cka_of_tables(left, right):
    before, after = Space("before", {"aa": left}), Space("after", {"aa": right})
    return compare_tables(language_words("aa", len(left)), before, after, 1).findings[0].value


def spaces():
    one = Space("before", {"aa": random_vectors(1), "bb": random_vectors(2)})
    return one, Space("after", {name: 3 * own @ rotation() + 5 for name, own in one.vectors.items()})


def test_a_rotated_scaled_moved_copy_keeps_its_shape():
    before, after = spaces()
    result = compare_tables(WORDS["aa"], before, after, 1)
    assert result.procrustes == pytest.approx(0, abs=1e-9) and result.findings[0].value == pytest.approx(1)
    assert is_evidence(result.findings), verdict(result.findings)


def test_another_random_table_does_not():
    before, _ = spaces()
    other = Space("other", {"aa": random_vectors(8)})
    assert not is_evidence(compare_tables(WORDS["aa"], before, other, 1).findings)


def test_two_tables_that_agree_in_ranks_alone_are_no_evidence():
    one = Space("before", {"aa": rank_only_space(WORDS, 16, 1).vectors["aa"] * 30 + random_vectors(1) * 0.1})
    two = Space("after", {"aa": rank_only_space(WORDS, 16, 1).vectors["aa"] * 30 + random_vectors(2) * 0.1})
    result = compare_tables(WORDS["aa"], one, two, 1)
    assert result.findings[0].value > 0.99
    collapsed_both = compare_tables(WORDS["aa"], collapsed(), collapsed(), 1)
    assert not is_evidence(collapsed_both.findings)


def test_translations_form_the_same_shape():
    vectors = random_vectors(1)
    pairs = [(k, (k * 7) % 300) for k in range(300)]
    turned = np.empty_like(vectors)
    for one, other in pairs:
        turned[other] = vectors[one] @ rotation()
    space = Space("x", {"aa": vectors, "bb": turned})
    result = compare_languages(space, pairs, ("aa", "bb"), 1)
    assert result.count == 300 and result.findings[0].value == pytest.approx(1)
    assert is_evidence(result.findings), verdict(result.findings)
    assert not is_evidence(compare_languages(space, [(k, k) for k in range(300)], ("aa", "bb"), 1).findings)


def test_procrustes_and_cka_against_slow_references():
    spatial = pytest.importorskip("scipy.spatial")
    left, right = random_vectors(1), random_vectors(2) + 0.5 * random_vectors(1)
    assert procrustes_distance(left, right) == pytest.approx(spatial.procrustes(left, right)[2])
    assert cka_of_tables(left, right) == pytest.approx(cka(left, right))
    # another dimension is no hindrance, and one point everywhere is no shape
    assert cka_of_tables(left, np.concatenate([left, left], axis=1)) == pytest.approx(1)
    assert cka_of_tables(left, np.ones((300, 4))) == 0 and procrustes_distance(left, np.ones((300, 4))) == 1


def test_one_projection_for_all_tables():
    vectors = np.zeros((300, 5))
    vectors[:, 3], vectors[:, 1] = 9 * random_vectors(1)[:, 0], 3 * random_vectors(1)[:, 1]
    before = Space("before", {"aa": vectors})
    after = Space("after", {"aa": 2 * vectors})
    (one,), (two,) = (list(points.values()) for points in project([before, after]))
    assert one.shape == (300, 2)
    assert abs(np.corrcoef(one[:, 0], vectors[:, 3])[0, 1]) == pytest.approx(1, abs=0.01)
    mean = vectors.mean(0)
    # the same axes: the second table is twice as wide in the same picture, about the first one's mean
    assert np.allclose(two - two.mean(0), 2 * (one - one.mean(0))) and abs(mean).max() < 1
    assert explained(before) == pytest.approx(1)
    assert project([before, Space("small", {"aa": random_vectors(1, 300, 2)})])[1]["aa"].shape == (300, 2)


def test_the_control_is_the_cka_of_exchanged_words():
    words = language_words("aa", 150)
    left, right = Space("left", {"aa": random_vectors(1, 150)}), Space("right", {"aa": random_vectors(2, 150, 5)})
    finding = compare_tables(words, left, right, 7).findings[0]
    rng, slow = np.random.default_rng(7), []
    for _ in range(20):
        order = np.concatenate([rng.permutation(100), 100 + rng.permutation(50)])
        slow.append(cka(left.vectors["aa"], right.vectors["aa"][order]))
    assert finding.value == pytest.approx(cka(left.vectors["aa"], right.vectors["aa"]))
    assert finding.controls[0].value == pytest.approx(np.mean(slow))
    assert finding.controls[0].limit == pytest.approx(np.quantile(slow, 0.95))
