"""crossinit-prepare encode: preparation/encoding.py"""

import errno

import pytest
import sentencepiece

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import encoding

from .conftest import ENGLISH, ROMANIAN, read, run_in_process, sentences, write


@pytest.fixture
def text(tmp_path):
    write(tmp_path / "clean" / "en.txt", sentences(ENGLISH, 101))
    write(tmp_path / "clean" / "ro.txt", sentences(ROMANIAN, 60))
    write(tmp_path / "clean" / "test.ro", ["", "ana are \u2603 mere", ""])
    options = ["--text", tmp_path / "clean", "--size", "70", "--out", tmp_path / "pieces"]
    run_in_process("vocabulary", "--langs", "en,ro", *options)
    return tmp_path


def run(folder, *more):
    command = ["--langs", "en,ro", "--model", folder / "pieces" / "spm.model", "--text", folder / "clean"]
    run_in_process("encode", *command, "--out", folder / "pieces", *more)


@pytest.mark.parametrize("batch", [10000, 7])
def test_held_out_lines_and_shards(text, monkeypatch, batch):
    monkeypatch.setattr(encoding, "_BATCH", batch)
    run(text, "--valid", "8", "--shards", "3")
    model = sentencepiece.SentencePieceProcessor(model_file=str(text / "pieces" / "spm.model"))
    for language, valid, lines in (("en", 8, 101), ("ro", 6, 60)):  # at most a tenth is held out
        expected = [" ".join(model.encode(line, out_type=str)) for line in read(text / "clean" / (language + ".txt"))]
        assert len(expected) == lines
        assert read(text / "pieces" / ("valid." + language)) == expected[:valid]
        for shard in range(3):
            path = text / "pieces" / str(shard) / ("train." + language)
            assert read(path) == expected[valid:][shard::3]
    # every line of a test set, the empty ones too; an unknown character stays for fairseq to call <unk>
    assert [line.replace(" ", "") for line in read(text / "pieces" / "test.ro")] == ["", "▁ana▁are▁\u2603▁mere", ""]
    names = sorted(path.name for path in (text / "pieces").iterdir())
    assert names == ["0", "1", "2", "dict.txt", "spm.model", "spm.vocab", "test.ro", "valid.en", "valid.ro"]


def test_fewer_shards_than_before(text):
    run(text, "--shards", "4")
    run(text, "--shards", "2")
    left = sorted(str(path.relative_to(text / "pieces")) for path in (text / "pieces").glob("*/train.*"))
    assert left == ["0/train.en", "0/train.ro", "1/train.en", "1/train.ro"]


def test_bad_input(text):
    with pytest.raises(InputError, match="ro.txt has 60 lines: too few to hold out a tenth and make 55 shards"):
        run(text, "--shards", "55")
    (text / "pieces" / "spm.model").write_bytes(b"no model")
    with pytest.raises(InputError, match="spm.model is no SentencePiece model"):
        run(text)
    (text / "pieces" / "spm.model").unlink()
    with pytest.raises(InputError, match="spm.model does not exist: make it with crossinit-prepare vocabulary"):
        run(text)


def test_a_model_of_another_vocabulary_than_that_of_the_folder(text):
    """The pieces would be binarised with its dict.txt, where many are unknown."""
    options = ["--text", text / "clean", "--size", "60", "--model-type", "bpe", "--out", text / "other"]
    run_in_process("vocabulary", "--langs", "en,ro", *options)
    command = ["--langs", "en,ro", "--model", text / "other" / "spm.model", "--text", text / "clean", "--out"]
    with pytest.raises(InputError, match=f"other/spm.model is another SentencePiece model than {text}/pieces/spm.mod"):
        run_in_process("encode", *command, text / "pieces")
    (text / "pieces" / "spm.model").unlink()
    with pytest.raises(InputError, match="is not the SentencePiece model that the text of .*pieces/dict.txt was cut"):
        run_in_process("encode", *command, text / "pieces")
    assert not (text / "pieces" / "valid.en").exists()
    run_in_process("encode", *command, text / "new")


def test_interrupted(text, monkeypatch):
    run(text)
    before = read(text / "pieces" / "valid.en")
    original, calls = encoding.encoder, []

    def failing(*arguments):
        encoded = original(*arguments)

        def twice(lines):
            calls.append(1)
            if len(calls) == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return encoded(lines)

        return twice

    monkeypatch.setattr(encoding, "encoder", failing)
    monkeypatch.setattr(encoding, "_BATCH", 50)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        run(text, "--valid", "3")
    assert read(text / "pieces" / "valid.en") == before
    assert not list(text.glob("**/*.part"))
