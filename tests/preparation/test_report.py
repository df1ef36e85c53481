"""crossinit-prepare report: preparation/report.py, cli/prepare_tables.py"""

import json

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import report

from .conftest import run_in_process, write


@pytest.fixture
def prepared(tmp_path):
    counts = {"lines_read": 1234, "words_read": 5678, "lines": 3, "words": 7, "dropped": {"repeated": 1, "empty": 2}}
    for language in ("en", "ro"):
        write(tmp_path / "clean" / (language + ".json"), [json.dumps(counts)])
    write(tmp_path / "pieces" / "dict.txt", [symbol + " 1" for symbol in "▁a b ▁c ▁d e [en] [ro] <mask>".split()])
    write(tmp_path / "pieces" / "0" / "train.en", ["▁a b ▁a b", "▁c"])
    write(tmp_path / "pieces" / "1" / "train.en", ["▁ \u2603 e"])
    write(tmp_path / "pieces" / "valid.en", ["▁a"])
    write(tmp_path / "pieces" / "0" / "train.ro", ["▁a ▁d ▁d"])
    return tmp_path


def run(folder):
    given = f"--langs en,ro --clean {folder}/clean --pieces {folder}/pieces --out {folder}/out"
    run_in_process("report", *given.split())
    text = (folder / "out" / "report.txt").read_text(encoding="utf-8")
    return json.loads((folder / "out" / "report.json").read_text(encoding="utf-8")), text


def test_by_hand(prepared):
    found, text = run(prepared)
    assert found["vocabulary"] == 5
    # ▁a 3, b 2, ▁c 1, e 1; "▁" and the snowman are not in the dictionary
    assert found["languages"]["en"]["sub_tokens"] == {
        "lines": 4,
        "words": 5,
        "sub_tokens": 9,
        "sub_tokens_per_word": 9 / 5,
        "characters_per_sub_token": 8 / 9,
        "unknown_share": 2 / 9,
        "used": 4,
        "common": 4,
    }
    assert found["languages"]["ro"]["sub_tokens"]["sub_tokens"] == 3
    assert found["shared"] == [{"pair": ["en", "ro"], "common": 1, "text": {"en": 3 / 9, "ro": 1 / 3}}]
    assert found["languages"]["ro"]["cleaning"]["dropped"] == {"repeated": 1, "empty": 2}
    rows = [line.split("  ") for line in text.split("\n") if line]
    cells = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}
    assert cells["lines read"] == ["1,234", "1,234"] and cells["sub-tokens per word"] == ["1.80", "1.00"]
    assert cells["unknown sub-tokens"] == ["22.222%", "0.000%"] and cells["en-ro"] == ["1", "33.3%", "33.3%"]
    assert text.index("dropped: empty") < text.index("dropped: repeated")


def test_common_sub_tokens(tmp_path):
    # 98 + 1 of 100 are 99 %; c before d
    text = write(tmp_path / "train", [" ".join("a" * 98), "d c"])
    assert report.Usage({"a", "c", "d"}, [text]).common == {"a", "c"}


@pytest.mark.parametrize(
    "path, program",
    [("clean/ro.json", "clean"), ("pieces/dict.txt", "vocabulary"), ("pieces/0/train.ro", "encode")],
)
def test_a_step_that_was_not_run(prepared, path, program):
    (prepared / path).unlink()
    with pytest.raises(InputError, match=f"{path} does not exist: make it with crossinit-prepare {program}"):
        run(prepared)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '"x"', "[" * 100000, '{"lines_read": "many", "dropped": {}}', "\ufeff{}"]
)
def test_broken_counts(prepared, content):
    (prepared / "clean" / "en.json").write_text(content, "utf-8")
    with pytest.raises(InputError, match="en.json holds no counts of crossinit-prepare clean: make it again"):
        run(prepared)
