"""AMD GPUs through the module `amdsmi` that comes with ROCm, else through the program `rocm-smi` and its JSON.

Units as AMD's documentation gives them: activity in per cent, memory in megabytes (`amdsmi`, of 2^20 bytes) or bytes
(`rocm-smi`), power in watts. A quantity the board does not report reads "N/A", or its call fails, and is None here.
"""

import importlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.events import GpuLoad
from bench.telemetry.base import GpuSampler, NoGpu
from bench.telemetry.commands import Repeated, ask

DRIVER = Path("/sys/module/amdgpu")

ROCM_SMI_SECONDS = 10.0
"""Between two runs of rocm-smi, a Python program of its own that takes some tenths of a second of CPU time."""

ROCM_SMI_OPTIONS = (
    *("--showproductname", "--showuse", "--showmeminfo", "vram", "--showpower", "--showtemp"),
    *("--showdriverversion", "--json"),
)

VENDOR = "amd"

_MEBI = 1 << 20
_HOTTEST_CELSIUS = 1000
"""`amdsmi` documents millidegrees and returns degrees: no board reads more than this in degrees, none less in milli."""


def open_amd(driver: Path = DRIVER, library: Any = None) -> GpuSampler:
    """The AMD sampler, or the null object saying why there is none.

    Args:
        driver: a folder that is there when the kernel's driver is loaded.
        library: the module `amdsmi`, or one that answers the same calls; imported here when not given.
    """
    if not driver.exists():
        return NoGpu("no AMD GPU driver (amdgpu) is loaded")
    if library is None:
        try:
            library = importlib.import_module("amdsmi")
        except (ImportError, OSError, KeyError):  # the module looks for its library by variables of ROCm
            return _open_rocm_smi()
    try:
        library.amdsmi_init()
    except library.AmdSmiException as error:
        return NoGpu(f"the AMD driver answered: {error}")
    try:
        devices = library.amdsmi_get_processor_handles()
        if devices:
            return AmdSmiGpus(library, devices)
        because = "the AMD driver is here, but it lists no GPU"
    except library.AmdSmiException as error:
        because = f"the AMD driver answered: {error}"
    library.amdsmi_shut_down()
    return NoGpu(because)


def _open_rocm_smi() -> GpuSampler:
    program = shutil.which("rocm-smi")
    if program is None:
        return NoGpu("an AMD driver is loaded, but neither the module amdsmi nor rocm-smi is here (install ROCm's)")
    command = (program, *ROCM_SMI_OPTIONS)
    answer = ask(command)
    if answer is None or not _cards(answer):
        return NoGpu("rocm-smi is here, but it lists no GPU")
    return RocmSmiGpus(Repeated(command, ROCM_SMI_SECONDS, answer))


class AmdSmiGpus:
    """Every AMD GPU of this machine, asked through `amdsmi`."""

    absent_because: str | None = None

    def __init__(self, library: Any, devices: list[Any]) -> None:
        self._library, self._devices = library, devices
        names = [self._ask(library.amdsmi_get_gpu_asic_info, device).get("market_name") for device in devices]
        self._names = [str(name or "AMD GPU") for name in names]
        version = self._ask(library.amdsmi_get_gpu_driver_info, devices[0]).get("driver_version")
        self.driver: str | None = str(version) if version else None

    def sample(self) -> tuple[GpuLoad, ...]:
        """Utilisation, memory, power and temperature of each GPU now."""
        return tuple(self._one(index) for index in range(len(self._devices)))

    def _one(self, index: int) -> GpuLoad:
        amd, device = self._library, self._devices[index]
        activity = _number(self._ask(amd.amdsmi_get_gpu_activity, device), "gfx_activity")
        memory = self._ask(amd.amdsmi_get_gpu_vram_usage, device)
        power = self._ask(amd.amdsmi_get_power_info, device)
        return GpuLoad(
            index=index,
            vendor=VENDOR,
            name=self._names[index],
            utilisation=None if activity is None else activity / 100,
            memory_used_bytes=_bytes(_number(memory, "vram_used")),
            memory_total_bytes=_bytes(_number(memory, "vram_total")),
            power_watts=_number(power, "socket_power", "current_socket_power", "average_socket_power"),
            temperature_celsius=self._temperature(device),
        )

    def _temperature(self, device: Any) -> float | None:
        """The edge sensor, else the hottest spot, which is all that Instinct boards have."""
        kinds, now = self._library.AmdSmiTemperatureType, self._library.AmdSmiTemperatureMetric.CURRENT
        for kind in (kinds.EDGE, kinds.HOTSPOT):
            try:
                degrees = self._library.amdsmi_get_temp_metric(device, kind, now)
            except self._library.AmdSmiException:
                continue
            if isinstance(degrees, int | float):
                return float(degrees / 1000 if degrees > _HOTTEST_CELSIUS else degrees)
        return None

    def _ask(self, query: Callable[..., Any], device: Any) -> Mapping[str, Any]:
        try:
            answer = query(device)
        except self._library.AmdSmiException:
            return {}  # not supported on this board, or in this virtual machine: shown as unknown
        return answer if isinstance(answer, Mapping) else {}

    def close(self) -> None:
        """Let go of the driver."""
        self._library.amdsmi_shut_down()


class RocmSmiGpus:
    """Every AMD GPU of this machine, as rocm-smi told last."""

    absent_because: str | None = None

    def __init__(self, command: Repeated) -> None:
        self._command = command
        system = _document(command.answer()).get("system", {})
        self.driver: str | None = system.get("Driver version")

    def sample(self) -> tuple[GpuLoad, ...]:
        """Utilisation, memory, power and temperature of each GPU when it was last asked."""
        return tuple(_card(index, card) for index, card in enumerate(_cards(self._command.answer())))

    def close(self) -> None:
        """End a run under way."""
        self._command.close()


def _document(answer: str) -> dict[str, Any]:
    try:
        document = json.loads(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _cards(answer: str) -> list[dict[str, Any]]:
    """The GPUs of one answer, in the order of their numbers."""
    cards = {name: card for name, card in _document(answer).items() if name[:4] == "card" and name[4:].isdigit()}
    return [cards[name] for name in sorted(cards, key=lambda name: int(name[4:]))]


def _card(index: int, card: Mapping[str, Any]) -> GpuLoad:
    percent = _number(card, "GPU use (%)")
    used, total = _number(card, "VRAM Total Used Memory (B)"), _number(card, "VRAM Total Memory (B)")
    return GpuLoad(
        index=index,
        vendor=VENDOR,
        name=str(card.get("Card Series") or card.get("Card series") or "AMD GPU"),
        utilisation=None if percent is None else percent / 100,
        memory_used_bytes=None if used is None else int(used),
        memory_total_bytes=None if total is None else int(total),
        power_watts=_number(card, "Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)"),
        temperature_celsius=_number(card, "Temperature (Sensor edge) (C)", "Temperature (Sensor junction) (C)"),
    )


def _number(answer: Mapping[str, Any], *names: str) -> float | None:
    """The first of these fields that holds a number; boards write "N/A" into the others."""
    for name in names:
        try:
            return float(answer[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _bytes(mebibytes: float | None) -> int | None:
    return None if mebibytes is None else int(mebibytes * _MEBI)
