"""Host samples read /proc as proc(5) describes it, and agree with psutil."""

import psutil
import pytest

from bench.telemetry.host import PsutilHost, parse_cpu, parse_memory, proc_or_psutil

STAT = """\
cpu  300 0 100 700 100 0 0 0 0 0
cpu0 100 0 50 300 50 0 0 0 0 0
cpu1 200 0 50 400 50 0 0 0 7 0
intr 1 2 3
"""


def test_waiting_for_the_disk_is_not_busy_and_guest_time_counts_once() -> None:
    assert parse_cpu(STAT) == ((150, 500), (250, 700))


def test_used_memory_is_what_new_programs_cannot_have() -> None:
    assert parse_memory("MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 600 kB\n") == (400 * 1024, 1000 * 1024)


@pytest.mark.parametrize("make", [proc_or_psutil, PsutilHost])
def test_a_sample_of_this_machine_is_plausible(make: type[PsutilHost]) -> None:
    sample = make().sample()
    assert len(sample.cpu) == psutil.cpu_count()
    assert all(0 <= share <= 1 for share in sample.cpu)
    assert 0 < sample.memory_used_bytes < sample.memory_total_bytes == psutil.virtual_memory().total
