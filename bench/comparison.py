"""Two results side by side: what became faster or slower, which verdicts changed, and what else differs. Pure.

Only like is held against like: step times of one candidate, workload and phase are compared when device, precision,
threads, batch and data are the same in both, and are `not comparable` with the reason otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping

from bench.records import Record
from bench.results import Outcome, Results, Run, Status, StepSeconds, Verdict

SCHEMA = "advisor/bench-compare/1"

_MACHINE = ("system", "architecture", "cpu", "cores_logical", "cores_physical", "memory_bytes", "gpus", "gpu_driver")
_PLAN = ("goal", "launches", "rounds", "budget_seconds", "seed", "K", "alpha")
_CONDITIONS = ("device", "precision", "threads", "batch")
"""Fields of a run that must be the same in both; what a run was made with, not what it found."""


class RatioRange(Record, frozen=True):
    """Seconds of b over seconds of a: of the medians, and what the two ranges allow at most either way."""

    median: float
    low: float
    high: float


class Row(Record, frozen=True):
    """One candidate on one workload in one phase.

    Attributes:
        why_not: why the two are not comparable; None when they are, and `ratio` and `overlap` are then given.
        overlap: whether the two ranges overlap, so that the difference may be nothing.
    """

    candidate: str
    workload: str
    phase: str
    precision: str | None
    why_not: str | None
    a: StepSeconds | None
    b: StepSeconds | None
    ratio: RatioRange | None
    overlap: bool | None


class Verdicts(Record, frozen=True):
    """What the two say of one pair of candidates; None where one says nothing. `first` is faster under outcome `a`."""

    workload: str
    phase: str
    first: str
    second: str
    a: Outcome | None
    b: Outcome | None
    agree: bool
    contradict: bool  # one names the other's slower candidate as the faster
    why_not: str | None


class Difference(Record, frozen=True):
    """Something that is not the same in both, with its value in each; None where it is missing."""

    what: str
    a: str | None
    b: str | None


class Comparison(Record, frozen=True):
    """Results `b` held against results `a`, the earlier ones as a rule."""

    schema: str
    a: str
    b: str
    created: tuple[str, str]
    code: tuple[str, str]
    rows: tuple[Row, ...]
    verdicts: tuple[Verdicts, ...]
    differences: tuple[Difference, ...]


def compare(a: Results, b: Results, datasets: Mapping[str, str] | None = None) -> Comparison:
    """`b` held against `a`.

    Args:
        datasets: workload -> the data set it reads; of a workload that is not in it every data set counts.
    """
    runs_a, runs_b = _runs(a), _runs(b)
    data = {
        workload: _data_differ(a, b, workload, datasets or {}) for workload in (*a.plan.workloads, *b.plan.workloads)
    }
    rows = tuple(
        _row(key, runs_a.get(key), runs_b.get(key), data.get(key[1])) for key in dict.fromkeys((*runs_a, *runs_b))
    )
    why_not = {(row.candidate, row.workload, row.phase): row.why_not for row in rows}
    return Comparison(
        schema=SCHEMA,
        a=a.id,
        b=b.id,
        created=(a.created, b.created),
        code=(a.code, b.code),
        rows=rows,
        verdicts=tuple(_verdicts(a, b, why_not)),
        differences=tuple(_differences(a, b)),
    )


_Key = tuple[str, str, str]  # candidate, workload, phase


def _runs(results: Results) -> dict[_Key, Run]:
    return {(run.candidate, run.workload, run.phase): run for run in results.runs}


def _data_differ(a: Results, b: Results, workload: str, datasets: Mapping[str, str]) -> str | None:
    """How the data of a workload differ, None when they do not."""
    names = [datasets[workload]] if workload in datasets else sorted(a.plan.data.keys() | b.plan.data.keys())
    for name in names:
        kinds = a.plan.data.get(name, "made"), b.plan.data.get(name, "made")
        if kinds[0] != kinds[1]:
            return f"data {name}: {kinds[0]} / {kinds[1]}"
    return None


def _row(key: _Key, a: Run | None, b: Run | None, data: str | None) -> Row:
    why_not = _why_not(a, b, data)
    ratio, overlap = None, None
    first, second = (run.step_seconds if run is not None else None for run in (a, b))
    if why_not is None:
        assert first is not None
        assert second is not None
        ratio = RatioRange(
            median=second.median / first.median, low=second.low / first.high, high=second.high / first.low
        )
        overlap = ratio.low <= 1 <= ratio.high
    precisions = {run.precision for run in (a, b) if run is not None}
    return Row(
        candidate=key[0],
        workload=key[1],
        phase=key[2],
        precision=precisions.pop() if len(precisions) == 1 else None,
        why_not=why_not,
        a=first,
        b=second,
        ratio=ratio,
        overlap=overlap,
    )


def _why_not(a: Run | None, b: Run | None, data: str | None) -> str | None:
    """Why two runs are not comparable: one is missing or has no speed, or they were made under other conditions."""
    if a is None or b is None:
        return "only in b" if a is None else "only in a"
    if differing := [
        f"{field.replace('_', ' ')} {_text(getattr(a, field))} / {_text(getattr(b, field))}"
        for field in _CONDITIONS
        if getattr(a, field) != getattr(b, field)
    ]:
        return ", ".join(differing)
    if data is not None:
        return data
    for name, run in (("a", a), ("b", b)):
        if run.status is not Status.OK:
            return f"{run.status.value} in {name}"
        if run.step_seconds is None:
            return f"not measured in {name}"
    return None


def _verdicts(a: Results, b: Results, why_not: Mapping[_Key, str | None]) -> Iterator[Verdicts]:
    """What both say of each pair, and of pairs that only one speaks of."""
    said_a, said_b = _said(a.verdicts), _said(b.verdicts)
    for key in dict.fromkeys((*said_a, *said_b)):
        workload, phase, pair = key
        first, second = sorted(pair)
        outcomes = [_outcome(said.get(key), first) for said in (said_a, said_b)]
        why = next((why for name in (first, second) if (why := why_not.get((name, workload, phase)))), None)
        both = why is None and None not in outcomes
        yield Verdicts(
            workload=workload,
            phase=phase,
            first=first,
            second=second,
            a=outcomes[0],
            b=outcomes[1],
            agree=both and outcomes[0] is outcomes[1],
            contradict=both and set(outcomes) == {Outcome.A, Outcome.B},
            why_not=why,
        )


def _said(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, frozenset[str]], Verdict]:
    return {(each.workload, each.phase, frozenset((each.a, each.b))): each for each in verdicts}


def _outcome(verdict: Verdict | None, first: str) -> Outcome | None:
    """A verdict with `first` in the place of a."""
    if verdict is None or verdict.a == first:
        return verdict.verdict if verdict is not None else None
    return {Outcome.A: Outcome.B, Outcome.B: Outcome.A}.get(verdict.verdict, verdict.verdict)


def _differences(a: Results, b: Results) -> Iterator[Difference]:
    """What else differs: machine, code, plan, and the packages that each candidate ran with."""
    pairs: list[tuple[str, object, object]] = [("code", a.code, b.code)]
    pairs += [(f"machine {field}", getattr(a.machine, field), getattr(b.machine, field)) for field in _MACHINE]
    pairs += [(f"plan {field}", getattr(a.plan, field), getattr(b.plan, field)) for field in (*_PLAN, *_CONDITIONS)]
    pairs += [
        (f"data {name}", a.plan.data.get(name), b.plan.data.get(name))
        for name in sorted(a.plan.data.keys() | b.plan.data.keys())
    ]
    pairs += [("interrupted", a.interrupted, b.interrupted)]
    versions_a, versions_b = _versions(a), _versions(b)
    for candidate in (each for each in versions_a if each in versions_b):
        one, other = versions_a[candidate], versions_b[candidate]
        pairs += [
            (f"{candidate} {package}", one.get(package), other.get(package))
            for package in sorted(one.keys() | other.keys())
        ]
    for what, one_value, other_value in pairs:
        if one_value != other_value:
            yield Difference(what=what, a=_text(one_value), b=_text(other_value))


def _versions(results: Results) -> dict[str, dict[str, str]]:
    """Candidate -> package -> version, as far as a worker got to say."""
    found: dict[str, dict[str, str]] = {}
    for run in results.runs:
        if run.versions:
            found.setdefault(run.candidate, run.versions)
    return found


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
