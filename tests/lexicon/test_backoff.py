import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from crossinit_fairseq.lexicon import backoff
from crossinit_fairseq.lexicon.backoff import kin, with_backoff
from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence
from crossinit_fairseq.lexicon.induction import InductionSettings, induce
from crossinit_fairseq.lexicon.lexicon_file import FORWARD
from crossinit_fairseq.lexicon.spelling import spelling_similarity
from tests.lexicon.toy_cooccurrence import toy_language

WORDS = ["noire", "noires", "chat", "chats", "marchons", "marchions"]
spellings = st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=12, unique=True)


def test_forms_of_one_word_are_kin_and_other_words_are_not():
    found = kin(WORDS).toarray()
    expected = np.kron(np.eye(3), [[0, 1], [1, 0]]).astype(bool)
    np.testing.assert_array_equal(found > 0, expected)
    assert found[found > 0].min() >= 0.5 and found.max() < 1
    np.testing.assert_allclose(found, found.T, atol=1e-6)


@given(spellings, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_kin_agree_with_a_slow_search(words, most):
    found, alike = kin(words, most).toarray(), spelling_similarity(words, words).toarray()
    for row in range(len(words)):
        others = sorted((alike[row, k] for k in range(len(words)) if k != row and alike[row, k] >= 0.5), reverse=True)
        assert found[row, row] == 0
        np.testing.assert_allclose(np.sort(found[row][found[row] > 0])[::-1], others[:most], atol=1e-6)


def test_backoff_by_hand(monkeypatch):
    """Window [[2, 0], [0, 4], [1, 1]] of words seen once, twice and once: being seen once gains 8 / 4 = 2.

    Words 0 and 1 are 0.8 alike, and are lent 3 x 2 x 0.8 = 4.8, in the company of the other; word 2 has no kin.
    """
    monkeypatch.setattr(backoff, "kin", lambda words: sparse.csr_matrix([[0, 0.8, 0], [0.8, 0, 0], [0, 0, 0]]))
    window = sparse.csr_matrix(np.array([[2, 0], [0, 4], [1, 1]], dtype=np.float32))
    found = with_backoff(window, np.array([1, 2, 1]), ["a", "b", "c"], 3.0)
    np.testing.assert_allclose(found.toarray(), [[2, 4.8], [4.8, 4], [1, 1]], rtol=1e-6)
    assert found.dtype == np.float32 and found.format == "csr"


def test_several_kin_lend_no_more_than_is_asked_for(monkeypatch):
    """Two kin, 0.9 and 0.6 alike, whose counts are [4, 0] and [0, 1]: [3.6, 0.6] of 4.2, as 1 x 11 / 11 in all."""
    alike = np.array([[0, 0.9, 0.6], [0, 0, 0], [0, 0, 0]])
    monkeypatch.setattr(backoff, "kin", lambda words: sparse.csr_matrix(alike))
    window = sparse.csr_matrix(np.array([[0, 6], [4, 0], [0, 1]], dtype=np.float32))
    found = with_backoff(window, np.array([6, 4, 1]), ["a", "b", "c"], 1.0).toarray()
    np.testing.assert_allclose(found, [[3.6 / 4.2, 6 + 0.6 / 4.2], [4, 0], [0, 1]], rtol=1e-6)


@given(spellings, st.integers(0, 5), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_backoff_agrees_with_a_slow_one_in_blocks_of_any_size(words, seed, block):
    window = np.random.default_rng(seed).integers(0, 4, (len(words), 5)).astype(np.float32)
    counts, alike = np.arange(len(words), 0, -1), kin(words).toarray()
    expected = window.copy()
    for row in range(len(words)):
        company = sum((alike[row, other] * window[other] for other in range(len(words))), np.zeros(5))
        share = min(alike[row].sum(), 1)
        if company.sum():
            expected[row] += 2.5 * share * window.sum() / counts.sum() * company / company.sum()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backoff, "_BLOCK", block)
        found = with_backoff(sparse.csr_matrix(window), counts, words, 2.5)
    assert found.dtype == np.float32 and found.format == "csr"
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-5, atol=1e-6)


def test_a_frequent_word_hardly_feels_it_and_without_it_nothing_changes():
    window = sparse.csr_matrix(np.array([[1000, 0], [0, 1], [0, 0]], dtype=np.float32))
    counts, words = np.array([500, 1, 1]), ["marchons", "marchions", "chat"]
    found = with_backoff(window, counts, words, 2.0).toarray()
    assert found[0, 1] / found[0].sum() < 0.01 and found[1, 0] > found[1, 1]
    assert found[2].tolist() == [0, 0]
    assert with_backoff(window, counts, words, 0.0) is window


def inflected(language, forms, seed=2):
    """The same language in a tenth of the text, where what a word does falls by chance to its forms, spelt alike."""
    random, words = np.random.default_rng(seed), len(language)
    letters = np.array(list("bcdfghjklmnpqrstvwxz"))
    stems = ["".join(random.choice(letters, 8)) for _ in range(words)]

    def split(matrix):
        """A tenth of counts [N, N], as [N * forms, N * forms], by chance."""
        matrix = random.binomial(matrix, 0.1)
        for _ in range(2):
            matrix = random.multinomial(matrix, np.full(forms, 1 / forms))  # [N, M, forms]
            matrix = matrix.transpose(1, 0, 2).reshape(matrix.shape[1], -1)  # [M, N * forms]
        return matrix

    names = [stem + ending for stem in stems for ending in ("", "a", "e", "i")[:forms]]
    counts = random.multinomial(language.counts // 10, np.full(forms, 1 / forms)).ravel() + 1
    window = split(language.window.toarray().astype(np.int64))
    order = np.argsort(-counts, kind="stable")
    other = CoOccurrence(
        "ro",
        [names[number] for number in order],
        counts[order],
        int(counts.sum()),
        sparse.csr_matrix(window[order][:, order].astype(np.float64)),
        sparse.csr_matrix(window[order][:, order]),
        np.repeat(language.place, forms)[order],
    )
    return other, stems


def test_forms_that_are_too_rare_by_themselves_are_found_by_their_kin():
    """Four forms a word, on one side: which word one is of is told by all of them together."""
    language = toy_language(words=300)
    other, stems = inflected(language, 4)
    seeds = [(language.words[k], stems[k]) for k in range(0, 300, 4)]
    right = {}
    for times in (0.0, 20.0):
        settings = InductionSettings(
            dimensions=40, rounds=6, restarts=1, rank_weight=0.0, spelling_weight=0.0, backoff=times
        )
        found = induce(language, other, settings, seeds).lexicon
        partner = {pair.target: pair.source for pair in found.pairs if pair.found != FORWARD}
        forms = [
            (name, word) for stem, word in zip(stems, language.words) for name in (stem + "a", stem + "e", stem + "i")
        ]
        right[times] = np.mean([partner.get(name) == word for name, word in forms])
        assert found.settings["backoff"] == f"{times:g}"
    assert right[20.0] > right[0.0] + 0.15
