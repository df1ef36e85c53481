"""scripts/bench/checkpoint_correlation.py"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from tests.programs import modules_of

PATH = pathlib.Path(__file__).parents[2] / "scripts" / "bench" / "checkpoint_correlation.py"
(script,) = modules_of(PATH.parent, "checkpoint_correlation")


def test_ranks_hand_worked():
    # 5.0 twice shares ranks 3 and 4
    assert script.ranks([5.0, 1.0, 5.0, 2.0, 9.0]).tolist() == [3.5, 1.0, 3.5, 2.0, 5.0]


def test_spearman_hand_worked():
    assert script.spearman([1, 2, 3, 4], [10, 20, 30, 45]) == pytest.approx(1)
    assert script.spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    # ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / (4 * 15)
    assert script.spearman([1, 2, 3, 4], [0.2, 0.1, 0.4, 0.3]) == pytest.approx(0.6)
    assert np.isnan(script.spearman([1, 1, 1], [1, 2, 3]))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=20))
def test_spearman_as_scipy(pairs):
    stats = pytest.importorskip("scipy.stats")
    one, other = map(list, zip(*pairs))
    if len(set(one)) > 1 and len(set(other)) > 1:
        assert script.spearman(one, other) == pytest.approx(stats.spearmanr(one, other)[0], abs=1e-12)


def log_of(trips, bleus, prefix="2026-01-01 00:00:00 | INFO | valid | "):
    lines = ["2026 | INFO | train_inner | " + json.dumps({"loss": "3", "num_updates": "5"}), "valid | {broken"]
    for number, (trip, bleu) in enumerate(zip(trips, bleus)):
        entry = {"valid_num_updates": str(100 * number), "valid_round_trip_bleu": str(trip)}
        if bleu is not None:
            entry.update({"valid_bleu": str(bleu), "valid_bleu_en-ro": str(-bleu)})
        lines.append(prefix + json.dumps(entry))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("prefix", ["2026-01-01 00:00:00 | INFO | valid | ", "[2026][valid][INFO] - ", ""])
def test_a_log(tmp_path, capsys, prefix):
    (tmp_path / "log").write_text(log_of([1, 2, 4, 3], [0.1, 0.2, 0.3, 0.4], prefix))
    script.main([str(tmp_path / "log"), "--json", str(tmp_path / "out.json")])
    lines = capsys.readouterr().out.splitlines()
    # ranks 1 2 4 3 and 1 2 3 4: 1 - 6 * 2 / 60
    assert "rho 0.800 over 4 checkpoints; chosen: update 200 (0.30), best: update 300 (0.40)" in lines[0]
    assert "bleu_en-ro" in lines[1] and "rho -0.800" in lines[1]
    assert json.loads((tmp_path / "out.json").read_text())[0]["rho"] == 0.8


def test_too_few_or_nothing_to_rank(tmp_path, capsys):
    (tmp_path / "log").write_text(log_of([1, 2, 3], [1, 2, 3]))
    script.main([str(tmp_path / "log")])
    assert "3 checkpoints have both, too few to rank" in capsys.readouterr().out
    (tmp_path / "log").write_text(log_of([1, 2, 3, 4], [0, 0, 0, 0]))
    script.main([str(tmp_path / "log")])
    assert "nothing to rank" in capsys.readouterr().out
    (tmp_path / "log").write_text(log_of([1, 2, 3, 4, 5], [5, 1, 2, 3, 4]))
    script.main([str(tmp_path / "log"), "--from-update", "100"])
    assert "rho 1.000 over 4 checkpoints" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text, told", [("hello\n", "round_trip_bleu"), (log_of([1, 2], [None, None]), "no aligned valid split")]
)
def test_another_log_is_refused_in_words(tmp_path, text, told):
    (tmp_path / "log").write_text(text)
    with pytest.raises(SystemExit, match=told):
        script.main([str(tmp_path / "log")])
    with pytest.raises(SystemExit, match="cannot be read"):
        script.main([str(tmp_path / "missing")])


def test_a_reader_that_has_seen_enough(tmp_path):
    (tmp_path / "log").write_text(log_of([1, 2, 4, 3], [0.1, 0.2, 0.3, 0.4]))
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(PATH), str(tmp_path / "log"), "--json", str(tmp_path / "out.json")]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(json.loads((tmp_path / "out.json").read_text())) == 2
