"""The cores of the machine that have nothing to do, against the threads that torch would use on them.

Threads of one operation wait for each other: where one of them shares its core with another program, all go at the pace
of that one. On a machine with other trainings an update has taken 30 seconds on two threads and half a second on one.
"""

import math
import os
import time
from typing import Dict, Optional, Tuple

_STAT = "/proc/stat"
_OWN_GROUPS = "/proc/self/cgroup"
_GROUPS = "/sys/fs/cgroup"


def usable_cores() -> int:
    """The cores that this process may use: those that it may run on, or as many as its control group pays for."""
    cores = _cores_to_run_on()
    return max(1, math.ceil(min(_quota(), cores)))


def _cores_to_run_on() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quota() -> float:
    """The seconds of processor time that this process may use in a second, as a container (`docker run --cpus 2`) or a
    batch system limits it: all cores are seen there, and threads beyond the limit wait. Infinite without a limit."""
    least = math.inf
    try:
        with open(_OWN_GROUPS, encoding="utf-8") as lines:
            groups = [line.rstrip("\n").split(":", 2) for line in lines]
    except OSError:
        return least
    for _, controllers, path in groups:
        if not controllers or "cpu" in controllers.split(","):  # of version 2, and of version 1
            # a container may see itself as the root, and a limit of any group around this one counts
            while path.strip("/"):
                least = min(least, _limit(os.path.join(_GROUPS, controllers, path.strip("/"))))
                path = os.path.dirname(path.rstrip("/"))
            least = min(least, _limit(os.path.join(_GROUPS, controllers)))
    return least


def _limit(folder: str) -> float:
    """The quota of one control group."""
    for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
        try:
            texts = []
            for name in names:
                with open(os.path.join(folder, name), encoding="ascii") as file:
                    texts += file.read().split()
            quota, period = map(int, texts)  # without a limit it is `max`, or -1
        except (OSError, ValueError):
            continue
        if quota > 0 and period > 0:
            return quota / period
    return math.inf


def idle_cores(seconds: float = 0.5) -> float:
    """How many of the usable cores had nothing to do in so many seconds, in which this thread waits.

    Where the system does not tell (it is Linux that does): the cores less the load of the last minute.
    """
    before = _idle_times()
    if before:
        time.sleep(seconds)
        idle = _idle_between(before, _idle_times())
        if idle is not None:
            return min(idle, _quota())
    return max(0.0, usable_cores() - os.getloadavg()[0]) if hasattr(os, "getloadavg") else float(usable_cores())


def _idle_between(before: Dict[int, Tuple[int, int]], after: Dict[int, Tuple[int, int]]) -> Optional[float]:
    """None where no time was counted, as in some containers."""
    idle, counted = 0.0, 0
    for core, (idle_before, all_before) in before.items():
        idle_after, all_after = after.get(core, (idle_before, all_before))
        idle += (idle_after - idle_before) / max(1, all_after - all_before)
        counted += all_after - all_before
    return idle if counted > 0 else None


def _idle_times() -> Dict[int, Tuple[int, int]]:
    """{core to run on: (ticks without work, all ticks)} since the machine was started; empty where that is not known of
    each."""
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
    return times if len(times) == len(mine) else {}


def too_many_threads(
    threads: Optional[int] = None, cores: Optional[int] = None, idle: Optional[float] = None
) -> Tuple[str, Optional[int]]:
    """torch's threads against the idle cores: what is there, in words, and how many threads would be right; None where
    they are.

    threads, cores, idle: what is here by default. One thread is never too many.
    """
    if threads is None:
        import torch  # here, as commands that count cores need none of it

        threads = torch.get_num_threads()
    cores = usable_cores() if cores is None else cores
    if threads < 2:
        return f"{cores} cores, torch would use 1 thread", None
    idle = idle_cores() if idle is None else idle
    said = f"{cores} cores, {idle:.1f} of them idle, torch would use {threads} threads"
    return said, None if threads <= idle + 0.5 else max(1, int(idle + 0.5))
