"""crossinit_fairseq/data/datasets/workers.py: the processes of --num-workers end, and leave nothing behind."""

import gc
import multiprocessing
import os
import tempfile

import pytest
import torch
from fairseq.data.iterators import EpochBatchIterator

from crossinit_fairseq.data.datasets.workers import Loading, end_all
from tests.conftest import crossinit


class Numbers(torch.utils.data.Dataset):
    def __getitem__(self, index):
        return torch.tensor([index])

    def __len__(self):
        return 6


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder for temporary files, in which a worker makes one as soon as it has loaded something."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gc.collect()
    end_all()
    gc.disable()  # at the latest then it is decided whether they end by themselves
    yield tmp_path
    gc.enable()


def iterator(workers=2, **options):
    batches = [[k] for k in range(6)]
    return EpochBatchIterator(Numbers(), torch.stack, batches, num_workers=workers, **options)


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
    assert len(os.listdir(folder)) == 4, "of those that live"
    end_all()
    assert workers() == set() and os.listdir(folder) == []


def test_workers_of_an_iterator_that_is_used_again_go_on(folder):
    loading, seen = Loading(), set()
    kept = iterator(reuse_dataloader=True)
    for _ in range(3):
        assert len(list(loading.begin("valid", kept).next_epoch_itr(shuffle=False))) == 6
        seen |= workers()
    assert len(seen) == 2
    end_all()
    assert workers() == set() and os.listdir(folder) == []


def first_batch(**options):
    """Begin an epoch, and do not end it. Returns what holds the workers."""
    batches = Loading().begin("train", iterator(**options)).next_epoch_itr(shuffle=False)
    next(batches)
    return batches


def test_all_end_whoever_holds_them(folder):
    held = first_batch(buffer_size=2)  # a thread waits to put the fourth batch into the buffer
    assert len(workers()) == 2
    end_all()
    assert workers() == set() and os.listdir(folder) == []
    del held


def test_all_end_with_a_process_that_was_started_for_a_gpu(folder):
    """Which ends as multiprocessing's processes do, without what is registered with atexit."""
    process = multiprocessing.Process(target=first_batch)
    process.start()
    process.join()
    assert process.exitcode == 0 and os.listdir(folder) == []


def test_a_training_leaves_nothing_behind(data_folder, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    crossinit(data_folder, tmp_path / "run", "--lr 0.01 --max-update 11", "--num-workers 1")
    # a cache of torch's, one for each user
    assert [name for name in os.listdir(tmp_path / "temporary") if not name.startswith("torchinductor_")] == []
