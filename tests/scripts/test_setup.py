"""scripts/setup.sh: an environment that is there is taken as it is only if it is complete and of this checkout."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# says, as Python would, where the package is: with -I where it is installed, else in the folder that it runs in
PYTHON = """#!/bin/sh
case "$1" in
  -I) echo {installed} ;;
  -c) echo "$PWD/crossinit_fairseq" ;;
  *) echo "$@" >> {log}; exit 1 ;;
esac
"""


def set_up(folder, installed, complete):
    """Run it in a copy. Returns its exit status, and what it asked of the environment's Python besides."""
    (folder / "scripts").mkdir(parents=True)
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("scripts/setup.sh", "setup.py"):
        shutil.copy(str(ROOT / name), str(folder / name))
    recipe = (folder / "scripts" / "setup.sh").read_text("utf-8") + (folder / "setup.py").read_text("utf-8")
    (folder / ".venv" / ".complete").write_text(recipe if complete else "of before\n")
    python, log = folder / ".venv" / "bin" / "python", folder / "log"
    python.write_text(PYTHON.format(installed=installed or folder / "crossinit_fairseq", log=log))
    os.chmod(str(python), 0o755)
    (folder / "python3.11").write_text("#!/bin/sh\n")  # whatever is asked of it, it ends well
    os.chmod(str(folder / "python3.11"), 0o755)
    done = subprocess.run(
        ["bash", str(folder / "scripts" / "setup.sh")],
        env={**os.environ, "PYTHON": str(folder / "python3.11")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode, log.read_text("utf-8") if log.exists() else ""


def test_a_complete_environment_of_this_checkout_is_taken(tmp_path):
    assert set_up(tmp_path / "here", None, complete=True) == (0, "")


@pytest.mark.parametrize("installed, complete", [("/elsewhere/crossinit_fairseq", True), (None, False)])
def test_another_one_is_made_anew(installed, complete, tmp_path):
    status, asked = set_up(tmp_path / "here", installed, complete)
    assert status == 1 and "-m pip --disable-pip-version-check install" in asked
