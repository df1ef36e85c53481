"""The style and the types of the code, by the settings in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# the rooms that are formatted so far
FORMATTED = [
    "analysis",
    "cli",
    "compat.py",
    "data",
    "finetuning",
    "generation",
    "languages.py",
    "lexicon",
    "markup.py",
    "preparation",
    "ranks",
    "registration.py",
    "scoring",
    "spans",
    "tasks",
    "text_files.py",
    "unmt",
]


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


def formatted():
    return [f"crossinit_fairseq/{name}" for name in FORMATTED] + ["tests/test_style.py"]


def test_lint():
    pytest.importorskip("ruff")
    assert run("ruff", "check", *formatted()) == ""


def test_format():
    pytest.importorskip("ruff")
    assert run("ruff", "format", "--diff", *formatted()) == ""


def test_types():
    pytest.importorskip("mypy")
    assert run("mypy") == ""
