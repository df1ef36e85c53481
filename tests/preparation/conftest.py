"""scripts/preparation on the path, where its programs find their modules, and small text in two languages."""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).parents[3] / "scripts" / "preparation"
sys.path.insert(0, str(FOLDER))

ENGLISH = "the cat house sat on mat with an old dog and this river near every green hill while they were walking home"
ROMANIAN = "pisica stă pe covor cu un câine bătrân și această casă lângă fiecare deal verde în timp ce ei mergeau acasă"


def sentences(words, number):
    """That many different sentences of ten words."""
    words = words.split()
    return [
        " ".join(words[(k * 7 + step * (1 + k % 5)) % len(words)] for step in range(9)) + " {}.".format(k)
        for k in range(number)
    ]


def write(path, lines):
    """Write lines to a file; returns its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


def read(path):
    """The lines of a file."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]
