"""crossinit_fairseq/doctor/machine.py"""

import fcntl
import os
import shlex
from collections import namedtuple

import pytest

from crossinit_fairseq.doctor import machine
from crossinit_fairseq.doctor.command import read_command
from crossinit_fairseq.doctor.findings import FINE, WARNING, WRONG
from crossinit_fairseq.doctor.machine import check_disk, check_gpus, check_locks, check_threads

MIB = 1 << 20


def test_threads_and_busy_cores():
    (finding,) = check_threads(2, 2, 0.7)
    assert finding.level == WARNING and finding.remedy == "export OMP_NUM_THREADS=1"
    assert "2 cores, 0.7 of them idle, torch would use 2 threads" in finding.what
    assert [finding.level for finding in check_threads(2, 2, 1.9)] == [FINE]


def test_gpus_that_torch_does_not_see(monkeypatch):
    monkeypatch.setattr(machine, "count_gpus", lambda: 0)
    monkeypatch.setattr(machine, "_listed_gpus", lambda: 2)
    (finding,) = check_gpus()
    assert finding.level == WRONG and "nvidia-smi lists 2 GPUs" in finding.what and "torch==2.13.0" in finding.remedy
    monkeypatch.setattr(machine, "_listed_gpus", lambda: 0)
    assert check_gpus()[0].level == FINE


def test_a_gpu_that_others_use(monkeypatch):
    monkeypatch.setattr(machine, "count_gpus", lambda: 2)
    monkeypatch.setattr(machine.torch.cuda, "get_device_name", lambda number: f"card {number}")
    monkeypatch.setattr(machine.torch.cuda, "mem_get_info", lambda number: ((70 if number else 3) << 30, 80 << 30))
    first, second = check_gpus()
    assert (first.level, first.what) == (WARNING, "GPU 0: card 0, 3 of 80 GiB free") and second.level == FINE


@pytest.mark.parametrize(
    "free, size, options, level, what",
    [
        # 2 kept, and one being written
        (40 * MIB, 10 * MIB, "--no-epoch-checkpoints", FINE, "30.0 MiB needed (2 checkpoints of some 10.0 MiB"),
        (29 * MIB, 10 * MIB, "--no-epoch-checkpoints", WRONG, "30.0 MiB needed"),
        (95 * MIB, 10 * MIB, "", WARNING, "every checkpoint of some 10.0 MiB is kept: room for 9"),
        (95 * MIB, 10 * MIB, None, FINE, "30.0 MiB needed"),
        (9 * MIB, 10 * MIB, "", WRONG, "9.0 MiB free, and a checkpoint takes some 10.0 MiB"),
        (5 << 30, 0, "", FINE, "5.0 GiB free"),
        (500 * MIB, 0, "", WARNING, "500.0 MiB free"),
    ],
)
def test_free_disk_against_what_will_be_written(tmp_path, monkeypatch, free, size, options, level, what):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(free))
    (tmp_path / "c.pt").touch()
    os.truncate(str(tmp_path / "c.pt"), size)
    command = None if options is None else read_command(shlex.split("fairseq-train d " + options))
    (finding,) = check_disk(str(tmp_path / "not" / "yet"), [str(tmp_path / "c.pt"), "nothere.pt"], command)
    assert finding.level == level and what in finding.what


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "file/below", "link"):
        (finding,) = check_disk(str(tmp_path / name), [])
        place = tmp_path / name.split("/")[0]
        assert finding.level == WRONG and finding.what.startswith(f"{place} is no folder, so {tmp_path / name} cannot")
    monkeypatch.setattr(machine.os, "access", lambda *unused: False)
    assert check_disk(str(tmp_path), [])[0].level == WRONG


def test_a_full_disk(tmp_path, monkeypatch):
    counted = namedtuple("Counted", "f_favail f_files")
    monkeypatch.setattr(machine.os, "statvfs", lambda path: counted(0, 0))  # file systems that do not count files
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(5 << 30))
    assert check_disk(str(tmp_path), [])[0].level == FINE
    monkeypatch.setattr(machine.os, "statvfs", lambda path: counted(0, 100))
    (finding,) = check_disk(str(tmp_path), [])
    assert finding.level == WRONG and "the disk is full, 5.0 GiB free" in finding.what
    monkeypatch.setattr(machine.os, "statvfs", lambda path: counted(7, 100))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: namedtuple("Usage", "free")(1000))
    (finding,) = check_disk(str(tmp_path), [])
    assert finding.level == WRONG and "the disk is full, 1,000 bytes free" in finding.what


def test_locked_folders(tmp_path):
    assert check_locks([str(tmp_path), str(tmp_path / "no")]) == []
    with open(tmp_path / ".lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (finding,) = check_locks([str(tmp_path)])
    assert finding.level == WRONG and f"another run writes to {tmp_path}" in finding.what
