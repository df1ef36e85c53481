"""scripts/bench/rank_counting.py, at a size that measures nothing."""

import json
import lzma
import pathlib
import sys

from tests.programs import run

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench" / "rank_counting.py"


def test_ratios_of_text_counted_once_and_repeated(tmp_path):
    lines = [f"Row {k} of words, w{k % 97} &amp; x{k % 31}." for k in range(4000)]
    for language in ("en", "ro"):
        (tmp_path / f"general.{language}.txt.xz").write_bytes(lzma.compress("\n".join(lines).encode()))
    options = ["--mono", tmp_path, "--megabytes", 1, "--repeats", 1, "--tokens", 50000, "--json", tmp_path / "f.json"]
    done = run(sys.executable, SCRIPT, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "f.json").read_text())
    assert sorted(figures["ratio_once"]) == sorted(figures["text"]) == ["en", "ro"]
    for language, numbers in figures["text"].items():
        assert numbers["same_counts"] and figures["ratio_once"][language] == numbers["ratio_once"] > 0
        # once, Counter takes 1 / python_mb_per_s seconds a MB, and ours 1 / mb_per_s_per_core_not_repeated
        ratio = numbers["mb_per_s_per_core_not_repeated"] / numbers["python_mb_per_s_per_core"]
        assert abs(numbers["ratio_once"] - ratio) < 1e-6 * ratio
    assert figures["binarised"]["same_counts"] and "times on text counted once" in done.stdout
