"""Which logical CPUs a race runs on: as many as it has threads, the same for every worker.

A mask as wide as the thread count holds every framework to it, also those whose own settings do not (XLA keeps two
busy threads whatever it is told). Where the system has no affinity masks, `choose` says so and the gauge alone guards.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.machine import usable_cores

_CPUS = Path("/sys/devices/system/cpu")


def choose(threads: int) -> frozenset[int] | None:
    """`threads` logical CPUs, on separate physical cores where there are enough; None without affinity masks.

    The fastest come first, which are the performance cores where there are two kinds; among equals the highest
    numbers, for CPU 0 serves most interrupts and the parent is better off there.
    """
    if sys.platform != "linux":
        return None
    cpus = sorted(usable_cores(), key=lambda cpu: (-_most_kilohertz(cpu), -cpu))
    first: dict[int, int] = {}  # physical core, by its lowest logical CPU -> the logical CPU taken of it
    for cpu in cpus:
        first.setdefault(min(_siblings(cpu)), cpu)
    others = [cpu for cpu in cpus if cpu not in first.values()]
    return frozenset([*first.values(), *others][:threads])


def _most_kilohertz(cpu: int) -> int:
    """The CPU's top frequency; 0 where the kernel does not tell, as in most virtual machines."""
    try:
        return int((_CPUS / f"cpu{cpu}/cpufreq/cpuinfo_max_freq").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _siblings(cpu: int) -> set[int]:
    """The logical CPUs of the physical core of `cpu`; just itself where the kernel does not tell."""
    try:
        text = (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
    except OSError:
        return {cpu}
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


@contextlib.contextmanager
def inherited(cpus: frozenset[int] | None) -> Iterator[None]:
    """Run the calling thread on `cpus` meanwhile: a process started within has the mask before its first thread."""
    if cpus is None or sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
