"""scripts/commands.sh: what a recipe runs is noted so that it can be copied."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
RECIPE = """
set -euo pipefail
OUT=$1 VENV=
source "$ROOT/scripts/commands.sh"
greet() { printf '%s\\n' "hello $*"; }
note_stage "first: say it"
cd "$OUT"
run -o 'a file' printf '%s|' plain 'with blank' "it's" '$HOME' '' '(0.9, 0.98)' '*'
run -i 'a file' -o copy cat
run -o greeting greet "a b" --option
run greet again > said
note only-noted --long-option aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --next en,ro
"""


def bash(script, *arguments, **more):
    return subprocess.run(
        ["bash", "-c", script, "recipe.sh", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=dict({"PATH": "/usr/bin:/bin", "ROOT": str(ROOT)}, **more),
    )


def files(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_the_noted_commands_do_the_same_again(tmp_path):
    folder = tmp_path / "a run"
    folder.mkdir()
    done = bash(RECIPE, folder)
    assert done.returncode == 0 and done.stdout == "", done.stdout
    before = files(folder)
    assert before["a file"] == "plain|with blank|it's|$HOME||(0.9, 0.98)|*|" == before["copy"]
    assert before["greeting"] == "hello a b --option\n" and before["said"] == "hello again\n"
    log = (folder / "logs" / "commands.sh").read_text()
    assert log.count("# first: say it") == 1 and log.count("greet ()") == 1
    assert "--next en,ro\n" in log and "aaaa \\\n  --next" in log
    for name in ("a file", "copy", "greeting"):
        (folder / name).unlink()
    again = bash(log.replace("only-noted", "true"))
    assert again.returncode == 0 and again.stdout == "hello again\n", again.stdout
    assert files(folder) == before


def test_a_failing_command_is_noted_and_fails(tmp_path):
    done = bash(RECIPE + "\nrun false\necho not reached", tmp_path)
    assert done.returncode == 1 and "not reached" not in done.stdout
    assert (tmp_path / "logs" / "commands.sh").read_text().endswith("\nfalse\n")
