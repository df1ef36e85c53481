"""crossinit_fairseq/preparation/normaliser.py"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)

pytest.importorskip("sacremoses")
pytest.importorskip("indicnlp")

from crossinit_fairseq.preparation.normaliser import LONGEST, LineNormaliser, comparable, pieces_of

NORMALISERS = {language: LineNormaliser(language) for language in ("en", "ro", "de", "ne", "hi")}
_CHARACTERS = st.sampled_from("aZș ţ\t\r\n\n'`´\"„”«»\u00a0()%:;,.|—…0९१नि़क्\u200d\u200b\ufeff\u0958\u0301\x07\u2028")
TEXT = st.text(_CHARACTERS, max_size=60)


@pytest.mark.parametrize(
    "language, line, expected",
    [
        ("ro", "\u015eeful \u0163\u0103rii \u0162\u0163", "\u0218eful \u021b\u0103rii \u021a\u021b"),
        ("tr", "\u015ee\u015f", "\u015ee\u015f"),  # Turkish has the cedilla
        ("ro_RO", "\u015f", "\u0219"),
        ("ron_Latn", "\u015f", "\u0219"),
        ("ro", "a\u0306 s\u0326", "\u0103 \u0219"),  # to composed letters
        ("ro", "„Lucrările” – «azi» …", '"Lucrările" - "azi" ...'),
        ("en", "“Yes”, he said—once.", '"Yes," he said - once.'),
        ("en", "\ufeff two\u200b  words\x07\t\u2003here ", "two words here"),
        ("en", "10\u00a0000 (a)b", "10 000 (a) b"),  # Moses would write 10.000
        ("ne", "ग\u094dर\u094d\u200dयो", "ग\u094dर\u094dयो"),  # no joiner
        ("hi", "\u0958लम", "क\u093cलम"),  # nukta apart
        ("hi", "वह आया|", "वह आया।"),
        ("ne", "पुन: १०:३०", "पुन: १०:३०"),  # a colon is no visarga
        ("hi", "कारण: दुःख", "कारण: दुःख"),  # and a visarga stays one
        ("en", "&quot;Tom &amp; Jerry&quot; &amp;lt; 3", '"Tom & Jerry" < 3'),
        ("ca", "col\u2022lega l\u2019any", "col\u00b7lega l'any"),
        ("haw", "\u2018O ka \u02bb\u014dlelo", "\u02bbO ka \u02bb\u014dlelo"),
        ("ckb", "\u0628\u0647\u200c", "\u0628\u06d5"),
        ("fr", '"oui".  Non', '"oui". Non'),
    ],
)
def test_a_line(language, line, expected):
    assert LineNormaliser(language)(line) == expected


@pytest.mark.parametrize("language", sorted(NORMALISERS))
@given(text=TEXT)
def test_lines_together_as_one_by_one(language, text):
    normaliser = NORMALISERS[language]
    assert normaliser(text).split("\n") == [normaliser(line) for line in text.split("\n")]


def test_comparable():
    assert comparable('"Ana are 3 MERE!"') == comparable("ana are 3 mere") == "anaare3mere"
    assert comparable("ana are 4 mere") != comparable("ana are 3 mere")
    assert comparable("si") != comparable("și")
    # vowel signs are part of the word
    assert comparable("कि।") == "कि" != comparable("का")


PUNCTUATION = [chr(code) for code in range(0x21, 0x20C0) if unicodedata.category(chr(code))[0] in "PS"]
# two letters of each script, between which a mark may stand
LETTERS = {
    "en": "aZ",
    "fr": "éa",
    "de": "ßu",
    "ro": "șt",
    "tr": "ıİ",
    "ru": "йж",
    "el": "ως",
    "he": "אב",
    "ar": "عب",
    "ne": "नप",
    "hi": "कम",
    "mr": "ळख",
    "bn": "কব",
    "ta": "கம",
    "th": "กข",
    "zh": "中文",
    "ko": "한국",
}


def letters(text):
    return [character for character in unicodedata.normalize("NFC", text) if unicodedata.category(character)[0] in "LM"]


@pytest.mark.parametrize("language", sorted(LETTERS))
def test_no_punctuation_becomes_a_letter(language):
    """Of every mark and symbol, between letters, after a letter, after a digit and alone."""
    first, second = LETTERS[language]
    lines = [
        line
        for mark in PUNCTUATION
        for line in (first + mark + second, first + mark, f"{first}{mark} {second}", f"1{mark}२", mark + first)
    ]
    found = LineNormaliser(language)("\n".join(lines)).split("\n")
    assert [line for line, one in zip(lines, found) if letters(one) != letters(line)] == [] and len(found) == len(lines)


def test_a_long_line_is_normalised_in_pieces(monkeypatch):
    normaliser, seen = LineNormaliser("ne"), []
    normalise = normaliser._normalise
    monkeypatch.setattr(normaliser, "_normalise", lambda text: seen.append(len(text)) or normalise(text))
    words = "पुन:  „x” " * 2000
    found = normaliser("a\n" + words + "\nb " + "." * 9000)
    assert max(seen) <= LONGEST and found.split("\n")[0] == "a"
    assert found.split("\n")[1] == " ".join(["पुन:", '"x"'] * 2000)
    assert found.split("\n")[2].replace(" ", "") == "b" + "." * 9000


@given(st.text(st.sampled_from("ab .\u00a0"), max_size=40), st.integers(1, 9))
def test_pieces_of_a_line(line, longest):
    pieces = pieces_of(line, longest)
    assert "".join(pieces) == line and max(map(len, pieces)) <= longest
    # cut within a word only where the word is too long
    for piece, following in zip(pieces, pieces[1:]):
        assert following.startswith(" ") or " " not in piece[1:]
