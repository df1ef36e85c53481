"""scripts/test.sh: its last line, and its exit status."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "test.sh"
TESTS = """
import pytest
def test_good(): pass
def test_good_too(): pass
def test_bad(): assert {good}
@pytest.mark.skip(reason="no such device")
def test_skipped(): pass
@pytest.fixture
def broken(): assert {good}
def test_error(broken): pass
"""


@pytest.fixture
def checkout(tmp_path):
    """A project with these tests, whose environment is that of this process."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(str(SCRIPT), str(tmp_path / "scripts"))
    (tmp_path / "scripts" / "setup.sh").write_text("")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "good, options, status, last",
    [
        ("True", [], 0, "tests: 4 passed, 0 failed, 1 skipped"),
        ("False", [], 1, "tests: 2 passed, 2 failed, 1 skipped"),
        ("True", ["-k", "good"], 0, "tests: 2 passed, 0 failed, 0 skipped"),
    ],
)
def test_the_last_line_counts(checkout, good, options, status, last):
    (checkout / "test_a.py").write_text(TESTS.format(good=good))
    done = subprocess.run(
        ["bash", str(checkout / "scripts" / "test.sh"), "-n", "0", "-p", "no:cacheprovider", "-rs", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
    )
    assert done.returncode == status and done.stdout.splitlines()[-1] == last
    assert options or "no such device" in done.stdout


def test_which_extras_run_where():
    """What CONTRIBUTING.md says that --official leaves out, and that no environment has, against setup.*."""
    project = SCRIPT.parents[1]
    setup = (project / "setup.py").read_text("utf-8")
    extras = set(re.findall(r'^        "(\w+)": \[', setup[setup.index("extras_require") :], re.MULTILINE))
    installed = re.findall(r"^  extras=(\S+)", (project / "scripts" / "setup.sh").read_text("utf-8"), re.MULTILINE)
    official, usual = (set(one.split(",")) for one in installed)
    text = " ".join((project / "CONTRIBUTING.md").read_text("utf-8").split())
    found = re.search(r"It leaves out what needs the extras (.*?): none of it .*? runs it\. (.*?) is in", text)
    left_out, neither = found.groups()
    assert set(re.findall(r"`(\w+)`", left_out)) == usual - official
    # fairseq is installed by its own name, and the tests' own tensorboardX is what tensorboard needs
    assert "tensorboardX" in re.search(r'"test": \[(.*?)\]', setup, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", neither)) == extras - usual - official - {"fairseq", "tensorboard"}
