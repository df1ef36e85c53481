"""examples/xlm and examples/fast_xnli, at the smallest size, on toy text."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.finetuning import toy

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A folder of one's own, as examples/xlm/text.py describes it."""
    folder, rng = tmp_path_factory.mktemp("text"), np.random.default_rng(0)
    for seed, language in enumerate(("en", "de", "hi")):
        lines = [" ".join(toy.words(rng, language, rng.integers(3, 10))) for _ in range(200)]
        (folder / f"mono.{language}").write_text("\n".join(lines) + "\n", "utf-8")
        (folder / f"aligned.{language}").write_text("\n".join(lines[:20]) + "\n", "utf-8")
        toy.nli_file(folder / f"nli.test.{language}.tsv", language, 12, seed)
        toy.qa_file(folder / f"qa.test.{language}.json", language, 4, seed)
    toy.nli_file(folder / "nli.train.en.tsv", "en", 40, 5)
    toy.nli_file(folder / "nli.dev.en.tsv", "en", 12, 6)
    toy.qa_file(folder / "qa.train.en.json", "en", 20, 7)
    toy.qa_file(folder / "qa.dev.en.json", "en", 4, 8)
    return folder


def recipe(name, *arguments):
    environment = dict(os.environ, VENV=str(pathlib.Path(sys.executable).parents[1]), PYTHONPATH=str(ROOT))
    return subprocess.run(
        ["bash", str(ROOT / "examples" / name / "run.sh"), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def test_xlm(text, tmp_path):
    """All steps from a random table; a second call repeats none."""
    command = ["--text", str(text), "--preset", "smoke", "--init", "random", "--out", str(tmp_path / "out")]
    done = recipe("xlm", *command)
    assert done.returncode == 0, done.stdout[-3000:]
    for name, metric in (("xnli", "accuracy"), ("qa", "f1")):
        result = json.loads((tmp_path / "out" / f"{name}.json").read_text("utf-8"))
        assert set(result["systems"]["random"][metric]["languages"]) == {"en", "de", "hi"}
    assert "majority class" in done.stdout and "sentences   en-de" in done.stdout
    again = recipe("xlm", *command)
    assert again.returncode == 0 and again.stdout.count("done before") == 7


def test_fast_xnli(text, tmp_path):
    done = recipe("fast_xnli", "--text", str(text), "--preset", "smoke", "--seeds", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout[-3000:]
    assert set(json.loads((tmp_path / "out" / "xnli.json").read_text("utf-8"))["systems"]) == {"random", "crossinit"}


@pytest.mark.parametrize(
    "arguments, message", [((), "--text is needed"), (("--text", "/nowhere"), "no folder /nowhere")]
)
def test_usage(arguments, message):
    done = recipe("xlm", *arguments)
    assert done.returncode == 2 and message in done.stdout
