"""examples/spans: the curves of a run, and the run itself at its smallest."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from crossinit_fairseq.ranks import RankTable
from tests import program_server
from tests.programs import modules_of, run

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "spans"


@pytest.fixture
def losses():
    return modules_of(EXAMPLE, "losses")[0]


def valid(updates, loss, directions):
    stats = {"valid_num_updates": str(updates), "valid_loss": str(loss), "valid_directions": str(directions)}
    return f"2026-01-01 00:00:00 | INFO | valid | {json.dumps(stats)}\n"


def run_folder(tmp_path, log):
    (tmp_path / "logs").mkdir()
    (tmp_path / "stages").mkdir()
    (tmp_path / "logs" / "span_7.log").write_text(log)
    (tmp_path / "stages" / "span_7.minutes").write_text("1.25\n")
    return str(tmp_path)


def test_reads_validations_once_each(tmp_path, losses):
    # interrupted after 20 updates, went on from 10
    log = valid(10, 1.3, 9) + valid(20, 1.2, 8) + "noise\n" + valid(20, 1.1, 7) + valid(30, 1.0, 6)
    run = losses.read_run(run_folder(tmp_path, log), 7)
    assert run == {
        "updates": [10, 20, 30], "losses": [1.3, 1.1, 1.0], "directions": [9, 7, 6], "minutes": 1.25, "flat": False
    }  # fmt: skip


def test_knows_a_flat_run(tmp_path, losses):
    log = valid(10, 1.3, 9) + "early stop since valid performance hasn't improved for last 3 runs\n"
    assert losses.read_run(run_folder(tmp_path, log), 7)["flat"]


def test_a_log_without_validation(tmp_path, losses):
    with pytest.raises(SystemExit, match="span_7.log has no validation"):
        losses.read_run(run_folder(tmp_path, "nothing\n"), 7)


def rank_table(path, language, rng):
    """5,000 made-up words, by Zipf's law."""
    words = sorted({"".join(rng.choice(list("abcdefgh" if language == "xx" else "ijklmnop"), 5)) for _ in range(6000)})[
        :5000
    ]
    rng.shuffle(words)
    counts = 1000000 // np.arange(1, len(words) + 1)
    RankTable(language, words, counts, int(counts.sum())).save(path)
    return f"{language}={path}"


def test_smallest_run(tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(1)
    tables = [rank_table(tmp_path / (language + ".tsv"), language, rng) for language in ("xx", "yy")]
    command = ["bash", str(EXAMPLE / "run.sh"), "--preset", "smoke", "--langs", "xx,yy", "--out", str(tmp_path / "out")]
    command += ["--rank", tables[0], "--rank", tables[1], "--spans", "500,1000"]
    done = run(*command, VENV=str(program_server.environment()))
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert set(summary["spans"]) == {"500", "1000"}
    for row in summary["spans"].values():
        assert row["last_loss"] < 0.8 * row["first_loss"]
    assert (tmp_path / "out" / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert "done before" not in done.stdout
    again = run(*command, VENV=str(program_server.environment()))
    assert again.returncode == 0 and again.stdout.count("done before") == 4


@pytest.mark.parametrize(
    "options, message",
    [
        (["--spans", "10,x"], "--spans is N,N"),
        (["--langs", "en"], "--langs is LANG,LANG"),
        (["--rank", "fr=/nowhere"], "--rank takes LANG=FILE of a language in --langs"),
        (["--rank", "de=/nowhere"], "no file /nowhere"),
        (["--preset", "huge"], "--preset is smoke or default"),
        (["--lr"], "--lr needs a value"),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_wrong_options(options, message):
    done = subprocess.run(["bash", str(EXAMPLE / "run.sh")] + options, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 2 and message in done.stderr
