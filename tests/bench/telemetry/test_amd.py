"""AMD's answers become loads in our units, whether the module or the program gives them; absence says why.

The forms are those of AMD SMI's Python API reference (ROCm 7: fields and "N/A") and of rocm-smi's JSON as ROCm 5 and 6
print it (numbers as text, "card0" beside "system"). They were not recorded: no AMD GPU was at hand.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.telemetry.amd import open_amd
from bench.telemetry.commands import Repeated
from tests.bench.telemetry.programs import install


class Amd:
    """Answers as `amdsmi` is documented to: an Instinct board, and a guest that may ask nothing but its memory."""

    class AmdSmiException(Exception):
        pass

    AmdSmiTemperatureType = SimpleNamespace(EDGE="edge", HOTSPOT="hotspot")
    AmdSmiTemperatureMetric = SimpleNamespace(CURRENT="current")

    def __init__(self, fails: bool = False, devices: int = 2) -> None:
        self._fails, self._devices = fails, devices
        self.open = False

    def amdsmi_init(self) -> None:
        if self._fails:
            raise self.AmdSmiException("Error code: 34 | AMDSMI_STATUS_DRIVER_NOT_LOADED")
        self.open = True

    def amdsmi_shut_down(self) -> None:
        self.open = False

    def amdsmi_get_processor_handles(self) -> list[int]:
        return list(range(self._devices))

    def amdsmi_get_gpu_asic_info(self, device: int) -> dict[str, Any]:
        return {"market_name": ("AMD Instinct MI300X", "AMD Radeon Pro V710")[device], "oam_id": 0}

    def amdsmi_get_gpu_driver_info(self, device: int) -> dict[str, str]:
        return {"driver_name": "amdgpu", "driver_version": "6.12.12", "driver_date": "2015/01/01 00:00"}

    def amdsmi_get_gpu_activity(self, device: int) -> dict[str, Any]:
        self._refuse(device)
        return {"gfx_activity": 98, "umc_activity": 41, "mm_activity": "N/A"}

    def amdsmi_get_gpu_vram_usage(self, device: int) -> dict[str, int]:
        return {"vram_total": 196592, "vram_used": 3072}

    def amdsmi_get_power_info(self, device: int) -> dict[str, Any]:
        self._refuse(device)
        return {"current_socket_power": 702, "average_socket_power": "N/A", "gfx_voltage": "N/A", "power_limit": 750}

    def amdsmi_get_temp_metric(self, device: int, kind: str, metric: str) -> int:
        self._refuse(device)
        if kind == "edge":
            raise self.AmdSmiException("not supported")
        return 64

    def _refuse(self, device: int) -> None:
        if device:
            raise self.AmdSmiException("Error code: 2 | AMDSMI_STATUS_NOT_SUPPORTED")


CARD = {
    "GPU use (%)": "87",
    "Temperature (Sensor edge) (C)": "N/A",
    "Temperature (Sensor junction) (C)": "57.0",
    "Average Graphics Package Power (W)": "45.013",
    "VRAM Total Memory (B)": "17163091968",
    "VRAM Total Used Memory (B)": "3087007744",
    "Card Series": "Radeon RX 6800 XT",
}
ROCM_SMI = {"card0": CARD, "card10": {}, "card2": {"GPU use (%)": "3"}, "system": {"Driver version": "6.2.0"}}


def test_a_board_asked_through_the_module_is_in_units_of_its_names(tmp_path: Path) -> None:
    library = Amd()
    sampler = open_amd(tmp_path, library)
    board, guest = sampler.sample()
    assert (board.vendor, board.name, board.utilisation) == ("amd", "AMD Instinct MI300X", 0.98)
    assert (board.memory_used_bytes, board.memory_total_bytes) == (3072 << 20, 196592 << 20)
    assert (board.power_watts, board.temperature_celsius) == (702, 64)
    assert (guest.utilisation, guest.power_watts, guest.temperature_celsius) == (None, None, None)
    assert guest.memory_used_bytes == 3072 << 20
    assert sampler.driver == "6.12.12"
    sampler.close()
    assert not library.open


def test_temperatures_in_millidegrees_as_documented_are_understood_too(tmp_path: Path) -> None:
    library = Amd(devices=1)
    library.amdsmi_get_temp_metric = lambda device, kind, metric: 64_000  # type: ignore[method-assign]
    assert open_amd(tmp_path, library).sample()[0].temperature_celsius == 64


@pytest.mark.parametrize(
    ("library", "words"), [(Amd(fails=True), "DRIVER_NOT_LOADED"), (Amd(devices=0), "lists no GPU")]
)
def test_a_driver_without_boards_is_let_go_of_and_says_why(tmp_path: Path, library: Amd, words: str) -> None:
    sampler = open_amd(tmp_path, library)
    assert words in (sampler.absent_because or "")
    assert sampler.sample() == ()
    assert not library.open


def test_without_the_driver_nothing_is_imported(tmp_path: Path) -> None:
    assert "no AMD GPU driver" in (open_amd(tmp_path / "none").absent_because or "")


def test_without_module_and_program_the_mend_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "neither the module amdsmi nor rocm-smi" in (open_amd(tmp_path).absent_because or "")


def test_without_the_module_the_program_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "bin", "rocm-smi", f"print({json.dumps(json.dumps(ROCM_SMI))})", monkeypatch)
    sampler = open_amd(tmp_path)
    first, second, third = sampler.sample()
    assert (first.name, first.utilisation, first.power_watts) == ("Radeon RX 6800 XT", 0.87, 45.013)
    assert (first.memory_used_bytes, first.memory_total_bytes) == (3087007744, 17163091968)
    assert first.temperature_celsius == 57.0
    assert (second.utilisation, third.utilisation) == (0.03, None)
    assert sampler.driver == "6.2.0"
    sampler.close()


@pytest.mark.parametrize("program", ["print('ERROR: GPU not found')", "raise SystemExit(1)", "print('[]')"])
def test_a_program_that_lists_nothing_is_a_null_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    install(tmp_path / "bin", "rocm-smi", program, monkeypatch)
    assert "lists no GPU" in (open_amd(tmp_path).absent_because or "")


def test_a_repeated_program_is_run_anew_when_it_is_time_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", "told", "import time; time.sleep(0.3); print('second')", monkeypatch)
    now = [0.0]
    repeated = Repeated(["told"], 10, "first", lambda: now[0])
    assert repeated.answer() == "first"
    now[0] = 10.0
    assert repeated.answer() == "first"  # under way
    assert repeated._running is not None
    repeated._running.wait()
    assert repeated.answer() == "second\n"
    now[0] = 20.0
    repeated.answer()
    repeated.close()
    assert repeated.answer() == "second\n"
