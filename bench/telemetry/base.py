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


class EnergyMeter(Protocol):
    """Counts the energy of one device, all of it: nobody can tell which process a joule was spent for.

    Attributes:
        absent_because, mend: why there is nothing to read and what to do about it; None and "" else.
        scope: what is counted, "package" (CPU) or "board" (GPU).
        basis: "measured" by a counter, "estimated" from readings of the power, or "unavailable".
        updates: how many times the counter was seen to have moved on.
    """

    @property
    def absent_because(self) -> str | None: ...

    @property
    def mend(self) -> str: ...

    @property
    def scope(self) -> str: ...

    @property
    def basis(self) -> str: ...

    @property
    def updates(self) -> int: ...

    def joules(self) -> float:
        """Joules since this was made."""
        ...

    def close(self) -> None:
        """Let go of the driver. Reading afterwards is an error."""
        ...


class NoEnergy:
    """The null object: no energy counter, why, and what would mend it. Its reading stays 0 and is never updated."""

    scope = "package"
    basis = "unavailable"
    updates = 0

    def __init__(self, because: str, mend: str) -> None:
        self.absent_because: str | None = because
        self.mend = mend

    def joules(self) -> float:
        """Nothing."""
        return 0.0

    def close(self) -> None:
        """Nothing to let go of."""


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
