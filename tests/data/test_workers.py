"""crossinit_fairseq/data/datasets/workers.py: the processes of --num-workers end, and leave nothing behind."""

import gc
import multiprocessing
import os
import signal
import sys
import tempfile

import pytest
import torch
from fairseq.data.iterators import EpochBatchIterator
from torch.utils.data import dataloader

from crossinit_fairseq.data.datasets.workers import Loading, check_temporary_folder, end_all
from crossinit_fairseq.lost_processes import no_word_of_workers
from tests.conftest import crossinit
from tests.toy_runs import ended, forked, within_limit


class Numbers(torch.utils.data.Dataset):
    def __getitem__(self, index):
        return torch.tensor([index])

    def __len__(self):
        return 6


@pytest.fixture
def short():
    """A folder with a name short enough for the sockets of workers, which tmp_path's may not be."""
    with tempfile.TemporaryDirectory() as name:
        yield name


@pytest.fixture
def folder(short, monkeypatch):
    """The folder for temporary files, in which a worker makes one as soon as it has loaded something."""
    monkeypatch.setattr(tempfile, "tempdir", short)
    gc.collect()
    end_all()
    gc.disable()  # at the latest then it is decided whether they end by themselves
    yield short
    gc.enable()


def iterator(workers=2, **options):
    batches = [[k] for k in range(6)]
    return EpochBatchIterator(Numbers(), torch.stack, batches, num_workers=workers, **options)


def left(folder):
    """What workers have left there; others of this process may use it too."""
    return [name for name in os.listdir(folder) if name.startswith("pymp-")]


def workers():
    return {child.pid for child in multiprocessing.active_children()}


def test_new_workers_of_a_split_take_the_place_of_the_last_ones(folder):
    loading, seen = Loading(), set()
    for _ in range(3):
        for split, count in (("train", 4), ("valid", 6)):
            # the end of training comes anywhere in an epoch
            batches = loading.begin(split, iterator()).next_epoch_itr(shuffle=False)
            assert [int(next(batches)) for _ in range(count)] == list(range(count))
            del batches
        assert len(workers()) == 4 and not workers() & seen
        seen |= workers()
    assert len(left(folder)) == 4, "of those that live"
    end_all()
    assert workers() == set() and left(folder) == []


def test_workers_of_an_iterator_that_is_used_again_go_on(folder):
    loading, seen = Loading(), set()
    kept = iterator(reuse_dataloader=True)
    for _ in range(3):
        assert len(list(loading.begin("valid", kept).next_epoch_itr(shuffle=False))) == 6
        seen |= workers()
    assert len(seen) == 2
    end_all()
    assert workers() == set() and left(folder) == []


def first_batch(**options):
    """Begin an epoch, and do not end it. Returns what holds the workers."""
    batches = Loading().begin("train", iterator(**options)).next_epoch_itr(shuffle=False)
    next(batches)
    return batches


def test_all_end_whoever_holds_them(folder):
    held = first_batch(buffer_size=2)  # a thread waits to put the fourth batch into the buffer
    assert len(workers()) == 2
    end_all()
    assert workers() == set() and left(folder) == []
    del held


