"""crossinit_fairseq/doctor/data_folder.py"""

import shutil

import numpy as np
import pytest
from fairseq.data import Dictionary

from crossinit_fairseq.doctor.command import read_command
from crossinit_fairseq.doctor.data_folder import check_data_folder
from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG
from tests.conftest import toy_sentences, write_split
from tests.finetuning import toy


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


def test_text_of_which_nothing_can_be_used(data):
    rewrite(data, "aa", ["\u2581a1 [bb] \u2581a2", "", "<mask> \u2581a1"])
    assert (WRONG, f"{data}/aa/train: no sentence is left that can be used") in bad(data)
    rewrite(data, "aa", ["\u2581a1 [bb] \u2581a2", "", "\u2581a1"])
    assert WRONG not in [level for level, _ in bad(data)]


def test_damage_matters_to_what_is_read(data):
    """Text to be translated is not read in training."""
    (data / "test.aa-bb.aa.bin").write_bytes(b"")
    train, generate = asked("fairseq-train d --task crossinit_unmt"), asked("fairseq-generate d --task crossinit_unmt")
    said = [bad(data, command=command) for command in (None, generate, train)]
    assert [[level for level, _ in one] for one in said] == [[WRONG], [WRONG], [WARNING]]
    (data / "valid.aa-bb.aa.bin").write_bytes(b"")
    assert [level for level, _ in bad(data, command=train)] == [WARNING, WRONG]


def test_a_folder_of_a_stock_task(data):
    for language in ("aa", "bb"):
        shutil.copy(str(data / "dict.txt"), str(data / f"dict.{language}.txt"))
    (data / "dict.txt").unlink()
    stock, ours = (asked(f"fairseq-train d --task {task}") for task in ("translation", "crossinit_unmt"))
    assert bad(data, command=stock) == []
    assert [level for level, _ in bad(data)] == [level for level, _ in bad(data, command=ours)] == [WRONG]


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


@pytest.mark.parametrize(
    "name, cut, said",
    [
        ("idx", 0, "train.idx is damaged or not of fairseq's mmap format"),
        ("idx", 20, "train.idx is cut short"),
        ("idx", 2000, "train.idx is damaged (its header does not fit its size)"),
        ("bin", 0, "train.bin has 0 bytes but"),
        ("bin", 100, "train.bin has 100 bytes but"),
    ],
)
def test_files_that_are_cut(data, name, cut, said):
    path = data / "aa" / f"train.{name}"
    assert path.stat().st_size > cut
    path.write_bytes(path.read_bytes()[:cut])
    assert [level for level, what in bad(data) if said in what] == [WRONG]


def test_files_that_the_system_does_not_give(data, monkeypatch):
    """Of another user, or on a disk that fails."""

    def refuse(path, *options, **more):
        if str(path).endswith("aa/train.idx"):
            raise PermissionError(13, "Permission denied", str(path))
        return open(path, *options, **more)

    monkeypatch.setattr("crossinit_fairseq.ranks.binarised.open", refuse, raising=False)
    assert (WRONG, f"{data}/aa/train.idx cannot be read: Permission denied") in bad(data)


@pytest.mark.parametrize(
    "encoding, said",
    [
        ("latin-1", "dict.txt is not UTF-8 in line 2: convert it"),
        ("utf-16", "dict.txt is UTF-16: convert it, for example with `iconv -f utf-16 -t utf-8`"),
        ("utf-16-le", "dict.txt has a NUL byte in line 1: it is binary, or UTF-16 without a byte order mark"),
        ("utf-8-sig", None),  # the mark is dropped
    ],
)
def test_dictionaries_in_another_encoding(tmp_path, encoding, said):
    lines = [f"{word} 1\n" for word in ("a", "caf\u00e9", "[aa]", "<mask>")]
    (tmp_path / "dict.txt").write_bytes("".join(lines).encode(encoding))
    levels = [level for level, what in bad(tmp_path) if said and said in what]
    assert levels == ([WRONG] if said else [])
    if not said:
        assert f"{tmp_path}/dict.txt: 8 symbols, ends with [aa] <mask>" in [finding.what for finding in found(tmp_path)]


def asked(words):
    return read_command(words.split())


def test_a_folder_for_fine_tuning(tmp_path):
    """It has a dictionary and a SentencePiece model, and its text is in files of their own."""
    toy.data_folder(tmp_path)
    xnli, mlm = (asked(f"fairseq-train d --task crossinit_{task}") for task in ("xnli", "mlm"))
    said = [finding.what for finding in found(tmp_path)]
    assert bad(tmp_path) == bad(tmp_path, command=xnli) == []
    named = "a dictionary of the languages aa, bb, and no binarised text: enough for fine-tuning and what follows"
    assert f"{tmp_path}: {named}" in said
    # a task that reads binarised text finds none there
    assert [level for level, what in bad(tmp_path, command=mlm) if "no folder with text of a language" in what] == [
        WRONG
    ]
    foreign = toy.foreign_model(tmp_path)
    shutil.copy(foreign, str(tmp_path / "spm.model"))
    assert [what[:60] for _, what in bad(tmp_path)] == [f"{tmp_path}/spm.model is not the SentencePiece model"[:60]]
    (tmp_path / "spm.model").unlink()
    assert bad(tmp_path, command=xnli) == [(WRONG, f"{tmp_path}/spm.model is missing")]
    xnli.options["pieces"] = foreign
    assert [level for level, what in bad(tmp_path, command=xnli) if "foreign.model is not the" in what] == [WRONG]
    # roberta's dictionary names no language, and need not
    (tmp_path / "dict.txt").write_text("a 1\nb 1\n", encoding="utf-8")
    assert any("without languages, as roberta's" in finding.what for finding in found(tmp_path, command=xnli))
    assert [level for level, what in bad(tmp_path) if "lacks <mask>" in what] == [WRONG]
    (tmp_path / "dict.txt").write_text("a 1\n<mask> 1\n", encoding="utf-8")
    assert [level for level, what in bad(tmp_path) if "the dictionary names no language" in what] == [WRONG]


def test_aligned_text_alone_is_enough_to_translate_it(data):
    for language in ("aa", "bb"):
        shutil.rmtree(str(data / language))
    assert bad(data, command=asked("fairseq-generate d --task crossinit_unmt -s bb -t aa")) == []
    assert bad(data, command=asked("fairseq-interactive d --task crossinit_unmt -s bb -t cc")) == []
    for options in ("-s bb -t cc", "-s bb -t aa --gen-subset test1", ""):
        found_bad = bad(data, command=asked(f"fairseq-generate d --task crossinit_unmt {options}"))
        assert [level for level, what in found_bad if "no folder with text of a language" in what] == [WRONG]


def test_shards_must_be_alike(data, data_folder):
    shutil.rmtree(str(data / "bb"))
    assert any(level == WRONG and "has text of ['aa']" in what for level, what in bad(data_folder, data))


@pytest.mark.parametrize("task", ["language_modeling", "masked_lm", "denoising"])
def test_a_folder_of_one_text_for_a_stock_task(task, tmp_path):
    """Its text lies beside the dictionary, in no folder of a language."""
    (tmp_path / "dict.txt").write_text("a 1\n")
    command = read_command(f"fairseq-train {tmp_path} --user-dir . --task {task}".split())
    (finding,) = check_data_folder([str(tmp_path)], command=command)
    assert finding.level == FINE and f"as --task {task} has it" in finding.what
