"""Word retrieval against a slow reference, on a copy, a rotated copy, a collapsed table and by rank alone."""

import numpy as np
import pytest

from crossinit_fairseq.analysis.controls import is_evidence, rank_only_space, verdict
from crossinit_fairseq.analysis.retrieval import (
    COSINE,
    CSLS,
    Retrieved,
    Translations,
    exchange,
    find_translations,
    measure_retrieval,
    retrieve,
)
from crossinit_fairseq.analysis.words import LanguageWords, Space
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.similarity import csls
from tests.analysis.spaces import collapsed, random_vectors, rotation, two_languages

PAIRS = [(f"a{k}", f"b{(k + 40) % 300}") for k in range(0, 300, 3)] + [("a0", "b299")]
WORDS = two_languages()
TRANSLATIONS = find_translations(WORDS, "aa", "bb", PAIRS, "dict")
EXCHANGED = exchange(WORDS, TRANSLATIONS, 1)


def copy():
    """bb is aa with every word 40 places on."""
    vectors = random_vectors(1)
    return Space("copy", {"aa": vectors, "bb": np.roll(vectors, 40, axis=0)})


def test_a_copy_finds_every_word_and_is_evidence():
    for metric in (COSINE, CSLS):
        result = measure_retrieval(WORDS, copy(), TRANSLATIONS, metric, {}, EXCHANGED)
        assert [finding.value for finding in result.findings] == [1, 1, 1]
        assert result.p5 == result.mrr == 1
        assert is_evidence(result.findings), verdict(result.findings)
        assert result.bands[0][:3] == (1, 100, 34) and result.bands[1][:3] == (101, 500, 66)
        assert result.bands[2][2:] == (0, None)


def test_a_rotated_copy_has_the_shape_and_finds_nothing():
    space = copy()
    rotated = Space("rotated", {"aa": space.vectors["aa"], "bb": space.vectors["bb"] @ rotation()})
    result = measure_retrieval(WORDS, rotated, TRANSLATIONS, COSINE, {}, EXCHANGED)
    assert result.findings[0].value < 0.05 and not is_evidence(result.findings)


def test_a_collapsed_table_finds_nothing_since_ties_count_against_it():
    for metric in (COSINE, CSLS):
        found = retrieve(collapsed(), TRANSLATIONS, metric)
        # a0 has two translations, the others one; all 300 words tie
        assert sorted(found.places) == [299] + [300] * 99
        assert not is_evidence(measure_retrieval(WORDS, collapsed(), TRANSLATIONS, metric, {}, EXCHANGED).findings)


def test_what_ranks_alone_find_is_no_evidence():
    by_rank = Translations("aa", "bb", {k: {k} for k in range(100, 200)}, [], 0, 100)
    space = rank_only_space(WORDS, 16, 1)
    untrained = {"rank-only table": retrieve(space, by_rank)}
    result = measure_retrieval(WORDS, space, by_rank, COSINE, untrained, exchange(WORDS, by_rank, 1))
    assert result.findings[0].value == 1
    assert verdict(result.findings).startswith("no evidence: reached by rank-only table")


@pytest.mark.parametrize("metric", [COSINE, CSLS])
def test_slow_reference(metric):
    space = Space("noisy", {"aa": copy().vectors["aa"], "bb": copy().vectors["bb"] + 1.2 * random_vectors(9)})
    unit = {name: own / np.linalg.norm(own, axis=1, keepdims=True) for name, own in space.vectors.items()}
    scores = unit["aa"] @ unit["bb"].T
    scores = csls(scores) if metric == CSLS else scores
    wanted = {}
    for one, other in PAIRS:
        wanted.setdefault(int(one[1:]), set()).add(int(other[1:]))
    places = []
    for word in sorted(wanted):
        order = sorted(range(300), key=lambda other: -scores[word, other])
        places.append(1 + min(order.index(right) for right in wanted[word]))
    found = retrieve(space, TRANSLATIONS, metric)
    assert found.places.tolist() == places and 1 < max(places)
    assert found.precision(5) == pytest.approx(sum(place <= 5 for place in places) / len(places))
    assert found.mrr == pytest.approx(sum(1 / place for place in places) / len(places))


def test_words_absent_from_the_vocabulary_are_listed_and_equal_spellings_set_apart():
    words = {
        "en": LanguageWords("en", ["the", "radio", "house"], np.array([1, 2, 3]), 3),
        "ro": LanguageWords("ro", ["casă", "radio"], np.array([1, 2]), 2),
    }
    pairs = [("radio", "radio"), ("house", "casă"), ("House", "locuință"), ("queen", "regină"), ("the", "cel")]
    found = find_translations(words, "en", "ro", pairs, "en-ro.txt")
    assert found.entries == {2: {0}} and found.same == 1 and found.missing == ["House", "queen", "the"]
    assert found.total == 5 and found.coverage == pytest.approx(0.2)
    with pytest.raises(InputError, match="en-hi.txt: none of its 1 words"):
        find_translations(words, "en", "ro", [("घर", "house")], "en-hi.txt")


def test_exchanged_translations_against_a_slow_reference():
    best = np.random.default_rng(3).integers(0, 300, len(TRANSLATIONS.entries))
    rng, hits = np.random.default_rng(1), np.zeros(100)
    for word, place in zip(best, sorted(TRANSLATIONS.entries)):
        drawn = [rng.choice(WORDS["bb"].band(right), size=100) for right in sorted(TRANSLATIONS.entries[place])]
        hits += [any(one[draw] == word for one in drawn) for draw in range(100)]
    assert EXCHANGED.hits(best) == pytest.approx(hits / 100) and hits.sum() > 0
    assert len(EXCHANGED.draws) == 101 and len(EXCHANGED.starts) == 100


def test_a_language_of_one_word_has_no_other_word_of_its_rank():
    words = {
        "aa": LanguageWords("aa", ["a", "b"], np.array([1, 2]), 2),
        "bb": LanguageWords("bb", ["c"], np.array([1]), 1),
    }
    exchanged = exchange(words, Translations("aa", "bb", {0: {0}, 1: {0}}, [], 0, 2), 1)
    assert exchanged.hits(Retrieved(np.array([1, 1]), np.array([0, 0])).best).tolist() == [0] * 100
