"""The command of a run that has made all of its updates, given again."""

import shutil

import pytest

from crossinit_fairseq.checkpoint_files import load_checkpoint_file
from tests.tasks.in_process import run
from tests.toy_runs import COMMON, TASKS, check_same, in_two_processes, trained

SAID = "this run has ended: it has made 3 updates, and --max-update is 3; nothing is trained, and nothing is saved"


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*.pt")}


def updates(folder):
    return load_checkpoint_file(str(folder / "checkpoint_last.pt"))["optimizer_history"][-1]["num_updates"]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_nothing_is_trained_again(task, data_of, tmp_path):
    """fairseq trains one update more at each start. A larger --max-update goes on."""
    data, folder, options = data_of(task), tmp_path / "run", "--save-interval-updates 1 --no-epoch-checkpoints"
    done = trained(task, data, folder, options, "--max-update 3")
    assert done.returncode == 0 and updates(folder) == 3 and SAID not in done.stdout
    before = contents(folder)
    for limit in (3, 2):
        done = trained(task, data, folder, options, f"--max-update {limit}")
        assert done.returncode == 0 and "nothing is trained" in done.stdout and "Traceback" not in done.stdout
        assert contents(folder) == before
    for more in ("", " --reset-meters", " --reset-dataloader"):
        assert SAID in trained(task, data, folder, options, "--max-update 3" + more).stdout
    done = trained(task, data, folder, options, "--max-update 4")
    assert done.returncode == 0 and updates(folder) == 4 and "nothing is trained" not in done.stdout


def test_nor_by_two_processes(data_of, tmp_path):
    data, folder = data_of("crossinit_mlm"), tmp_path / "run"
    before = {}
    for number in range(2):
        statuses = in_two_processes(
            lambda rank, distributed: trained("crossinit_mlm", data, folder, "--max-update 3", distributed),
            tmp_path / f"logs{number}",
        )
        assert [status for status, _ in statuses] == [0, 0], [said[-1500:] for _, said in statuses]
        before = before or contents(folder)
    assert SAID in statuses[0][1] and contents(folder) == before and updates(folder) == 3


def test_a_run_that_counts_from_0_trains(data_of, tmp_path):
    """Its model is another run's, which has made as many updates; or its optimizer is reset."""
    data, folder = data_of("crossinit_mlm"), tmp_path / "run"
    assert trained("crossinit_mlm", data, folder, "--max-update 3").returncode == 0
    start = f"--max-update 2 --finetune-from-model {folder}/checkpoint_last.pt"
    assert trained("crossinit_mlm", data, tmp_path / "other", start).returncode == 0
    assert updates(tmp_path / "other") == 2
    reset = "--max-update 2 --reset-optimizer --reset-dataloader --reset-lr-scheduler --reset-meters"
    assert trained("crossinit_mlm", data, folder, reset).returncode == 0 and updates(folder) == 2


def validated(task, data, folder, options):
    """The same, with a validation and a checkpoint after every update."""
    often = COMMON.replace("--disable-validation", "--validate-interval-updates 1 --save-interval-updates 1")
    return run("train", [str(data), "--save-dir", str(folder)], TASKS[task].options.format(data=data), often, options)


def test_patience_goes_on_counting(data_of, tmp_path):
    """At a rate of 0 no validation is better than the first: with patience 3 a run has 4 updates, however it is cut."""
    data, folder, still = data_of("crossinit_mlm"), tmp_path / "run", "--lr 0 --patience 3 --max-update "
    assert validated("crossinit_mlm", data, folder, still + "2").returncode == 0 and updates(folder) == 2
    done = validated("crossinit_mlm", data, folder, still + "9")
    assert done.returncode == 0 and "early stop" in done.stdout and updates(folder) == 4
    before = contents(folder)
    done = validated("crossinit_mlm", data, folder, still + "9")
    assert "its last 3 validations brought nothing, and --patience is 3; nothing is trained" in done.stdout
    assert done.returncode == 0 and contents(folder) == before
    # more patience, and a new run in the same process, whose first validation is the best so far
    assert validated("crossinit_mlm", data, folder, still + "9 --patience 5").returncode == 0 and updates(folder) == 6
    assert validated("crossinit_mlm", data, tmp_path / "new", still + "9").returncode == 0
    assert updates(tmp_path / "new") == 4


def test_stopped_by_directions(data_of, tmp_path):
    """The table has 16 dimensions: the first validation stops the run, which ends after one update more."""
    data, folder, stop = data_of("crossinit_pretrain"), tmp_path / "run", "--max-update 5 --stop-directions "
    done = validated("crossinit_pretrain", data, folder, stop + "1000")
    assert done.returncode == 0 and updates(folder) == 2
    before = contents(folder)
    done = validated("crossinit_pretrain", data, folder, stop + "1000")
    assert "and --stop-directions is 1000; nothing is trained" in done.stdout and contents(folder) == before
    # killed between that validation and the last update
    cut = tmp_path / "cut"
    cut.mkdir()
    shutil.copy(str(folder / "checkpoint_1_1.pt"), str(cut / "checkpoint_last.pt"))
    assert validated("crossinit_pretrain", data, cut, stop + "1000").returncode == 0 and updates(cut) == 2
    states = [load_checkpoint_file(str(place / "checkpoint_last.pt")) for place in (folder, cut)]
    for state in states:
        state["optimizer_history"] = state["optimizer_history"][-1:]  # has an entry for each start
    check_same(*states)
    # another number goes on
    assert validated("crossinit_pretrain", data, folder, stop + "0").returncode == 0 and updates(folder) == 5
