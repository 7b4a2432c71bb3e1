"""NVIDIA GPUs through NVML (the module `pynvml` of the package nvidia-ml-py).

Units as NVML's API reference gives them: utilisation in per cent of the last sample period, memory in bytes, power in
milliwatts, temperature in degrees Celsius. A query the board does not support answers with an error and is None here.

NVML counts all boards by their place on the PCI bus. A program counts those that CUDA_VISIBLE_DEVICES leaves it, in the
order given there; workers are told to count by the PCI bus too (`bench/worker/main.py`). "cuda:N" is a program's count.
"""

import importlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.events import GpuLoad
from bench.telemetry.base import EnergyMeter, GpuSampler, NoEnergy, NoGpu

_MILLI = 1e-3


def open_nvml(library: Any = None) -> GpuSampler:
    """The NVIDIA sampler, or the null object saying why there is none.

    Args:
        library: the module `pynvml`, or one that answers the same calls; imported here when not given.
    """
    if library is None:
        library = importlib.import_module("pynvml")
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        return NoGpu(_absence(library, error))
    try:
        if library.nvmlDeviceGetCount() > 0:
            return NvmlGpus(library)
    except library.NVMLError as error:
        library.nvmlShutdown()
        return NoGpu(_absence(library, error))
    library.nvmlShutdown()
    return NoGpu("the NVIDIA driver is here, but it lists no GPU")


def open_nvml_energy(ordinal: int, library: Any = None) -> EnergyMeter:
    """The energy meter of one NVIDIA board, or the null object saying why there is none.

    Args:
        ordinal: N of "cuda:N".
        library: as for `open_nvml`.
    """
    if library is None:
        library = importlib.import_module("pynvml")
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        return NoEnergy(_absence(library, error), "")
    try:
        boards = visible(library)
        if not ordinal < len(boards):
            library.nvmlShutdown()
            return NoEnergy(f"there is no GPU {ordinal}", "")
        if (index := boards[ordinal]) is None:
            library.nvmlShutdown()
            return NoEnergy(f"GPU {ordinal} is a part of a board, and only boards count their energy", "")
        device = library.nvmlDeviceGetHandleByIndex(index)
    except library.NVMLError as error:
        library.nvmlShutdown()
        return NoEnergy(f"GPU {ordinal}: {_absence(library, error)}", "")
    for meter in (NvmlEnergy, NvmlPowerIntegral):
        try:
            return meter(library, device)
        except library.NVMLError:
            continue  # boards before Volta have no energy counter, some have no power reading either
    library.nvmlShutdown()
    return NoEnergy(f"GPU {ordinal} tells neither its energy nor its power", "")


def count_nvidia(library: Any = None) -> int:
    """How many NVIDIA GPUs a program started from here can use; `library` as for `open_nvml`."""
    if library is None:
        library = importlib.import_module("pynvml")
    try:
        library.nvmlInit()
    except library.NVMLError:
        return 0
    try:
        return len(visible(library))
    except library.NVMLError:
        return 0
    finally:
        library.nvmlShutdown()


def visible(library: Any, environ: Mapping[str, str] = os.environ) -> tuple[int | None, ...]:
    """NVML's index of cuda:0, cuda:1 ...; None for a part of a board (MIG), which NVML counts apart.

    CUDA_VISIBLE_DEVICES names boards by number or by the beginning of their UUID; where one is not there, the list
    ends (NVIDIA, "CUDA C++ Programming Guide", section "CUDA Environment Variables").

    Raises:
        NVMLError: the driver does not answer.
    """
    count = library.nvmlDeviceGetCount()
    chosen = environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return tuple(range(count))
    identities = [_text(library.nvmlDeviceGetUUID(library.nvmlDeviceGetHandleByIndex(i))) for i in range(count)]
    found: list[int | None] = []
    for entry in map(str.strip, chosen.split(",")):
        if entry.startswith("MIG-"):
            found.append(None)
            continue
        named = [i for i, identity in enumerate(identities) if entry.startswith("GPU-") and identity.startswith(entry)]
        if entry.isdecimal() and int(entry) < count:
            named = [int(entry)]
        if len(named) != 1:
            break
        found += named
    return tuple(found)


