"""The cores of the machine that have nothing to do, against the threads that torch would use on them.

Threads of one operation wait for each other: where one of them shares its core with another program, all go at the pace
of that one. On a machine with other trainings an update has taken 30 seconds on two threads and half a second on one.
"""

import os
import time
from typing import Dict, Optional, Tuple

import torch

_STAT = "/proc/stat"


def usable_cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def idle_cores(seconds: float = 0.5) -> float:
    """How many of the usable cores had nothing to do in so many seconds, in which this thread waits.

    Where the system does not tell (it is Linux that does): the cores less the load of the last minute.
    """
    before = _idle_times()
    if not before:
        return max(0.0, usable_cores() - os.getloadavg()[0]) if hasattr(os, "getloadavg") else float(usable_cores())
    time.sleep(seconds)
    return _idle_between(before, _idle_times())


def _idle_between(before: Dict[int, Tuple[int, int]], after: Dict[int, Tuple[int, int]]) -> float:
    idle = 0.0
    for core, (idle_before, all_before) in before.items():
        idle_after, all_after = after.get(core, (idle_before, all_before))
        idle += (idle_after - idle_before) / max(1, all_after - all_before)
    return idle


def _idle_times() -> Dict[int, Tuple[int, int]]:
    """{usable core: (ticks without work, all ticks)} since the machine was started; empty where that is not known."""
    times = {}
    try:
        mine = os.sched_getaffinity(0)
        with open(_STAT, encoding="ascii") as lines:
            for line in lines:
                name, *ticks = line.split()
                if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in mine:
                    # user nice system idle iowait irq softirq steal; the guests' after them are part of the user's
                    count = [int(tick) for tick in ticks[:8]]
                    times[int(name[3:])] = count[3] + count[4], sum(count)
    except (OSError, AttributeError, ValueError, IndexError):
        return {}
    return times


def too_many_threads(
    threads: Optional[int] = None, cores: Optional[int] = None, idle: Optional[float] = None
) -> Tuple[str, Optional[int]]:
    """torch's threads against the idle cores: what is there, in words, and how many threads would be right; None where
    they are.

    threads, cores, idle: what is here by default. One thread is never too many.
    """
    threads = torch.get_num_threads() if threads is None else threads
    cores = usable_cores() if cores is None else cores
    if threads < 2:
        return f"{cores} cores, torch would use 1 thread", None
    idle = idle_cores() if idle is None else idle
    said = f"{cores} cores, {idle:.1f} of them idle, torch would use {threads} threads"
    return said, None if threads <= idle + 0.5 else max(1, int(idle + 0.5))
