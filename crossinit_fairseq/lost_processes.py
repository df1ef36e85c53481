"""The other processes of a training, when one of them has ended: those that are left end with one sentence.

A process that is killed, most often for want of memory, says nothing, and one that ends for a reason of its own says it
in its own output. fairseq ends the others with a traceback of the library that connects them.
"""

import functools
import gc
import re
import signal
import time
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional

import torch
from torch.utils.data import dataloader

from crossinit_fairseq import swallowed_signals
from crossinit_fairseq.errors import InputError, first_line, one_sentence

_LOOKS, _PAUSE = 20, 0.05  # for a worker that has ended; seconds
# of gloo on CPUs and NCCL on GPUs, and of the store where they find each other
_CONNECTION = re.compile(
    r"gloo/transport|ncclRemoteError|remote process exit|Connection (was likely )?(closed|reset)|Broken pipe"
)
# of the store and of both, after torch's limit of half an hour, to which fairseq has no option
_NEVER_CAME = re.compile(
    r"waiting for clients|[Ww]ait timeout|[Ss]ocket (has timed out|Timeout)|Timed out waiting|connectFullMesh failed"
)
_LOADER = re.compile(r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\) (is killed by signal: \w+|exited unexpectedly)")


def sentence_of(error: BaseException) -> Optional[str]:
    """What to say of an error of torch's; None where it is of something else than a process that has ended."""
    if not isinstance(error, (RuntimeError, TimeoutError)):  # the latter of torch 1's store
        return None
    worker = _LOADER.search(str(error))
    if worker:
        return _sentence_of_worker(worker.group(0)[len("DataLoader ") :])
    if _NEVER_CAME.search(str(error)):
        return (
            f"another process of this training was waited for in vain ({_of_library(error)}): it has ended, was not "
            "started, or has another --distributed-init-method or world size; its own output tells why, if anything "
            "does; end what is left, and give the same command in all processes"
        )
    if _CONNECTION.search(str(error)):
        return (
            f"the connection to another process of this training is lost ({_of_library(error)}): that one has ended, "
            "or was killed; its own output tells why, if anything does; the checkpoints are whole: end what is left, "
            "and the same command in all processes goes on from the newest one"
        )
    return None


def _sentence_of_worker(which: str) -> str:
    return (
        f"a process that loads batches ({which}) has ended, most often for want of memory, or of room in /dev/shm: "
        "lower --num-workers; the checkpoints are whole: the same command goes on from the newest one"
    )


def _of_library(error: BaseException) -> str:
    """What gloo, NCCL or their store says. gloo begins with a line of its source, and adds what to look at."""
    return re.sub(r"^\[\S*\.cc:\d+\] ", "", first_line(error)).split(". This is ")[0].rstrip(".")


def _sentence_of_a_batch(error: BaseException) -> Optional[str]:
    """The same where a batch broke off that a worker was handing over, before torch has heard of the worker's end."""
    if isinstance(error, (EOFError, ConnectionError, FileNotFoundError)):
        for _ in range(_LOOKS):
            try:
                torch._C._error_if_any_worker_fails()
            except RuntimeError as of_worker:
                return sentence_of(of_worker)
            ended = _ended_workers()
            if ended:
                return _sentence_of_worker(f"worker (pid {ended[0]}) exited unexpectedly")
            time.sleep(_PAUSE)
    return None


def _ended_workers() -> List[int]:
    """The numbers of those that have ended, well too, as one does that SIGTERM ends, and are still asked for more."""
    loaders = [held for held in gc.get_objects() if type(held) is dataloader._MultiProcessingDataLoaderIter]
    # one that is half made, as Ctrl-C leaves it, lacks both
    asked = [one for held in loaders if not getattr(held, "_shutdown", True) for one in getattr(held, "_workers", ())]
    return [worker.pid for worker in asked if not worker.is_alive()]


@contextmanager
def no_word_of_workers() -> Iterator[None]:
    """Within it torch does not raise an error when a worker ends, which it does by a signal, wherever Python is."""
    try:
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:  # no signal is for a thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before if before is not None else signal.SIG_DFL)


def say_which_process_has_ended() -> None:
    """For all versions: whatever fairseq's programs do in several processes, or with --num-workers, ends in a traceback
    of torch's when one of these has ended."""
    import fairseq.distributed.utils

    stock = fairseq.distributed.utils.call_main
    if hasattr(stock, "says_which"):
        return

    @functools.wraps(stock)
    def call_main(cfg: Any, main: Any, **kwargs: Any) -> None:
        try:
            stock(cfg, main, **kwargs)
        except (RuntimeError, EOFError, OSError) as error:
            if swallowed_signals.was_interrupted(error):
                raise KeyboardInterrupt from None
            with no_word_of_workers():
                said = sentence_of(error) or _sentence_of_a_batch(error)
            if said is None:
                raise
            with one_sentence():
                raise InputError(said) from None

    call_main.says_which = stock
    fairseq.distributed.utils.call_main = call_main
