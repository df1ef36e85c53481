"""crossinit_fairseq/cli/command.py"""

import importlib
import io
import re
import sys
from pathlib import Path

import pytest

from crossinit_fairseq import cli
from crossinit_fairseq.cli import command
from crossinit_fairseq.errors import InputError
from tests import programs

_ROOT = str(Path(__file__).parents[2])
_PROGRAM = """
import sys
from crossinit_fairseq.cli import command
sys.exit(command.run("name", lambda: [print("word") for _ in range(20000)]))
"""


class Screen(io.TextIOWrapper):
    """A terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    "kind, written", [(io.TextIOWrapper, "\u021bar\u0103 \\udcff\n"), (Screen, "\\u021bar\\u0103 \\udcff\n")]
)
def test_any_character_in_any_locale(monkeypatch, kind, written):
    """To a file or a pipe in UTF-8; latin-1 lacks t with a comma below, and nothing has half of a surrogate pair."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, kind(io.BytesIO(), encoding="latin-1"))
    assert command.run("name", lambda: print("\u021bar\u0103 \udcff")) == 0
    assert sys.stdout.buffer.getvalue().decode("utf-8") == written


def raising(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    "error, status, told",
    [
        (InputError("x.txt holds no word: give another"), 1, "name: error: x.txt holds no word: give another\n"),
        (KeyboardInterrupt(), 130, "name: interrupted, nothing written\n"),
    ],
)
def test_one_sentence(error, status, told, capsys):
    assert command.run("name", raising(error)) == status
    assert capsys.readouterr().err == told


def test_a_name_cannot_steer_the_terminal(capsys):
    # colours, the bell, text that runs from right to left
    assert command.run("name", raising(InputError("\x1b[31mx\a\u202e.txt is empty"))) == 1
    assert capsys.readouterr().err == "name: error: \\x1b[31mx\\x07\\u202e.txt is empty\n"


def test_a_good_end(capsys):
    assert command.run("name", lambda: print("done")) == 0
    assert capsys.readouterr() == ("done\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_no_space_left(unbuffered):
    command = '"$0" -c "$1" > /dev/full'
    done = programs.run("sh", "-c", command, sys.executable, _PROGRAM, PYTHONUNBUFFERED=unbuffered, PYTHONPATH=_ROOT)
    assert done.returncode == 1 and done.stderr == "name: error: standard output: No space left on device\n"


_READS = _PROGRAM.replace('[print("word") for _ in range(20000)]', "sys.stdin.buffer.read()")
_SILENT = _PROGRAM.replace('[print("word") for _ in range(20000)]', "None")
_WITH_WORKERS = _PROGRAM.replace(
    '[print("word") for _ in range(20000)]', "print(*ordered_map(print, (), str, (1, 2), workers=2), file=sys.stderr)"
).replace("import sys", "import sys; from crossinit_fairseq.preparation.ordered_map import ordered_map")


@pytest.mark.parametrize(
    "program, closed, status, told",
    [
        (_READS, "<&-", 1, "name: error: standard input is closed: name a file to read\n"),
        (_PROGRAM, ">&-", 1, "name: error: standard output: Bad file descriptor\n"),
        (_SILENT, "<&- >&-", 0, ""),  # neither is needed
        (_READS, "<&- 2>&-", 1, ""),
        (_WITH_WORKERS, "<&-", 0, "1 2\n"),
    ],
)
def test_streams_that_are_closed(program, closed, status, told):
    done = programs.run("sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, program, PYTHONPATH=_ROOT)
    assert (done.returncode, done.stderr) == (status, told)


def test_a_reader_that_has_seen_enough():
    command = '{ "$0" -c "$1"; echo "status $?" >&2; } | head -n 1'
    done = programs.run("sh", "-c", command, sys.executable, _PROGRAM, PYTHONPATH=_ROOT)
    assert done.stdout == "word\n" and done.stderr == "status 0\n"


LARGE = ["fairseq", "polars", "sacrebleu", "scipy", "sklearn", "torch", "transformers"]


def console_commands():
    """The modules of the console commands that setup.py names."""
    text = (Path(__file__).parents[2] / "setup.py").read_text("utf-8")
    return sorted(set(re.findall(r'"crossinit-[a-z-]+ = (crossinit_fairseq[.a-z_]+):main"', text)))


SUB_COMMANDS = {
    "lexicon": "induce show evaluate compose translate".split(),
    "prepare": "download local clean normalise vocabulary encode report".split(),
    "ranks": "count show merge".split(),
}


@pytest.mark.parametrize("module", console_commands())
def test_help_waits_for_no_large_library(module):
    """Importing torch, fairseq or Polars takes seconds, and whoever asks for help is in a hurry."""
    asked = [["--help"]] + [[name, "--help"] for name in SUB_COMMANDS.get(module.rpartition(".")[2], [])]
    program = (
        f"import sys, {module} as command\n"
        f"for sys.argv[1:] in {asked}:\n"
        "    try:\n        command.main()\n    except SystemExit as error:\n        assert error.code == 0\n"
        f"print('LOADED', *[name for name in {LARGE} if name in sys.modules])"
    )
    done = programs.run(sys.executable, "-c", program, PYTHONPATH=str(Path(__file__).parents[2]))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED", module


@pytest.mark.parametrize(
    "name",
    [path.stem for path in sorted(Path(cli.__path__[0]).glob("*.py")) if "\ndef main(" in path.read_text("utf-8")],
)
def test_help_is_no_wider_than_a_page(name, capsys, monkeypatch):
    module = importlib.import_module("crossinit_fairseq.cli." + name)
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        module.main(["--help"])
    shown = capsys.readouterr().out
    assert "usage: crossinit-" in shown
    assert [line for line in shown.splitlines() if len(line) > 120] == []
