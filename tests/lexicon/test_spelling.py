import numpy as np
import pytest

from crossinit_fairseq.lexicon.spelling import comparable_spellings, scripts_differ, spelling_similarity


def test_equal_words_have_one_and_unlike_words_nothing():
    found = spelling_similarity(["nation", "dog"], ["nation", "chien"]).toarray()
    assert found[0, 0] == pytest.approx(1, abs=1e-5)
    assert found[1].tolist() == [0, 0]


def test_cognates_are_nearer_than_others():
    found = spelling_similarity(["organisation", "kitchen"], ["organizație", "bucătărie", "kilogram"]).toarray()
    assert found[0].argmax() == 0 and found[0, 0] > 0.4
    assert found[1].max() < 0.4


def test_diacritics_are_folded():
    assert comparable_spellings(["fișier"], ["élève"]) == [["fisier"], ["eleve"]]


def test_vowel_signs_stay_where_both_scripts_are_one():
    assert comparable_spellings(["नेपाली"], ["कुमार"]) == [["नेपाली"], ["कुमार"]]


def test_scripts_that_differ_are_romanised():
    pytest.importorskip("anyascii")
    assert scripts_differ(["nepal", "cat"], ["नेपाल", "2"])
    assert comparable_spellings(["nepal"], ["नेपाल"]) == [["nepal"], ["nepal"]]
    assert spelling_similarity(["nepal", "cat"], ["काम", "नेपाल"]).toarray()[0, 1] == pytest.approx(1, abs=1e-5)


def test_blocks_do_not_change_it(monkeypatch):
    words = ["alpha", "beta", "alphabet", "bet", "gamma"]
    whole = spelling_similarity(words, words).toarray()
    monkeypatch.setattr("crossinit_fairseq.lexicon.spelling._BLOCK", 2)
    np.testing.assert_allclose(spelling_similarity(words, words).toarray(), whole, atol=1e-6)
    assert whole[0, 2] > 0.2 > whole[0, 4]


def test_two_scripts_neither_of_which_is_latin_are_romanised():
    pytest.importorskip("anyascii")
    russian, greek = ["москва", "радио", "метро"], ["μόσχα", "ράδιο", "μετρό"]
    assert scripts_differ(russian, greek) and not scripts_differ(russian, ["софия"]) and not scripts_differ([], greek)
    found = spelling_similarity(russian, greek).toarray()
    assert found.argmax(1)[1:].tolist() == [1, 2] and found[1, 1] > 0.5
