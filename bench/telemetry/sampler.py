"""The machine as a whole: a host sampler and a GPU sampler side by side."""

from types import TracebackType

from bench.events import GpuLoad, Load
from bench.telemetry.base import GpuSampler, HostSampler
from bench.telemetry.host import proc_or_psutil
from bench.telemetry.nvml import open_nvml


class Telemetry:
    """Samples this machine's load; a context manager, used from one thread."""

    def __init__(self, host: HostSampler | None = None, gpu: GpuSampler | None = None) -> None:
        self._host = host or proc_or_psutil()
        self._gpu = gpu or open_nvml()

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


def gpus() -> tuple[tuple[str, ...], str | None]:
    """The names of this machine's NVIDIA GPUs and their driver's version; ((), None) without one."""
    sampler = open_nvml()
    try:
        return tuple(gpu.name for gpu in sampler.sample()), sampler.driver
    finally:
        sampler.close()