def interrupted(monkeypatch, place):
    """Begin an epoch, and be interrupted while the loader is being made. Returns what holds it."""

    def interrupt(*unused, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
        patch.setattr(*place, interrupt)
        first_batch()
    return caught


@pytest.mark.parametrize(
    "place",
    [
        (dataloader._utils.signal_handling, "_set_worker_pids"),  # both workers are there
        (dataloader._MultiProcessingDataLoaderIter, "_reset"),
        (dataloader._BaseDataLoaderIter, "__init__"),  # there is none yet
    ],
)
def test_all_end_beside_a_loader_that_is_half_made(place, folder, monkeypatch):
    """As by Ctrl-C in the second in which its workers start."""
    one, half, other = first_batch(), interrupted(monkeypatch, place), first_batch()
    assert len(workers()) in (4, 6)
    end_all()
    assert workers() == set() and left(folder) == []
    del one, half, other


def test_what_one_loader_raises_keeps_no_other_from_its_end(folder, monkeypatch):
    held, shutdown, seen = (
        [first_batch(), first_batch()],
        dataloader._MultiProcessingDataLoaderIter._shutdown_workers,
        [],
    )

    def fails_afterwards(loader):
        shutdown(loader)
        seen.append(loader)
        raise KeyboardInterrupt if len(seen) == 1 else OSError

    with monkeypatch.context() as patch:
        patch.setattr(dataloader._MultiProcessingDataLoaderIter, "_shutdown_workers", fails_afterwards)
        end_all()
    assert len(seen) >= 2 and workers() == set() and left(folder) == []
    del held


def test_all_end_with_a_process_that_was_started_for_a_gpu(folder):
    """Which ends as multiprocessing's processes do, without what is registered with atexit."""
    process = multiprocessing.Process(target=first_batch)
    process.start()
    process.join()
    assert process.exitcode == 0 and left(folder) == []


def kept_busy(folder):
    """A process, leader of a group, that holds two workers which have loaded something. Returns its number, theirs."""
    ready = os.path.join(folder, "ready")

    def work():
        held = first_batch()
        next(held)  # of the other worker
        with open(ready + ".part", "w") as stream:
            stream.write(" ".join(map(str, workers())))
        os.rename(ready + ".part", ready)
        while held:
            signal.pause()

    process = forked(work)
    assert within_limit(lambda: os.path.exists(ready))
    with open(ready) as stream:
        return process, [int(pid) for pid in stream.read().split()]


def gone(folder, pids):
    """Wait until the processes have ended; how many of their folders are left."""
    assert within_limit(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
    return left(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
@pytest.mark.parametrize("to_all", [True, False])
def test_a_signal_ends_all_and_leaves_nothing_behind(folder, number, to_all):
    """All processes of the run get it, as from scancel or a closed terminal, or the training alone, as by `kill`."""
    process, pids = kept_busy(folder)
    assert len(pids) == 2 and len(left(folder)) == 2
    (os.killpg if to_all else os.kill)(process, number)
    assert ended(process) == -number, "what the shell and a batch system are told"
    assert gone(folder, pids) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_that_torch_kills_leaves_nothing_behind_and_is_no_error(folder):
    held = first_batch()
    for process in multiprocessing.active_children():
        process.terminate()
        process.join()
        assert process.exitcode == 0
    assert left(folder) == []
    del held


def test_what_a_killed_worker_leaves_is_removed_and_nothing_else(folder):
    held = first_batch()
    next(held)  # of the other worker
    other = os.path.join(folder, "pymp-of_other")
    os.mkdir(other)
    open(os.path.join(other, "of-0123456789abcdef"), "x").close()
    victim = multiprocessing.active_children()[0]
    with no_word_of_workers():
        victim.kill()
        victim.join()
    assert len(left(folder)) == 3, "or this test shows nothing"
    end_all()
    assert workers() == set() and left(folder) == ["pymp-of_other"]
    del held


def test_what_a_worker_leaves_is_removed_where_no_other_is_alive(folder):
    held = first_batch(workers=1)
    (victim,) = multiprocessing.active_children()
    with no_word_of_workers():
        victim.kill()
        victim.join()
    assert len(left(folder)) == 1
    end_all()
    assert left(folder) == []
    del held


def test_what_a_launcher_does_with_a_signal_stays(folder):
    """Such as submitit, which asks for a job to be queued again, and has SIGTERM do nothing."""
    asked = os.path.join(folder, "asked")
    before = signal.signal(signal.SIGUSR1, lambda number, frame: os.mkdir(asked))
    try:
        held = first_batch(workers=1)
        (process,) = multiprocessing.active_children()
        os.kill(process.pid, signal.SIGUSR1)
        assert int(next(held)) == 1 and process.is_alive()
        assert within_limit(lambda: os.path.exists(asked))
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_training_leaves_nothing_behind(data_folder, short, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", short)
    crossinit(data_folder, tmp_path / "run", "--lr 0.01 --max-update 11", "--num-workers 1")
    # a cache of torch's, one for each user
    assert [name for name in os.listdir(short) if not name.startswith("torchinductor_")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_a_folder_whose_name_is_too_long_for_sockets(tmp_path, monkeypatch):
    check_temporary_folder("/tmp/" + 70 * "x")
    for name in ("/tmp/" + 71 * "x", "/tmp/" + 36 * "ä"):
        monkeypatch.setattr(tempfile, "tempdir", name)
        with pytest.raises(SystemExit, match="76 bytes|77 bytes") as error:
            Loading().begin("train", iterator())
        assert "at most 75" in str(error.value) and "TMPDIR" in str(error.value)
        Loading().begin("train", iterator(workers=0))
