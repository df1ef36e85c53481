"""Analogies against a slow reference, on an exact one, a collapsed table and random vectors."""

import numpy as np
import pytest

from crossinit_fairseq.analysis.analogies import Analogy, find_analogies, measure_analogies
from crossinit_fairseq.analysis.controls import is_evidence, verdict
from crossinit_fairseq.analysis.words import Space
from crossinit_fairseq.errors import InputError
from tests.analysis.spaces import collapsed, random_vectors, two_languages

PLACES = {"aa": (150, 60, 70, 180), "bb": (151, 62, 72, 182)}
FOUR = {"aa": Analogy("a150", "a60", "a70", "a180"), "bb": Analogy("b151", "b62", "b72", "b182")}


def exact():
    """Random words, but king - man + woman = queen in both languages and across: gender and rank are axes."""
    vectors = {"aa": random_vectors(1), "bb": random_vectors(2)}
    base, gender, royal = random_vectors(3)[:3]
    for language, (king, man, woman, queen) in PLACES.items():
        vectors[language][[king, man, woman, queen]] = [base + royal, base, base + gender, base + royal + gender]
    return Space("exact", vectors)


def test_an_exact_analogy_is_evidence_in_every_mix():
    words = two_languages()
    found, missing = find_analogies(words, FOUR)
    assert found == PLACES and missing == []
    results = measure_analogies(words, exact(), found, [])
    assert len(results) == 2 * 2**3
    for result in results:
        assert result.findings[0].value == pytest.approx(1) and result.l2 == pytest.approx(0, abs=1e-9)
        assert result.place == 1
        assert is_evidence(result.findings), verdict(result.findings)
    assert results[1].left == "a150 - a60 + b72" and results[1].target == "a180 (aa)"


def test_a_collapsed_table_scores_one_everywhere_and_is_no_evidence():
    results = measure_analogies(two_languages(), collapsed(), PLACES, [])
    for result in results:
        assert result.findings[0].value == pytest.approx(1)
        assert verdict(result.findings).startswith("no evidence: reached by words of the same rank band (1), the first")
        assert result.place == result.band


def test_a_common_direction_is_taken_out_before_anything_is_evidence():
    # cosines of nearly 1 that are nothing but a common vector
    vectors = {"aa": random_vectors(1) + 20, "bb": random_vectors(2) + 20}
    results = measure_analogies(two_languages(), Space("common", vectors), PLACES, [])
    assert min(result.findings[0].value for result in results) > 0.9
    assert not any(is_evidence(result.findings) for result in results)


def test_slow_reference():
    words, space = two_languages(), Space("random", {"aa": random_vectors(1), "bb": random_vectors(2)})
    (result,) = [
        one
        for one in measure_analogies(words, space, PLACES, [])
        if one.left == "b151 - a60 + b72" and one.target == "a180 (aa)"
    ]
    vector = space.vectors["bb"][151] - space.vectors["aa"][60] + space.vectors["bb"][72]

    def cosine(one, other):
        return sum(a * b for a, b in zip(one, other)) / (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5

    goal = space.vectors["aa"][180]
    # rank 181: its band is 120.7 to 271.5, of which a60 is no part
    band = [cosine(vector, space.vectors["aa"][k]) for k in range(120, 271) if k != 180]
    assert result.findings[0].value == pytest.approx(cosine(vector, goal))
    assert result.l2 == pytest.approx(sum((a - b) ** 2 for a, b in zip(vector, goal)) ** 0.5)
    control = {one.name: one for one in result.findings[0].controls}
    assert control["words of the same rank band"].value == pytest.approx(sum(band) / len(band))
    assert control["words of the same rank band"].limit == pytest.approx(np.quantile(band, 0.95))
    assert control["the first word alone"].limit == pytest.approx(cosine(space.vectors["bb"][151], goal))
    assert control["the third word alone"].limit == pytest.approx(cosine(space.vectors["bb"][72], goal))
    assert result.place == 1 + sum(one >= result.findings[0].value for one in band) and result.band == len(band) + 1


def test_untrained_tables_are_controls():
    words, space = two_languages(), exact()
    results = measure_analogies(words, space, PLACES, [Space("rank-only table", space.vectors)])
    assert not any(is_evidence(result.findings) for result in results)
    assert "reached by rank-only table (1)" in verdict(results[0].findings)


def test_words_that_are_absent_are_listed():
    found, missing = find_analogies(two_languages(), {"aa": FOUR["aa"], "bb": Analogy("b1", "x", "b2", "y")})
    assert list(found) == ["aa"] and missing == ["x (bb)", "y (bb)"]
    with pytest.raises(InputError, match="analogy of cc has no words"):
        find_analogies(two_languages(), {"cc": FOUR["aa"]})
