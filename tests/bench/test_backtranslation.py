"""scripts/bench/backtranslation.py, at a size that measures nothing."""

import json
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "backtranslation.py"


def test_runs_both_tasks_and_writes_the_figures(tmp_path):
    command = [sys.executable, str(SCRIPT), "--size", "tiny", "--sentences", "80", "--json", str(tmp_path / "f.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "f.json").read_text())
    for key in ("generation_speedup", "step_speedup", "generation_share"):
        assert figures[key] > 0
    for side in ("stock", "ours"):
        # the model copies; in stock's way of marking languages it copies the language's token too
        copied = figures["source_length"] + (side == "stock")
        assert abs(figures["sides"][side]["generated_length"] - copied) < 0.7
        assert 0 < figures["sides"][side]["generation_share"] < 1
    assert "share of the step in generation" in done.stdout
