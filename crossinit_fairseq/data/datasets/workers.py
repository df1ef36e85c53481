"""The processes that load batches (`--num-workers`): ended when nothing more is asked of them, so that they tidy up.

An iterator of fairseq's is part of a reference cycle, so Python takes it apart late and in any order: its workers live
on for many epochs, then miss the word that they may go, are waited for, five seconds each, and killed. The end of
Python kills the others. A worker that is killed leaves its folder, `pymp-*`, in the folder for temporary files; so one
that a signal ends removes it first, and what SIGKILL, which nobody hears, has left the training removes at its end: by
a file in each folder it knows its own. Batch systems, terminals that are closed and `kill -- -GROUP` send the signal to
all processes of a run. Where the training alone gets it, and dies of it as any program does, its workers see that
within five seconds and end by themselves.
"""

import atexit
import contextlib
import functools
import gc
import glob
import multiprocessing
import os
import secrets
import shutil
import signal
import sys
import tempfile
from multiprocessing import util
from typing import Any, Callable, Dict, Hashable, Set

from fairseq.data.iterators import EpochBatchIterator
from torch.utils.data import dataloader, get_worker_info

from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.lost_processes import no_word_of_workers

_LONGEST = 107 if sys.platform == "linux" else 103  # bytes in the name of a socket
# that by default end a process at once, and which batch systems, terminals and users send
_ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU")


class Loading:
    """The iterators of a task, the last one of each split."""

    def __init__(self):
        self._last: Dict[Hashable, EpochBatchIterator] = {}

    def begin(self, split: Hashable, iterator: EpochBatchIterator) -> EpochBatchIterator:
        """Remember an iterator as the last one of its split, and return it. The workers of the one before are ended,
        unless it is the same iterator."""
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
            if not isinstance(iterator.collate_fn, _Tidily):
                iterator.collate_fn = _Tidily(iterator.collate_fn)
            iterator.collate_fn.mark = _mark(os.getpid())
        return iterator


class _Tidily:
    """A collate function that, in a worker, first sees to it that signals leave nothing behind.

    Called for every batch, before the worker makes its folder and after torch has set what signals do.
    mark: the name of the file that tells the training which folders are of its workers.
    """

    mark = ""

    def __init__(self, collate: Callable[[Any], Any]):
        self.collate = collate

    def __call__(self, samples: Any) -> Any:
        if get_worker_info() is not None:
            _tidy_up_at_signals()
            if not _folder():  # else it has been here, or is to use the folder of the training
                with contextlib.suppress(OSError):  # of a full disk
                    open(os.path.join(util.get_temp_dir(), self.mark), "x").close()
        return self.collate(samples)


@functools.lru_cache(maxsize=None)
def _mark(process: int) -> str:
    """A name that no other process has. process: the number of this one, since one that is forked is another."""
    return f"of-{secrets.token_hex(8)}"


def _once_in_a_process(work: Callable[[], None]) -> Callable[[], None]:
    """Do it at the first call in each process; one that is forked is another."""
    done_in: Set[int] = set()

    @functools.wraps(work)
    def at_first_call() -> None:
        if os.getpid() not in done_in:
            done_in.add(os.getpid())
            work()

    return at_first_call


@_once_in_a_process
def _tidy_up_at_signals() -> None:
    inherited = _folder()

    def end(number: int, frame: Any) -> None:
        folder = _folder()
        if folder and folder != inherited:
            shutil.rmtree(folder, ignore_errors=True)
        if number == signal.SIGTERM:
            # how torch ends a worker that takes too long; it would take another exit status for an error
            os._exit(0)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for name in _ENDING:
        number = getattr(signal, name, None)
        # None: set by torch, in C, for SIGTERM; a launcher's own, such as submitit's, stays
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, None):
            signal.signal(number, end)


def _folder() -> Any:
    """The folder that multiprocessing has made for this process, or for the one it was forked from."""
    return multiprocessing.current_process()._config.get("tempdir")


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
    if multiprocessing.active_children():
        with no_word_of_workers():  # of one that was killed
            for loader in gc.get_objects():
                if type(loader) is dataloader._MultiProcessingDataLoaderIter:
                    # one that an interruption has left half made lacks what it looks at, and ends its workers all the
                    # same; so does one that is interrupted now
                    with contextlib.suppress(Exception, KeyboardInterrupt):
                        loader._shutdown_workers()
    _remove_what_killed_ones_left()


def _remove_what_killed_ones_left() -> None:
    """The folders of this process's workers, none of which is alive."""
    for path in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), "pymp-*", _mark(os.getpid()))):
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)


@_once_in_a_process
def _end_all_at_exit() -> None:
    """Before multiprocessing kills them: it does so at exit too, and what is registered last comes first. In a process
    that torch started for a GPU only multiprocessing's own are called."""
    atexit.register(end_all)
    util.Finalize(None, end_all, exitpriority=100)  # the queues to the workers close at 10
