"""What a race tells while it runs: one event per phase or block, none per step. Screen, CLI and recorder read the same.

Every event is a tagged msgspec struct; `sequence` counts from 0 and `at_seconds` is monotonic time since the start.
"""

from typing import TypeAlias

import msgspec

from bench.plan import Plan
from bench.results import Machine, Parity, Status, Verdict

SCHEMA = "advisor/event/1"


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    sequence: int = 0
    at_seconds: float = 0.0


class RaceStarted(Event, frozen=True, kw_only=True, tag="race-started"):
    id: str
    plan: Plan
    machine: Machine
    schema: str = SCHEMA


class Preparing(Event, frozen=True, kw_only=True, tag="preparing"):
    """A candidate passes through `stage`: environment, start, import, build, parity, warm-up, ready."""

    candidate: str
    workload: str | None  # null while its environment is made
    stage: str
    detail: str = ""
    deadline_seconds: float | None = None  # how long the worker may be silent in this stage


class Prepared(Event, frozen=True, kw_only=True, tag="prepared"):
    candidate: str
    workload: str
    phase: str
    import_seconds: float
    build_seconds: float
    first_step_seconds: float
    steps_per_block: int
    parity: Parity
    threads_seen: int | None
    peak_rss_bytes: int | None


class RoundStarted(Event, frozen=True, kw_only=True, tag="round-started"):
    workload: str
    phase: str
    launch: int
    round: int  # from 1
    rounds: int  # planned
    remaining_seconds: float | None  # of the whole race: launches, starts, phases and workloads to come
    deadline_seconds: float | None = None  # how long the slowest block may take before its worker counts as lost
    launches: int = 1  # planned


class BlockDone(Event, frozen=True, kw_only=True, tag="block-done"):
    candidate: str
    workload: str
    phase: str
    launch: int
    round: int
    wall_seconds: float
    cpu_seconds: float
    steps: int
    samples: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate's place after a round: median samples per second and its 95 % range over rounds."""

    candidate: str
    samples_per_second: float
    low: float
    high: float
    step_seconds: float


class LivePair(msgspec.Struct, frozen=True, kw_only=True):
    """What the processes of this launch show so far: b's seconds over a's, settled once the evidence suffices."""

    a: str
    b: str
    ratio: float
    settled: bool


class RoundDone(Event, frozen=True, kw_only=True, tag="round-done"):
    workload: str
    phase: str
    launch: int
    round: int
    rounds: int
    complete: bool
    standings: tuple[Standing, ...]  # fastest first
    pairs: tuple[LivePair, ...]  # adjacent in the standings
    gauge: float | None
    remaining_seconds: float | None
    launches: int = 1


class Looked(Event, frozen=True, kw_only=True, tag="looked"):
    """A launch is over: what all launches so far say of each pair, by the looks at 3, 5 and 8 of them."""

    workload: str
    phase: str
    launch: int
    verdicts: tuple[Verdict, ...]


class Measuring(Event, frozen=True, kw_only=True, tag="measuring"):
    """After the rounds: one quantity of one candidate is measured apart (latency, dispatch, energy, ...)."""

    candidate: str
    workload: str
    phase: str
    quantity: str
    remaining_seconds: float | None = None


class GpuLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU at one moment; a quantity the device does not report is null."""

    index: int
    name: str
    utilisation: float | None  # 0-1
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    power_watts: float | None
    temperature_celsius: float | None
    vendor: str = "nvidia"  # nvidia | amd | intel | apple; `index` counts the GPUs of one vendor
    device: str | None = None  # as plans name it, "cuda:0"; null where no plan can


class Load(Event, frozen=True, kw_only=True, tag="load"):
    """The machine's load, sampled at most 4 times a second."""

    cpu: tuple[float, ...]  # 0-1 per logical core
    memory_used_bytes: int
    memory_total_bytes: int
    gpus: tuple[GpuLoad, ...]
    gpu_absent_because: str | None  # why `gpus` is empty, in words


class CandidateEnded(Event, frozen=True, kw_only=True, tag="candidate-ended"):
    """A candidate is out of this workload (or of all, `workload` null), or came through it."""

    candidate: str
    workload: str | None
    status: Status
    reason: str | None


class RaceFinished(Event, frozen=True, kw_only=True, tag="race-finished"):
    id: str
    interrupted: bool


AnyEvent: TypeAlias = (
    RaceStarted
    | Preparing
    | Prepared
    | RoundStarted
    | BlockDone
    | RoundDone
    | Looked
    | Measuring
    | Load
    | CandidateEnded
    | RaceFinished
)
