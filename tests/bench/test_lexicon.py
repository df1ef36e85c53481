"""scripts/bench/lexicon.py, at a size that measures nothing."""

import json
import pathlib
import subprocess
import sys

import pytest

from tests import program_server

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "lexicon.py"


def test_counts_and_writes_the_figures(tmp_path):
    command = [sys.executable, str(SCRIPT), "--words", "30000", "--repeats", "1", "--no-induction"]
    command += ["--json", str(tmp_path / "f.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "f.json").read_text())
    # whole sentences of 3 words and more, near enough to what was asked for
    assert abs(figures["running_words"] - 30000) < 300
    for key in ("tokens_per_s", "text_tokens_per_s", "neighbours_per_s", "python_tokens_per_s", "pairs_of_words"):
        assert figures[key] > 0
        assert key in done.stdout


def test_a_device_beside_the_cpu(tmp_path):
    command = [program_server.python(), str(SCRIPT), "--device", "cpu:0", "--words", "40000", "--size", "400"]
    command += ["--json", str(tmp_path / "f.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["words"] == 400 and set(figures["induce_seconds"]) == {"cpu:0", "cpu"}
    assert figures["same_partners"] > 0.99


@pytest.mark.parametrize(
    "options, said",
    [
        (["--device", "cpu", "--mono", "/nowhere"], "give it without --mono"),
        (["--device", "cpu", "--no-induction"], "give it without --mono"),
        (["--device", "cpu", "--words", "100"], "--words of 20000 or more"),
        (["--device", "abacus"], "--device is 'abacus', which torch cannot use here"),
    ],
)
def test_wrong_options_of_a_device(options, said):
    command = [program_server.python(), str(SCRIPT), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode and said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
