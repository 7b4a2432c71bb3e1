"""CPU seconds of this process, of its children, and of others."""

import os
import sys
import time
from collections.abc import Callable

import psutil

_SCHEDULER_CLOCK = 2
"""CPUCLOCK_SCHED of Linux: time the scheduler gave, in nanoseconds (clock_getcpuclockid(3), as glibc makes its ids)."""


def own(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its children that `work` takes."""
    before = _now()
    work()
    return _now() - before


def _now() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def of(pid: int) -> float:
    """CPU seconds that a process has used so far, all its threads, those that ended too."""
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
