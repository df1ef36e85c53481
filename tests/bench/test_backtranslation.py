"""scripts/bench/backtranslation.py, at a size that measures nothing."""

import argparse
import json
import pathlib
from types import SimpleNamespace

import pytest

from tests import program_server
from tests.programs import run

BENCH = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench"
SCRIPT = BENCH / "backtranslation.py"


@pytest.fixture
def parts(monkeypatch):
    """The parts of the benchmark can be imported."""
    monkeypatch.syspath_prepend(str(BENCH))


def test_four_workloads_and_their_figures(tmp_path):
    options = "--size tiny --sentences 40 --repeats 1 --json".split()
    done = run(program_server.python(), SCRIPT, *options, tmp_path / "f.json", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr[-3000:]
    workloads = json.loads((tmp_path / "f.json").read_text())["workloads"]
    assert [(one["settings"]["max_tokens"], one["settings"]["median_length"]) for one in workloads] == [
        (800, 10.5),
        (200, 67),
        (800, 67),
        (3000, 67),
    ]
    for figures in workloads:
        for key in ("stock_share", "generation_speedup", "step_speedup", "generation_share", "learning_speedup"):
            assert figures[key] > 0, key
        assert figures["stock_share"] == figures["sides"]["stock"]["generation_share"] < 1
        assert figures["identical_tokens"] and figures["sentences_compared"] > 0
        # the model copies; in stock's way of marking languages it copies the language's token too
        lengths = {name: side["generated_length"] for name, side in figures["sides"].items()}
        assert lengths["ours"] == figures["source_length"] and lengths["stock"] == pytest.approx(lengths["ours"] + 1)
    # a row of the table for each
    assert [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")][2:] == [
        one["name"] for one in workloads
    ]


def options_of(**given):
    options = dict(size="tiny", max_tokens=None, median_length=None, repeats=1, sentences=9, dropout=0.1, seed=1)
    return argparse.Namespace(
        **{**options, "restrict_vocab": False, "bt_ahead": 1, "cpu_time": True, "fp16": False, **given}
    )


def test_a_workload_of_ones_own(parts):
    from backtranslation_parts.workloads import settings_of

    (one,) = settings_of(options_of(max_tokens=300))
    assert (one.max_tokens, one.median_length, one.dim) == (300, 10.5, 64)
    (one,) = settings_of(options_of(median_length=40.0))
    assert (one.max_tokens, one.median_length) == (800, 40)


def test_other_sentences_end_the_benchmark(parts):
    from backtranslation_parts.measure import _alike

    dictionary = SimpleNamespace(index={"__aa__": 90, "__bb__": 91}.get)
    sides = {"stock": SimpleNamespace(task=SimpleNamespace(dictionary=dictionary))}
    same = {"stock": [[90, 7, 8], [91, 5]], "ours": [[5], [7, 8]]}
    assert _alike(same, sides, rounded=False) == 2
    for ours in ([[5], [7, 9]], [[5]], [[5], [7, 8], [7]]):
        with pytest.raises(SystemExit, match="the two tasks wrote different sentences"):
            _alike(dict(same, ours=ours), sides, rounded=False)
    # half precision turns some, which are counted
    assert _alike(dict(same, ours=[[5], [7, 9]]), sides, rounded=True) == 1
