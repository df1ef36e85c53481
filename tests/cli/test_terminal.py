"""crossinit_fairseq/cli/terminal.py: escape codes in words and names of files, on a terminal and elsewhere."""

import io
import os
import pty
import sys
import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("polars")
pytest.importorskip("scipy")

from crossinit_fairseq.cli import doctor, export, lexicon, prepare, ranks, score
from crossinit_fairseq.cli.terminal import Terminal, shown

RED = "\x1b[31m"
TABLE = f"# language: en\nthe{RED}\t8\nof\x9b2J\t4\n"
PAIRS = f"# languages: en ro\nthe\tcasa{RED}\ncat\tpisica\u202e\n"


def on_terminal(main, *arguments, stdin=""):
    """Run a command whose standard output and error are a terminal. Returns (exit status, what the terminal got)."""
    master, slave = pty.openpty()
    got = []

    def read():
        try:
            while True:
                got.append(os.read(master, 4096))
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = SimpleNamespace(buffer=io.BytesIO(stdin.encode()), isatty=lambda: False)
    try:
        with open(slave, "w", encoding="utf-8", newline="") as terminal:
            sys.stdout = sys.stderr = terminal
            status = main([str(argument) for argument in arguments])
            assert sys.stdout is terminal, "streams are as they were"
    except SystemExit as error:  # of argparse
        status = error.code
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        reader.join()
        os.close(master)
    return status, b"".join(got).decode()


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    for name, text in {
        "table.tsv": TABLE,
        "pairs.tsv": PAIRS,
        f"a{RED}.tsv": PAIRS,
        "text.en": f"the cat {RED}sat\n",
        "ref.ro": "casa pisica\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


def check(output, *shown):
    assert not set(output) - {"\n", "\r", "\t"} & set(map(chr, [*range(32), *range(127, 160), 0x202E])), ascii(output)
    for text in shown:
        assert text in output


@pytest.mark.parametrize(
    "main, words, status, shown",
    [
        (ranks.main, ["merge", "table.tsv", "table.tsv"], 0, ["the\\x1b[31m\t16", "of\\x9b2J\t8"]),
        (ranks.main, ["show", "table.tsv"], 0, ["the\\x1b[31m"]),
        (ranks.main, ["count", "--lang", "en", "text.en"], 0, ["cat"]),
        (ranks.main, ["count", "--lang", RED, "text.en"], 1, ["\\x1b[31m"]),
        (lexicon.main, ["show", f"a{RED}.tsv"], 0, ["casa\\x1b[31m", "pisica\\u202e"]),
        (lexicon.main, ["compose", f"a{RED}.tsv", "no.tsv", "-o", "out.tsv"], 1, ["no.tsv"]),
        (lexicon.main, ["evaluate", "pairs.tsv", "--dict", f"a{RED}.tsv"], 0, ["a\\x1b[31m.tsv"]),
        (score.main, ["--pair", "en-ro", "--reference", "ref.ro", f"{RED}=text.en"], 0, ["\\x1b[31m"]),
        (prepare.main, ["normalise", "text.en", "--lang", "en"], 0, ["the cat [31msat"]),
        (prepare.main, ["clean", "text.en", "--lang", RED, "-o", "out.txt"], 2, ["\\x1b[31m"]),
        (export.main, [f"no{RED}", "--dict", "no.txt", "--to", "a.vec"], 1, ["error"]),
        (doctor.main, [f"no{RED}"], 1, ["no\\x1b[31m"]),
        (ranks.main, ["show", "table.tsv", f"--{RED}"], 2, ["unrecognized arguments: --\\x1b[31m"]),
    ],
)
def test_nothing_that_steers_the_terminal(main, words, status, shown):
    done, output = on_terminal(main, *words)
    assert done == status, output
    check(output, *shown)


def test_translations_on_a_terminal_and_in_a_pipe(capsysbinary, monkeypatch):
    words = ["translate", "pairs.tsv", "--from", "en", "--to", "ro"]
    text = f"the\tcat {RED}sat\r\nthe end\rof\n"
    status, output = on_terminal(lexicon.main, *words, stdin=text)
    assert status == 0 and output.splitlines()[0] == "casa\\x1b[31m\tpisica\\u202e \\x1b[31msat"
    check(output)
    assert "\\rof" in output, "a return would write over what stands before it"

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert lexicon.main(words) == 0
    assert capsysbinary.readouterr().out.decode().startswith(f"casa{RED}\tpisica\u202e {RED}sat\r\n")


def test_a_table_in_a_pipe_is_exact(capsysbinary):
    assert ranks.main(["merge", "table.tsv"]) == 0
    assert f"the{RED}\t8\nof\x9b2J\t4\n" in capsysbinary.readouterr().out.decode()


def test_layout_and_progress_pass():
    stream = io.StringIO()
    stream.isatty = lambda: True
    terminal = shown(stream)
    assert isinstance(terminal, Terminal) and shown(io.StringIO()).__class__ is io.StringIO
    for text in ("\r 10%|\u2588  |", "a\tb\r\nc\rd\r", "\u0915\u094d\u200d\u0937\n"):
        assert terminal.write(text) == len(text)
    terminal.writelines(["e\n", "\a\n"])
    assert stream.getvalue() == "\r 10%|\u2588  |a\tb\r\nc\\rd\\r\u0915\u094d\u200d\u0937\ne\n\\x07\n"
    terminal.flush()
    assert terminal.encoding == stream.encoding
