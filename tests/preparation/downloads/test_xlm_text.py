"""examples/xlm/web.py: what it lays out, against the server on this machine."""

import importlib.util
import io
import json
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("requests", reason="needs pip install mtdata, which brings requests")

from crossinit_fairseq.finetuning.nli_files import Pair, read_pairs
from crossinit_fairseq.finetuning.qa_files import read_questions

FILE = Path(__file__).parents[3] / "examples" / "xlm" / "web.py"
HEADER = "language\tgold_label\tsentence1\tsentence2\tpairID\n"
ROWS = [
    "en\tneutral\tAn article.\tAnd a second.\t1\n",
    "en\tentailment\tA cat.\tCats.\t2\n",
    # in another order, and one that English does not have
    "hi\tentailment\tबिल्ली\tबिल्लियाँ\t2\n",
    "hi\tneutral\tयह बड़ा है।\tदूसरा\t1\n",
    "hi\tneutral\tक\tख\t3\n",
]


def zipped(**members):
    """members: {path with dots for slashes doubled: text}."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


def squad(name):
    answers = [{"text": "b", "answer_start": 2}]
    row = {"id": name, "question": "c", "answers": answers}
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "a b", "qas": [row]}]}]})


@pytest.fixture
def example(web, monkeypatch):
    """The example's module, and the server with small files of all that it downloads."""
    spec = importlib.util.spec_from_file_location("xlm_web", str(FILE))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    archives = {
        "XNLI": {"XNLI-1.0/xnli.dev.tsv": HEADER + ROWS[1], "XNLI-1.0/xnli.test.tsv": HEADER + "".join(ROWS)},
        "MULTINLI": {
            "multinli_1.0/multinli_1.0_train.txt": "gold_label\tsentence1\tsentence2\tpairID\tlabel1\tlabel2\n"
            "neutral\tA\tB\t1n\tneutral\n"
        },
        "MLQA": {
            f"MLQA_V1/{split}/{split}-context-{code}-question-{code}.json": squad(f"{split}-{code}")
            for split, code in (("dev", "en"), ("test", "en"), ("test", "hi"))
        },
    }
    files = {name: zipped(**members) for name, members in archives.items()}
    files["SQUAD"] = squad("train").encode()
    for name, content in files.items():
        web.files[f"/{name}.file"] = content
        monkeypatch.setattr(module, name, f"{web.root}/{name}.file")
    web.files["/muse-hi"] = "cat बिल्ली\n".encode()
    monkeypatch.setattr(module, "MUSE", web.root + "/muse-{}")
    return module


def test_all_that_the_example_reads(example, web, tmp_path, capsys):
    arguments = ["--langs", "en,hi_IN,ro", "--files", "1", "--out", str(tmp_path)]
    assert example.main(arguments) == 1  # this XNLI has no Romanian
    assert "has no pair of language ro: it has" in capsys.readouterr().err
    arguments[1] = "en,hi_IN"
    assert example.main(arguments) == 0
    # the first file alone; a sentence of a test pair is left out, in its own language
    assert (tmp_path / "mono.en").read_text("utf-8") == "A first one.\n"
    assert (tmp_path / "mono.hi_IN").read_text("utf-8") == "भारत एक देश है।\n"
    assert read_pairs(str(tmp_path / "nli.train.en.tsv"), "en") == [Pair("1n", "A", "B", 1)]
    assert read_pairs(str(tmp_path / "nli.dev.en.tsv"), "en") == [Pair("2", "A cat.", "Cats.", 0)]
    assert [pair.id for pair in read_pairs(str(tmp_path / "nli.test.hi_IN.tsv"), "hi_IN")] == ["2", "1", "3"]
    for name in ("train.en", "dev.en", "test.en", "test.hi_IN"):
        found = read_questions(str(tmp_path / f"qa.{name}.json"))
        assert [question.id for question in found] == [
            name.replace(".", "-").replace("_IN", "").replace("train-en", "train")
        ]
    # aligned by their ids, as far as both have them
    assert (tmp_path / "aligned.en").read_text("utf-8") == "And a second.\nCats.\n"
    assert (tmp_path / "aligned.hi_IN").read_text("utf-8") == "दूसरा\nबिल्लियाँ\n"
    assert (tmp_path / "words.en-hi_IN.txt").read_text("utf-8") == "cat बिल्ली\n"
    # a second call asks nothing of the network
    del web.log[:]
    assert example.main(arguments + ["--lines", "1"]) == 0 and web.log == []


def test_archives_that_are_none_are_one_sentence(example, web, tmp_path, capsys):
    arguments = ["--langs", "en,hi", "--files", "1", "--out", str(tmp_path)]
    sound = web.files["/MLQA.file"]
    web.files["/MLQA.file"] = zipped(other="x")
    assert example.main(arguments) == 1
    assert "has no file MLQA_V1/dev/dev-context-en-question-en.json" in capsys.readouterr().err
    (tmp_path / "labelled" / "MLQA.file").unlink()
    web.files["/MLQA.file"] = b"no archive"
    assert example.main(arguments) == 1
    said = capsys.readouterr().err
    # pinned by the first download
    assert said.count("\n") == 1 and "is not what it should be: SHA-256" in said
    web.files["/MLQA.file"] = sound
    (tmp_path / "sources.json").unlink()
    web.files["/XNLI.file"] = b"no archive"
    assert example.main(arguments) == 1
    assert (
        "XNLI.file is no zip archive" in capsys.readouterr().err and not (tmp_path / "labelled" / "XNLI.file").exists()
    )
