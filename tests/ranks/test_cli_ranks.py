"""The command crossinit-ranks."""

import io
import lzma
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("polars")

from crossinit_fairseq.cli.command import display_width, format_columns
from crossinit_fairseq.cli.ranks import main
from crossinit_fairseq.ranks import RankTable


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    (tmp_path / "a.txt").write_bytes("The cat, the र र र\n".encode("utf-8"))
    (tmp_path / "b.txt.xz").write_bytes(lzma.compress(b"cat dog\n"))
    return tmp_path


def listed(path):
    table = RankTable.load(path)
    return list(zip(table.words, table.counts.tolist()))


def test_count(capsys):
    assert main(["count", "--lang", "en", "a.txt", "*.xz", "-o", "en.tsv"]) == 0
    assert listed("en.tsv") == [("र", 3), ("cat", 2), ("The", 1), ("dog", 1), ("the", 1)]
    out, err = capsys.readouterr()
    assert out == "" and err == "en.tsv: 5 different words of 8 in all; the first 20,000 make up 100.0%\n"

    assert (
        main(["count", "--lang", "en", "--lowercase", "--min-count", "2", "--workers", "2", "a.txt", "b.txt.xz"]) == 0
    )
    out, err = capsys.readouterr()
    assert out.endswith("र\t3\ncat\t2\nthe\t2\n") and "# lowercase: yes\n# min_count: 2\n# left_out_words: 1\n" in out
    assert (
        err
        == "standard output: 3 different words of 8 in all; the first 20,000 make up 87.5%; 1 rarer words left out\n"
    )


def test_text_of_another_script_is_said(in_a_folder, capsys):
    (in_a_folder / "en").write_text("the cat and the dog\n", encoding="utf-8")
    assert main(["count", "--lang", "ne", "en", "-o", "ne.tsv"]) == 0
    assert capsys.readouterr().err.endswith("\ncrossinit-ranks: most letters are Latin: is this text ne?\n")


def test_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(b"b a b " + b"x" * 101))))
    assert main(["count", "--lang", "en", "-", "-o", "t.tsv"]) == 0
    assert listed("t.tsv") == [("b", 2), ("a", 1)]
    assert capsys.readouterr().err.endswith("; 1 overlong words skipped\n")


def test_lists(in_a_folder, capsys):
    (in_a_folder / "list").write_bytes(b"the 5\nof 3\n, 9\n")
    assert main(["count", "--lang", "en", "--list", "list", "-o", "t.tsv"]) == 0
    assert listed("t.tsv") == [("the", 5), ("of", 3)]
    assert "1 entries skipped, no words or repeated" in capsys.readouterr().err
    pytest.importorskip("wordfreq")
    assert main(["count", "--lang", "de", "--wordfreq", "--min-count", "1000000", "-o", "de.tsv"]) == 0
    assert listed("de.tsv")[0][0] == "die"


def test_merge(capsys):
    main(["count", "--lang", "en", "a.txt", "-o", "a.tsv"])
    main(["count", "--lang", "en", "b.txt.xz", "-o", "b.tsv"])
    main(["count", "--lang", "en", "a.txt", "b.txt.xz", "-o", "both.tsv"])
    capsys.readouterr()
    assert main(["merge", "a.tsv", "b.tsv", "-o", "merged.tsv"]) == 0
    assert listed("merged.tsv") == listed("both.tsv")
    assert main(["merge", "a.tsv", "b.tsv"]) == 0
    assert capsys.readouterr().out.endswith("र\t3\ncat\t2\nThe\t1\ndog\t1\nthe\t1\n")


def test_show(in_a_folder, capsys):
    (in_a_folder / "en.tsv").write_text("# language: en\n# tokens: 20\nthe\t8\nof\t4\nto\t2\n", encoding="utf-8")
    (in_a_folder / "ne.tsv").write_text("# language: ne\nको\t8\nर\t2\n", encoding="utf-8")
    (in_a_folder / "fr.tsv").write_text("# language: fr\n# counts: order only\nde\t2\nla\t1\n", encoding="utf-8")
    assert main(["show", "en.tsv", "ne.tsv", "fr.tsv", "--first", "2"]) == 0
    # 12 of 20 words; log2(8 / 4) and log2(8 / 2) between ranks 1 and 2
    assert capsys.readouterr().out == (
        "rank  en   ne  fr\n"
        "1     the  को  de\n"
        "2     of   र   la\n"
        "3     to\n"
        "\n"
        "                              en     ne      fr\n"
        "different words               3      2       2\n"
        "words in all                  20     10      unknown\n"
        "coverage of the first 2       60.0%  100.0%  unknown\n"
        "Zipf exponent of the first 2  1.000  2.000   unknown\n"
        "R squared of the fit          1.000  1.000   unknown\n"
    )
    assert main(["show", "en.tsv", "en.tsv", "--ranks", "1"]) == 0
    assert capsys.readouterr().out.startswith("rank  en.tsv  en.tsv\n1     the     the\n\n")


def test_columns():
    # a mark and a joiner take no room, a Chinese letter takes that of two
    assert [display_width(text) for text in ("नि", "र\u094d\u200d", "北京", "é")] == [2, 1, 4, 1]
    assert format_columns([["北", "x"], ["abc", "y"]]) == "北   x\nabc  y"
    # what could steer the terminal is written as its code, and takes that room
    assert format_columns([["\x1b[31m", "x"], ["abc", "\u202e"]]) == "\\x1b[31m  x\nabc       \\u202e"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["count", "--lang", "en", "nothing.txt"], "nothing.txt does not exist: give a text file"),
        (["count", "--lang", "en", "a.txt", "-o", "no/t.tsv"], "no is no folder to write t.tsv to: make it first"),
        (["count", "--lang", "en", "a.txt", "-o", "."], "is a folder: name a file to write"),
        (["count", "--lang", "e", "a.txt"], "'e' is no language code"),
        (["count", "--lang", "en", "--sub-tokens", "a.txt", "a.txt"], "a.txt is no SentencePiece model"),
        (["count", "--lang", "en", "a.txt", "-o", "a.txt"], "a.txt is read and would be overwritten"),
        (["show", "a.txt"], "line 1 of a.txt is not a word, a tab and a count"),
        (["merge", "nothing.tsv"], "nothing.tsv cannot be read: No such file or directory"),
    ],
)
def test_bad_input(arguments, message, capsys):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("crossinit-ranks: error: ") and message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "required: COMMAND"),
        (["count", "a.txt"], "required: --lang"),
        (["count", "--lang", "en"], "give at least one FILE, or - for standard input"),
        (["count", "--lang", "en", "--wordfreq", "a.txt"], "--wordfreq takes no FILE"),
        (["count", "--lang", "en", "--wordfreq", "--list"], "not allowed with argument"),
        (["count", "--lang", "en", "--list", "--sub-tokens", "m", "a.txt"], "--sub-tokens is for text"),
        (["count", "--lang", "en", "--workers", "0", "a.txt"], "0 is not 1 or more"),
        (["show", "--ranks", "x", "a.tsv"], "invalid number value: 'x'"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["count"], ["show"], ["merge"]])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(command + ["--help"])
    assert exit_.value.code == 0 and "usage: crossinit-ranks" in capsys.readouterr().out


def test_as_a_program(in_a_folder):
    run = [sys.executable, "-m", "crossinit_fairseq.cli.ranks"]
    (in_a_folder / "a.txt").write_bytes(b"ok\nna\xefve\n")
    done = subprocess.run(run + ["count", "--lang", "en", "a.txt"], stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "a.txt is not UTF-8 in line 2: convert it" in done.stderr
