"""Runs of several processes of which one is killed: training itself, a data worker, one of two that train together.

What is left ends by itself, with a sentence; everything on the disk is whole; and the run that is resumed ends as one
that was let be, everything in the checkpoint bit for bit. Counts are small here; `bash scripts/test.sh -m long` has the
large ones.
"""

import functools
import os
import pathlib
import random
import shutil
import signal
import time

import pytest

from crossinit_fairseq.checkpoint_files import check_whole, load_checkpoint_file
from tests.toy_runs import (
    TASKS,
    check_same,
    ended,
    forked,
    log_to,
    start_two_processes,
    trained,
    within_limit,
)

long = pytest.mark.long
SAVING = "--no-epoch-checkpoints --max-update 8 --save-interval-updates 1 --keep-interval-updates 3"
TRIES = 10  # in a row that find the run ended already
LOST_CONNECTION = "crossinit_fairseq: error: the connection to another process of this training is lost ("
LOST_WORKER = "crossinit_fairseq: error: a process that loads batches (worker (pid"


class Start:
    """A run that has been started: the numbers of its processes, and the paths of what they will have said."""

    def __init__(self, task, data, save_dir, together, workers, more=""):
        options = f"{SAVING} --num-workers {workers} {more}"
        self.save_dir, logs = save_dir, save_dir.with_name(save_dir.name + "_logs")
        shutil.rmtree(str(logs), ignore_errors=True)
        if together:
            self.processes, self.logs = start_two_processes(
                lambda rank, distributed: trained(task, data, save_dir, options, distributed), logs
            )
        else:
            logs.mkdir()
            self.logs = [logs / "log"]
            self.processes = [forked(lambda: log_to(self.logs[0], lambda: trained(task, data, save_dir, options)))]

    def wait_for_training(self):
        """Wait until it has locked its folder, after which it trains; returns when that was, None if it has ended."""

        def trains():
            try:
                return (self.save_dir / ".lock").read_text().startswith(f"process {self.processes[0]} ")
            except FileNotFoundError:
                return False

        assert within_limit(lambda: trains() or self.one_has_ended())
        return time.monotonic() if trains() else None

    def one_has_ended(self):
        kinds = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return any(os.waitid(os.P_PID, process, kinds) is not None for process in self.processes)

    def worker(self):
        """The number of a data worker, once there is one; None if the run has ended."""

        def children():
            path = pathlib.Path(f"/proc/{self.processes[0]}/task/{self.processes[0]}/children")
            return path.read_text().split() if path.exists() else []

        assert within_limit(lambda: children() or self.one_has_ended())
        return int((children() or [0])[0]) or None

    def end(self):
        """Wait for its end: [(exit status, what it said)] of each process."""
        statuses = [ended(process) for process in self.processes]
        return [(status, log.read_text("utf-8") if log.exists() else "") for status, log in zip(statuses, self.logs)]


def alive(group):
    """Whether a process of a group, the workers of a run that was killed, is there and no zombie."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, number = path.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(number) == group and state != "Z":
            return True
    return False


def check_kills(task, data, folder, kills, seed, together=False, workers=0, of_worker=False):
    """Kill a process of a run again and again, the others ending by themselves; the end is that of a run let be."""
    rng, start = random.Random(seed), functools.partial(Start, task, data, together=together, workers=workers)
    let_be = start(folder / "let_be")
    begin = let_be.wait_for_training()
    ends = let_be.end()
    assert all(status == 0 for status, _ in ends), [said[-1500:] for _, said in ends]
    took, hits, misses, groups = time.monotonic() - begin, 0, 0, []
    while hits < kills:
        run = start(folder / "killed")
        victim = rng.randrange(len(run.processes))
        if run.wait_for_training() is not None:
            time.sleep(rng.uniform(0, 0.7) * took)
            killed = run.worker() if of_worker else run.processes[victim]
            try:
                os.kill(killed, signal.SIGKILL)
            except (ProcessLookupError, TypeError):
                pass  # it has ended
        ends = run.end()
        if any(status == 0 for status, _ in ends):
            misses += 1
            assert misses < TRIES
            shutil.rmtree(str(folder / "killed"))  # training had ended: from the beginning
            continue
        hits, misses = hits + 1, 0
        groups += run.processes
        for number, (status, said) in enumerate(ends):
            if number == victim and not of_worker:
                assert status == -signal.SIGKILL, (status, said[-1500:])
            else:
                last = (said.splitlines() or [""])[-1]
                assert status == 1 and last.startswith(LOST_WORKER if of_worker else LOST_CONNECTION), said[-3000:]
                assert "Traceback" not in said and "the same command" in last
        for path in (folder / "killed").glob("checkpoint*.pt"):
            check_whole(str(path))
    ends = start(folder / "killed").end()
    assert all(status == 0 for status, _ in ends), [said[-1500:] for _, said in ends]
    states = [load_checkpoint_file(str(folder / name / "checkpoint_last.pt")) for name in ("let_be", "killed")]
    for state in states:
        state["optimizer_history"] = state["optimizer_history"][-1:]  # has an entry for each start
    check_same(*states)
    assert not list((folder / "killed").glob("*.part"))
    assert all(within_limit(lambda group=group: not alive(group)) for group in groups), "workers outlive their run"


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_run_with_data_workers_is_killed(task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=1, seed=1, workers=2)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_one_of_two_processes_is_killed(task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=1, seed=sorted(TASKS).index(task), together=True)


def test_a_data_worker_is_killed(data_of, tmp_path):
    check_kills("crossinit_mlm", data_of("crossinit_mlm"), tmp_path, kills=1, seed=3, workers=2, of_worker=True)


def check_interruptions(task, data, folder, times, seed):
    """Press Ctrl-C again and again in a run whose epochs are short: its process alone gets it, or as at a terminal all
    of its processes do. It ends each time, and says of nothing else."""
    rng = random.Random(seed)
    signals = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a forked process has then too
    try:
        for number in range(times):
            run = Start(task, data, folder / "interrupted", False, 2, "--max-update 100000")
            assert run.wait_for_training() is not None, run.end()
            time.sleep(rng.uniform(0, 3))
            send = (os.kill, os.killpg)[number % 2]
            send(run.processes[0], signal.SIGINT)
            ((status, said),) = run.end()
            assert status == 1 and said.splitlines()[-1] == "KeyboardInterrupt", said[-3000:]
            assert within_limit(lambda group=run.processes[0]: not alive(group)), "workers outlive their run"
            for path in (folder / "interrupted").glob("checkpoint*.pt"):
                check_whole(str(path))
    finally:
        signal.signal(signal.SIGINT, signals)


def test_ctrl_c_ends_a_run_with_data_workers(data_of, tmp_path):
    check_interruptions("crossinit_mlm", data_of("crossinit_mlm"), tmp_path, times=2, seed=1)


@long
@pytest.mark.parametrize("task", sorted(TASKS))
def test_25_ctrl_c(task, data_of, tmp_path):
    check_interruptions(task, data_of(task), tmp_path, times=25, seed=2)


@long
@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("together, workers", [(False, 2), (True, 0), (True, 2)])
def test_15_kills(together, workers, task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=15, seed=4, together=together, workers=workers)


@long
@pytest.mark.parametrize("task", sorted(TASKS))
def test_15_kills_of_data_workers(task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=15, seed=5, workers=2, of_worker=True)
