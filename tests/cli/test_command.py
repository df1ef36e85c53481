"""crossinit_fairseq/cli/command.py"""

import sys
from pathlib import Path

import pytest

from crossinit_fairseq.cli import command
from crossinit_fairseq.errors import InputError
from tests import programs

_PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from crossinit_fairseq.cli import command
sys.exit(command.run("name", lambda: [print("word") for _ in range(20000)]))
"""


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


def test_a_good_end(capsys):
    assert command.run("name", lambda: print("done")) == 0
    assert capsys.readouterr() == ("done\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_no_space_left(unbuffered):
    command = '"$0" -c "$1" > /dev/full'
    done = programs.run("sh", "-c", command, sys.executable, _PROGRAM, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1 and done.stderr == "name: error: standard output: No space left on device\n"


def test_a_reader_that_has_seen_enough():
    command = '{ "$0" -c "$1"; echo "status $?" >&2; } | head -n 1'
    done = programs.run("sh", "-c", command, sys.executable, _PROGRAM)
    assert done.stdout == "word\n" and done.stderr == "status 0\n"
