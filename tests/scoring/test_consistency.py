"""scoring/consistency.py: files that belong together."""

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.scoring.consistency import check_sentences, check_text_languages, likely_language
from crossinit_fairseq.scoring.outputs import Output

EN = ["The house on the hill is old .", "My brother reads a book every day .", "We leave tomorrow ."]
RO = [
    "Casa de pe deal este veche .",
    "Fratele meu cite\u0219te o carte \u00een fiecare zi .",
    "Plec\u0103m m\u00e2ine .",
]


def output(sources=None, targets=None):
    return Output("out", list(RO), "fairseq-generate", dict(enumerate(sources or [])), dict(enumerate(targets or [])))


def refusal(out, **texts):
    with pytest.raises(InputError) as error:
        check_sentences(out, texts.get("reference", RO), "test.ro", texts.get("source"), "test.en")
    return str(error.value)


def test_right_files_pass():
    # what went through a dictionary and a normaliser: unknown words, cedillas, no case
    unknown = [line.replace("Casa", "<<unk>>").replace("\u0219", "\u015f").lower() for line in RO]
    for source in (None, EN):
        check_sentences(output(EN, unknown), RO, "test.ro", source, "test.en")
        check_sentences(output(EN), RO, "test.ro", source, "test.en")
        check_sentences(output(), RO, "test.ro", source, "test.en")


def test_the_other_direction():
    assert "other direction" in refusal(output(RO, EN))
    assert "other direction" in refusal(output(RO))
    assert "other direction" in refusal(output(RO, EN), source=EN)
    assert "other direction" in refusal(output(EN, RO), reference=EN, source=RO)


def test_other_sentences():
    assert "T- lines of out are not the sentences of test.ro" in refusal(output(EN, RO[1:] + RO[:1]))
    assert "S- lines of out are not the sentences of test.en" in refusal(output(EN[1:] + EN[:1], RO), source=EN)


def test_lost_spaces():
    """As fairseq-generate writes its T- and D- lines when it joins the pieces twice."""
    glued = [line.replace(" ", "") for line in RO]
    told = "drop --bpe and --sentencepiece-model, and keep --remove-bpe"
    assert told in refusal(output(EN, glued))
    without_targets = Output("out", glued, "fairseq-generate", dict(enumerate(EN)), {})
    assert told in refusal(without_targets)
    # a language without spaces, and short answers, are no such case
    chinese = ["\u6211\u4eec\u4eca\u5929\u53bb\u5317\u4eac\u5927\u5b66\u770b\u4e66"] * 3
    check_sentences(Output("out", chinese, "text"), chinese, "test.zh")
    check_sentences(Output("out", ["Da."] * 3, "text"), RO, "test.ro")


def test_text_without_blanks():
    zh = [
        "\u6211\u4eec\u4eca\u5929\u53bb\u5317\u4eac\u5927\u5b66\u770b\u4e66\u3002",
        "\u732b\u5750\u5728\u57ab\u5b50\u4e0a\u3002",
    ]
    # what went through a dictionary lacks a letter of each sentence
    unknown = [line.replace("\u4eca", "<unk>").replace("\u732b", "<unk>") for line in zh]
    check_sentences(output(None, unknown), zh, "test.zh")
    assert "are not the sentences" in refusal(output(None, zh[::-1]), reference=zh)


def test_languages():
    pytest.importorskip("py3langid")
    english, romanian = EN * 20, RO * 20
    assert likely_language(english, ("en", "ro_RO")) == "en" and likely_language(romanian, ("en", "ro_RO")) == "ro_RO"
    assert likely_language(EN, ("en", "ro")) is None, "too short"
    assert likely_language(english, ("en", "ti")) is None, "unknown to py3langid"
    check_text_languages(("en", "ro"), romanian, "r", english, "s")
    check_text_languages(("en", "ro"), romanian, "r")
    with pytest.raises(InputError, match="^r reads as en, not as ro: are the sides swapped"):
        check_text_languages(("en", "ro"), english, "r", romanian, "s")
    with pytest.raises(InputError, match="^s reads as ro, not as en"):
        check_text_languages(("en", "ro"), romanian, "r", romanian, "s")
