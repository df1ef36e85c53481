"""crossinit_fairseq/data/text_check.py: binarised text against the dictionary, and control symbols in it."""

import logging
import os
import shutil
import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.data import text_check
from crossinit_fairseq.data.text_check import (
    check_dictionaries,
    dictionaries_beside,
    find_control_symbols,
    report_control_symbols,
)
from crossinit_fairseq.errors import InputError

FOUR = ["<s>", "<pad>", "</s>", "<unk>"]
SYMBOLS = FOUR + ["[de]", "a", "b", "[en]", "[ro]", "<mask>"]  # rows 0 to 9
A, B, DE, EN, RO, MASK, EOS, UNK = 5, 6, 4, 7, 8, 9, 2, 3


def write_text(prefix, sentences):
    """prefix.{bin,idx} of lists of tokens, in fairseq's mmap format, as uint16."""
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int32)
    offsets = np.cumsum([0] + [2 * length for length in lengths.tolist()])[:-1].astype(np.int64)
    with open(f"{prefix}.idx", "wb") as stream:
        stream.write(b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, 8, len(sentences)))
        stream.write(lengths.tobytes() + offsets.tobytes())
    with open(f"{prefix}.bin", "wb") as stream:
        stream.write(np.array([token for sentence in sentences for token in sentence], dtype=np.uint16).tobytes())
    return str(prefix)


def test_hand_worked(tmp_path, caplog):
    prefix = write_text(
        tmp_path / "train",
        [
            [A, B, EOS],
            [A, MASK, RO, EOS],
            [EOS],
            [],
            [A, EOS, B, EOS],
            [UNK, DE, EOS],
            [0, 1, A, EOS],
            [MASK, MASK, EOS],
        ],
    )
    found = find_control_symbols(prefix, SYMBOLS)
    assert found.sentences.tolist() == [1, 4, 6, 7] and found.total == 8
    assert found.counts == {"<mask>": 3, "[ro]": 1, "</s>": 1, "<s>": 1, "<pad>": 1}, "[de] is not at the end: text"
    assert find_control_symbols(prefix, SYMBOLS, ["de"]).sentences.tolist() == [1, 4, 5, 6, 7]
    with caplog.at_level(logging.WARNING):
        report_control_symbols(prefix, found, "they are left out")
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{prefix}: 4 of 8 sentences hold control symbols (</s> 1 times, <mask> 3 times, <pad> 1 times, <s> 1 times, "
        "[ro] 1 times): they are left out"
    )


def test_clean_text_is_not_spoken_of(tmp_path, caplog):
    found = find_control_symbols(write_text(tmp_path / "train", [[A, EOS], [B, UNK, EOS]]), SYMBOLS)
    with caplog.at_level(logging.WARNING):
        report_control_symbols("train", found, "they are left out")
    assert not caplog.records and len(found.sentences) == 0 and found.total == 2 and found.counts == {}


def slowly(sentences):
    numbers, counts = [], Counter()
    for number, sentence in enumerate(sentences):
        inside = [token for token in sentence[:-1] if token in (0, 1, EOS, EN, RO, MASK)]
        numbers += [number] if inside else []
        counts.update(SYMBOLS[token] for token in inside)
    return numbers, dict(counts)


@given(
    sentences=st.lists(st.lists(st.integers(0, 9), max_size=6).map(lambda s: s + [EOS]), min_size=1, max_size=8),
    chunk=st.sampled_from([1, 2, 3, 7, 100]),
)
def test_as_a_loop_wherever_it_is_cut(tmp_path_factory, sentences, chunk):
    prefix = write_text(tmp_path_factory.mktemp("text") / "train", sentences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_check, "_CHUNK", chunk)
        found = find_control_symbols(prefix, SYMBOLS)
    assert (found.sentences.tolist(), found.counts) == slowly(sentences)


def test_a_file_that_has_changed_is_read_again(tmp_path):
    assert not len(find_control_symbols(write_text(tmp_path / "t", [[A, EOS]]), SYMBOLS).sentences)
    assert len(find_control_symbols(write_text(tmp_path / "t", [[A, MASK, EOS]]), SYMBOLS).sentences) == 1


