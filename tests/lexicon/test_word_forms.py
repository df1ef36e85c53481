"""crossinit_fairseq/lexicon/word_forms.py"""

import pytest

from crossinit_fairseq.lexicon import Lexicon, Pair
from crossinit_fairseq.lexicon.word_forms import WordForms, case_pattern, to_tokens, word_text
from tests.helpers import ranked_words

# 0     1      2     3    4         5         6     7       8           9    10    11     12
SYMBOLS = "▁file ▁File ▁FI LE ▁fișier ▁Fișier ▁fi șier ▁document ▁I ▁eu fișier File".split()
EN = ranked_words([[0], [1], [2, 3], [9]], counts=[9, 4, 2, 1])
RO = ranked_words([[4], [6, 7], [8], [5], [10]], counts=[8, 5, 3, 2, 1])


def forms(lowercase=True):
    return WordForms(EN, SYMBOLS, "en", lowercase), WordForms(RO, SYMBOLS, "ro", lowercase)


def lexicon(pairs, lowercase=True):
    return Lexicon("en", "ro", [Pair(*pair) for pair in pairs], {"lowercase": "yes"} if lowercase else {})


@pytest.mark.parametrize(
    "symbols, text",
    [
        (["▁fi", "șier"], "fișier"),
        (["▁", "fișier"], "fișier"),
        (["fi@@", "s\u0327@@", "ier"], "fi\u015fier"),  # NFC: s and a cedilla are one letter
        (["word"], "word"),
        (["\u2581ca", "<0xC3>", "<0xA9>"], "ca\u00e9"),
        (["&apos;s"], "'s"),
    ],
)
def test_the_string_of_a_word(symbols, text):
    assert word_text(symbols) == text


@pytest.mark.parametrize(
    "text, pattern",
    [
        ("file", "lower"),
        ("File", "Capitalised"),
        ("I", "Capitalised"),
        ("FILE", "UPPER"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("फ़ाइल", "lower"),
        ("2x", "lower"),
        ("2X", "Capitalised"),
        ("ǅep", "Capitalised"),  # a title-case letter
    ],
)
def test_case_patterns(text, pattern):
    assert case_pattern(text) == pattern


def test_a_word_is_found_in_every_spelling():
    symbols = ["\u2581don\u2019t", "\u2581Don", "\u02bct", "\u2581do\u00adn't"]
    words = WordForms(ranked_words([[0], [1, 2], [3]], counts=[3, 2, 1]), symbols, "en", lowercase=True)
    assert (
        [form.tokens for form in words.find("don't")]
        == [(0,), (1, 2), (3,)]
        == [form.tokens for form in words.find("DON\u2019T")]
    )


def test_all_forms_are_found_most_frequent_first():
    source, target = forms()
    assert [(form.text, form.tokens, form.count) for form in source.find("file")] == [
        ("file", (0,), 9),
        ("File", (1,), 4),
        ("FILE", (2, 3), 2),
    ]
    assert [form.tokens for form in target.find("fișier")] == [(4,), (6, 7), (5,)]
    assert source.find("FILE") == source.find("file") and source.find("nowhere") == []
    source, _ = forms(lowercase=False)
    assert [form.tokens for form in source.find("File")] == [(1,)]


def test_a_form_cased_alike_else_the_most_frequent():
    source, target = forms()
    lower, capitalised, upper = source.find("file")
    assert target.like("fișier", capitalised).tokens == (5,)
    assert target.like("fișier", lower).tokens == (4,), "of two ways to cut it the more frequent"
    assert target.like("fișier", upper).tokens == (4,), "there is no FIȘIER"
    with pytest.raises(KeyError):
        target.like("nowhere", lower)


def test_a_form_with_the_mark_of_a_blank_goes_with_one():
    """After a quotation mark a word has no mark: its translation stands there, too."""
    words = ranked_words([[4], [11], [5]], counts=[9, 5, 1])
    target = WordForms(words, SYMBOLS, "ro", True)
    source = WordForms(ranked_words([[0], [12], [1]]), SYMBOLS, "en", True)
    marked, unmarked, capitalised = source.find("file")
    assert (marked.tokens, unmarked.tokens, capitalised.tokens) == ((0,), (12,), (1,))
    assert target.like("fișier", marked).tokens == (4,)
    assert target.like("fișier", unmarked).tokens == (11,), "the mark goes before the case"
    assert target.like("fișier", capitalised).tokens == (5,)


def test_a_lexicon_in_tokens():
    got = to_tokens(lexicon([("file", "fișier"), ("foo", "bar"), ("i", "nowhere")]), *forms())
    assert (got.source, got.target) == ("en", "ro")
    # the three forms of file; then of the forms of fișier, [6, 7] is not yet there
    assert [(pair.source, pair.target) for pair in got.pairs] == [
        ((0,), (4,)),
        ((1,), (5,)),
        ((2, 3), (4,)),
        ((0,), (6, 7)),
    ]
    assert {pair.words for pair in got.pairs} == {("file", "fișier")}
    assert got.forward == {(0,): (4,), (1,): (5,), (2, 3): (4,)}
    assert got.backward == {(4,): (0,), (6, 7): (0,), (5,): (1,)}
    # file, i, fișier; foo, bar, nowhere
    assert (got.found, got.missing) == (3, 3)


def test_only_mutual_pairs_align_but_all_translate():
    pairs = [
        ("file", "fișier", 0.9),
        ("file", "document", 0.5, (0, 0), "backward"),
        ("i", "eu", 0.1, (0, 0), "forward"),
    ]
    got = to_tokens(lexicon(pairs), *forms())
    assert {pair.words for pair in got.pairs} == {("file", "fișier")}
    assert got.forward[(0,)] == (4,) and got.forward[(9,)] == (10,)
    assert got.backward[(8,)] == (0,) and (10,) not in got.backward


def test_cased_words_stay_apart_in_a_cased_lexicon():
    got = to_tokens(lexicon([("File", "Fișier")], lowercase=False), *forms(lowercase=False))
    assert [(pair.source, pair.target) for pair in got.pairs] == [((1,), (5,))]
    assert got.forward == {(1,): (5,)}


def test_turkish_case():
    words = ranked_words([[0], [1]], counts=[2, 1])
    symbols = ["▁ışık", "▁IŞIK"]
    assert [form.text for form in WordForms(words, symbols, "tr", True).find("ışık")] == ["ışık", "IŞIK"]
    assert [form.text for form in WordForms(words, symbols, "en", True).find("ışık")] == ["ışık"]


def test_only_words_that_are_wanted_are_kept():
    words = WordForms(EN, SYMBOLS, "en", True, wanted=["FILE", "nothing"])
    assert [form.text for form in words.find("file")] == [form.text for form in forms()[0].find("file")] != []
    assert not words.find("i") and not words.find("nothing")
