"""The processes that load batches (`--num-workers`): ended when nothing more is asked of them, so that they tidy up.

An iterator of fairseq's is part of a reference cycle, so Python takes it apart late and in any order: its workers live
on for many epochs, then miss the word that they may go, are waited for, five seconds each, and killed. The end of
Python kills the others. A worker that is killed leaves its folder, `pymp-*`, in the folder for temporary files.
"""

import atexit
import gc
import multiprocessing
import os
import sys
import tempfile
from multiprocessing import util
from typing import Any, Dict, Hashable

from fairseq.data.iterators import EpochBatchIterator
from torch.utils.data import dataloader

from crossinit_fairseq.errors import InputError, one_sentence

_LONGEST = 107 if sys.platform == "linux" else 103  # bytes in the name of a socket


class Loading:
    """The iterators of a task, the last one of each split."""

    def __init__(self):
        self._last: Dict[Hashable, EpochBatchIterator] = {}

    def begin(self, split: Hashable, iterator: EpochBatchIterator) -> EpochBatchIterator:
        """Returns the iterator, which takes the place of the split's last one. That one's workers are ended; it may be
        the same, whose workers go on."""
        if iterator.num_workers:
            with one_sentence():
                check_temporary_folder(tempfile.gettempdir())
        last = self._last.get(split)
        if last is not None and last is not iterator:
            # nothing else holds the loader, which ends its workers when it goes
            last._cur_epoch_itr = last._next_epoch_itr = last.dataloader = None
        self._last[split] = iterator
        if iterator.num_workers:
            _end_all_at_exit()
        return iterator


def check_temporary_folder(folder: str) -> None:
    """Raise InputError when workers could not hand over their batches there: each tensor goes through a socket in
    FOLDER/pymp-a1b2c3d4/listener-a1b2c3d4, and where that name is too long for one, training waits for ever."""
    room = _LONGEST - len("/pymp-a1b2c3d4/listener-a1b2c3d4")
    if len(os.fsencode(folder)) > room:
        raise InputError(
            f"the folder for temporary files, {folder}, has a name of {len(os.fsencode(folder))} bytes, and the "
            f"processes of --num-workers need one of at most {room}, as they put sockets there: set TMPDIR to a "
            "shorter one, or give --num-workers 0"
        )


def end_all(*unused: Any) -> None:
    """End the workers of this process, whoever still holds an iterator: a thread of --data-buffer-size, a traceback."""
    if not multiprocessing.active_children():
        return
    for loader in gc.get_objects():
        if type(loader) is dataloader._MultiProcessingDataLoaderIter:
            loader._shutdown_workers()


def _end_all_at_exit() -> None:
    """Before multiprocessing kills them: it does so at exit too, and what is registered last comes first. In a process
    that torch started for a GPU only multiprocessing's own are called."""
    if _end_all_at_exit.__dict__.get("of") != os.getpid():
        _end_all_at_exit.of = os.getpid()
        atexit.register(end_all)
        util.Finalize(None, end_all, exitpriority=100)  # the queues to the workers close at 10
