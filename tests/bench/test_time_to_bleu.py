"""scripts/bench/time_to_bleu.py, on logs that are made up, and its profile on a training of two updates."""

import json
import pathlib
import shutil

import pytest

from crossinit_fairseq.errors import InputError
from tests import program_server
from tests.programs import run
from tests.tasks.in_process import translate

BENCH = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bench"
SCRIPT = BENCH / "time_to_bleu.py"


@pytest.fixture
def bench(monkeypatch):
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(str(BENCH))
    import time_to_bleu

    return time_to_bleu


def valid(time, updates, one, other):
    figures = {"epoch": 1, "valid_loss": "5.4", "valid_bleu_en-fr": str(one), "valid_bleu": str((one + other) / 2)}
    figures.update({"valid_bleu_fr-en": str(other), "valid_num_updates": str(updates)})
    return f"2026-11-26 {time} | INFO | valid | {json.dumps(figures)}"


def write_run(out, name, validations, *more, minutes=()):
    folder = out / "runs" / name
    (folder / "logs").mkdir(parents=True)
    (folder / "stages").mkdir()
    for stage, value in minutes:
        (folder / "stages" / f"{stage}.minutes").write_text(value)
    begin = "UserWarning: of something\n2026-11-26 23:50:00 | INFO | fairseq_cli.train | {'_name': None}\n"
    lines = [*more, *(valid(*one) for one in validations)]
    (folder / "logs" / "translation.log").write_text(begin + "\n".join(lines) + "\n", encoding="utf-8")
    return folder


LEXICON = [("23:54:00", 400, 9.5, 11), ("23:58:00", 800, 16, 14)]


def test_minutes_to_each_bleu_hand_worked(tmp_path, bench):
    stages = [("lexicon", "1.5"), ("table", "0.5"), ("word_by_word", "7"), ("translation", "8")]
    write_run(tmp_path, "lexicon-1", LEXICON, minutes=stages)
    figures = bench.measure(tmp_path, updates=0)
    # 2 minutes before training, 4 to the first validation, 8 to the second; what only measures does not count
    expected = {
        "en-fr": {"5": 6, "10": 10, "15": 10},
        "fr-en": {"5": 6, "10": 6, "15": None},
        "both": {"5": 6, "10": 10, "15": None},
    }
    assert figures["clock_minutes"] == figures["core_minutes"] == {"lexicon": expected}
    (one,) = figures["runs"]
    assert one["updates_to_both"] == {"5": 400, "10": 800, "15": None} and one["last_bleu"] == {
        "en-fr": 16,
        "fr-en": 14,
    }


def test_with_a_profile_the_updates_count_and_never_more_than_the_clock(bench, tmp_path):
    write_run(tmp_path, "lexicon-1", LEXICON)
    found = bench.read_run(tmp_path / "runs" / "lexicon-1")
    profile = {"update": {"forward": 0.1, "other": 0.05}, "validation": 15, "saving": 3}
    # 800 updates of 0.15 s, two validations, and the saving of the first
    assert bench.minutes_to(found, 10, ["en-fr"], profile) == pytest.approx((120 + 30 + 3) / 60)
    assert bench.minutes_to(found, 10, ["en-fr"], dict(profile, validation=900)) == 8
    assert bench.minutes_to(found, 15, ["fr-en"], profile) is None
    seconds = {"forward": 80, "other": 40, "validation": 30, "saving": 6}
    assert bench.shares(profile, found.points) == {key: pytest.approx(value / 156) for key, value in seconds.items()}


def test_medians_over_seeds_and_starts_apart(tmp_path, bench):
    for seed, minute in enumerate((54, 52, 59)):
        write_run(tmp_path, f"random-{seed}", [(f"23:{minute}:00", 400, 6, 6)])
    write_run(tmp_path, "lexicon-1", LEXICON)
    found = bench.measure(tmp_path, updates=0)["clock_minutes"]
    assert found["random"]["both"] == {"5": 4, "10": None, "15": None} and found["lexicon"]["both"]["5"] == 4
    assert bench.median_minutes([3.0, None, 5.0]) == 5 and bench.median_minutes([3.0, None, None]) is None


def test_lines_cut_short_and_runs_that_were_resumed(tmp_path, bench, capsys):
    write_run(tmp_path, "lexicon-1", LEXICON, '2026-11-26 23:51:00 | INFO | valid | {"valid_bleu_en-fr": "3')
    resumed = "2026-11-26 23:50:09 | INFO | fairseq.trainer | Loaded checkpoint a/b.pt (epoch 3 @ 400 updates)"
    write_run(tmp_path, "lexicon-2", LEXICON, resumed)
    write_run(tmp_path, "lexicon-3", LEXICON, resumed.replace("400", "0"))  # a table to start from
    write_run(tmp_path, "random-1", [])
    figures = bench.measure(tmp_path, updates=0)
    assert [one["seed"] for one in figures["runs"]] == ["1", "3"] and figures["left_out"] == 2
    said = capsys.readouterr().err
    assert "is of a training that was resumed at update 400" in said and "has no validation with BLEU" in said
    shutil.rmtree(str(tmp_path / "runs"))
    with pytest.raises(InputError, match="has no run to measure"):
        bench.measure(tmp_path, updates=0)


def test_time_within_time_is_counted_once(bench):
    from time_to_bleu_parts.profile import Stopwatch

    ticks = iter([0, 1, 4, 6])
    watch = Stopwatch(lambda: next(ticks))
    with watch.stage("outer"):  # 0 to 6, but for 1 to 4
        watch.around("inner", lambda: None)()
    assert watch.seconds == {"outer": 3, "inner": 3}


def test_profile_of_a_run(data_folder, tmp_path):
    folder = write_run(tmp_path, "lexicon-1", LEXICON)
    translate(data_folder, folder / "translation", "--max-update 2 --disable-validation --valid-round-trip 5")
    (tmp_path / "data").symlink_to(data_folder)
    options = ["--run", tmp_path, "--updates", 2, "--json", tmp_path / "f.json"]
    done = run(program_server.python(), SCRIPT, *options, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr[-3000:]
    profile = json.loads((tmp_path / "f.json").read_text())["profile"]
    assert list(profile["update"]) == "reading noise generation forward backward optimizer other".split()
    assert all(value > 0 for value in profile["update"].values()) and profile["validation"] > 0 < profile["saving"]
    assert sum(profile["share"].values()) == pytest.approx(1) and profile["run"] == "lexicon-1"
    assert "| lexicon | both | 4.0 (4.0) |" not in done.stdout, "core-minutes are the profile's"
    assert "generation" in done.stdout


def test_nothing_there(tmp_path):
    done = run(program_server.python(), SCRIPT, "--run", tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "has no run to measure" in done.stderr
