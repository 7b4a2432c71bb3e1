"""From the results of a race to values on the measured leaves, and what was counted, what not, and why.

A value depends on the race alone (the reference is the best of all its default-mode candidates), never on which
frameworks compete in the ranking (METHOD.md, "Decision").
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from math import log2

import msgspec

from advisor.decision.value import UNKNOWN, Value, average
from advisor.i18n import _
from advisor.questionnaire import Preferences
from advisor.recommendation import BreakEven, MeasuredSummary, NotCounted
from bench.results import Outcome, Results, Run, Status, Verdict
from bench.results import Quantity as Compared
from knowledge.model import Criterion, Measured

PROVISIONAL_WIDENING = 1.25
"""Factor by which the range of a provisional result is widened each way: one launch says nothing about how launches
differ, which is 3-8 % standard deviation on real machines (METHOD.md)."""

ACCELERATORS = {"cpu": "cpu", "cuda": "cuda", "mps": "metal"}
"""Device family of a run -> value of the fact `accelerator`."""

COUNTED_PRECISION = "fp32"
"""The precision that counts: every candidate has it, and speeds in different precisions are never compared."""

TIME_TO_FINISH = "time_to_finish_seconds"


class Quantity(msgspec.Struct, frozen=True):
    """A measured quantity in its own unit: median and range."""

    low: float
    median: float
    high: float


class Measurements(msgspec.Struct, frozen=True):
    """What a race says about the measured leaves.

    Attributes:
        values: leaf -> framework id -> value, for every leaf that something counted fills.
        summary: what was counted and what not; None when there were no results.
        provisional: whether anything counted is provisional.
    """

    values: dict[str, dict[str, Value]]
    summary: MeasuredSummary | None
    provisional: bool = False


def count(results: Results | None, leaves: Mapping[str, Criterion], preferences: Preferences) -> Measurements:
    """The values that `results` give to the measured leaves, for the task that the answers describe."""
    if results is None:
        return Measurements({}, None)
    defaults = standing_in(results)
    counted: list[Run] = []
    not_counted: list[NotCounted] = []
    for run in results.runs:
        why = _why_not(run, defaults, preferences)
        if why is None:
            counted.append(run)
        else:
            not_counted.append(NotCounted(run.candidate, run.workload, why))
    races = _races(results, defaults)
    values: dict[str, dict[str, Value]] = {}
    for path, leaf in leaves.items():
        if leaf.measured is not None:
            found = _leaf(leaf.measured, counted, races, preferences.run_length_seconds)
            if found:
                values[path] = found
    summary = MeasuredSummary(
        results=results.id,
        counted=tuple(dict.fromkeys(f"{run.candidate} {run.workload}" for run in counted)),
        not_counted=tuple(dict.fromkeys(not_counted)),
        break_even=tuple(break_evens(counted, results)),
    )
    return Measurements(values, summary, any(run.provisional for run in counted))


_Race = tuple[str, str, str]  # workload, phase and device: only what shares all three is compared
_Races = dict[_Race, list[Run]]  # -> its default-mode runs that finished, in the precision that counts


def standing_in(results: Results) -> frozenset[str]:
    """The candidate that stands for each framework: the first of its defaults in the plan, fixed beforehand."""
    first: dict[str, str] = {}
    for candidate in results.plan.defaults:
        first.setdefault(candidate.partition(":")[0].partition("@")[0], candidate)
    return frozenset(first.values())


def _races(results: Results, defaults: frozenset[str]) -> _Races:
    races: _Races = {}
    for run in results.runs:
        if run.status is Status.OK and run.candidate in defaults and run.precision == COUNTED_PRECISION:
            races.setdefault(_race(run), []).append(run)
    return races


def _race(run: Run) -> _Race:
    return run.workload, run.phase, run.device


def _why_not(run: Run, defaults: frozenset[str], preferences: Preferences) -> str | None:
    """Why a run does not count for these answers; None when it does."""
    if run.status is Status.SKIPPED:
        return _("skipped: {reason}").format(reason=run.reason or _("no reason given"))
    if run.status is Status.FAILED:
        return _("failed: {reason}").format(reason=run.reason or _("no reason given"))
    if run.status is Status.INCOMPARABLE:
        return _("not comparable: {reason}").format(reason=run.reason or _("no reason given"))
    if run.candidate not in defaults:
        return _("not its framework's default mode")
    if run.precision != COUNTED_PRECISION:
        return _("measured in {precision}; only fp32 counts").format(precision=run.precision)
    if run.phase == "train" and not preferences.trains:
        return _("you only run trained models, and this is training")
    family = run.device.partition(":")[0]
    devices = preferences.devices if preferences.trains else None
    if devices is not None and ACCELERATORS.get(family, family) not in devices:
        return _("you do not train on {device}").format(device=run.device)
    if preferences.workloads is not None and run.workload not in preferences.workloads:
        return _("{workload} does not resemble your task").format(workload=run.workload)
    return None


def _leaf(leaf: Measured, counted: Sequence[Run], races: _Races, run_length_seconds: float) -> dict[str, Value]:
    """Framework id -> value on one leaf, races with equal weight; one that lacks a framework is unknown for it."""
    by_race: list[dict[str, Value]] = []
    for key in dict.fromkeys(_race(run) for run in counted if run.phase == leaf.phase):
        race = races[key]
        measure = _measure(leaf.quantity, race, run_length_seconds)
        everyone = {run.candidate: quantity for run in race if (quantity := measure(run)) is not None}
        if not everyone:
            continue
        best = min if leaf.lower_is_better else max
        reference = best(quantity.median for quantity in everyone.values())
        by_race.append(
            {
                run.framework: _value(everyone[run.candidate], reference, leaf)
                for run in counted
                if _race(run) == key and run.candidate in everyone
            }
        )
    frameworks = dict.fromkeys(framework for values in by_race for framework in values)
    return {framework: average([values.get(framework, UNKNOWN) for values in by_race]) for framework in frameworks}


def _value(quantity: Quantity, reference: float, leaf: Measured) -> Value:
    """v = 10 - 10 log2(x / reference) / zero_at_doublings, kept within 0-10 (METHOD.md, "Performance")."""

    def value(x: float) -> float:
        doublings = log2(x / reference) if leaf.lower_is_better else log2(reference / x)
        return min(10.0, max(0.0, 10.0 - 10.0 * doublings / leaf.zero_at_doublings))

    low, high = sorted((value(quantity.low), value(quantity.high)))
    return Value(low, value(quantity.median), high)


def _measure(quantity: str, race: Iterable[Run], run_length_seconds: float) -> Callable[[Run], Quantity | None]:
    """The function that reads one quantity off a run, its range widened where the run is provisional."""
    if quantity == TIME_TO_FINISH:
        steps = [run.step_seconds.median for run in race if run.step_seconds is not None]
        count = run_length_seconds / min(steps) if steps else 0.0
        read: Callable[[Run], Quantity | None] = lambda run: _time_to_finish(run, count)  # noqa: E731
    else:
        read = _READERS.get(quantity, lambda run: None)

    def measure(run: Run) -> Quantity | None:
        found = read(run)
        if found is None or found.low <= 0:
            return None
        if not run.provisional:
            return found
        return Quantity(found.low / PROVISIONAL_WIDENING, found.median, found.high * PROVISIONAL_WIDENING)

    return measure


def _exactly(value: float | None) -> Quantity | None:
    return None if value is None else Quantity(value, value, value)


_READERS: dict[str, Callable[[Run], Quantity | None]] = {
    "latency_seconds_p50": lambda run: _exactly(run.latency_seconds.p50 if run.latency_seconds else None),
    "peak_rss_bytes": lambda run: _exactly(run.peak_rss_bytes),
    "gpu_memory_bytes": lambda run: _exactly(run.gpu_memory_bytes),
    "energy_joules_per_sample": lambda run: _exactly(
        run.energy_joules_per_sample.value
        if run.energy_joules_per_sample and run.energy_joules_per_sample.basis == "measured"
        else None
    ),
}


def _time_to_finish(run: Run, steps: float) -> Quantity | None:
    """t = start + compile + steps x seconds per step."""
    if run.step_seconds is None:
        return None
    before = _seconds_before_steps(run)
    step = run.step_seconds
    return Quantity(before + steps * step.low, before + steps * step.median, before + steps * step.high)


def _seconds_before_steps(run: Run) -> float:
    """Start (import, build) and compile: what the first step takes beyond an ordinary one."""
    ordinary = run.step_seconds.median if run.step_seconds else 0.0
    compile_seconds = max(0.0, (run.first_step_seconds or 0.0) - ordinary)
    return (run.import_seconds or 0.0) + (run.build_seconds or 0.0) + compile_seconds


def break_evens(runs: Sequence[Run], results: Results) -> Iterable[BreakEven]:
    """Pairs where the faster per step starts later, and the step of training at which it has caught up.

    Only where the race named the faster one, by wall time: medians that it called a tie or left undecided are no
    difference, and those of a busy machine measure its other programs.
    """
    won = set(_won_by_wall_time(results.verdicts))
    for faster, slower in permutations(runs, 2):
        if _race(faster) != _race(slower) or faster.precision != slower.precision or faster.phase != "train":
            continue
        if (faster.workload, faster.phase, faster.candidate, slower.candidate) not in won:
            continue
        if faster.step_seconds is None or slower.step_seconds is None:
            continue
        gained = slower.step_seconds.median - faster.step_seconds.median
        behind = _seconds_before_steps(faster) - _seconds_before_steps(slower)
        if gained > 0 and behind > 0:
            steps = behind / gained
            seconds = _seconds_before_steps(faster) + steps * faster.step_seconds.median
            yield BreakEven(faster.candidate, slower.candidate, steps, seconds, faster.workload)


def _won_by_wall_time(verdicts: Iterable[Verdict]) -> Iterable[tuple[str, str, str, str]]:
    """(workload, phase, faster, slower) of every verdict on wall time that names a winner.

    A race whose gauge is too low has none: its verdicts are on CPU seconds, or undecided.
    """
    for verdict in verdicts:
        if verdict.quantity is Compared.WALL_SECONDS:
            if verdict.verdict is Outcome.A:
                yield verdict.workload, verdict.phase, verdict.a, verdict.b
            elif verdict.verdict is Outcome.B:
                yield verdict.workload, verdict.phase, verdict.b, verdict.a
