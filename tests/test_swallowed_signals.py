"""crossinit_fairseq/swallowed_signals.py: what signals raise in a place where Python swallows it."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from fairseq.trainer import Trainer
from torch.utils.data._utils import signal_handling

from crossinit_fairseq import swallowed_signals
from tests.toy_runs import TASKS, ended, forked, log_to, trained

AT = 3  # the update at whose end the signal comes
SAVING = "--no-epoch-checkpoints --max-update 8 --save-interval-updates 1 --keep-interval-updates 3"
LOST_WORKER = "crossinit_fairseq: error: a process that loads batches (worker (pid"


class Swallows:
    """What is done when it goes raises an error that Python swallows."""

    def __init__(self, work):
        self.work = work

    def __del__(self):
        self.work()


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)


def swallow(work):
    held = Swallows(work)
    del held


@pytest.fixture(autouse=True)
def as_before():
    before, stock = signal.getsignal(signal.SIGINT), signal_handling._error_if_any_worker_fails
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
    signal_handling._error_if_any_worker_fails = stock
    swallowed_signals._raised = None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_remembered():
    swallowed_signals.remember()
    swallowed_signals.end_if_swallowed()  # nothing came
    swallow(ctrl_c)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            swallowed_signals.end_if_swallowed()
    assert swallowed_signals.was_interrupted(RuntimeError("DataLoader worker (pid 1) is killed by signal: Interrupt"))
    # another training in the same process
    swallowed_signals.remember()
    swallowed_signals.end_if_swallowed()
    assert not swallowed_signals.was_interrupted(RuntimeError("of something else"))


def test_ctrl_c_does_what_it_did():
    swallowed_signals.remember()
    with pytest.raises(KeyboardInterrupt):
        ctrl_c()


def test_the_end_of_a_worker_is_remembered(monkeypatch):
    def fails():
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed")

    monkeypatch.setattr(signal_handling, "_error_if_any_worker_fails", fails)
    for _ in range(2):
        swallowed_signals.remember()
    with pytest.raises(RuntimeError):
        signal_handling._error_if_any_worker_fails()
    with pytest.raises(RuntimeError, match="pid 7"):
        swallowed_signals.end_if_swallowed()
    assert signal_handling._error_if_any_worker_fails.stock is fails  # put around it once


def test_an_error_after_ctrl_c_is_told_from_others():
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("of a worker")  # noqa: B904
    except RuntimeError as error:
        assert swallowed_signals.was_interrupted(error)


def test_another_handler_stays():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    swallowed_signals.remember()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_thread_changes_nothing():
    thread = threading.Thread(target=swallowed_signals.remember)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def swallowing(monkeypatch, work):
    """Do it at the end of an update of a training, in a place that swallows what it raises."""
    stock = Trainer.lr_step_update

    def lr_step_update(self, *args):
        if self.get_num_updates() == AT:
            swallow(work)
        return stock(self, *args)

    monkeypatch.setattr(Trainer, "lr_step_update", lr_step_update)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_training_ends_at_the_next_update(task, data_of, tmp_path, monkeypatch):
    swallowing(monkeypatch, ctrl_c)
    status, said, saved = ends(task, data_of(task), tmp_path, "--num-workers 0")
    assert status == 1 and said == "KeyboardInterrupt" and saved == AT


def test_a_training_ends_at_the_next_update_after_the_end_of_a_worker(data_of, tmp_path, monkeypatch):
    def kill_a_worker():
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
        time.sleep(0.3)

    swallowing(monkeypatch, kill_a_worker)
    status, said, saved = ends("crossinit_mlm", data_of("crossinit_mlm"), tmp_path, "--num-workers 2")
    assert status == 1 and said.startswith(LOST_WORKER) and saved == AT


def ends(task, data, folder, options):
    """Train in a process of its own. Returns its exit status, the last line of what it said, its last saved update."""
    log, run = folder / "log", folder / "run"

    def work():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log_to(log, lambda: trained(task, data, run, SAVING, options))

    status = ended(forked(work))
    updates = [int(path.stem.rpartition("_")[2]) for path in run.glob("checkpoint_*_*.pt")]
    return status, log.read_text("utf-8").splitlines()[-1], max(updates)
