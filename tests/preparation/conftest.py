"""Small text in two languages, and the command in this process and in one of its own."""

import subprocess
import sys

from crossinit_fairseq.cli import prepare, prepare_options

PROGRAM = [sys.executable, "-m", "crossinit_fairseq.cli.prepare"]

ENGLISH = "the cat house sat on mat with an old dog and this river near every green hill while they were walking home"
ROMANIAN = "pisica stă pe covor cu un câine bătrân și această casă lângă fiecare deal verde în timp ce ei mergeau acasă"


def sentences(words, number):
    """That many different sentences of ten words."""
    words = words.split()
    return [
        " ".join(words[(k * 7 + step * (1 + k % 5)) % len(words)] for step in range(9)) + f" {k}."
        for k in range(number)
    ]


def run_in_process(name, *options):
    """Run a subcommand of crossinit-prepare; what it raises comes through."""
    given = prepare_options.build_parser(prepare._FUNCTIONS).parse_args([name] + [str(option) for option in options])
    given.run(given)


def run_program(*options, **more):
    """Run the command as a program; returns what subprocess.run returns, with bytes."""
    command = PROGRAM + [str(option) for option in options]
    return subprocess.run(command, stderr=subprocess.PIPE, **dict({"stdout": subprocess.PIPE}, **more))


def write(path, lines):
    """Write lines to a file; returns its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def read(path):
    """The lines of a file."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]
