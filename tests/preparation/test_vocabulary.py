"""crossinit-prepare vocabulary: preparation/vocabulary.py"""

import os
import re

import pytest
import sentencepiece

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import vocabulary

from .conftest import ENGLISH, ROMANIAN, run_in_process, sentences, write


@pytest.mark.parametrize(
    "lines, alpha, most, expected",
    [
        ([100, 100], 0.5, 1000, [100, 100]),
        # square roots 10 and 20: one to two
        ([100, 400], 0.5, 1000, [100, 200]),
        ([100, 400], 0.5, 60, [20, 40]),
        ([100, 400], 1, 1000, [100, 400]),
        ([100, 400], 0, 1000, [100, 100]),
        ([3, 300, 3], 1, 10, [1, 9, 1]),
    ],
)
def test_lines_per_language(lines, alpha, most, expected):
    assert vocabulary.lines_per_language(lines, alpha, most) == expected


def test_no_line_is_drawn_twice(tmp_path):
    paths = [write(tmp_path / name, [name + str(k) for k in range(50)]) for name in "ab"]
    drawn = list(vocabulary.sample(paths, [50, 50], [50, 20], seed=1))
    assert sorted(drawn[:50]) == sorted("a" + str(k) for k in range(50))
    assert len(set(drawn[50:])) == 20 and all(line[0] == "b" for line in drawn[50:])
    other = list(vocabulary.sample(paths, [50, 50], [50, 20], seed=2))
    assert drawn[50:] != other[50:]


@pytest.fixture
def text(tmp_path):
    # what looks like a token of ours in the text must not become one
    write(tmp_path / "clean" / "en.txt", [line + " [en] <mask>" for line in sentences(ENGLISH, 300)])
    write(tmp_path / "clean" / "ro.txt", sentences(ROMANIAN, 200))
    return tmp_path


def train(folder, *more, out="pieces", size=90):
    command = ["--langs", "en,ro", "--text", str(folder / "clean"), "--size", str(size), "--out", str(folder / out)]
    run_in_process("vocabulary", *command, *more)
    return {path.name: path.read_bytes() for path in (folder / out).iterdir()}


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_the_dictionary(text, kind):
    files = train(text, "--model-type", kind)
    assert set(files) == {"spm.model", "spm.vocab", "dict.txt"}
    model = sentencepiece.SentencePieceProcessor(model_proto=files["spm.model"])
    assert model.get_piece_size() == 90 and [model.id_to_piece(k) for k in range(3)] == ["<unk>", "<s>", "</s>"]
    symbols = [model.id_to_piece(k) for k in range(3, 90)] + ["[en]", "[ro]", "<mask>"]
    assert files["dict.txt"].decode("utf-8") == "".join(symbol + " 1\n" for symbol in symbols)
    assert len(set(symbols)) == 90
    assert not {"[en]", "[ro]", "<mask>"} & set(model.encode("a [en] [ro] <mask>", out_type=str))
    vocab = files["spm.vocab"].decode("utf-8").splitlines()
    assert [line.split("\t")[0] for line in vocab] == [model.id_to_piece(k) for k in range(90)]


def test_the_same_bytes_for_the_same_seed(text):
    drawn = "--sentences", "200"
    assert train(text, *drawn, out="one") == train(text, *drawn, out="two")
    assert train(text, *drawn, out="three")["spm.model"] != train(text, *drawn, "--seed", "2", out="four")["spm.model"]


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_too_many_pieces(text, kind):
    with pytest.raises(InputError, match="--size 100000: the text is too small for so many pieces") as error:
        train(text, "--model-type", kind, size=100000)
    assert not (text / "pieces").exists()
    most = int(re.search(r"use at most (\d+)", str(error.value)).group(1))
    train(text, "--model-type", kind, size=most)
    with pytest.raises(InputError, match=f"use at most {most}"):
        train(text, "--model-type", kind, size=most + 1)


def test_too_few_pieces(text):
    with pytest.raises(InputError, match="--size 10: the text has more different characters than that; use more than"):
        train(text, size=10)


def test_text_that_is_not_there(text):
    (text / "clean" / "ro.txt").write_text("")
    with pytest.raises(InputError, match="ro.txt is empty"):
        train(text)
    (text / "clean" / "ro.txt").unlink()
    with pytest.raises(InputError, match="ro.txt does not exist: make it with crossinit-prepare clean"):
        train(text)


def test_a_ready_model(text):
    files = train(text)
    command = ["--langs", "ro,en", "--model", str(text / "pieces" / "spm.model"), "--out", str(text / "ready")]
    run_in_process("vocabulary", *command)
    ready = {path.name: path.read_bytes() for path in (text / "ready").iterdir()}
    assert ready["spm.model"] == files["spm.model"] and ready["spm.vocab"] == files["spm.vocab"]
    assert ready["dict.txt"].decode("utf-8").split("\n")[-4:] == ["[ro] 1", "[en] 1", "<mask> 1", ""]
    sentencepiece.SentencePieceTrainer.train(
        input=str(text / "clean" / "en.txt"),
        model_prefix=str(text / "own"),
        vocab_size=60,
        user_defined_symbols=["[en]"],
        pad_id=3,
        minloglevel=2,
    )
    command[3] = str(text / "own.model")
    with pytest.raises(InputError, match=r"the symbol '\[en\]' would stand for two rows"):
        run_in_process("vocabulary", *command)
    command[1] = "ro,de"
    run_in_process("vocabulary", *command)
    symbols = (text / "ready" / "dict.txt").read_text(encoding="utf-8").split("\n")
    assert len(symbols) == 60 - 4 + 3 + 1 and "<pad> 1" not in symbols


def test_wrong_options(text):
    for more in (
        ["--alpha", "2"],
        ["--character-coverage", "0"],
        ["--langs", "en,en"],
        ["--size", "0"],
        ["--seed", "-1"],
        ["--text", ""],
    ):
        with pytest.raises(SystemExit) as stop:
            train(text, *more)
        assert stop.value.code == 2


def test_long_lines_are_seen(tmp_path):
    # 2,000 Devanagari letters, the most that `clean` lets through, are 6,000 bytes
    write(tmp_path / "clean" / "en.txt", ["क" * 1990 + "ख" * k + " x" for k in range(1, 11)])
    write(tmp_path / "clean" / "ro.txt", ["da nu"] * 10)
    files = train(tmp_path, "--model-type", "bpe", size=12)
    assert "ख" in files["dict.txt"].decode("utf-8")


def test_where_the_dictionary_is_the_model_is_too(text, monkeypatch):
    """dict.txt, by which recipes see that this was done, gets its name last."""
    order, replace = [], os.replace

    def note(part, path):
        order.append(os.path.basename(path))
        replace(part, path)

    monkeypatch.setattr("crossinit_fairseq.complete_files.os.replace", note)
    train(text)
    assert order == ["spm.model", "spm.vocab", "dict.txt"]
