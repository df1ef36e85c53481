"""Runs that are resumed end as those that were let be, in every task: everything in the checkpoint, bit for bit.

A run leaves a checkpoint after each update; others go on from one of them, as after a kill.
`bash scripts/test.sh -m long` tries every place, data workers and two processes.
"""

import shutil

import pytest

from crossinit_fairseq.checkpoint_files import load_checkpoint_file
from tests.toy_runs import TASKS, check_same, ended, forked, in_two_processes, train, trained

long = pytest.mark.long


def alone(task, data, folder, options, log):
    assert ended(forked(train(task, data, folder, options, log))) == 0, log.read_text()[-2000:]


def together(task, data, folder, options, log):
    """The same in two processes; the log is that of the first."""
    ends = in_two_processes(lambda rank, distributed: trained(task, data, folder, options, distributed), folder)
    assert [status for status, _ in ends] == [0, 0], [said[-1500:] for _, said in ends]
    log.write_text(ends[0][1])


def state_of(path):
    """What a checkpoint holds; of the history only the last start, since each start adds one."""
    state = load_checkpoint_file(str(path))
    state["optimizer_history"] = state["optimizer_history"][-1:]
    return state


def check_resumes(task, data, folder, workers=0, places=None, training=alone, more=""):
    """Let a run be for an epoch and three updates, and resume at the places: all that tell something, or those named.

    more: further options of the runs. Returns how many were tried.
    """
    options, whole = f"--num-workers {workers} --save-interval-updates 1 --max-epoch 2 {more}", folder / "whole"
    training(task, data, whole, options, folder / "log")
    first = state_of(whole / "checkpoint1.pt")
    edge = first["optimizer_history"][0]["num_updates"]
    assert edge >= 3, "too short an epoch shows nothing"
    last = state_of(whole / "checkpoint_last.pt")["optimizer_history"][0]["num_updates"]
    assert last >= 2 * edge - 1
    kept = {
        1: "checkpoint_1_1.pt",
        edge: "checkpoint1.pt",
        edge + 1: f"checkpoint_2_{edge + 1}.pt",
        last: "checkpoint2.pt",
    }
    kept.update({place: f"checkpoint_1_{place}.pt" for place in (edge // 2, edge - 1) if place > 1})
    tried = 0
    for place, name in kept.items():
        if places is not None and place - edge not in places:
            continue
        resumed = folder / f"from_{place}"
        resumed.mkdir()
        shutil.copy(str(whole / name), str(resumed / "checkpoint_last.pt"))
        training(task, data, resumed, options, folder / f"log_{place}")
        said = (folder / f"log_{place}").read_text()
        assert f"@ {place} updates" in said, said[-2000:]
        check_same(state_of(whole / "checkpoint_last.pt"), state_of(resumed / "checkpoint_last.pt"), f"from {place}: ")
        if place <= edge:  # the end of an epoch that it resumed in, too
            check_same(first, state_of(resumed / "checkpoint1.pt") if place < edge else first)
        tried += 1
        shutil.rmtree(str(resumed))
    return tried


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_run_resumed_around_the_end_of_an_epoch(task, data_of, tmp_path):
    assert check_resumes(task, data_of(task), tmp_path, places=(-1, 1)) == 2


@long
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_run_resumed_at_every_place(task, workers, data_of, tmp_path):
    assert check_resumes(task, data_of(task), tmp_path, workers) >= 5


@long
@pytest.mark.parametrize("task", sorted(TASKS))
def test_two_processes_resumed_at_every_place(task, data_of, tmp_path):
    smaller = {
        "crossinit_unmt": "--max-tokens 400",
        "crossinit_xnli": "--batch-size 8",
    }  # an epoch has 3 updates or more
    assert check_resumes(task, data_of(task), tmp_path, training=together, more=smaller.get(task, "")) >= 5
