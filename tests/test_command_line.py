"""crossinit_fairseq/command_line.py: an option that is given twice."""

import argparse
import importlib

import pytest

from crossinit_fairseq.command_line import CommandParser, GivenOnce
from tests.cli.test_command import console_commands


def parser():
    made = CommandParser(prog="name")
    made.add_argument("file", nargs="?", default="-")
    made.add_argument("-o", "--output")
    made.add_argument("--size", type=int, default=3, action="store")
    made.add_argument("--test", nargs="+", action="extend", default=[])
    made.add_argument("--text", action="append", default=[])
    made.add_argument("--pair", nargs=2)
    return made


def test_options_given_once_and_several_times():
    options = parser().parse_args("a -o b --test c d --test e --text f --text g --pair h i --size 4".split())
    assert vars(options) == dict(file="a", output="b", test=["c", "d", "e"], text=["f", "g"], pair=["h", "i"], size=4)
    assert parser().parse_args([]).test == [] == parser().parse_args([]).text, "a default is not filled"


@pytest.mark.parametrize(
    "words, told",
    [
        ("-o a --output b", "argument -o/--output: given twice, 'a' and 'b': give it once"),
        ("--size 4 --size 5", "argument --size: given twice, 4 and 5: give it once"),
        ("--size 3 --size 5", "argument --size: given twice, 3 and 5: give it once"),  # the first is the default
        ("--pair a b --pair a c", "argument --pair: given twice, ['a', 'b'] and ['a', 'c']: give it once"),
    ],
)
def test_a_second_value_is_refused(words, told, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words.split())
    assert ended.value.code == 2 and told in capsys.readouterr().err


def test_the_same_value_again_and_another_command_line():
    made = parser()
    assert made.parse_args("--size 4 --size 4".split()).size == 4
    assert made.parse_args("--size 5".split()).size == 5, "what one command line said is not held against the next"


@pytest.mark.parametrize("module", console_commands())
def test_no_option_of_a_console_command_is_lost(module):
    """Every option that stores a value is one of these, in the sub-commands too."""
    made = importlib.import_module(module)._parser
    made = made(settings=True) if module.endswith("lexicon") else made()
    parsers = [made]
    for one in parsers:
        assert type(one) is CommandParser and not one.allow_abbrev
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            elif action.option_strings and action.nargs != 0:
                assert isinstance(action, (GivenOnce, argparse._AppendAction)), action.option_strings