@pytest.mark.parametrize(
    "sentences, said",
    [
        ([[A, EOS], [A, 10, EOS]], "holds token 10 but the dictionary has 10 symbols"),
        ([[A, EOS], [], [A, B], [A, EOS]], "sentence 2 does not end in </s>"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_text_that_does_not_fit(tmp_path, sentences, said, chunk, monkeypatch):
    monkeypatch.setattr(text_check, "_CHUNK", chunk)
    with pytest.raises(InputError, match=said):
        find_control_symbols(write_text(tmp_path / "train", sentences), SYMBOLS)


def test_missing_text_is_said_as_ever(tmp_path):
    with pytest.raises(InputError, match="train.idx is missing"):
        find_control_symbols(str(tmp_path / "train"), SYMBOLS)


def write_dictionary(path, symbols, count=1):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(f"{symbol} {count}\n" for symbol in symbols)


OWN = SYMBOLS[4:]
PLACES = ["one/en/dict.txt", "one/ro/dict.ro.txt", "one/dict.en.txt", "two/dict.txt", "two/ro/dict.txt"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "change, differs",
    [
        (lambda symbols: symbols, None),
        (lambda symbols: symbols[:-4], None),  # control symbols were appended after binarising
        (lambda symbols: symbols + ["madeupword0000"], None),
        (lambda symbols: [symbols[1], symbols[0]] + symbols[2:], "row 4 is 'a', not '[de]' (2 rows differ)"),
        (lambda symbols: symbols[:2] + symbols[3:], "row 6 is '[en]', not 'b' (3 rows differ)"),
    ],
)
def test_dictionaries_beside_the_text(tmp_path, place, change, differs):
    for each in ["one/dict.txt"] + PLACES:
        write_dictionary(str(tmp_path / each), OWN, count=3)
    write_dictionary(str(tmp_path / place), change(OWN))
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    if differs is None:
        check_dictionaries(folders, ["en", "ro"], SYMBOLS)
    else:
        with pytest.raises(InputError) as error:
            check_dictionaries(folders, ["en", "ro"], SYMBOLS)
        assert str(tmp_path / place) in str(error.value) and differs in str(error.value)
        other = {"one/en/dict.txt": "ro", "one/ro/dict.ro.txt": "en", "one/dict.en.txt": "ro", "two/ro/dict.txt": "en"}
        if place in other:
            check_dictionaries(folders, [other[place]], SYMBOLS)


def test_dictionaries_that_are_looked_at(tmp_path):
    for place in PLACES:
        write_dictionary(str(tmp_path / place), OWN)
    assert [
        os.path.relpath(path, str(tmp_path)) for path in dictionaries_beside(str(tmp_path / "one"), ["en", "ro"])
    ] == [
        "one/dict.en.txt",
        "one/en/dict.txt",
        "one/ro/dict.ro.txt",
    ]


def swapped(folder, place):
    """Two words of the dictionary at a place change rows."""
    lines = (folder / "dict.txt").read_text("utf-8").splitlines(True)
    (folder / place).write_text("".join([lines[1], lines[0]] + lines[2:]), "utf-8")


@pytest.mark.parametrize("task", ["crossinit_pretrain", "crossinit_mlm", "crossinit_unmt"])
@pytest.mark.parametrize("place", ["aa/dict.txt", "dict.bb.txt"])
def test_every_task_refuses_text_of_another_dictionary(data_folder, tmp_path, task, place):
    config_of, task_class = task_of(task)
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    config = config_of()
    config.data, config.langs, config.seed, config.train_subset = str(tmp_path / "data"), "aa,bb", 1, "train"
    task_class.setup_task(config)
    swapped(tmp_path / "data", place)
    with pytest.raises(
        SystemExit, match=f"{place} row 4 is '\u2581a1', not '\u2581a0' .2 rows differ.; binarise it again"
    ):
        task_class.setup_task(config)


def task_of(name):
    from crossinit_fairseq.tasks import crossinit_denoising, crossinit_mlm, crossinit_pretrain, crossinit_unmt

    return {
        "crossinit_denoising": (
            crossinit_denoising.CrossInitDenoisingConfig,
            crossinit_denoising.CrossInitDenoisingTask,
        ),
        "crossinit_pretrain": (crossinit_pretrain.CrossInitPretrainConfig, crossinit_pretrain.CrossInitPretrainTask),
        "crossinit_mlm": (crossinit_mlm.CrossInitMlmConfig, crossinit_mlm.CrossInitMlmTask),
        "crossinit_unmt": (crossinit_unmt.CrossInitUnmtConfig, crossinit_unmt.CrossInitUnmtTask),
    }[name]


@pytest.fixture
def marked(data_folder, tmp_path):
    """The toy data; two sentences of aa's training text, one of its valid text and one pair hold a control symbol."""
    from fairseq.data import Dictionary

    from tests.conftest import write_split

    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    dictionary = Dictionary.load(str(data_folder / "dict.txt"))
    plain = ["\u2581a1 \u2581a2 ."] * 5
    write_split(dictionary, tmp_path / "data/aa/train", plain + ["\u2581a1 [bb] .", "<mask>"])
    write_split(dictionary, tmp_path / "data/aa/valid", plain + ["[aa] \u2581a1"])
    for split in ("valid", "test"):
        write_split(dictionary, tmp_path / f"data/{split}.aa-bb.aa", plain)
        write_split(dictionary, tmp_path / f"data/{split}.aa-bb.bb", ["\u2581b1"] * 4 + ["\u2581b2 <mask>"])
    return tmp_path / "data"


@pytest.mark.parametrize("task", ["crossinit_pretrain", "crossinit_mlm", "crossinit_unmt"])
def test_every_task_says_which_text_holds_control_symbols(marked, task, caplog):
    config_of, task_class = task_of(task)
    config = config_of()
    config.data, config.langs, config.seed, config.train_subset = str(marked), "aa,bb", 1, "train"
    config.sample_break_mode = "eos"  # of crossinit_mlm
    with caplog.at_level(logging.WARNING):
        got = task_class.setup_task(config)
        if task == "crossinit_pretrain":
            assert sum(got.words[0].counts) == 11, "a1 and a2 five times each, a1 once"
        else:
            for split in ("train", "valid"):
                got.load_dataset(split)
    said = [record.getMessage() for record in caplog.records if "control symbols" in record.getMessage()]
    consequence = {"crossinit_pretrain": "the words around them are counted"}.get(task, "they are left out")
    assert said[0] == (
        f"{marked}/aa/train: 2 of 7 sentences hold control symbols (<mask> 1 times, [bb] 1 times): {consequence}"
    )
    if task == "crossinit_mlm":
        assert len(got.datasets["valid"].groups[0][1]) == 5
    if task == "crossinit_unmt":
        assert len(got.datasets["train"].usable["aa"]) == 5
        sizes = {score: len(part) for score, part in got.datasets["valid"].groups}
        assert sizes["bleu", "aa", "bb"] == sizes["bleu", "bb", "aa"] == 4 and sizes["round_trip", "aa", "bb"] == 5
        config.source_lang, config.target_lang = "aa", "bb"
        generating = task_class.setup_task(config)
        generating.load_dataset("test")
        assert len(generating.datasets["test"]) == 5, "every line of a test set is translated"


@pytest.mark.parametrize(
    "task, split, place",
    [
        *((task, "train", "bb/train") for task in ("pretrain", "mlm", "denoising", "unmt")),
        *((task, "valid", "aa/valid") for task in ("mlm", "denoising", "unmt")),
        ("unmt", "valid", "valid.aa-bb.aa"),
        ("unmt", "valid", "valid.aa-bb.bb"),
        ("generation", "test", "test.aa-bb.aa"),
        ("generation", "test", "test.aa-bb.bb"),
    ],
)
def test_every_task_refuses_tokens_beyond_the_dictionary(data_folder, tmp_path, task, split, place):
    """Of validation text too, when it is loaded: fairseq does that before it trains."""
    config_of, task_class = task_of("crossinit_" + task.replace("generation", "unmt"))
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    write_text(tmp_path / "data" / place, [[5, 6, 2]] * 20 + [[5, 130, 2]])
    config = config_of()
    config.data, config.langs, config.seed, config.train_subset = str(tmp_path / "data"), "aa,bb", 1, "train"
    if task == "generation":
        config.source_lang, config.target_lang = "aa", "bb"
    got = task_class.setup_task(config)
    with pytest.raises(SystemExit, match=f"{place}.bin holds token 130 but the dictionary has 130 symbols"):
        got.words if task == "pretrain" else got.load_dataset(split)


@pytest.mark.parametrize("task, place", [("mlm", "aa/valid"), ("denoising", "aa/valid"), ("unmt", "valid.aa-bb.bb")])
def test_validation_text_of_control_symbols_alone_is_refused(data_folder, tmp_path, task, place):
    config_of, task_class = task_of("crossinit_" + task)
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    write_text(tmp_path / "data" / place, [[5, 129, 2]] * 21)
    config = config_of()
    config.data, config.langs, config.seed, config.train_subset = str(tmp_path / "data"), "aa,bb", 1, "train"
    with pytest.raises(SystemExit, match=f"{place[:-3]}.* no (sentence|pair) that can be used"):
        task_class.setup_task(config).load_dataset("valid")
