"""From what the user wishes to a plan: which candidates, where, for how long. Every fault is named at once."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from math import ceil, isfinite
from pathlib import Path

from bench.budget import STOPS, Costs
from bench.environments import Environments
from bench.history import Expectations, expectations
from bench.machine import usable_cores
from bench.plan import Candidate, Goal, Plan, family_error_rate, twin_of, untwinned
from bench.race import MAX_ROUNDS, MIN_LAUNCHES, MIN_PRESENT
from bench.readiness import Readiness, State, candidates_of, default_candidate, readiness
from bench.records import Record
from bench.store import Store
from knowledge.faults import BadInput, Fault
from knowledge.model import Framework, Knowledge, Status

DEFAULT_BUDGET_SECONDS = 180.0
"""Six candidates are decided in three minutes on a quiet machine (METHOD, "Race")."""

DEFAULT_THREADS = 1
"""One thread is the only count for which the contention gauge is exact and CPU seconds can stand in for wall time;
two threads cost one framework seven times its speed on a busy machine."""

CONSENT_BYTES = 500_000_000
"""Downloads above this are asked about."""

MAIN_FRAMEWORKS = ("pytorch", "tensorflow", "keras", "mxnet")
"""The frameworks that this project is about (README): where the budget does not pay for all, they race first."""

PHASES = ("train", "infer")
PRECISIONS = ("fp32", "tf32", "bf16")
MOST_LAUNCHES = 100
"""Launches that may be asked for; verdicts are looked for after 3, 5 and 8."""

LONGEST_BUDGET_SECONDS = 7 * 24 * 3600.0

LARGEST_BATCH = 4096
"""The reference trains 20 batches in float64: these take 5 GB and some minutes for mnist-cnn, and more is no use."""


class Wishes(Record, frozen=True):
    """What the user asked for, in the words of the command line; empty tuples mean all there is.

    Attributes:
        candidates: exactly these, whatever frameworks and modes say; they must be in the knowledge base.
        frameworks: `framework` or `framework@backend`.
        modes: mode ids, or "default" (each framework's documented default) or "all" (every mode on every backend).
        device: "auto", or one of the machine's devices.
        threads, batch: None for the default and for the workload's own.
        launches: None for as many as the budget is expected to pay for.
        data: data set -> "made" or "user".
    """

    candidates: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    modes: tuple[str, ...] = ("default",)
    workloads: tuple[str, ...] = ()
    phases: tuple[str, ...] = ("train",)
    device: str = "auto"
    precision: str = "fp32"
    threads: int | None = None
    batch: int | None = None
    budget_seconds: float = DEFAULT_BUDGET_SECONDS
    goal: Goal = Goal.WINNER
    launches: int | None = None
    seed: int = 0
    data: dict[str, str] = {}


class Announcement(Record, frozen=True):
    """What a plan will cost, told before anything is downloaded.

    Attributes:
        candidates: each with its readiness; the impossible ones will be skipped.
        download_bytes, disk_bytes, install_seconds: for environments that are not there yet, each counted once.
        prepare_seconds: starting and compiling every candidate once per workload and launch.
        measure_seconds: the budget.
        asks: whether the user has to consent to the download.
    """

    candidates: tuple[Readiness, ...]
    download_bytes: int
    disk_bytes: int
    install_seconds: float
    prepare_seconds: float
    measure_seconds: float
    asks: bool


_NOTHING_KNOWN = Expectations()


def make_plan(
    wishes: Wishes,
    knowledge: Knowledge,
    workloads: Collection[str],
    devices: Sequence[str],
    expected: Expectations = _NOTHING_KNOWN,
) -> Plan:
    """The plan for what the user wishes.

    Args:
        workloads: ids of all workloads there are, in order.
        devices: the machine's devices, "cpu" first.
        expected: what earlier runs took (`bench.history`).

    Raises:
        BadInput: something wished for does not exist, is not here, or makes no sense; every such thing is named.
    """
    faults: list[Fault] = []
    candidates = tuple(_candidates(wishes, knowledge, faults))
    chosen = tuple(dict.fromkeys(wishes.workloads)) or tuple(workloads)
    faults += [
        _unknown("--workload", "workload", name, workloads, "bench list shows them")
        for name in chosen
        if name not in workloads
    ]
    faults += [_unknown("--phase", "phase", name, PHASES) for name in wishes.phases if name not in PHASES]
    if wishes.precision not in PRECISIONS:
        faults.append(_unknown("--precision", "precision", wishes.precision, PRECISIONS))
    device = _device(wishes.device, devices, candidates, knowledge, faults)
    faults += _numbers(wishes)
    if faults:
        raise BadInput(faults)
    defaults = tuple(
        str(candidate)
        for candidate in candidates
        if default_candidate(knowledge.frameworks[candidate.framework]) == candidate
    )
    names = tuple(str(candidate) for candidate in candidates)
    left_out: dict[str, str] = {}
    costs = _Launches(wishes, chosen, Costs(expected.block_seconds))
    named = wishes.frameworks or wishes.candidates or wishes.modes != ("default",)
    if not named and wishes.launches in (None, MIN_LAUNCHES):
        names, left_out = _as_many_as_can_be_decided(names, defaults, knowledge, costs)
    twins = _twins(names, defaults, costs)
    launches = wishes.launches or max((stop for stop in STOPS if costs.pay_for(stop, (*names, *twins))), default=1)
    return Plan(
        candidates=names,
        workloads=chosen,
        phases=wishes.phases,
        device=device,
        precision=wishes.precision,
        threads=wishes.threads or DEFAULT_THREADS,
        batch=wishes.batch,
        budget_seconds=wishes.budget_seconds,
        goal=wishes.goal,
        launches=launches,
        rounds=MAX_ROUNDS,
        seed=wishes.seed,
        K=len(names),
        M=len(names) * (len(names) - 1) // 2,
        alpha=family_error_rate(chosen, wishes.phases),
        data=wishes.data,
        defaults=tuple(name for name in defaults if name in names),
        twins=twins,
        left_out=left_out,
        auto=wishes.launches is None,
    )


def informed_plan(
    wishes: Wishes, knowledge: Knowledge, workloads: Collection[str], devices: Sequence[str], store_file: Path
) -> Plan:
    """`make_plan` with what the runs in `store_file` took; the file need not be there.

    Raises:
        BadInput: see `make_plan`; or the store cannot be read.
    """
    plan = make_plan(wishes, knowledge, workloads, devices)
    if not store_file.exists():
        return plan
    with Store(store_file) as store:
        return make_plan(wishes, knowledge, workloads, devices, expectations(store, plan))


class _Launches:
    """What launches are expected to cost, the mean over a plan's races."""

    def __init__(self, wishes: Wishes, workloads: Sequence[str], costs: Costs) -> None:
        self._races = [(workload, phase) for workload in workloads for phase in wishes.phases]
        self.budget_seconds, self._costs = wishes.budget_seconds, costs

    def pay_for(self, launches: int, field: Sequence[str]) -> bool:
        """Whether the budget is expected to pay for so many launches of `field` in every race."""
        return launches * self.seconds(field) <= self.budget_seconds

    def seconds(self, field: Sequence[str]) -> float:
        """Measuring one launch of every race, each at its least length."""
        return sum(self._costs.launch(field, workload, phase) for workload, phase in self._races)


def _as_many_as_can_be_decided(
    names: tuple[str, ...], defaults: Sequence[str], knowledge: Knowledge, costs: _Launches
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The candidates that three launches can decide within the budget, and why the others are left out.

    First come the documented defaults of the main frameworks, then those of others, of both those that are still
    worked on before the rest, then other modes in the same order. A pair at least is raced, whatever the budget.
    """

    def rank(name: str) -> tuple[bool, bool, bool, int]:
        framework = knowledge.frameworks[Candidate.parse(name).framework]
        given_up = framework.lifecycle.status is not Status.ACTIVE
        return name not in defaults, framework.id not in MAIN_FRAMEWORKS, given_up, names.index(name)

    ranked = sorted(names, key=rank)
    kept = len(ranked)
    while kept > 2 and not costs.pay_for(MIN_LAUNCHES, _with_twins(ranked[:kept])):
        kept -= 1
    if kept == len(ranked) or not costs.pay_for(MIN_LAUNCHES, _with_twins(ranked[:kept])):
        return names, {}  # nothing is gained where even two could not be decided
    seconds = costs.seconds(_with_twins(ranked)) * MIN_LAUNCHES
    now = f"{costs.budget_seconds:.0f} s"
    why = f"left out so that the rest can be decided within {now} (give --budget {ceil(seconds)} or name it)"
    chosen = set(ranked[:kept])
    return tuple(name for name in names if name in chosen), {name: why for name in names if name not in chosen}


def twins_for(names: Sequence[str]) -> tuple[str, ...]:
    """The twins of a field that can pay for them: one, or as many as fill few candidates up."""
    return _twins_of(names, max(1, MIN_PRESENT - len(names)))


def _with_twins(names: Sequence[str]) -> tuple[str, ...]:
    return (*names, *twins_for(names))


def _twins_of(names: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` twins: of each in turn, then third runs."""
    return tuple(twin_of(names[index % len(names)], 2 + index // len(names)) for index in range(count))


def _twins(names: tuple[str, ...], defaults: Sequence[str], costs: _Launches) -> tuple[str, ...]:
    """Who runs twice: the first default of a main framework, else the first default; with few candidates more of them.

    Of a main framework, since its environment is the likeliest to be there; one twin always where the budget pays.

    The variance between launches is pooled over at least 4 (METHOD, "Between launches"). Twins enter it, and the
    quantile counts whoever is present, so that they cost no error rate: counting K only, a simulation with 3
    candidates names a false winner in 4.6 % (`tests/bench/simulate_races.py`, FEW).
    """
    if len(names) < 2:
        return ()

    def rank(name: str) -> tuple[bool, bool, int]:
        return name not in defaults, Candidate.parse(name).framework not in MAIN_FRAMEWORKS, names.index(name)

    first = sorted(names, key=rank)
    filled = twins_for(first)
    if costs.pay_for(MIN_LAUNCHES, (*names, *filled)):
        return filled
    one = filled[:1]
    return one if costs.pay_for(1, (*names, *one)) else ()


def announce(plan: Plan, knowledge: Knowledge, environments: Environments) -> Announcement:
    """What `plan` will download, take of the disk and last."""
    ready = tuple(readiness(knowledge, Candidate.parse(name), plan.device, environments) for name in plan.candidates)
    missing = {each.environment: each for each in ready if each.state is State.INSTALLABLE}.values()
    download = sum(each.download_bytes for each in missing)
    starts = len(plan.workloads) * plan.launches
    times = {name: 1 + sum(untwinned(twin) == name for twin in plan.twins) for name in plan.candidates}
    return Announcement(
        candidates=ready,
        download_bytes=download,
        disk_bytes=sum(each.disk_bytes for each in missing),
        install_seconds=sum(each.install_seconds for each in missing),
        prepare_seconds=starts
        * sum(times[each.candidate] * each.prepare_seconds for each in ready if each.state is not State.IMPOSSIBLE),
        measure_seconds=plan.budget_seconds,
        asks=download > CONSENT_BYTES,
    )


# --- candidates ------------------------------------------------------------------------------------------------------


def _candidates(wishes: Wishes, knowledge: Knowledge, faults: list[Fault]) -> Iterator[Candidate]:
    """The candidates wished for, each once, in the order they were named."""
    if wishes.candidates:
        yield from dict.fromkeys(map(Candidate.parse, wishes.candidates))
        return
    runnable = {id_: framework for id_, framework in knowledge.frameworks.items() if any(candidates_of(framework))}
    found: dict[Candidate, None] = {}
    for word in wishes.frameworks or tuple(runnable):
        name, at, backend = word.partition("@")
        framework = _framework(name, knowledge)
        if framework is None:
            faults.append(_unknown("--framework", "framework", name, knowledge.frameworks))
        elif framework.id not in runnable:
            problem = f"{framework.name} cannot be measured: nothing here runs it"
            faults.append(Fault("--framework", None, "", problem, f"measured can be: {', '.join(runnable)}"))
        elif at and backend not in framework.backends:
            faults.append(_unknown("--framework", f"backend of {framework.id}", backend, framework.backends))
        else:
            chosen = list(_of_framework(framework, backend or None, wishes.modes))
            if not chosen:
                modes = [mode.id for mode in framework.modes]
                problem = f"{framework.id} has no mode {' or '.join(wishes.modes)}"
                faults.append(Fault("--mode", None, "", problem, f"it has: {', '.join(modes)}, default, all"))
            found.update(dict.fromkeys(chosen))
    known = {"default", "all"} | {mode.id for framework in runnable.values() for mode in framework.modes}
    faults += [_unknown("--mode", "mode", mode, known) for mode in wishes.modes if mode not in known]
    if not found and not faults:
        faults.append(Fault("--framework", None, "", "there is nothing to measure", "name at least one framework"))
    yield from found


def _of_framework(framework: Framework, backend: str | None, modes: Sequence[str]) -> Iterator[Candidate]:
    """One framework's candidates of the named modes, on `backend`, else on its first; "all" means all backends."""
    default = default_candidate(framework)
    assert default is not None  # only frameworks that have candidates get here
    own_default = default if backend is None else Candidate(framework=framework.id, backend=backend, mode=default.mode)
    for candidate in candidates_of(framework):
        on_backend = candidate.backend == (backend or default.backend)
        every_backend = backend is None and "all" in modes
        named = candidate.mode in modes or "all" in modes
        if (named and (on_backend or every_backend)) or ("default" in modes and candidate == own_default):
            yield candidate


def _framework(name: str, knowledge: Knowledge) -> Framework | None:
    for framework in knowledge.frameworks.values():
        if name == framework.id or name in framework.aliases:
            return framework
    return None


# --- the rest --------------------------------------------------------------------------------------------------------


def _device(
    wish: str,
    devices: Sequence[str],
    candidates: Iterable[Candidate],
    knowledge: Knowledge,
    faults: list[Fault],
) -> str:
    """The device wished for; "auto" is the first accelerator that some candidate has a recipe for, else the CPU."""
    if wish == "auto":
        served = {
            family
            for candidate in candidates
            for recipe in knowledge.frameworks[candidate.framework].recipes
            if recipe.backend == candidate.backend
            for family in recipe.devices
        }
        return next((device for device in devices if device != "cpu" and device.split(":")[0] in served), "cpu")
    if wish not in devices:
        problem = f"this machine has no device {wish!r}"
        faults.append(Fault("--device", None, "", problem, f"it has: {', '.join(devices)}"))
    return wish


def _numbers(wishes: Wishes) -> Iterator[Fault]:
    budget = wishes.budget_seconds
    if not (isfinite(budget) and 0 < budget <= LONGEST_BUDGET_SECONDS):
        yield Fault("--budget", None, "", f"{budget:g} is no usable number of seconds", "180 is the default")
    cores = len(usable_cores())
    if wishes.threads is not None and not 1 <= wishes.threads <= cores:
        problem = f"{wishes.threads} threads cannot be used: this machine runs 1 to {cores} at once"
        yield Fault("--threads", None, "", problem, f"{DEFAULT_THREADS} is the default")
    if wishes.batch is not None and not 1 <= wishes.batch <= LARGEST_BATCH:
        problem = f"{wishes.batch} samples are no usable batch: 1 to {LARGEST_BATCH} are"
        yield Fault("--batch", None, "", problem, "leave it out for the usual one")
    if wishes.launches is not None and not 1 <= wishes.launches <= MOST_LAUNCHES:
        problem = f"{wishes.launches} launches cannot be made: 1 to {MOST_LAUNCHES} can"
        yield Fault("--launches", None, "", problem, "leave it out for as many as the budget pays for")
    if wishes.seed < 0:
        yield Fault("--seed", None, "", f"{wishes.seed} is negative", "0 is the default")


def _unknown(place: str, what: str, name: str, known: Iterable[str], mend: str = "") -> Fault:
    """An unknown name, with the closest known one or all of them."""
    names = list(known)
    close = get_close_matches(name, names, 1)
    if close:
        mend = f"did you mean {close[0]}?"
    elif not mend or len(names) <= 8:
        mend = f"there are: {', '.join(sorted(names))}" if names else "it has none"
    return Fault(place, None, "", f"there is no {what} {name!r}", mend)
