"""What a sampler is, and the one that stands in where there is nothing to sample."""

from typing import Protocol

import msgspec

from bench.events import GpuLoad


class HostSample(msgspec.Struct, frozen=True):
    """CPU busy share per logical core since the last sample (0-1), and memory in bytes."""

    cpu: tuple[float, ...]
    memory_used_bytes: int
    memory_total_bytes: int


class HostSampler(Protocol):
    """Samples CPU and memory."""

    def sample(self) -> HostSample:
        """The load since the last call."""
        ...


class GpuSampler(Protocol):
    """Samples the GPUs of one vendor; `absent_because` says why there is none to sample, else it is None."""

    @property
    def absent_because(self) -> str | None: ...

    @property
    def driver(self) -> str | None: ...

    def sample(self) -> tuple[GpuLoad, ...]:
        """One entry per GPU; a quantity the device does not report is None."""
        ...

    def close(self) -> None:
        """Let go of the driver. Sampling afterwards is an error."""
        ...


class NoGpu:
    """The null object: no GPU, and why."""

    driver: str | None = None

    def __init__(self, because: str) -> None:
        self.absent_because: str | None = because

    def sample(self) -> tuple[GpuLoad, ...]:
        """Nothing."""
        return ()

    def close(self) -> None:
        """Nothing to let go of."""
