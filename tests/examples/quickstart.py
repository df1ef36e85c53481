"""The quickstart's own programs, run as its recipe runs them, and the files that they read and write."""

from pathlib import Path

from tests import program_server, programs

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


def run(program, *arguments):
    return programs.run(program_server.python(), QUICKSTART / program, *arguments)


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read(path):
    return path.read_text("utf-8").splitlines()
