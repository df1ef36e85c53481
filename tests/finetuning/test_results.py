"""crossinit_fairseq/finetuning/results.py, baselines.py and published.py."""

import json

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.baselines import WordOverlap, likeliest_sentence, majority_label
from crossinit_fairseq.finetuning.nli_files import LABELS, Pair
from crossinit_fairseq.finetuning.qa_files import Question
from crossinit_fairseq.finetuning.results import mlqa_result, summary, xnli_result


def test_mean_deviation_average_and_gap_by_hand():
    seeds = [{"accuracy": {"en": 80.0, "de": 60.0, "hi": 40.0}}, {"accuracy": {"en": 70.0, "de": 60.0, "hi": 50.0}}]
    found = summary(seeds)["accuracy"]
    # deviation of 80 and 70 by n - 1: sqrt(25 + 25)
    assert found["languages"]["en"] == {"mean": 75.0, "deviation": pytest.approx(50**0.5), "seeds": [80.0, 70.0]}
    assert found["average"] == {"mean": 60.0, "deviation": 0.0, "seeds": [60.0, 60.0]}
    # 80 - 50, 70 - 55
    assert found["gap"] == {"mean": 22.5, "deviation": pytest.approx(112.5**0.5), "seeds": [30.0, 15.0]}


def test_no_gap_without_english_or_others():
    assert summary([{"f1": {"de": 1.0, "hi": 2.0}}])["f1"]["gap"] is None
    assert summary([{"f1": {"en": 1.0}}])["f1"]["gap"] is None
    # English is where both are English: 60 - (20 + 40) / 2
    assert summary([{"f1": {"en-de": 20.0, "en": 60.0, "de": 40.0}}])["f1"]["gap"]["mean"] == 30.0
    assert summary([{"f1": {"en-de": 20.0, "de": 40.0}}])["f1"]["gap"] is None


def test_accuracy_of_files(tmp_path):
    for language in ("en", "de"):
        rows = [f"a\tb\t{label}\n" for label in ("entailment", "entailment", "neutral", "contradiction")]
        (tmp_path / f"{language}.tsv").write_text("".join(rows), "utf-8")
    references = {language: str(tmp_path / f"{language}.tsv") for language in ("en", "de")}
    for seed, english in ((1, "entailment\n" * 4), (2, "neutral\n" * 4)):
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / "en.txt").write_text(english, "utf-8")
        (tmp_path / str(seed) / "de.txt").write_text("contradiction\n" * 4, "utf-8")
    train = [Pair("1", "a", "b", 0)]
    result = xnli_result({"mine": [str(tmp_path / "1"), str(tmp_path / "2")]}, references, train)
    languages = result["systems"]["mine"]["accuracy"]["languages"]
    assert languages["en"]["seeds"] == [50.0, 25.0] and languages["de"]["mean"] == 25.0
    assert result["baselines"]["majority class"]["accuracy"]["languages"]["de"]["mean"] == 50.0
    table3 = result["published"][0]
    assert table3["scores"]["accuracy"] == {"en": 72.69, "de": 54.05} and not table3["average"]


def test_pairs_without_a_label_are_refused(tmp_path):
    (tmp_path / "en.tsv").write_text("a\tb\n", "utf-8")
    with pytest.raises(InputError, match="pairs without a label"):
        xnli_result({}, {"en": str(tmp_path / "en.tsv")})


