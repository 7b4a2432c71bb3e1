"""The machine as a whole: a host sampler and the GPU samplers of all vendors side by side."""

import sys
from collections.abc import Callable, Mapping
from types import TracebackType

from bench.events import GpuLoad, Load
from bench.telemetry.amd import open_amd
from bench.telemetry.apple import open_apple
from bench.telemetry.base import GpuSampler, HostSampler
from bench.telemetry.host import proc_or_psutil
from bench.telemetry.intel import open_intel
from bench.telemetry.nvml import open_nvml


def open_vendors() -> dict[str, GpuSampler]:
    """The sampler of every vendor, or its null object; the one that this system most likely has comes first."""
    openers: dict[str, Callable[[], GpuSampler]] = {
        "nvidia": open_nvml,
        "amd": open_amd,
        "intel": open_intel,
        "apple": open_apple,
    }
    names = sorted(openers, key=lambda name: name != "apple") if sys.platform == "darwin" else list(openers)
    return {name: openers[name]() for name in names}


class AllGpus:
    """The GPUs of all vendors as one sampler; where there are none, the first vendor's reason stands for all."""

    def __init__(self, vendors: Mapping[str, GpuSampler]) -> None:
        self._present = [sampler for sampler in vendors.values() if sampler.absent_because is None]
        reasons = [sampler.absent_because for sampler in vendors.values()]
        self.absent_because: str | None = None if self._present else reasons[0]
        self.driver: str | None = next((each.driver for each in self._present if each.driver), None)

    def sample(self) -> tuple[GpuLoad, ...]:
        """One entry per GPU, vendor by vendor."""
        return tuple(gpu for sampler in self._present for gpu in sampler.sample())

    def close(self) -> None:
        """Let go of all drivers."""
        for sampler in self._present:
            sampler.close()


class Telemetry:
    """Samples this machine's load; a context manager, used from one thread."""

    def __init__(self, host: HostSampler | None = None, gpu: GpuSampler | None = None) -> None:
        self._host = host or proc_or_psutil()
        self._gpu = gpu or AllGpus(open_vendors())

    def sample(self) -> Load:
        """The load since the last call; sequence and time are the caller's to fill in."""
        host = self._host.sample()
        gpus: tuple[GpuLoad, ...] = self._gpu.sample()
        return Load(
            cpu=host.cpu,
            memory_used_bytes=host.memory_used_bytes,
            memory_total_bytes=host.memory_total_bytes,
            gpus=gpus,
            gpu_absent_because=self._gpu.absent_because,
        )

    def close(self) -> None:
        """Let go of the drivers."""
        self._gpu.close()

    def __enter__(self) -> "Telemetry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def gpus() -> tuple[tuple[GpuLoad, ...], str | None]:
    """This machine's GPUs of all vendors as they are now, and the first driver's version; ((), None) without one."""
    sampler = AllGpus(open_vendors())
    try:
        return sampler.sample(), sampler.driver
    finally:
        sampler.close()
