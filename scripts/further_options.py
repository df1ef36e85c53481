"""Whether programs take the further options that a recipe hands on, for options.sh: asked before the first stage.

    python further_options.py --training STARTS OPTIONS...
    python further_options.py --induction OPTIONS...

--training: OPTIONS are of `fairseq-train --task crossinit_unmt`; STARTS, between commas, are those of the recipe.
--induction: they are of `crossinit-lexicon induce`. Exit status 0, or 2 and one sentence: an option that does not exist
or that the recipe sets itself, a value of another kind, options of ours that contradict each other, or the start.
"""

import argparse
import sys
from contextlib import contextmanager
from typing import Iterator, List, NoReturn
from unittest import mock

from crossinit_fairseq.errors import InputError, printable

# what recipes set and other options may depend on
_TRAINING = (
    "data --task crossinit_unmt --langs a,b --arch transformer --share-all-embeddings --max-tokens 500 "
    "--criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam --lr-scheduler polynomial_decay "
    "--total-num-update 2 --max-update 2"
)
_WITH_LEXICON = "--lexicon a-b=LEXICON --lexicon-bt-updates 1 --lexicon-bt-noise"
_WITH_TABLE = "--finetune-from-model TABLE"
_INDUCTION = "induce DATA --langs a,b --all --workers 1 --seed 1 -o LEXICON"
_OF_RECIPE = {"--langs", "--all", "--workers", "--seed", "-o", "--output", "--text", "--dask"}


def main(kind: str, words: List[str]) -> int:
    try:
        if kind == "--training":
            for start in words[0].split(","):
                check_training(start, words[1:])
        else:
            check_induction(words)
    except InputError as error:
        print(f"{kind}{printable(str(error))}", file=sys.stderr)
        return 2
    return 0


def check_training(start: str, words: List[str]) -> None:
    """Raises InputError where fairseq-train would not take these options of a recipe with this start."""
    from fairseq import options
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    # the tasks are registered by this
    from crossinit_fairseq.tasks.crossinit_unmt_config import check_options

    known = _TRAINING.split()
    if start in ("lexicon", "oracle"):
        known += _WITH_LEXICON.split()
    if start != "random":
        known += _WITH_TABLE.split()
    with _told_as(f", with the start {start}: "):
        parsed = options.parse_args_and_arch(options.get_training_parser(), known + words)
        check_options(convert_namespace_to_omegaconf(parsed).task)


def check_induction(words: List[str]) -> None:
    """Raises InputError where `crossinit-lexicon induce` would not take these options of a recipe."""
    from crossinit_fairseq.cli import lexicon
    from crossinit_fairseq.cli.lexicon_induction import settings_of

    with _told_as(": "):
        for word in words:
            if word.partition("=")[0] in _OF_RECIPE:
                raise InputError(f"{word} is set by the recipe")
        settings_of(lexicon._parser().parse_args(_INDUCTION.split() + words))


@contextmanager
def _told_as(before: str) -> Iterator[None]:
    """InputError, and argparse's errors in place of its pages of usage (fairseq makes its parsers itself), as an
    InputError that begins so."""

    def error(parser: argparse.ArgumentParser, message: str) -> NoReturn:
        raise InputError(message)

    try:
        with mock.patch.object(argparse.ArgumentParser, "error", error):
            yield
    except InputError as problem:
        raise InputError(before + str(problem)) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