def test_answers_of_files_with_another_language_of_questions(tmp_path, caplog):
    rows = [{"id": str(k), "question": "q", "answers": [{"text": "das Haus", "answer_start": 0}]} for k in range(2)]
    data = {"data": [{"paragraphs": [{"context": "das Haus. Ein Baum.", "qas": rows}]}]}
    (tmp_path / "dev.json").write_text(json.dumps(data), "utf-8")
    (tmp_path / "de-en.json").write_text('{"0": "Haus"}', "utf-8")
    result = mlqa_result({"mine": [str(tmp_path)]}, {"de-en": str(tmp_path / "dev.json")})
    # German articles count for nothing, since the paragraphs are German; question 1 has no answer
    assert result["systems"]["mine"]["em"]["languages"]["de-en"]["mean"] == 50.0
    assert list(result["unanswered"].values()) == [1]
    # Table 6 has questions in the language of the paragraphs: none of its figures stands beside others
    assert not result["published"]
    (tmp_path / "de.json").write_text('{"0": "Haus", "1": "ein Baum"}', "utf-8")
    files = {name: str(tmp_path / "dev.json") for name in ("de-en", "de")}
    assert mlqa_result({"m": [str(tmp_path)]}, files)["published"][0]["scores"]["f1"] == {"de": 62.2}
    assert not mlqa_result({"m": [str(tmp_path)]}, files, "squad")["published"]
    caplog.clear()
    assert not caplog.records
    mlqa_result({}, {"de-hi": str(tmp_path / "dev.json")})
    assert "dev.json, questions: most letters are Latin: is this text hi?" in caplog.text


def pair(premise, hypothesis, label):
    return Pair("1", premise, hypothesis, LABELS.index(label))


def test_word_overlap_learns_what_overlap_tells():
    train = [pair("a b c d", "a b", "entailment"), pair("a b c d", "A b!", "entailment"), pair("a b", "x y", "neutral")]
    train += [pair("a b", "x z", "neutral"), pair("a b", "a x", "contradiction")]
    overlap = WordOverlap(train)
    asked = [pair("p q r", "q", "neutral"), pair("p q", "z", "neutral"), pair("p q", "p z", "neutral")]
    assert [LABELS[label] for label in overlap.predict(asked)] == ["entailment", "neutral", "contradiction"]
    # a share that was never seen: the most frequent label, the first among equals
    assert LABELS[overlap.predict([pair("p q r s", "p x y z", "neutral")])[0]] == "entailment"
    assert LABELS[majority_label(train[2:])] == "neutral"


def test_likeliest_sentence():
    question = Question("1", "Cats sleep. The red dog barks loudly. A dog. नमस्ते।", "Why does the red dog bark?", ())
    assert likeliest_sentence(question) == "The red dog barks loudly."
    assert likeliest_sentence(Question("1", "", "x", ())) == ""


def said(caplog):
    """What this package said: importing fairseq makes other libraries say what is for their authors."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("crossinit_fairseq")]


ENGLISH = "The committee has decided that the old bridge over the river will be closed to all traffic for two weeks"
GERMAN = "Der Ausschuss hat beschlossen, dass die alte Bruecke ueber den Fluss zwei Wochen lang gesperrt bleiben wird"


def test_text_in_another_language_of_the_same_script_is_said(tmp_path, caplog):
    pytest.importorskip("py3langid")
    for language, text in (("en", ENGLISH), ("de", GERMAN)):
        rows = "".join(f"{text} {number}\t{text}\tneutral\n" for number in range(12))
        (tmp_path / f"{language}.tsv").write_text(rows, "utf-8")
    right = {language: str(tmp_path / f"{language}.tsv") for language in ("en", "de")}
    xnli_result({}, right)
    assert not said(caplog)
    xnli_result({}, {"en": right["de"], "de": right["en"]})
    assert said(caplog) == [
        f"{right['de']} reads as de, not as en: is it the text of that language?",
        f"{right['en']} reads as en, not as de: is it the text of that language?",
    ]
    paragraph = {"context": GERMAN * 12, "qas": [{"id": "1", "question": "Wer?", "answers": []}]}
    paragraph["qas"][0]["answers"] = [{"text": "Der", "answer_start": 0}]
    (tmp_path / "qa.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}), "utf-8")
    caplog.clear()
    mlqa_result({}, {"en-de": str(tmp_path / "qa.json")})
    assert f"{tmp_path}/qa.json reads as de, not as en" in caplog.text
    caplog.clear()
    mlqa_result({}, {"de-en": str(tmp_path / "qa.json")})
    assert not said(caplog)
