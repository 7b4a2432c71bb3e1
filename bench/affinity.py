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


def choose(threads: int) -> frozenset[int] | None:
    """`threads` logical CPUs on separate physical cores where there are enough; None without affinity masks.

    The highest numbers are taken: CPU 0 serves most interrupts, and the parent is better off there.
    """
    if sys.platform != "linux":
        return None
    cpus = usable_cores()
    first_siblings = [cpu for cpu in cpus if cpu == min(_siblings(cpu) & set(cpus), default=cpu)]
    others = [cpu for cpu in cpus if cpu not in first_siblings]
    return frozenset((*reversed(first_siblings), *reversed(others))[:threads])


def _siblings(cpu: int) -> set[int]:
    """The logical CPUs of the physical core of `cpu`; just itself where the kernel does not tell."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        parts = path.read_text(encoding="ascii").strip().split(",")
    except OSError:
        return {cpu}
    found: set[int] = set()
    for part in parts:
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
