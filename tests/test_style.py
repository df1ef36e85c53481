"""The style and the types of the code, by the settings in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ["crossinit_fairseq", "tests", "scripts", "examples", ".ci", "setup.py"]


def run(*command):
    """Run a module's program in the root of the repository; returns its output where it finds fault, else nothing."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.stdout if done.returncode else ""


def test_lint():
    pytest.importorskip("ruff")
    assert run("ruff", "check", *CODE) == ""


def test_format():
    pytest.importorskip("ruff")
    assert run("ruff", "format", "--diff", *CODE) == ""


def test_types():
    pytest.importorskip("mypy")
    assert run("mypy") == ""
