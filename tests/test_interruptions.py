"""Runs that are killed, starved of disk, and given damaged files: nothing is lost, nothing silent.

Counts are small here; `bash scripts/test.sh -m long` has the large ones (CONTRIBUTING.md).
"""

import copy
import functools
import os
import random
import resource
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils

from crossinit_fairseq.checkpoint_files import check_whole, load_checkpoint_file, newest_whole, save_checkpoint_file
from crossinit_fairseq.doctor.data_folder import check_data_folder
from crossinit_fairseq.doctor.findings import WRONG
from crossinit_fairseq.errors import InputError
from tests.toy_runs import COMMON, TASKS, check_same, ended, forked, train, within_limit

long = pytest.mark.long

# the stages that read binarised text; fine-tuning reads files of its own
STAGES = [task for task in sorted(TASKS) if not TASKS[task].fine_tuned]
TRIES = 10  # in a row that find the run ended already
SAVING = "--num-workers 0 --no-epoch-checkpoints --max-update 12 --save-interval-updates 1 --keep-interval-updates 3"


def begun(process, folder):
    """Wait until a run has locked its folder, after which it trains. Returns when that was; None if it has ended."""

    def trains():
        try:
            return (folder / ".lock").read_text().startswith(f"process {process} ")
        except FileNotFoundError:
            return False

    def has_ended():
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    assert within_limit(lambda: trains() or has_ended())
    return time.time() if trains() else None


def killed(work, after, folder=None):
    """Do it in a process that is killed some seconds after it has begun; returns whether it was still at it."""
    process = forked(work)
    if folder is not None:
        begun(process, folder)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    return ended(process) == -signal.SIGKILL


def checkpoints(folder):
    return sorted(path for path in folder.glob("checkpoint*.pt"))


def check_kills(task, data_folder, folder, kills, seed):
    """Kill a run again and again; what is on the disk is whole each time, and the end is that of a run let be."""
    rng = random.Random(seed)
    process = forked(train(task, data_folder, folder / "let_be", SAVING))
    begin = begun(process, folder / "let_be")
    assert ended(process) == 0
    took, hits, misses = time.time() - begin, 0, 0
    while hits < kills:
        work = train(task, data_folder, folder / "killed", SAVING)
        if not killed(work, rng.uniform(0, 0.7) * took, folder / "killed"):
            misses += 1
            assert misses < TRIES
            shutil.rmtree(str(folder / "killed"))  # it had ended: from the beginning
            continue
        hits, misses = hits + 1, 0
        for path in checkpoints(folder / "killed"):
            check_whole(str(path))
    assert ended(forked(train(task, data_folder, folder / "killed", SAVING))) == 0
    ends = [load_checkpoint_file(str(folder / name / "checkpoint_last.pt")) for name in ("let_be", "killed")]
    for state in ends:
        state["optimizer_history"] = state["optimizer_history"][-1:]  # has an entry for each start
    check_same(*ends)
    assert not list((folder / "killed").glob("*.part"))


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_killed_run_ends_as_one_that_was_let_be(task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=1, seed=1)


@long
@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_run_that_is_killed_34_times_ends_as_one_that_was_let_be(task, data_of, tmp_path):
    check_kills(task, data_of(task), tmp_path, kills=34, seed=2)


def saves(folder, first, size=20000):
    """Save as fairseq's trainer does, without end: a file, and the others from it."""

    def work():
        for updates in range(first, first + 10**6):
            state = {
                "model": {"w": torch.full((size,), float(updates))},
                "optimizer_history": [{"num_updates": updates}],
            }
            one = str(folder / f"checkpoint_1_{updates}.pt")
            checkpoint_utils.torch_persistent_save(state, one)
            for name in ("checkpoint_best.pt", "checkpoint_last.pt"):
                checkpoint_utils.PathManager.copy(one, str(folder / name), overwrite=True)
            if updates >= first + 3:
                os.remove(str(folder / f"checkpoint_1_{updates - 3}.pt"))

    return work


def check_kills_within_saves(folder, kills, seed):
    rng, updates, seen = random.Random(seed), 0, 0
    for _ in range(kills):
        assert killed(saves(folder, updates + 1), rng.uniform(0.02, 0.2))
        for path in checkpoints(folder):
            check_whole(str(path))
        last = folder / "checkpoint_last.pt"
        if last.exists():
            state = load_checkpoint_file(str(last))
            found = state["optimizer_history"][0]["num_updates"]
            assert found >= seen and state["model"]["w"].eq(found).all()
            seen = found
            newest = newest_whole(str(folder))
            assert newest is not None and newest[1] >= found
            updates = newest[1]
        for path in folder.glob("checkpoint_1_*.pt"):
            path.unlink()
    assert seen > 0


def test_a_kill_within_a_save_leaves_no_file_cut(tmp_path):
    check_kills_within_saves(tmp_path, kills=30, seed=1)


@long
def test_300_kills_within_saves_leave_no_file_cut(tmp_path):
    check_kills_within_saves(tmp_path, kills=300, seed=2)


def limited(work, size):
    """The same where no file may be longer: the errors of a full disk, at the same places."""

    def limited_work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work()

    return limited_work


