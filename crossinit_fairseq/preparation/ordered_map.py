"""Work spread over processes, in order, with no more than a few items in memory."""

import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Deque, Iterable, Iterator, Tuple

from crossinit_fairseq.errors import InputError


def ordered_map(
    prepare: Callable[..., None],
    arguments: Tuple[Any, ...],
    function: Callable[[Any], Any],
    items: Iterable[Any],
    workers: int,
) -> Iterator[Any]:
    """Yield function(item) in the order of the items, from several processes that ran prepare(*arguments) first.

    Unlike Pool.imap it reads only a few items ahead, so that the items need not fit in memory. Raises InputError when
    a process was ended from outside.
    """
    if workers == 1:
        prepare(*arguments)
        yield from map(function, items)
        return
    try:
        with ProcessPoolExecutor(workers, initializer=_quietly, initargs=(prepare, arguments)) as pool:
            pending: Deque["Future[Any]"] = deque()
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
    except BrokenProcessPool:
        raise InputError(
            "a worker was ended from outside, most likely for want of memory: use fewer --workers"
        ) from None


def _quietly(prepare: Callable[..., None], arguments: Tuple[Any, ...]) -> None:
    """In a worker: the parent alone answers Ctrl-C and a closed terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prepare(*arguments)
