"""scripts/bench/denoising.py, at a size that measures nothing."""

import json
import pathlib

from tests import program_server
from tests.programs import run

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "denoising.py"


def test_reads_with_both_tasks_and_writes_the_figures(tmp_path):
    options = ["--sentences", "400", "--vocabulary", "300", "--repeats", "1", "--json", tmp_path / "f.json"]
    done = run(program_server.python(), SCRIPT, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["speedup_vs_stock"] == figures["speedups"][0] > 0
    assert "speedup_vs_stock" in done.stdout
    ours, stock = (figures["sides"][side]["words_per_batch"] for side in ("ours", "stock"))
    # 4,096 sub-tokens with padding; the last batch of each epoch is smaller
    assert all(1000 < words < 4096 for words in ours)
    assert stock[2] < 0.8 * stock[0] and ours[2] > 0.9 * ours[0], "stock sorts in the first epoch only"
