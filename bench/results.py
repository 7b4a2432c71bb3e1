"""The result of a benchmark run: what `bench run --json` prints, the store keeps and the decision reads.

Units are part of the names: seconds, bytes, joules; fractions are 0-1, `percent_of_peak` 0-100. A field that does
not apply is null. Fields may be added; none is renamed or dropped without a new schema number.
"""

from collections import Counter
from enum import StrEnum

from bench.plan import Plan
from bench.records import Record

SCHEMA = "advisor/bench/1"


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    INCOMPARABLE = "incomparable"
    SKIPPED = "skipped"


class Outcome(StrEnum):
    A = "a"  # a is faster
    B = "b"
    TIE = "tie"
    UNDECIDED = "undecided"


class Basis(StrEnum):
    WALL = "wall"
    CPU_SECONDS = "cpu_seconds"
    ONE_LAUNCH = "one-launch"


class Machine(Record, frozen=True):
    """What the run ran on. No host name, user name or path."""

    system: str
    architecture: str
    cpu: str
    cores_logical: int
    cores_physical: int | None
    memory_bytes: int
    gpus: tuple[str, ...]
    gpu_driver: str | None
    python: str


class Range(Record, frozen=True):
    """A median with its 95 % range over rounds."""

    median: float
    low: float
    high: float


class StepSeconds(Record, frozen=True):
    """Wall seconds per training step: median over blocks with its 95 % range, and what a block was."""

    median: float
    low: float
    high: float
    blocks: int
    steps_per_block: int


class Latency(Record, frozen=True):
    p50: float
    p99: float


class HostToDevice(Record, frozen=True):
    included: bool
    seconds: float | None


class GpuUtilisation(Record, frozen=True):
    mean: float
    p50: float
    p95: float


class Energy(Record, frozen=True):
    """Of the whole package or board while the candidate ran; `above_idle` is the part beyond the idle machine's."""

    value: float | None
    basis: str  # measured | estimated | unavailable
    above_idle: float | None = None


class Dispatch(Record, frozen=True):
    """t = a + b n: dispatch seconds a and per-sample seconds b over batch sizes n."""

    a: float
    b: float


class DispatchPoint(Record, frozen=True):
    """Wall seconds of one step on a batch of this many samples."""

    batch: int
    seconds: float


class StatedRun(Record, frozen=True):
    """Time to finish the run that the workload states: start, compilation and all its steps."""

    epochs: int
    steps: int
    seconds: Range


class Parity(Record, frozen=True):
    """Whether the candidate computes the reference's losses and first update (METHOD.md, "Fair blocks")."""

    passed: bool
    max_relative_difference: float
    first_update_difference: float
    tolerance: float
    first_update_tolerance: float
    steps: int
    worst_tensor: str | None = None
    output_difference: float | None = None  # of inference on the first batch; null where only training was checked
    output_tolerance: float | None = None
    margin: float | None = None  # of every decision in the first batch (`bench.reference`)


class Run(Record, frozen=True):
    """One candidate on one workload in one phase."""

    candidate: str
    framework: str
    backend: str | None
    mode: str
    workload: str
    phase: str
    device: str
    precision: str
    threads: int
    launches: int
    provisional: bool
    status: Status
    reason: str | None
    import_seconds: float | None = None
    build_seconds: float | None = None
    first_step_seconds: float | None = None
    step_seconds: StepSeconds | None = None
    samples_per_second: Range | None = None
    latency_seconds: Latency | None = None
    host_to_device: HostToDevice | None = None
    peak_rss_bytes: int | None = None
    gpu_memory_bytes: int | None = None
    gpu_utilisation: GpuUtilisation | None = None
    cpu_seconds_per_step: float | None = None
    threads_seen: int | None = None
    energy_joules_per_sample: Energy | None = None
    percent_of_peak: float | None = None
    dispatch: Dispatch | None = None
    parity: Parity | None = None
    stand_ins: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    batch: int | None = None
    notes: tuple[str, ...] = ()  # what the worker reported besides, and what was not measured and why
    dispatch_points: tuple[DispatchPoint, ...] = ()
    recompilations: int | None = None  # null where nothing is ever compiled
    graph_breaks: int | None = None
    page_faults_per_step: float | None = None  # in timed blocks, without those that read a disk
    kernel_share: float | None = None  # of the CPU seconds of timed blocks, 0-1
    environment_bytes: int | None = None
    stated_run: StatedRun | None = None


class Ratio(Record, frozen=True):
    """Seconds of b over seconds of a. The open end of a one-launch verdict is null."""

    low: float | None
    high: float | None


class Quantity(StrEnum):
    """What a verdict compares: wall time, or CPU time where the machine was too busy for wall time to speak."""

    WALL_SECONDS = "wall_seconds"
    CPU_SECONDS = "cpu_seconds"


class Verdict(Record, frozen=True):
    workload: str
    phase: str
    a: str
    b: str
    verdict: Outcome
    ratio: Ratio
    basis: Basis
    quantity: Quantity = Quantity.WALL_SECONDS
    why: str | None = None  # what forbade a verdict, where it was not the evidence


class Twin(Record, frozen=True):
    """How far the same candidate, run twice, differed: seconds of its twin over its own."""

    candidate: str
    ratio: Ratio


class Gauge(Record, frozen=True):
    median: float
    low: float


class Contention(Record, frozen=True):
    """How much of the CPU time asked for was granted: CPU seconds / (wall x threads)."""

    gauge: Gauge | None
    flagged_blocks: int
    blocks: int
    load_average: float | None


class Results(Record, frozen=True, kw_only=True):
    """One race, finished or interrupted."""

    schema: str = SCHEMA
    id: str
    created: str  # UTC, "2026-11-20T21:55:00Z"
    machine: Machine
    plan: Plan
    runs: tuple[Run, ...]
    verdicts: tuple[Verdict, ...]
    twin: Twin | None
    contention: Contention
    interrupted: bool = False
    code: str = ""  # version and source hash of bench/ that measured it


def fastest(results: Results) -> dict[str, str]:
    """ "workload phase" -> the candidate that its verdicts call faster than every other one that was compared."""
    found: dict[str, str] = {}
    for race in dict.fromkeys((verdict.workload, verdict.phase) for verdict in results.verdicts):
        pairs = [verdict for verdict in results.verdicts if (verdict.workload, verdict.phase) == race]
        names = {name for verdict in pairs for name in (verdict.a, verdict.b)}
        wins = Counter(
            verdict.a if verdict.verdict is Outcome.A else verdict.b
            for verdict in pairs
            if verdict.verdict in (Outcome.A, Outcome.B)
        )
        for name, count in wins.most_common(1):
            if count == len(names) - 1:
                found[" ".join(race)] = name
    return found
