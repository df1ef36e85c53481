"""crossinit_fairseq/finetuning/: the readers of XNLI and of SQuAD's format, and the files of predictions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import language_files, unique
from crossinit_fairseq.finetuning.nli_files import Pair, read_pairs
from crossinit_fairseq.finetuning.predictions import read_answers, read_labels, write_answers, write_labels
from crossinit_fairseq.finetuning.qa_files import Answer, Question, read_questions

XNLI = (
    "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpairID\n"
    'de\tneutral\t\tEin "Hund\tEin Tier\t7\n'
    "en\tcontradiction\t\tA dog\tNo dog\t8\n"
)
MULTINLI = "index\tpairID\tsentence1\tsentence2\tgold_label\n0\t63735n\tOne\tTwo\tneutral\n1\t1e\tThree\tFour\t-\n"
SICK = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\n1\tA\tB\tENTAILMENT\t4.5\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_xnli_tsv_has_all_languages(tmp_path):
    path = write(tmp_path, "xnli.dev.tsv", XNLI)
    assert read_pairs(path, "de") == [Pair("7", 'Ein "Hund', "Ein Tier", 1)]
    assert read_pairs(path, "en_GB") == [Pair("8", "A dog", "No dog", 2)]
    with pytest.raises(InputError, match="no pair of language fr: it has de, en"):
        read_pairs(path, "fr")


def test_multinli_without_a_gold_label_is_left_out_and_counted(tmp_path, caplog):
    assert read_pairs(write(tmp_path, "train.txt", MULTINLI), "en") == [Pair("63735n", "One", "Two", 1)]
    assert "left out 1 pairs without a gold label" in caplog.text


def test_annotators_who_said_nothing_may_lack_at_the_end_of_a_row(tmp_path):
    header = "gold_label\tsentence1\tsentence2\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\n"
    rows = "neutral\tA\tB\t1n\tfiction\tneutral\nneutral\tC\tD\t2n\tfiction\tneutral\t\t\t\t\n"
    path = write(tmp_path, "multinli_1.0_train.txt", header + rows)
    assert read_pairs(path, "en") == [Pair("1n", "A", "B", 1), Pair("2n", "C", "D", 1)]
    with pytest.raises(InputError, match="line 2: 4 columns between tabs, and 10"):
        read_pairs(write(tmp_path, "short.txt", header + "neutral\tA\tB\t1n\n"), "en")


def test_what_is_trained_on_needs_no_ids_of_its_own(tmp_path):
    path = write(tmp_path, "twice.tsv", "pairID\tpremise\thypothesis\n1\tA\tB\n1\tC\tD\n")
    assert read_pairs(path, "en", by_id=False) == [Pair("1", "A", "B", None), Pair("1", "C", "D", None)]
    row = {"id": "1", "context": "A cat sat.", "question": "Who?", "answers": [{"text": "cat", "answer_start": 2}]}
    path = write(tmp_path, "twice.json", json.dumps([row, dict(row, question="What?")]))
    assert [asked.question for asked in read_questions(path, by_id=False)] == ["Who?", "What?"]
    with pytest.raises(InputError, match="object 2: the id 1 stands there a second time: take one of them out"):
        read_questions(path)


def test_other_columns(tmp_path):
    assert read_pairs(write(tmp_path, "SICK.txt", SICK), "en") == [Pair("1", "A", "B", 0)]
    translated = write(tmp_path, "multinli.train.de.tsv", "premise\thypo\tlabel\nA\tB\tcontradictory\n")
    assert read_pairs(translated, "de") == [Pair("2", "A", "B", 2)]
    bare = write(tmp_path, "dev.en.tsv", "\ufeffA\tB\tentailment\r\nC\tD\tneutral\r\n")
    assert read_pairs(bare, "en") == [Pair("1", "A", "B", 0), Pair("2", "C", "D", 1)]
    assert read_pairs(write(tmp_path, "test.tsv", "A\tB\n"), "en") == [Pair("1", "A", "B", None)]


def test_json_and_parquet(tmp_path):
    rows = [{"premise": "A", "hypothesis": "B", "label": 2}, {"premise": "C", "hypothesis": "D", "label": 0}]
    expected = [("A", "B", 2), ("C", "D", 0)]
    lines = write(tmp_path, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    whole = write(tmp_path, "a.json", json.dumps(rows))
    official = [{"language": "en", "sentence1": "A", "sentence2": "B", "gold_label": "neutral", "pairID": "5"}]
    paths = [lines, whole]
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    paths.append(str(tmp_path / "a.parquet"))
    parquet.write_table(pyarrow.Table.from_pylist(rows), paths[-1])
    for path in paths:
        assert [(pair.premise, pair.hypothesis, pair.label) for pair in read_pairs(path, "en")] == expected
    path = write(tmp_path, "b.jsonl", json.dumps(official[0]))
    assert read_pairs(path, "en") == [Pair("5", "A", "B", 1)]


def test_all_languages_in_one_row(tmp_path):
    row = {
        "premise": {"en": "A", "de": "Ah"},
        "hypothesis": {"language": ["de", "en"], "translation": ["Be", "B"]},
        "label": 1,
    }
    path = write(tmp_path, "all.jsonl", json.dumps(row))
    assert read_pairs(path, "de") == read_pairs(path, "de_AT") == [Pair("1", "Ah", "Be", 1)]
    with pytest.raises(InputError, match="line 1: no premise and hypothesis"):
        read_pairs(path, "fr")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.tsv", "A\tB\tneutral\nA\tB\tperhaps\n", "a.tsv, line 2: the label is 'perhaps'"),
        ("a.tsv", "A\tB\tneutral\nA\tB\n", "a.tsv, line 2: 2 columns between tabs, and 3"),
        ("a.tsv", "A\n", "a.tsv, line 1: 1 columns"),
        ("a.tsv", XNLI.replace("\t8\n", "\t8\textra\n"), "line 3: 7 columns"),
        ("a.jsonl", '{"premise": "A"}', "line 1: no premise and hypothesis: the row has premise"),
        ("a.jsonl", "[1]", "line 1: no JSON object"),
        ("a.jsonl", "{", "line 1: no JSON"),
        ("a.jsonl", '{"premise": "A", "hypothesis": "B", "label": 3}', "the label is '3'"),
        ("a.json", "[" * 100000, "no JSON"),
        ("a.json", "[5]", "object 1: no JSON object"),
        ("a.jsonl", '{"premise": "A", "hypothesis": "\\ud83d!"}', r"line 1: \\ud83d is half of a character"),
        ("a.parquet", "PAR1", "no Parquet file"),
        ("a.tsv", "pairID\tpremise\thypothesis\n1\tA\tB\n1\tC\tD\n", "the id 1 stands there a second time"),
        ("a.tsv", "", "has no pair of language en"),
    ],
)
def test_bad_pairs_are_named(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_pairs(write(tmp_path, name, text), "en")


def squad(context="A cat sat.", **row):
    row = dict({"id": "1", "question": "Who?", "answers": [{"text": "cat", "answer_start": 2}]}, **row)
    return {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": context, "qas": [row]}]}]}


def test_both_halves_make_a_character(tmp_path):
    """As JSON without other letters than ASCII writes an emoji."""
    rows = [{"premise": "A \U0001f600", "hypothesis": "B", "label": 1}]
    path = write(tmp_path, "a.jsonl", json.dumps(rows[0]))
    assert "\\ud83d\\ude00" in json.dumps(rows) and read_pairs(path, "en")[0].premise == "A \U0001f600"


def test_squad_and_its_rows(tmp_path):
    expected = [Question("1", "A cat sat.", "Who?", (Answer("cat", 2),))]
    assert read_questions(write(tmp_path, "a.json", json.dumps(squad()))) == expected
    row = {"id": "1", "context": "A cat sat.", "question": "Who?", "answers": {"text": ["cat"], "answer_start": [2]}}
    assert read_questions(write(tmp_path, "a.jsonl", json.dumps(row))) == expected
    other = dict(row, id="2")
    for text in (json.dumps([row, other], indent=1), "\n".join(map(json.dumps, (row, other)))):
        found = read_questions(write(tmp_path, "rows.json", text))
        assert [question.id for question in found] == ["1", "2"] and found[:1] == expected
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    parquet.write_table(pyarrow.Table.from_pylist([row]), str(tmp_path / "a.parquet"))
    assert read_questions(str(tmp_path / "a.parquet")) == expected


def test_text_of_another_script_is_said(tmp_path, caplog):
    nepali = write(tmp_path, "ne.json", json.dumps(squad("घर मा बिरालो छ।")))
    read_questions(nepali, "ne", "en")
    read_pairs(write(tmp_path, "ne.tsv", "घर छ\tघर\tneutral\n"), "ne")
    assert not caplog.records
    read_questions(nepali, "en")
    read_questions(nepali, "ne")
    read_pairs(write(tmp_path, "en.tsv", "a house\tthe cat\tneutral\n"), "ne")
    assert [message.replace(str(tmp_path), "") for message in caplog.messages] == [
        "/ne.json, paragraphs: most letters are Devanagari: is this text en?",
        "/ne.json, questions: most letters are Latin: is this text ne?",
        "/en.tsv: most letters are Latin: is this text ne?",
    ]


def test_an_answer_that_stands_elsewhere():
    question = Question("1", "A cat sat.", "Who?", (Answer("cat", 3), Answer("sat", 6), Answer("", 0)))
    assert question.placed_answers() == [Answer("sat", 6)]
    assert Question("1", "A cat sat.", "Who?", (Answer(" ", 1),)).placed_answers() == []


@pytest.mark.parametrize(
    "content, message",
    [
        ([], "holds no question"),
        ([5], "object 1: no JSON object"),
        ({}, "has no list `data`"),
        ({"data": [{}]}, "article 1 has no list `paragraphs`"),
        ({"data": [{"paragraphs": [{"qas": 1}]}]}, "article 1, paragraph 1 has no list `qas`"),
        ({"data": []}, "holds no question"),
        (squad(context=None), "article 1, paragraph 1, question 1 has no text `context`"),
        (squad(id=None), "question 1 has no `id`"),
        (squad(answers=[{"text": "cat", "answer_start": -1}]), "an answer needs"),
        (squad(answers={"text": ["cat"], "answer_start": []}), "lists `text` and `answer_start` of one length"),
        (squad(answers="cat"), "`answers` is no list"),
        (squad(id="\ud800"), r"article 1, paragraph 1, question 1: \\ud800 is half of a character"),
        (squad(question="\ude00?"), r"question 1: \\ude00 is half of a character"),
        (squad(context="A cat \ud83d"), r"question 1: \\ud83d is half of a character"),
    ],
)
def test_bad_questions_are_named(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_questions(write(tmp_path, "a.json", json.dumps(content)))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("data paragraphs context qas id question answers text answer_start premise label".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANY)
def test_any_json_is_read_or_refused_in_a_sentence(folder, content):
    for name in ("a.json", "a.jsonl"):
        path = write(folder, name, json.dumps(content))
        for read in (read_questions, lambda path: read_pairs(path, "en"), read_answers):
            try:
                read(path)
            except InputError as error:
                assert "a.json" in str(error)


@given(st.binary(max_size=60) | st.lists(st.text(max_size=6), max_size=8).map(lambda c: "\t".join(c).encode("utf-8")))
def test_any_bytes_are_read_or_refused_in_a_sentence(folder, content):
    for name in ("a.tsv", "a.json", "a.jsonl", "a.parquet"):
        (folder / name).write_bytes(content)
        try:
            read_pairs(str(folder / name), "en")
        except InputError as error:
            assert name in str(error)


def test_predictions_come_back(tmp_path):
    labels, answers = str(tmp_path / "en.txt"), str(tmp_path / "en.json")
    write_labels(labels, [2, 0, 1])
    assert (tmp_path / "en.txt").read_text("utf-8") == "contradiction\nentailment\nneutral\n"
    assert read_labels(labels, 3) == [2, 0, 1]
    with pytest.raises(InputError, match="has 3 lines and there are 4 pairs"):
        read_labels(labels, 4)
    with pytest.raises(InputError, match="line 1: 'cat' is none of"):
        read_labels(write(tmp_path, "bad.txt", "cat\n"), 1)
    write_answers(answers, {"a": "घर"})
    assert read_answers(answers) == {"a": "घर"}
    with pytest.raises(InputError, match="one JSON object"):
        read_answers(write(tmp_path, "bad.json", '{"a": 1}'))


def test_files_of_languages():
    assert language_files("en=a.tsv, de=b=c.tsv", "--x") == [("en", "a.tsv"), ("de", "b=c.tsv")]
    for text in ("a.tsv", "en=", "=a", "../x=a"):
        with pytest.raises(InputError):
            language_files(text, "--x")
    with pytest.raises(InputError, match="--x names en twice"):
        unique([("en", "a"), ("de", "b"), ("en", "c")], "--x")
