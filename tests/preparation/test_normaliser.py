"""crossinit_fairseq/preparation/normaliser.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)

pytest.importorskip("sacremoses")
pytest.importorskip("indicnlp")

from crossinit_fairseq.preparation.normaliser import LONGEST, LineNormaliser, comparable, pieces_of  # noqa: E402

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
