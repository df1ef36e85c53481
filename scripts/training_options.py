"""Whether fairseq-train takes the further options of a recipe, for options.sh: asked before the first stage.

    python training_options.py STARTS OPTIONS...

STARTS, between commas, are those of the recipe; OPTIONS are of `--task crossinit_unmt`. Exit status 0, or 2 and one
sentence: an option that does not exist, a value that is none, options that contradict each other, or the start.
"""

import argparse
import sys
from contextlib import contextmanager
from typing import Any, Iterator, List, NoReturn
from unittest import mock

from crossinit_fairseq.errors import InputError, printable

# what both recipes set and other options may depend on
_OF_RECIPE = (
    "data --task crossinit_unmt --langs a,b --arch transformer --share-all-embeddings --max-tokens 500 "
    "--criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr-scheduler polynomial_decay "
    "--total-num-update 2 --max-update 2"
)
_OF_LEXICON = "--lexicon a-b=LEXICON --lexicon-bt-updates 1 --lexicon-bt-noise"
_OF_TABLE = "--finetune-from-model TABLE"


def main(starts: List[str], words: List[str]) -> int:
    for start in starts:
        known = _OF_RECIPE.split()
        if start in ("lexicon", "oracle"):
            known += _OF_LEXICON.split()
        if start != "random":
            known += _OF_TABLE.split()
        try:
            check(known, words)
        except InputError as error:
            print(f"--training, with the start {start}: {printable(str(error))}", file=sys.stderr)
            return 2
    return 0


def check(known: List[str], words: List[str]) -> None:
    """Raises InputError where fairseq-train would not take these options."""
    from fairseq import options
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    # the tasks are registered by this
    from crossinit_fairseq.tasks.crossinit_unmt_config import check_options

    with _errors_raised():
        parsed = options.parse_args_and_arch(options.get_training_parser(), known + words)
    config: Any = convert_namespace_to_omegaconf(parsed)
    check_options(config.task)


@contextmanager
def _errors_raised() -> Iterator[None]:
    """In place of argparse's pages of usage, and of its end of the program; fairseq makes the parsers itself."""

    def error(parser: argparse.ArgumentParser, message: str) -> NoReturn:
        raise InputError(message)

    with mock.patch.object(argparse.ArgumentParser, "error", error):
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2:]))