def _absence(library: Any, error: Any) -> str:
    known = {
        library.NVML_ERROR_LIBRARY_NOT_FOUND: "no NVIDIA driver is installed",
        library.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is installed but not loaded",
        library.NVML_ERROR_NO_PERMISSION: "this user may not ask the NVIDIA driver",
        library.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "the NVIDIA driver was updated: restart this machine",
    }
    return known.get(error.value, f"the NVIDIA driver answered: {error}")


class NvmlGpus:
    """Every NVIDIA GPU of this machine."""

    absent_because: str | None = None

    def __init__(self, library: Any) -> None:
        self._library = library
        self._devices = [library.nvmlDeviceGetHandleByIndex(i) for i in range(library.nvmlDeviceGetCount())]
        self._names = [_text(library.nvmlDeviceGetName(device)) for device in self._devices]
        self._programs = {index: f"cuda:{ordinal}" for ordinal, index in enumerate(visible(library))}
        self.driver: str | None = _text(library.nvmlSystemGetDriverVersion())

    def sample(self) -> tuple[GpuLoad, ...]:
        """Utilisation, memory, power and temperature of each GPU now."""
        return tuple(self._one(index) for index in range(len(self._devices)))

    def _one(self, index: int) -> GpuLoad:
        nvml, device = self._library, self._devices[index]
        rates = self._ask(nvml.nvmlDeviceGetUtilizationRates, device)
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, device)
        milliwatts = self._ask(nvml.nvmlDeviceGetPowerUsage, device)
        celsius = self._ask(nvml.nvmlDeviceGetTemperature, device, nvml.NVML_TEMPERATURE_GPU)
        return GpuLoad(
            index=index,
            device=self._programs.get(index),
            name=self._names[index],
            utilisation=None if rates is None else rates.gpu / 100,
            memory_used_bytes=None if memory is None else int(memory.used),
            memory_total_bytes=None if memory is None else int(memory.total),
            power_watts=None if milliwatts is None else milliwatts * _MILLI,
            temperature_celsius=None if celsius is None else float(celsius),
        )

    def _ask(self, query: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return query(*arguments)
        except self._library.NVMLError:
            return None  # not supported on this board, or the board fell off: shown as unknown

    def close(self) -> None:
        """Let go of NVML."""
        self._library.nvmlShutdown()


class NvmlEnergy:
    """A board's own counter, in millijoules since the driver was loaded (Volta and newer); used from one thread.

    Raises:
        NVMLError: the board has none.
    """

    absent_because: str | None = None
    mend = ""
    scope = "board"
    basis = "measured"

    def __init__(self, library: Any, device: Any) -> None:
        self._library, self._device = library, device
        self._first = self._last = library.nvmlDeviceGetTotalEnergyConsumption(device)
        self.updates = 0

    def joules(self) -> float:
        """Joules since this was made.

        Raises:
            NVMLError: the board fell off.
        """
        now = self._library.nvmlDeviceGetTotalEnergyConsumption(self._device)
        self.updates += now != self._last
        self._last = now
        return float(now - self._first) * _MILLI

    def close(self) -> None:
        """Let go of NVML."""
        self._library.nvmlShutdown()


class NvmlPowerIntegral:
    """For a board without a counter: its power, in milliwatts, summed up over time by the trapezium rule.

    An estimate: NVML's power is an average over some time before, 1 s on many boards.

    Raises:
        NVMLError: the board does not tell its power.
    """

    absent_because: str | None = None
    mend = ""
    scope = "board"
    basis = "estimated"

    def __init__(self, library: Any, device: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._library, self._device, self._clock = library, device, clock
        self._milliwatts = library.nvmlDeviceGetPowerUsage(device)
        self._at = clock()
        self._millijoules = 0.0
        self.updates = 0

    def joules(self) -> float:
        """Joules since this was made.

        Raises:
            NVMLError: the board fell off.
        """
        milliwatts, now = self._library.nvmlDeviceGetPowerUsage(self._device), self._clock()
        self._millijoules += (milliwatts + self._milliwatts) / 2 * (now - self._at)
        self.updates += milliwatts != self._milliwatts
        self._milliwatts, self._at = milliwatts, now
        return self._millijoules * _MILLI

    def close(self) -> None:
        """Let go of NVML."""
        self._library.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
