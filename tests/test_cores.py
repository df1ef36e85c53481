"""Idle cores, by hand-worked ticks, and what is said of threads."""

import logging
import os

import pytest
import torch

from crossinit_fairseq import cores

_BEFORE = """cpu  400 0 0 400 0 0 0 0 0 0
cpu0 100 0 100 700 100 0 0 0 0 0
cpu1 500 0 0 500 0 0 0 0 0 0
cpu7 0 0 0 0 0 0 0 0 0 0
intr 1 2 3
"""
# core 0: 10 of 50 ticks idle or waiting for a disk; core 1: 25 of 50; core 7 is not ours
_AFTER = """cpu  400 0 0 400 0 0 0 0 0 0
cpu0 130 0 110 705 105 0 0 0 0 0
cpu1 500 20 0 525 0 0 0 5 0 0
cpu7 0 0 0 50 0 0 0 0 0 0
"""


@pytest.fixture
def two_cores(monkeypatch, tmp_path):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    stat = tmp_path / "stat"
    monkeypatch.setattr(cores, "_STAT", str(stat))
    return stat


def test_idle_cores_by_the_ticks_between_two_looks(two_cores, monkeypatch):
    two_cores.write_text(_BEFORE)
    monkeypatch.setattr(cores.time, "sleep", lambda seconds: two_cores.write_text(_AFTER))
    assert cores.idle_cores() == pytest.approx(10 / 50 + 25 / 50)


@pytest.mark.parametrize("text", [None, "", "cpu0 1 2\n", "cpu0 a b c d e f g h\n"])
def test_idle_cores_where_the_system_does_not_tell(text, two_cores, monkeypatch):
    if text is not None:
        two_cores.write_text(text)
    monkeypatch.setattr(cores.os, "getloadavg", lambda: (0.75, 0, 0))
    assert cores.idle_cores() == 1.25
    monkeypatch.setattr(cores.os, "getloadavg", lambda: (9, 0, 0))
    assert cores.idle_cores() == 0


@pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="no /proc/stat")
def test_idle_cores_of_this_machine():
    assert 0 <= cores.idle_cores(0.05) <= cores.usable_cores() * 1.05


@pytest.mark.parametrize(
    "threads, idle, right", [(1, 0, None), (2, 2, None), (2, 1.6, None), (2, 1.2, 1), (2, 0, 1), (16, 14.2, 14)]
)
def test_threads_and_idle_cores(threads, idle, right):
    said, found = cores.too_many_threads(threads, 16, idle)
    assert found == right and f"{threads} thread" in said


@pytest.mark.parametrize("right", [1, None])
def test_a_training_on_busy_cores_says_so(right, monkeypatch, caplog):
    """Asked of the task itself, since a program of the tests has one thread."""
    from crossinit_fairseq.tasks import base

    monkeypatch.setattr(base, "too_many_threads", lambda: ("2 cores, 0.1 of them idle", right))
    task = object.__new__(base.CrossInitTask)
    task._has_begun = False
    with caplog.at_level(logging.WARNING):
        task.begin_epoch(1, torch.nn.Linear(2, 2))
        task.begin_epoch(2, torch.nn.Linear(2, 2))
    assert len(caplog.messages) == (1 if right else 0)
    assert not right or "`export OMP_NUM_THREADS=1`" in caplog.text
