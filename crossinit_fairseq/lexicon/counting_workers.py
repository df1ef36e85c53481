"""Neighbours counted by several processes: the parts of a text in any order, one sum."""

import itertools
import multiprocessing
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, Callable, Dict, Iterable, List

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.neighbour_counts import NeighbourCounter, NeighbourSums, Sentences

_FEW = 4  # parts that are counted before a process would have started
_AHEAD = 2  # parts that wait at each process, so that none idles

# in a process that counts: what `_start` was given
_number: Callable[[Any], Sentences]
_counter: NeighbourCounter


def count_parts(
    parts: Iterable[Any], number: Callable[[Any], Sentences], size: int, window: int, workers: int = 1
) -> NeighbourSums:
    """Count the neighbours in parts of a text.

    parts: whole sentences, in any form; number: turns one into Sentences, and can be pickled; size: N, words of the
    vocabulary; window: words on either side; workers: processes (1, or few parts: this one). SciPy and NumPy hold
    Python's lock while they count, so threads would not help.
    Raises InputError when a process ends before it is done.
    """
    parts = iter(parts)
    first = list(itertools.islice(parts, _FEW)) if workers > 1 else []
    parts = itertools.chain(first, parts)
    if len(first) < _FEW:
        counter = NeighbourCounter(size, window)
        for part in parts:
            counter.add(number(part))
        return counter.result()
    # not forked: a fork of a process with threads, as Polars starts them, can hang
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        # a pool of one process each: what a process has counted is asked from itself
        pools = [
            stack.enter_context(
                ProcessPoolExecutor(1, mp_context=context, initializer=_start, initargs=(number, size, window))
            )
            for _ in range(workers)
        ]
        try:
            _hand_out(parts, pools)
            counted = [pool.submit(_result) for pool in pools]
            sums = counted[0].result()
            for more in counted[1:]:
                sums = sums + more.result()
            return sums
        except BrokenProcessPool:
            raise InputError(
                "a process that counted neighbours ended early, most often for want of memory: use fewer workers"
            ) from None


def _hand_out(parts: Iterable[Any], pools: List[ProcessPoolExecutor]) -> None:
    """Give each part to a process that is free."""
    waiting: Dict[Future, ProcessPoolExecutor] = {}
    free = pools * _AHEAD
    for part in parts:
        if not free:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                free.append(waiting.pop(future))
        pool = free.pop(0)
        waiting[pool.submit(_add, part)] = pool
    for future in waiting:
        future.result()


def _start(number: Callable[[Any], Sentences], size: int, window: int) -> None:
    global _number, _counter
    _number, _counter = number, NeighbourCounter(size, window)


def _add(part: Any) -> None:
    _counter.add(_number(part))


def _result() -> NeighbourSums:
    return _counter.result()
