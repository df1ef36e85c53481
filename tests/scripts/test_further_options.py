"""scripts/further_options.py: options that are handed on are looked at before the first stage of a recipe."""

import pathlib

import pytest

from tests import program_server, programs

ROOT = pathlib.Path(__file__).parents[2]
(CHECK,) = programs.modules_of(ROOT / "scripts", "further_options")


@pytest.mark.parametrize(
    "options",
    ["--lexicon-noise 0.3 --dropout 0.1", "--freeze-table-updates 200", "--lr 0.1,0.2 --adam-eps 1e-6", ""],
)
def test_what_fairseq_train_would_take_passes_in_silence(options, capsys):
    assert CHECK.main("--training", ["lexicon,oracle"] + options.split()) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "start", "expected"),
    [
        ("--lexicon-nois 0.3", "lexicon", "unrecognized arguments: --lexicon-nois 0.3"),
        ("--lexicon-noise 3", "lexicon", "--lexicon-noise is 3.0; it is a probability"),
        ("--lexicon-noise 0.3", "random", "needs a lexicon"),
        ("--dropout x", "random", "argument --dropout: invalid float value: 'x'"),
        ("--max-tokens", "random", "argument --max-tokens: expected one argument"),
        ("--optimizer adamm", "random", "invalid choice: 'adamm'"),
        ("--start-as-copier", "a-file", "--finetune-from-model"),
        ("--bt-beam 4 --bt-sampling", "lexicon", "either sampling or a beam of 4"),
        ("--lambda-bt foo", "random", "--lambda-bt is 'foo'; it must be a number"),
        ("--fp16 more", "random", "unrecognized arguments: more"),
    ],
)
def test_what_it_would_not_take_is_said_in_one_sentence(options, start, expected, capsys):
    assert CHECK.main("--training", [start] + options.split()) == 2
    said = capsys.readouterr().err
    assert expected in said and said.startswith(f"--training, with the start {start}: ") and said.count("\n") == 1


def test_a_start_among_others_is_named(capsys):
    assert CHECK.main("--training", ["lexicon,random", "--lexicon-noise", "0.3"]) == 2
    assert "with the start random: --lexicon-noise needs a lexicon" in capsys.readouterr().err


def test_options_of_induction_that_are_taken_pass_in_silence(capsys):
    # 1 is a value of the recipe's own options too
    given = "--dimensions 100 --restarts 1 --backoff 0 --transport 0 --seeds pairs --keep-case"
    assert CHECK.main("--induction", given.split()) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "options, expected",
    [
        ("--transport nan", "--transport is nan; it must be 0, or a temperature"),
        ("--rank-weight 1e39", "--rank-weight is 1e+39; it must be from 0 to 100"),
        ("hello --nosuch", "unrecognized arguments: hello --nosuch"),
        ("--dimensions many", "argument --dimensions: invalid int value: 'many'"),
        ("--backoff 0 --backoff 1", "argument --backoff: given twice"),
        ("--seed 3", "--seed is set by the recipe"),
        ("--output=x", "--output=x is set by the recipe"),
    ],
)
def test_options_of_induction_that_are_not_taken_are_said_in_one_sentence(options, expected, capsys):
    assert CHECK.main("--induction", options.split()) == 2
    said = capsys.readouterr().err
    assert expected in said and said.startswith("--induction: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    "recipe, option", [("quickstart", "--training"), ("captions", "--training"), ("captions", "--induction")]
)
def test_a_recipe_ends_before_its_first_stage(recipe, option, tmp_path):
    command = ["bash", ROOT / "examples" / recipe / "run.sh", option, "--no-such-option", "--out", tmp_path / "out"]
    done = programs.run(*command, VENV=program_server.environment())
    assert done.returncode == 2 and "unrecognized arguments: --no-such-option" in done.stderr
    assert not done.stdout and not (tmp_path / "out" / "logs").exists()
