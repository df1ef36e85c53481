"""scripts/stages.sh: what is run again, one run at a time, and a disk that is full."""

import os
import pathlib
import shlex
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
RECIPE = """
set -euo pipefail
OUT=$1 SETTINGS=$2 STAGES=2
source "$ROOT/scripts/stages.sh"
one() { echo "one ran" >&3; echo text > one/file; }
two() { cat one/file; %s }
stage one "the first"
%s
stage two "the second"
"""
ENVIRONMENT = dict(os.environ, ROOT=str(ROOT))
ENVIRONMENT.pop("RUN_LOCK", None)


def command(out, two="", between="", settings="a"):
    return ["bash", "-c", RECIPE % (two, between), "recipe.sh", str(out), settings]


def recipe(out, *args, **kwargs):
    """(exit status, stdout, stderr)."""
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        command(out, *args, **kwargs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=ENVIRONMENT,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_finished_stage_runs_again_only_when_it_changed(tmp_path):
    first = "[1/2] the first\none ran\n[2/2] the second\n"
    assert recipe(tmp_path) == (0, first, "")
    assert recipe(tmp_path) == (0, "[1/2] the first: done before\n[2/2] the second: done before\n", "")
    changed = "[2/2] the second; its settings changed, what it wrote before is now in replaced/two\n"
    assert recipe(tmp_path, "echo more;") == (0, "[1/2] the first: done before\n" + changed, "")
    status, out, _ = recipe(tmp_path, settings="b")
    assert status == 0 and "one ran" in out and (tmp_path / "replaced" / "one" / "file").read_text() == "text\n"


def test_contents_tell_what_files_hold_and_not_when_they_were_written(tmp_path):
    def contents(*names):
        script = 'set -euo pipefail; cd "$1"; source "$ROOT/scripts/options.sh"; shift; contents "$@"'
        command = ["bash", "-c", script, "recipe.sh", str(tmp_path), *names]
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            env=ENVIRONMENT,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout

    (tmp_path / "a b").write_text("one")
    (tmp_path / "c").write_text("two")
    before = contents("a b", "c")
    os.utime(str(tmp_path / "c"), (1, 1))
    assert contents("a b", "c") == before
    assert len({before, contents("c", "a b"), contents("a b"), contents(), contents("c")}) == 5
    assert contents("a b", "missing") == contents("a b")
    (tmp_path / "c").write_text("owt")
    assert contents("a b", "c") != before


def test_a_failed_stage_ends_the_recipe_with_its_log(tmp_path):
    status, out, err = recipe(tmp_path, "echo what happened; false; echo not this;")
    assert status == 1 and "what happened" in err and "not this" not in err
    assert err.splitlines()[-1].startswith("--- stage 'two' failed (exit status 1); finished stages are kept")
    assert recipe(tmp_path)[1].startswith("[1/2] the first: done before\n")


def test_what_an_interrupted_stage_had_not_finished_is_removed(tmp_path):
    (tmp_path / "two" / "deep").mkdir(parents=True)
    for name in ("a.tsv.0123456789abcdef.part", "deep/b.0000000000000000.part", "download.part", "deep/mine"):
        (tmp_path / "two" / name).write_text("")
    (tmp_path / "two" / "folder.fedcba9876543210.part").mkdir()
    assert recipe(tmp_path)[0] == 0
    left = sorted(path.name for path in (tmp_path / "two").rglob("*"))
    assert left == ["deep", "download.part", "mine"]


@pytest.fixture
def long_run(tmp_path):
    process = subprocess.Popen(
        command(tmp_path, "echo two runs >&3; sleep 100;"),
        env=ENVIRONMENT,
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    for _ in range(4):
        process.stdout.readline()  # the second stage has begun
    yield process
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    process.stdout.close()


def test_a_second_run_in_the_same_folder_is_refused_in_one_sentence(tmp_path, long_run):
    status, out, err = recipe(tmp_path)
    assert status == 1 and out == "" and err.count("\n") == 1
    assert err.startswith(f"recipe.sh: another run writes to {tmp_path} (process {long_run.pid} on ")
    assert recipe(tmp_path / "other")[0] == 0
    os.killpg(long_run.pid, signal.SIGKILL)
    long_run.wait()
    assert recipe(tmp_path)[0] == 0


def test_the_lock_lasts_as_long_as_a_program_of_the_run_lives(tmp_path, long_run):
    long_run.kill()  # the shell alone; its program goes on
    long_run.wait()
    assert recipe(tmp_path)[0] == 1
    os.killpg(long_run.pid, signal.SIGKILL)
    deadline = time.time() + 240
    while recipe(tmp_path)[0] and time.time() < deadline:
        time.sleep(0.2)
    assert recipe(tmp_path)[0] == 0


def test_a_recipe_that_a_recipe_starts_has_its_lock(tmp_path):
    inner = "bash -c 'OUT=$OUT STAGES=1; set -e; source \"$ROOT/scripts/stages.sh\"; echo inner >&3' recipe.sh;"
    status, out, err = recipe(tmp_path, f"export OUT ROOT; {inner}")
    assert status == 0 and out.endswith("inner\n"), err


def ctrl_c(out, two):
    """Interrupt the second stage as a terminal does, all programs at once, when it says "begun" on descriptor 3.

    Returns (exit status, what came on descriptor 3 after that and on stderr).
    """
    process = subprocess.Popen(
        command(out, two),
        env=ENVIRONMENT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "begun\n" in process.stdout, "it ended before it began"  # reads no further
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    return process.returncode, out + err


DEAF = "bash -c 'trap : INT; echo begun >&3; sleep 3; sleep 1; exit 0'"  # takes no notice of Ctrl-C


@pytest.mark.parametrize("running", ["echo begun >&3; sleep 100", DEAF])
def test_ctrl_c_ends_the_recipe_whatever_the_running_command_does(tmp_path, running):
    said = "recipe.sh: interrupted; finished stages are kept, run the same command again to go on\n"
    assert ctrl_c(tmp_path, f"{running}; touch two/more;") == (-signal.SIGINT, said)
    assert not (tmp_path / "two" / "more").exists() and not (tmp_path / "stages" / "two.done").exists()
    assert float((tmp_path / "stages" / "two.minutes").read_text()) >= 0
    assert recipe(tmp_path)[:2] == (0, "[1/2] the first: done before\n[2/2] the second" + CHANGED)


CHANGED = "; its settings changed, what it wrote before is now in replaced/two\n"


def test_of_a_recipe_in_a_recipe_only_the_outer_one_says_that_it_was_interrupted(tmp_path):
    inner = 'OUT=$OUT/in STAGES=1 SETTINGS=; set -e; source "$ROOT/scripts/stages.sh"; stage three in'
    inner = "three() { echo begun >&3; sleep 100; }; " + inner
    status, said = ctrl_c(tmp_path, f"export OUT ROOT; bash -c {shlex.quote(inner)} inner.sh >&3 2>&3;")
    assert (status, said.count("interrupted")) == (-signal.SIGINT, 1) and (
        tmp_path / "in/stages/three.minutes"
    ).exists()


NO_ROOM = (
    "trap '' XFSZ; ulimit -S -f 0"  # stands in for a full disk: files can be made, nothing can be written into them
)


def test_a_full_disk_is_said_wherever_the_runner_itself_writes(tmp_path):
    status, out, err = recipe(tmp_path, between=NO_ROOM)
    assert status == 1 and err.count("\n") == 1
    assert err.startswith(
        f"recipe.sh: {tmp_path}/stages/two.key cannot be written; finished stages are kept, run the same"
    )
    # when the stage has ended well
    between = """
eval "$(declare -f keep | sed '1s/keep/really_keep/')"
keep() { [[ $1 != *done ]] || { %s; }; really_keep "$@"; }
"""
    status, out, err = recipe(tmp_path, between=between % NO_ROOM)
    assert status == 1 and f"{tmp_path}/stages/two.done cannot be written; finished stages are kept" in err
    assert not list((tmp_path / "stages").glob("*.new*"))
    assert recipe(tmp_path) == (0, "[1/2] the first: done before\n[2/2] the second\n", "")


def test_what_is_laid_at_the_names_of_the_runner_is_not_written_to(tmp_path):
    """By somebody else, in a folder that several may write to; $RANDOM could be guessed, so it is given here."""
    (tmp_path / "stages").mkdir()
    (tmp_path / "victim").write_text("mine")
    for name in ("two.key.new", "two.key.new.777"):
        (tmp_path / "stages" / name).symlink_to(tmp_path / "victim")
    status, _, err = recipe(tmp_path, between="RANDOM=; unset RANDOM; RANDOM=7")
    assert (tmp_path / "victim").read_text() == "mine"
    assert status == 1 and f"{tmp_path}/stages/two.key cannot be written" in err
    assert recipe(tmp_path)[0] == 0 and (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "stages" / "two.key").is_symlink()


def test_a_stage_on_a_full_disk_fails_in_words(tmp_path):
    df = "df() { printf 'head\\nfs 1 1 51199 100%% /\\n'; }"
    status, out, err = recipe(tmp_path, f"{NO_ROOM}; echo text > two/file;", between=df)
    assert status == 1
    assert f"--- there is no space left in {tmp_path}: make room, or move it to a larger disk\n" in err
    assert "stage 'two' failed" in err.splitlines()[-1]
