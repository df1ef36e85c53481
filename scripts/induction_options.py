"""Whether `crossinit-lexicon induce` takes further options of a recipe, for options.sh: asked before the first stage.

    python induction_options.py OPTIONS...

Exit status 0, or 2 and one sentence: an option that does not exist or that the recipe sets itself, a value out of
range.
"""

import argparse
import dataclasses
import sys
from typing import List, NoReturn
from unittest import mock

from crossinit_fairseq.cli import lexicon
from crossinit_fairseq.errors import InputError, printable
from crossinit_fairseq.lexicon.induction_settings import InductionSettings

# what recipes set
_OF_RECIPE = "induce DATA --langs a,b --all --workers 1 --seed RECIPE -o LEXICON".split()


def main(words: List[str]) -> int:
    def error(parser: argparse.ArgumentParser, message: str) -> NoReturn:
        raise InputError(message)

    for word in words:
        if word.startswith("-") and word.partition("=")[0] in _OF_RECIPE + ["--output", "--text", "--dask"]:
            print(f"--induction: {word} is set by the recipe", file=sys.stderr)
            return 2
    known = ["1" if word == "RECIPE" else word for word in _OF_RECIPE]
    try:
        with mock.patch.object(argparse.ArgumentParser, "error", error):
            options = lexicon._parser().parse_args(known + words)
        fields = dataclasses.fields(InductionSettings)
        InductionSettings(**{field.name: getattr(options, field.name) for field in fields}).check()
    except InputError as error_found:
        print(f"--induction: {printable(str(error_found))}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
