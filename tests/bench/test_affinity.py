"""Which CPUs a race takes, on machines described by files as Linux has them."""

import os
import sys
from pathlib import Path

import pytest

from bench import affinity

pytestmark = pytest.mark.usefixtures("linux")


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(affinity, "_CPUS", tmp_path)


def describe(folder: Path, monkeypatch: pytest.MonkeyPatch, cpus: dict[int, tuple[str, int | None]]) -> None:
    """Logical CPU -> (its siblings, its top frequency in kHz)."""
    monkeypatch.setattr(affinity, "usable_cores", lambda: tuple(cpus))
    for cpu, (siblings, kilohertz) in cpus.items():
        topology = folder / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(siblings + "\n")
        if kilohertz is not None:
            (folder / f"cpu{cpu}" / "cpufreq").mkdir()
            (folder / f"cpu{cpu}" / "cpufreq" / "cpuinfo_max_freq").write_text(f"{kilohertz}\n")


def test_separate_cores_come_before_their_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, monkeypatch, {0: ("0,2", None), 1: ("1,3", None), 2: ("0,2", None), 3: ("1,3", None)})
    assert affinity.choose(1) == frozenset({3})
    assert affinity.choose(2) == frozenset({2, 3})
    assert affinity.choose(3) == frozenset({1, 2, 3})


def test_performance_cores_come_before_efficiency_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow = 5_000_000, 3_800_000
    describe(tmp_path, monkeypatch, {0: ("0-1", fast), 1: ("0-1", fast), 2: ("2", slow), 3: ("3", slow)})
    assert affinity.choose(1) == frozenset({1})
    assert affinity.choose(2) == frozenset({1, 3})


def test_a_kernel_that_tells_nothing_is_taken_as_separate_equal_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affinity, "usable_cores", lambda: (0, 1))
    assert affinity.choose(1) == frozenset({1})
    assert affinity.choose(9) == frozenset({0, 1})


def test_systems_without_masks_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert affinity.choose(1) is None
    before = os.sched_getaffinity(0)
    with affinity.inherited(None):
        assert os.sched_getaffinity(0) == before
