"""crossinit_fairseq/command_line.py: an option that is given twice, variables before a program, lists of files."""

import argparse
import ast
import importlib
import pathlib

import pytest

from crossinit_fairseq.cli import compare, score_finetuned
from crossinit_fairseq.command_line import CommandParser, GivenOnce, between_commas, without_variables
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import language_files
from crossinit_fairseq.tasks.lexicons import parse_lexicons
from crossinit_fairseq.tasks.word_ranks import parse_tables
from tests.cli.test_command import console_commands

ROOT = pathlib.Path(__file__).parents[1]
PROGRAMS = [path for folder in ("scripts", "examples", ".ci") for path in sorted((ROOT / folder).rglob("*.py"))]


def parser():
    got = CommandParser(prog="name")
    got.add_argument("file", nargs="?", default="-")
    got.add_argument("-o", "--output")
    got.add_argument("--size", type=int, default=3, action="store")
    got.add_argument("--test", nargs="+", action="extend", default=[])
    got.add_argument("--text", action="append", default=[])
    got.add_argument("--pair", nargs=2)
    return got


def test_variables_before_a_program():
    words = ["A_1=", "_B=x=y z", "fairseq-train", "C=2"]
    assert without_variables(words) == ({"A_1": "", "_B": "x=y z"}, ["fairseq-train", "C=2"])
    assert without_variables(["1A=2", "B=3"]) == ({}, ["1A=2", "B=3"])


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
    got = parser()
    assert got.parse_args("--size 4 --size 4".split()).size == 4
    assert got.parse_args("--size 5".split()).size == 5, "what one command line said is not held against the next"


def test_a_comma_in_the_name_of_a_file_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert between_commas("random, en=a,b.vec ,,c.vec", "--inits") == ["random", "en=a", "b.vec", "c.vec"]
    (tmp_path / "a,b.vec").write_text("")
    said = "^--inits: there is a file a,b.vec, and commas part the entries of this list: give it a name without them$"
    for text in ("random,a,b.vec", "a,b.vec,random", "random,en=a,b.vec"):
        with pytest.raises(InputError, match=said):
            between_commas(text, "--inits")
    assert between_commas("a,random,b.vec", "--inits") == ["a", "random", "b.vec"]


def test_every_list_of_files_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a,b.vec", "a,b.tsv"):
        (tmp_path / name).write_text("")
    for read in (
        lambda: language_files("en=a,b.tsv", "--train-files"),
        lambda: parse_tables("en=a,b.tsv"),
        lambda: parse_lexicons("en-ro=a,b.tsv", ["en", "ro"]),
        lambda: score_finetuned._systems(["mine=a,b.tsv"]),
    ):
        with pytest.raises(InputError, match="there is a file a,b.tsv, and commas part"):
            read()
    assert compare.main(["cipher", "--inits", "random,a,b.vec", "--out", "out"]) == 1
    assert "--inits: there is a file a,b.vec, and commas part" in capsys.readouterr().err


@pytest.mark.parametrize("module", console_commands())
def test_no_option_of_a_console_command_is_lost(module):
    """Every option that stores a value is one of these, in the sub-commands too."""
    parsers = [importlib.import_module(module)._parser()]
    for one in parsers:
        assert type(one) is CommandParser and not one.allow_abbrev
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
            elif action.option_strings and action.nargs != 0:
                assert isinstance(action, (GivenOnce, argparse._AppendAction)), action.option_strings


def parsers_called(program):
    """How a program names what it calls to make a parser of its options: "CommandParser", "ArgumentParser", ..."""
    calls = [node.func for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call)]
    names = [func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls]
    return [name for name in names if name.endswith("Parser")]


def test_no_option_of_a_program_is_lost():
    """The programs of recipes and benchmarks read their options by the same class."""
    called = {str(path.relative_to(ROOT)): parsers_called(path.read_text("utf-8")) for path in PROGRAMS}
    assert {name: got for name, got in called.items() if set(got) - {"CommandParser"}} == {}
    assert sum(map(len, called.values())) > 30
    assert parsers_called("argparse.ArgumentParser(); CommandParser()") == ["ArgumentParser", "CommandParser"]


@pytest.mark.parametrize("words", [["-o", ""], ["--output="]])
def test_an_empty_value_is_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(words)
    assert end.value.code == 2 and "argument -o/--output: its value is empty: leave it out" in capsys.readouterr().err
    assert parser().parse_args([]).output is None