def check_full_disk_within_saves(folder, sizes):
    """At whatever byte the disk is full, the old file stays and nothing else."""
    path = folder / "checkpoint_last.pt"
    state = {"model": {"w": torch.arange(3000.0), "b": torch.ones(7)}, "optimizer_history": [{"num_updates": 1}]}
    save_checkpoint_file(state, str(path))
    old, whole = path.read_bytes(), 0
    for size in sizes:

        def save():
            try:
                save_checkpoint_file(dict(state, more=torch.zeros(2000)), str(path))
            except InputError as error:
                assert str(error) == f"{path} cannot be written: File too large"
                os._exit(7)

        status = ended(forked(limited(save, size)))
        assert status in (0, 7) and os.listdir(str(folder)) == ["checkpoint_last.pt"]
        if status:
            assert path.read_bytes() == old, size
        else:
            whole += 1
            assert "more" in load_checkpoint_file(str(path))
            path.write_bytes(old)
    assert 0 < whole < len(sizes)


def test_a_disk_that_is_full_at_any_byte_of_a_save(tmp_path):
    check_full_disk_within_saves(tmp_path, [0, 1, 63, 64, 65] + list(range(500, 30000, 1300)))


@long
def test_a_disk_that_is_full_at_1000_places_of_a_save(tmp_path):
    check_full_disk_within_saves(tmp_path, list(range(0, 30000, 30)))


def test_a_run_on_a_full_disk_ends_in_a_sentence_and_goes_on_when_there_is_room(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("crossinit_fairseq.safe_checkpoints._PAUSE", 0)
    work = train("crossinit_pretrain", data_folder, tmp_path / "run", SAVING, tmp_path / "log")
    assert ended(forked(limited(work, 60000))) == 1
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log and "cannot be written: File too large; the checkpoints before it are whole" in log
    assert not checkpoints(tmp_path / "run") and not list((tmp_path / "run").glob("*.part"))
    assert ended(forked(work)) == 0
    check_whole(str(tmp_path / "run" / "checkpoint_last.pt"))


@functools.lru_cache(maxsize=None)
def options_of(task):
    """The options of a task as fairseq-train reads them, which takes it most of a second."""
    from fairseq import options
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    words = ["data-bin"] + TASKS[task].options.split() + COMMON.split()
    return convert_namespace_to_omegaconf(options.parse_args_and_arch(options.get_training_parser(), words))


def setup(task, data):
    """Let a task read what it reads before training."""
    from fairseq import tasks

    cfg = copy.deepcopy(options_of(task))
    cfg.task.data = str(data)
    task = tasks.setup_task(cfg.task)
    task.build_model(cfg.model)  # crossinit_pretrain lays its draws out for it
    for split in ("train", "valid"):
        task.load_dataset(split)


def is_read(task, name):
    """Whether a task reads a file of its data folder in training."""
    if name.startswith("valid."):
        return task == "crossinit_unmt"  # aligned text
    return task != "crossinit_pretrain" or "valid" not in name


def check_cut_files(data_folder, folder, cuts, seed, tasks_a_file=None):
    """Cut every file of a data folder: each task ends in one sentence, and so does the doctor; no traceback."""
    rng = random.Random(seed)
    files = ["dict.txt"] + [
        f"{name}.{end}"
        for name in ("aa/train", "bb/train", "aa/valid", "bb/valid", "valid.aa-bb.aa", "valid.aa-bb.bb")
        for end in ("bin", "idx")
    ]
    for number in range(cuts):
        data = folder / str(number)
        shutil.copytree(str(data_folder), str(data))
        name = files[number % len(files)]
        path = data / name
        size = path.stat().st_size
        os.truncate(str(path), rng.randrange(size))
        assert any(finding.level == WRONG for finding in check_data_folder([str(data)])), path
        for task in (STAGES * 2)[number % len(STAGES) :][: tasks_a_file or len(STAGES)]:
            if not is_read(task, name):
                continue
            try:
                setup(task, data)
            except SystemExit as error:
                assert str(error).startswith("crossinit_fairseq: error: ") and "\n" not in str(error), (task, path)
            except InputError:
                pass
            else:
                pytest.fail(f"{task} reads {path}, cut to {path.stat().st_size} of {size} bytes")
        shutil.rmtree(str(data))


def test_every_file_of_a_data_folder_cut_at_random_places(data_folder, tmp_path):
    for task in STAGES:
        setup(task, data_folder)
    check_cut_files(data_folder, tmp_path, cuts=20, seed=1, tasks_a_file=1)


@long
def test_every_file_of_a_data_folder_cut_at_many_places(data_folder, tmp_path):
    check_cut_files(data_folder, tmp_path, cuts=450, seed=2)


def test_what_is_compared_is_told_apart():
    one = {"model": {"w": torch.ones(2)}, "extra_state": {"metrics": 1, "epoch": 2, "value": float("nan")}}
    check_same(one, dict(one, extra_state={"metrics": 9, "epoch": 2, "value": float("nan")}))
    for other in (
        dict(one, model={"w": torch.tensor([1, np.nextafter(np.float32(1), np.float32(2))])}),
        dict(one, more=1),
    ):
        with pytest.raises(AssertionError):
            check_same(one, other)
