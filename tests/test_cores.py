"""Idle cores, by hand-worked ticks, and what is said of threads."""

import logging
import os
from unittest import mock

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
    monkeypatch.setattr(cores, "_GROUPS", str(tmp_path))
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


def test_idle_cores_where_no_time_is_counted_or_a_core_is_not_listed(two_cores, monkeypatch):
    """As in some containers: all ticks are 0, or cores have other numbers there."""
    monkeypatch.setattr(cores.os, "getloadavg", lambda: (0.75, 0, 0))
    monkeypatch.setattr(cores.time, "sleep", lambda seconds: None)
    two_cores.write_text(_BEFORE)
    assert cores.idle_cores() == 1.25
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: {7, 8}, raising=False)
    monkeypatch.setattr(cores.time, "sleep", lambda seconds: two_cores.write_text(_AFTER))
    assert cores.idle_cores() == 1.25


GROUPS_1 = "9:name=systemd:/\n4:memory:/\n2:cpu,cpuacct:{path}\n"


@pytest.mark.parametrize(
    "own, limits, usable, idle",
    [
        (None, {}, 16, 12),
        ("0::/\n", {}, 16, 12),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16, 12),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3, 2.5),  # docker run --cpus 2.5
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1, 0.1),
        ("0::/job/step\n", {"job/cpu.max": "400000 100000", "job/step/cpu.max": "max 100000"}, 4, 4),
        ("0::/a/b\n", {"a/cpu.max": "400000 100000", "a/b/cpu.max": "900000 100000"}, 4, 4),
        ("0::/docker/1\n", {"cpu.max": "200000 100000"}, 2, 2),  # which is the root there
        (GROUPS_1.format(path="/"), {"cpu,cpuacct/cpu.cfs_quota_us": "-1"}, 16, 12),
        (
            GROUPS_1.format(path="/docker/1"),
            {"cpu,cpuacct/cpu.cfs_quota_us": "150000", "cpu,cpuacct/cpu.cfs_period_us": "50000"},
            3,
            3,
        ),
        ("0::/\n", {"cpu.max": "2000000 100000\n"}, 16, 12),  # more than there are
    ],
)
def test_limits_of_containers_and_batch_systems(own, limits, usable, idle, tmp_path, monkeypatch):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr(cores, "_idle_times", lambda: {0: (0, 0)})
    monkeypatch.setattr(cores, "_idle_between", lambda before, after: 12.0)
    monkeypatch.setattr(cores, "_OWN_GROUPS", str(tmp_path / "cgroup"))
    monkeypatch.setattr(cores, "_GROUPS", str(tmp_path / "groups"))
    if own is not None:
        (tmp_path / "cgroup").write_text(own)
    for name, text in limits.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text)
    assert (cores.usable_cores(), cores.idle_cores(0)) == (usable, idle)


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
    task._has_begun, task.best_metric = False, mock.Mock()
    with caplog.at_level(logging.WARNING):
        task.begin_epoch(1, torch.nn.Linear(2, 2))
        task.begin_epoch(2, torch.nn.Linear(2, 2))
    assert len(caplog.messages) == (1 if right else 0)
    assert not right or "`export OMP_NUM_THREADS=1`" in caplog.text
