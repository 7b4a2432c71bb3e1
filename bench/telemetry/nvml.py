"""NVIDIA GPUs through NVML (the module `pynvml` of the package nvidia-ml-py).

Units as NVML's API reference gives them: utilisation in per cent of the last sample period, memory in bytes, power in
milliwatts, temperature in degrees Celsius. A query the board does not support answers with an error and is None here.
"""

import importlib
from collections.abc import Callable
from typing import Any

from bench.events import GpuLoad
from bench.telemetry.base import GpuSampler, NoGpu

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


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
