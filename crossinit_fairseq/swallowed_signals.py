"""Ctrl-C, and the end of a process that loads batches, end a training also where Python swallows them.

Both are signals, and raise an error wherever Python is just then. In a `__del__`, or in what is called around a fork,
Python prints "Exception ignored in ..." and goes on, and so would the training, for days. With `--num-workers` both
happen at the edge of every epoch. So it is remembered what was raised, and the next update, or the next validation,
raises it again.
"""

import functools
import signal
import threading
from types import FrameType
from typing import Optional

from torch.utils.data._utils import signal_handling

_raised: Optional[BaseException] = None  # by a signal, since remember()


def remember() -> None:
    """From now on, for one training, know what signals raise. What they do stays as it is.

    Where something else than Python's own handler waits for Ctrl-C, that is let be; a thread gets no signals.
    """
    global _raised
    _raised = None
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    _remember_ended_workers()


def _interrupt(number: int, frame: Optional[FrameType]) -> None:
    global _raised
    _raised = KeyboardInterrupt()
    raise _raised


def _remember_ended_workers() -> None:
    """torch says only once that a worker has ended."""
    stock = signal_handling._error_if_any_worker_fails
    if hasattr(stock, "stock"):
        return

    @functools.wraps(stock)
    def error_if_any_worker_fails() -> None:
        global _raised
        try:
            stock()
        except RuntimeError as error:
            _raised = _raised or error
            raise

    error_if_any_worker_fails.stock = stock
    signal_handling._error_if_any_worker_fails = error_if_any_worker_fails


def end_if_swallowed() -> None:
    """Raise again what a signal has raised, if the program runs all the same."""
    if _raised is not None:
        raise _raised


def was_interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C came before an error: at a terminal workers get it too, and of their end torch raises an error."""
    return isinstance(_raised, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt)
