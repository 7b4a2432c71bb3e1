"""Energy meters count joules from counters that wrap, miss or are forbidden; what cannot be read says why."""

from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from bench.telemetry import rapl
from bench.telemetry.energy import open_meter
from bench.telemetry.nvml import NvmlPowerIntegral
from tests.bench.telemetry.replayed_nvml import ReplayedNvml

FULL = 262_143_328_850  # microjoules, `max_energy_range_uj` of common Intel packages


def domain(powercap: Path, name: str, kind: str, microjoules: int, full: int = FULL) -> Path:
    """One domain as Documentation/power/powercap/powercap.rst of Linux describes it."""
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{kind}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{full}\n")
    return folder / "energy_uj"


def test_packages_are_summed_and_their_parts_are_not_counted_twice(tmp_path: Path) -> None:
    first = domain(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = domain(tmp_path, "intel-rapl:1", "package-1", 5_000_000)
    others = [
        domain(tmp_path, name, kind, 0)
        for name, kind in (
            ("intel-rapl:0:0", "core"),
            ("intel-rapl:2", "psys"),
            ("intel-rapl-mmio:0", "package-0"),
        )
    ]
    meter = open_meter("cpu", tmp_path)
    first.write_text("3000000\n")
    second.write_text("5500000\n")
    for other in others:
        other.write_text("9000000\n")
    assert meter.joules() == pytest.approx(2.5)
    assert (meter.scope, meter.basis, meter.absent_because) == ("package", "measured", None)


def test_a_counter_that_starts_over_goes_on_counting(tmp_path: Path) -> None:
    counter = domain(tmp_path, "intel-rapl:0", "package-0", FULL - 2_000_000)
    meter = open_meter("cpu", tmp_path)
    counter.write_text("3000000\n")
    assert meter.joules() == pytest.approx(5.0)
    counter.write_text("4000000\n")
    assert meter.joules() == pytest.approx(6.0)


def test_only_a_counter_that_moved_on_counts_as_updated(tmp_path: Path) -> None:
    counter = domain(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = open_meter("cpu", tmp_path)
    for reading in ("0", "10", "10", "20"):
        counter.write_text(reading)
        meter.joules()
    assert meter.updates == 2


def test_a_system_without_counters_says_so(tmp_path: Path) -> None:
    meter = open_meter("cpu", tmp_path / "nothing")
    assert "no CPU energy counters" in (meter.absent_because or "")
    assert (meter.joules(), meter.updates, meter.basis) == (0.0, 0, "unavailable")


def test_counters_for_root_only_come_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    domain(tmp_path, "intel-rapl:0", "package-0", 0)

    def forbidden(path: Path) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(rapl, "_number", forbidden)  # root, as in containers, may read everything
    meter = open_meter("cpu", tmp_path)
    assert "root only" in (meter.absent_because or "")
    assert "chmod a+r" in meter.mend


def test_a_counter_that_holds_no_number_is_as_good_as_none(tmp_path: Path) -> None:
    domain(tmp_path, "intel-rapl:0", "package-0", 0).write_text("\n")
    assert "hold no number" in (open_meter("cpu", tmp_path).absent_because or "")


class EnergyNvml(ReplayedNvml):
    """Answers with the millijoules and milliwatts given; None is what a board does not tell."""

    def __init__(self, energy: list[int] | None = None, power: list[int] | None = None) -> None:
        super().__init__()
        self._energy = iter(energy) if energy else None
        self._power = iter(power) if power else None

    def nvmlDeviceGetTotalEnergyConsumption(self, device: int) -> int:
        return self._next(self._energy)

    def nvmlDeviceGetPowerUsage(self, device: int) -> int:
        return self._next(self._power)

    def _next(self, readings: Iterator[int] | None) -> int:
        if readings is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return next(readings)


def test_a_board_counts_millijoules() -> None:
    library = EnergyNvml(energy=[7_000_000, 7_000_000, 7_250_500])
    meter = open_meter("cuda:0", nvml=library)
    assert meter.joules() == 0
    assert meter.joules() == pytest.approx(250.5)
    assert (meter.updates, meter.scope, meter.basis) == (1, "board", "measured")
    meter.close()
    assert not library.open


def test_a_board_without_a_counter_is_estimated_from_its_power() -> None:
    assert open_meter("cuda:0", nvml=EnergyNvml(power=[100_000])).basis == "estimated"
    times = iter([10.0, 11.0, 13.0])
    meter = NvmlPowerIntegral(EnergyNvml(power=[100_000, 200_000, 200_000]), 0, lambda: next(times))
    assert meter.joules() == pytest.approx(150.0)
    assert meter.joules() == pytest.approx(550.0)
    assert meter.updates == 1


def test_a_board_that_tells_nothing_is_let_go_of() -> None:
    library = EnergyNvml()
    assert "neither its energy nor its power" in (open_meter("cuda:1", nvml=library).absent_because or "")
    assert not library.open


def test_a_device_without_a_known_counter_says_so() -> None:
    assert "mps" in (open_meter("mps").absent_because or "")
