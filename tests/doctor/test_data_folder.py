"""crossinit_fairseq/doctor/data_folder.py"""

import shutil

import numpy as np
import pytest
from fairseq.data import Dictionary

from crossinit_fairseq.doctor.data_folder import check_data_folder
from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG
from tests.conftest import toy_sentences, write_split


@pytest.fixture
def data(data_folder, tmp_path):
    """A copy to be changed."""
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    return folder


def found(*folders, **options):
    return check_data_folder([str(folder) for folder in folders], **options)


def bad(*folders, **options):
    """[(level, what)] of what is not fine."""
    return [(finding.level, finding.what) for finding in found(*folders, **options) if finding.level != FINE]


def rewrite(folder, language, sentences, split="train"):
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    write_split(dictionary, folder / language / split, sentences)


def test_a_folder_that_is_right(data_folder):
    assert bad(data_folder) == []
    said = "\n".join(finding.what for finding in found(data_folder))
    assert "dict.txt: 130 symbols, ends with [aa] [bb] <mask>" in said
    assert "aa/train: 400 sentences of" in said and "valid.aa-bb.bb: 21 sentences" in said
    # 60 words a language; s and t are second pieces
    assert "different words in the first 2,000,000 sub-tokens of each language: aa 60, bb 60" in said


def test_symbols_that_steer_a_terminal(data):
    text = (data / "dict.txt").read_text("utf-8")
    changed = text.replace("\u2581a7 ", "\u2581a\x1b[31m ").replace("\u2581b7 ", "\u2581\u202eb ")
    changed = changed.replace("\u2581a8 ", "\u2581\u0915\u094d\u200d ")  # a joiner belongs to the word
    (data / "dict.txt").write_text(changed, encoding="utf-8")
    ((level, what),) = bad(data)
    assert level == WARNING
    assert what.endswith("2 symbols hold characters that steer a terminal, such as '\u2581a\\x1b[31m'")


def test_dictionaries_that_cannot_serve(data):
    text = (data / "dict.txt").read_text("utf-8")
    for content, said in (
        (text.replace("[bb] 1\n", "").replace("<mask> 1\n", ""), "lacks [bb] <mask>: stock tasks would add them"),
        (text.replace("[aa] 1\n", "").replace("s 1\n", "s 1\n[aa] 1\n"), "the token of aa does not stand at the end"),
        ("a\n", "line 1: not `symbol count`"),
        ("", "is empty"),
    ):
        (data / "dict.txt").write_text(content, encoding="utf-8")
        level, what = bad(data)[0]
        assert level == WRONG and said in what
    (data / "dict.txt").write_text(text.replace("[aa] 1\n[bb] 1\n<mask>", "<mask> 1\n[aa] 1\n[bb]"), encoding="utf-8")
    level, what = bad(data)[0]
    assert level == WARNING and "<mask> stands before a language token" in what
    (data / "dict.txt").unlink()
    ((level, what),) = bad(data)
    assert level == WRONG and "cannot be read" in what


def test_text_of_another_dictionary(data):
    """fairseq-preprocess leaves its dictionary beside the text."""
    lines = (data / "dict.txt").read_text("utf-8").splitlines(True)
    (data / "bb" / "dict.txt").write_text("".join(lines[1:2] + lines[:1] + lines[2:]), encoding="utf-8")
    ((level, what),) = bad(data)
    assert level == WRONG and "the text in {} was binarised with another dictionary".format(data / "bb") in what


def test_tokens_beyond_the_dictionary(data):
    lines = (data / "dict.txt").read_text("utf-8").splitlines(True)
    shorter = "".join(line for line in lines if not line.startswith("\u2581b1"))
    (data / "dict.txt").write_text(shorter, encoding="utf-8")
    assert any(level == WRONG and "the dictionary has" in what for level, what in bad(data))


def test_what_the_text_holds(data):
    rewrite(data, "aa", toy_sentences(np.random.default_rng(1), "aa", 30) + ["\u2581a1 [bb] \u2581a2", "<mask>", ""])
    level, what = bad(data)[0]
    assert (
        level == WARNING and "aa/train: 2 of 33 sentences hold control symbols (<mask> 1 times, [bb] 1 times)" in what
    )
    assert any("aa/train: 1 sentences are empty" in what for _, what in bad(data))
    rewrite(data, "aa", ["\u2581a1 nowhere \u2581a2"] * 30 + ["\u2581a1 " * 30])
    assert any(level == WARNING and "unknown: " not in what and "% unknown" in what for level, what in bad(data))
    assert any(
        "aa/train: 1 sentences are longer than --tokens-per-sample 20 leaves room for" in what
        for _, what in bad(data, longest=(20, "--tokens-per-sample"))
    )


def test_words_without_a_partner(data):
    rewrite(data, "bb", ["\u2581b1 \u2581b2 \u2581b3"] * 5)
    level, what = bad(data)[-1]
    assert level == WARNING and "aa 60, bb 3; 57 words of aa have no partner of the same rank in bb" in what


def test_files_that_are_damaged_and_folders_that_are_not_there(data, tmp_path):
    with open(data / "aa" / "train.bin", "ab") as stream:
        stream.write(b"12")
    assert any(level == WRONG and "one of them is damaged" in what for level, what in bad(data))
    assert bad(tmp_path / "no") == [(WRONG, "the data folder {} does not exist".format(tmp_path / "no"))]
    shutil.rmtree(str(data / "aa"))
    shutil.rmtree(str(data / "bb"))
    assert any("has no folder with text of a language" in what for _, what in bad(data))


def test_shards_must_be_alike(data, data_folder):
    shutil.rmtree(str(data / "bb"))
    assert any(level == WRONG and "has text of ['aa']" in what for level, what in bad(data_folder, data))
