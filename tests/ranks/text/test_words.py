"""What a word is in raw text: examples worked by hand."""

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.ranks import TextWords

regex = pytest.importorskip("regex")


def words_of(text, language, lowercase=False):
    rules = TextWords.of_cut_words(language, lowercase)
    found = regex.findall(rules.pattern, rules.normalise(text))
    return [rules.lower(word) for word in found] if lowercase else found


@pytest.mark.parametrize(
    "language, text, words",
    [
        # combining marks, and the zero-width joiner inside a word but not at its end
        ("ne", "नेपालको राजधानी, काठमाडौं।", ["नेपालको", "राजधानी", "काठमाडौं"]),
        ("ne", "गर\u094d\u200dयो र\u200d ", ["गर\u094d\u200dयो", "र"]),
        ("fa", "می\u200cخواهم", ["می\u200cخواهم"]),
        # punctuation and symbols end a word; digits are words; a mark alone is none
        ("en", "e-mail: a_b 3.14 x² ☃ \u0301", ["e", "mail", "a", "b", "3", "14", "x²"]),
        # apostrophes inside a word, in either form, but not around it, not twice, not where they elide
        ("en", "'don’t' don't rock 'n' roll a''b", ["don't", "don't", "rock", "n", "roll", "a", "b"]),
        ("fr", "l’homme d'or", ["l", "homme", "d", "or"]),
        ("uk", "п'ять", ["п'ять"]),
        ("ca", "col·lecció", ["col·lecció"]),
        ("he", 'צה״ל צה"ל "צה\u200eל" ג\'ירפה ג׳ירפה', ["צה״ל", "צה״ל", "צהל", "ג׳ירפה", "ג׳ירפה"]),
        ("yid_Hebr", 'צה"ל', ["צה״ל"]),
        ("en", 'a"b', ["a", "b"]),
        # tatweel, word joiner, byte order mark, marks of direction, a variant of a glyph: none is seen
        ("ar", "كتـــاب كتاب ـ", ["كتاب", "كتاب"]),
        ("en", "co\u2060op co\ufeffop co\u200eop coop\ufe0f", ["coop"] * 4),
        ("ja", "\u845b\U000e0100\u57ce", ["\u845b\u57ce"]),
        ("uk", "п\u02bcять п’ять п'ять", ["п'ять"] * 3),
        ("uzb_Latn", "o\u02bbzbek o\u2018zbek o'zbek o\u02bczbek", ["o'zbek"] * 4),
        # ligatures, letters as they look inside a word, full-width ones; a superscript is another character
        ("en", "\ufb01le \ufb03x \uff37\uff4f\uff52\uff44\uff13 x\u00b2", ["file", "ffix", "Word3", "x\u00b2"]),
        ("nl", "\u0133s ijs", ["ijs", "ijs"]),
        ("ar", "\ufefb \ufdf2 \ufebb\ufee0\ufeee", ["\u0644\u0627", "\u0627\u0644\u0644\u0647", "\u0635\u0644\u0648"]),
        ("he", "\ufb4f", ["\u05d0\u05dc"]),
        ("hy", "\ufb13", ["\u0574\u0576"]),
        ("ja", "\uff76\uff9e\uff97\uff7d", ["\u30ac\u30e9\u30b9"]),  # half-width ga ra su
        # their punctuation separates as before, and nothing becomes a space or a lone mark
        ("zh_Latn", "a\uff0cb\uff07c", ["a", "b'c"]),
        ("ar", "\u0628\ufe70\u0628", ["\u0628\ufe70\u0628"]),
        # Arabic kaf and yeh in languages that have their own
        (
            "fas",
            "\u0643\u062a\u0627\u0628\u064a \u06a9\u062a\u0627\u0628\u06cc",
            ["\u06a9\u062a\u0627\u0628\u06cc"] * 2,
        ),
        ("ur", "\ufb8e\ufe8e \u0643\u0627", ["\u06a9\u0627"] * 2),
        ("ar", "\u0643\u064a", ["\u0643\u064a"]),
        # Sorani's e typed as a heh that joins nothing; a heh that joins stays
        (
            "ckb",
            "\u0647\u200c\u0645 \u06d5\u0645 \u0645\u0647\u200c \u0647\u0645",
            ["\u06d5\u0645", "\u06d5\u0645", "\u0645\u06d5", "\u0647\u0645"],
        ),
        # the Armenian ligature of two letters
        ("hye", "\u0587 \u0565\u0582 \u0565\u0582\u0587", ["\u0565\u0582"] * 2 + ["\u0565\u0582" * 2]),
        # the middle dot of Catalan, the glottal stop of Hawaiian, in their many typings
        (
            "cat",
            "col\u00b7lega col\u2022lega col\u2219lega col\u22c5lega col\u2027lega col.lega co\u0140lega S.L.L. l. La",
            ["col\u00b7lega"] * 7 + ["S", "L", "L", "l", "La"],
        ),
        ("haw", "\u02bbokina \u2018okina 'okina \u2019okina `okina \u02bcokina", ["\u02bbokina"] * 6),
        ("haw", "Hawai\u02bbi Hawai\u2018i Hawai'i Hawai\u2019i ka'\u016a", ["Hawai\u02bbi"] * 4 + ["ka\u02bb\u016a"]),
        ("smo", "fa'a 'o lau'", ["fa\u02bba", "\u02bbo", "lau"]),
        # a zero-width space is a space
        ("km", "ក\u200bខ", ["ក", "ខ"]),
        # NFC, soft hyphens, a byte order mark, other spaces
        ("de", "\ufeffu\u0308ber Wort\u00adteil\u00a0x\u3000y", ["über", "Wortteil", "x", "y"]),
        # a nukta letter that NFC keeps apart
        ("hi", "\u095c", ["\u0921\u093c"]),
        ("ro", "şi ţară Ş Ţ și", ["și", "țară", "Ș", "Ț", "și"]),
        ("ro_RO", "s\u0327i", ["și"]),
        ("tr", "şu", ["şu"]),
    ],
)
def test_words(language, text, words):
    assert words_of(text, language) == words


@pytest.mark.parametrize(
    "language, text, words",
    [
        ("en", "The İ", ["the", "i\u0307"]),
        ("tr", "Iğdır İZMİR", ["ığdır", "izmir"]),
        ("el", "ΟΔΟΣ ΣΑΣ", ["οδος", "σας"]),
        # capital J with caron has no composed form, small j has one
        ("en", "J\u030c", ["\u01f0"]),
    ],
)
def test_lowercase(language, text, words):
    assert words_of(text, language, lowercase=True) == words


def test_language_codes():
    assert [base_language(code) for code in ("en", "ro_RO", "zh-Hans", "NE")] == ["en", "ro", "zh", "ne"]
    for code in ("", "e", "en ", "../x"):
        with pytest.raises(InputError, match="is no language code"):
            base_language(code)


def test_languages_without_spaces_need_a_segmenter():
    with pytest.raises(InputError, match="Thai has no spaces between words: count it with a segmenter"):
        TextWords("th_TH")
    with pytest.raises(InputError, match="Cantonese has no spaces between words"):
        TextWords("yue")
    assert words_of("g\u00f3a \u0101i l\u00ed", "nan_Latn") == ["g\u00f3a", "\u0101i", "l\u00ed"]
