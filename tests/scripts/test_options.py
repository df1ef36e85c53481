"""scripts/options.sh"""

import pathlib
import subprocess

import pytest

FILE = pathlib.Path(__file__).parents[2] / "scripts" / "options.sh"
RECIPE = """
set -euo pipefail
usage() { echo "this helps"; }
JOBS=1 OUT=here; TEXT=() DEV=()
OPTIONS="jobs out text dev"
source "$OPTIONS_FILE"
read_options "$@"
echo "$JOBS|$OUT|${#TEXT[@]}:${TEXT[*]-}|${#DEV[@]}"
"""


def recipe(*arguments):
    done = subprocess.run(
        ["bash", "-c", RECIPE, "run.sh", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env={"OPTIONS_FILE": str(FILE), "PATH": "/usr/bin:/bin"},
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_values_defaults_and_repeated_options():
    assert recipe() == (0, "1|here|0:|0", "")
    given = ("--text", "en=a file", "--jobs", "3", "--text", "ro=b", "--out", "")
    assert recipe(*given) == (0, "3||2:en=a file ro=b|0", "")
    assert recipe("--jobs", "3", "--jobs", "3") == (0, "3|here|0:|0", ""), "the same again loses nothing"


@pytest.mark.parametrize("script", sorted((FILE.parents[1] / "examples").glob("*/run.sh")), ids=str)
def test_help_of_a_recipe_begins_with_a_line_to_copy(script):
    done = subprocess.run(["bash", str(script), "--help"], stdout=subprocess.PIPE, universal_newlines=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0].startswith("To begin, ")
    assert lines[1].startswith(f"  bash examples/{script.parent.name}/run.sh --")


def test_contents_are_known_by_what_files_hold(tmp_path):
    def contents(*names):
        script = 'source "$1"; shift; contents "$@"'
        command = ["bash", "-euo", "pipefail", "-c", script, "sh", str(FILE), *(str(tmp_path / name) for name in names)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        assert done.returncode == 0 and not done.stderr
        return done.stdout

    for name, text in (
        ("a", "x"),
        ("b", "y"),
        ("like a", "x"),
        ("d/one/f", "x"),
        ("d/g", "y"),
        ("e/one/f", "x"),
        ("e/g", "y"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert contents("a") == contents("like a") != contents("b")
    assert contents("a", "b") != contents("b", "a") and contents("a", "nowhere") == contents("a") != contents()
    assert contents("d") == contents("e") != contents("a", "b")
    (tmp_path / "e" / "g").rename(tmp_path / "e" / "h")
    assert contents("d") != contents("e")
    (tmp_path / "e" / "h").rename(tmp_path / "e" / "g")
    (tmp_path / "e" / "one" / "f").write_text("z")
    assert contents("d") != contents("e")


def test_help_ends_at_once():
    assert recipe("--jobs", "2", "--help", "--nope") == (0, "this helps", "")


@pytest.mark.parametrize(
    "given, told",
    [
        (["--nope", "1"], "unknown option --nope"),
        (["jobs", "1"], "unknown option jobs"),
        (["--"], "unknown option --"),
        (["--jobs out", "1"], "unknown option --jobs out"),
        (["--out", "there", "--jobs"], "--jobs needs a value"),
        (["--out", "a", "--jobs", "2", "--out", "b"], "--out is given twice, a and b: give it once"),
        (["--out", "", "--out", "b"], "--out is given twice,  and b: give it once"),
    ],
)
def test_wrong_options(given, told):
    assert recipe(*given) == (2, "", "run.sh: " + told + "; see --help")


def of_options(function, text, folder):
    """(exit status, what a function of options.sh prints, what it says on stderr), called in a folder."""
    command = ["bash", "-euo", "pipefail", "-c", 'source "$1"; $2 "$3"', "run.sh", str(FILE), function, text]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, cwd=str(folder)
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_options_that_are_handed_on_know_files_by_contents_and_by_full_paths(tmp_path):
    (tmp_path / "pairs").write_text("a b\n")
    (tmp_path / "others").write_text("a b\n")
    assert of_options("full_paths", "--seeds pairs --rank-weight 0", tmp_path) == (
        0,
        f"--seeds {tmp_path}/pairs --rank-weight 0",
        "",
    )
    assert of_options("full_paths", "--seeds=pairs --lr=pair", tmp_path)[1] == f"--seeds={tmp_path}/pairs --lr=pair"
    assert of_options("by_contents", "--seeds=pairs", tmp_path) == of_options("by_contents", "--seeds=others", tmp_path)
    first = of_options("by_contents", "--seeds pairs  --rank-weight 0", tmp_path)
    assert first == of_options("by_contents", "--seeds others --rank-weight 0", tmp_path) and "pairs" not in first[1]
    (tmp_path / "others").write_text("a c\n")
    assert first != of_options("by_contents", "--seeds others --rank-weight 0", tmp_path)
    assert of_options("by_contents", "", tmp_path) == of_options("full_paths", "", tmp_path) == (0, "", "")


def test_seeds_are_numbers_and_each_is_given_once(tmp_path):
    assert of_options("check_seeds", "1,2,13", tmp_path) == (0, "", "")
    for seeds, told in (("1,x", "--seeds takes numbers"), ("1,", "--seeds takes numbers"), ("1,2,1", "has 1 twice")):
        status, _, said = of_options("check_seeds", seeds, tmp_path)
        assert status == 2 and told in said


def test_options_of_training_that_a_recipe_sets_itself_are_refused(tmp_path):
    assert of_options("check_training", "--lexicon-noise 0.3 --lr 0.1", tmp_path) == (0, "", "")
    for option in ("--max-update 5", "--save-dir=x", "--lexicon en-ro=x", "-s en", "--target-lang ro"):
        status, _, said = of_options("check_training", "--dropout 0.1 " + option, tmp_path)
        assert status == 2 and said.startswith(f"run.sh: --training: {option.split('=')[0].split()[0]} is set by")
