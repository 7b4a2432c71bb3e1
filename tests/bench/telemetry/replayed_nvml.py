"""A double of `pynvml` that answers from a trace: a GPU is the one thing that cannot be had on every machine."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml

TRACE = Path(__file__).with_name("nvml_trace.json")


class ReplayedNvml:
    """Answers the calls the sampler makes; each `nvmlDeviceGetTemperature` of the last board ends a moment."""

    NVMLError = pynvml.NVMLError
    NVML_TEMPERATURE_GPU = pynvml.NVML_TEMPERATURE_GPU

    def __init__(self, trace: Path = TRACE, init_error: int | None = None, count: int | None = None) -> None:
        self._trace = json.loads(trace.read_text(encoding="utf-8"))
        self._moment = 0
        self._init_error = init_error
        self._count = len(self._trace["names"]) if count is None else count
        self.open = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("NVML_ERROR_"):
            return getattr(pynvml, name)
        raise AttributeError(name)

    def nvmlInit(self) -> None:
        if self._init_error is not None:
            raise pynvml.NVMLError(self._init_error)
        self.open = True

    def nvmlShutdown(self) -> None:
        self.open = False

    def nvmlDeviceGetCount(self) -> int:
        return self._count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, device: int) -> str:
        return str(self._trace["names"][device])

    def nvmlSystemGetDriverVersion(self) -> str:
        return str(self._trace["driver"])

    def nvmlDeviceGetUtilizationRates(self, device: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=self._value(device, "gpu"))

    def nvmlDeviceGetMemoryInfo(self, device: int) -> SimpleNamespace:
        return SimpleNamespace(used=self._value(device, "used"), total=self._value(device, "total"))

    def nvmlDeviceGetPowerUsage(self, device: int) -> int:
        return self._value(device, "milliwatts")

    def nvmlDeviceGetTemperature(self, device: int, sensor: int) -> int:
        value = self._value(device, "celsius")
        if device == self._count - 1:
            self._moment = min(self._moment + 1, len(self._trace["moments"]) - 1)
        return value

    def _value(self, device: int, quantity: str) -> int:
        value = self._trace["moments"][self._moment][device][quantity]
        if value is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return int(value)
