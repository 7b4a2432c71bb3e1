"""The old guides on trial: what races, counted lines and changing lengths say of a guide's charges. Pure.

It sits between results (of a race just run, kept or recorded) and whoever shows a trial. Nothing is stored: a verdict
is worked out anew from the results document each time it is shown.

**One charge, one workload, one rival.** Every test comes down to a ratio: how many times better the framework did than
the rival in what the guide says of it (seconds of the rival over its own where it is called the fastest, its own over
the rival's where it is called the slowest, bytes, lines or slowdowns of the rival over its own elsewhere).

- `fastest`, `slowest`: the race's own verdict on the two candidates, never medians. Faster (slower) confirms; the other
  way round refutes, and so does a tie: who is as fast as another is not the fastest. What the race left undecided is
  undecided here.
- `dynamic-shape`: the slowdown is the step time where the length changes with every call over that where it stays, and
  so the ratio of two slowdowns is the ratio that the two had in one race over the one they had in the other. Both
  come from the race as simultaneous intervals, so that the quotient of their ends is one too; it is read as the race
  reads its own (`bench.race`: LEAST_RATIO, TIE_RATIO). How often each compiled anew is told beside it.
- `least-memory`: peaks of main memory, known to a factor of MEMORY_SPREAD each; what lies within that is undecided.
- `fewest-lines`, `fewest-training-lines`: counted (`bench.idioms.lines`), so exact; as many lines refute.

A charge that names a `factor` is confirmed where the whole interval lies beyond it. Where the direction is right but
the whole interval falls short of the factor, the charge holds in part.

**All rivals.** On one workload a charge is refuted by one rival, and confirmed only against each of them; where one of
them could not be tried it can therefore still be refuted, but is untestable otherwise.

**All workloads.** Confirmed: on all of them. Refuted: on one at least, and confirmed, even in part, on none. Partly:
refuted on some and confirmed on others, or confirmed with the factor missed. Untestable: on all of them. Anything else
is undecided.

Candidates stand for their frameworks by their documented default mode for training, fixed beforehand (METHOD.md).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from advisor.attributes import code_lines
from advisor.decision.measured import COUNTED_PRECISION, standing_in
from advisor.i18n import _
from advisor.words import run_status_in_words
from bench.idioms.lines import Lines
from bench.plan import Goal
from bench.planning import DEFAULT_BUDGET_SECONDS, Wishes
from bench.race import LEAST_RATIO, TIE_RATIO
from bench.readiness import candidates_of
from bench.results import Basis, Machine, Outcome, Ratio, Results, Run, Status, StepSeconds, Verdict
from knowledge.model import Charge, Guide, Knowledge, Test

MEMORY_SPREAD = 1.21
"""Peaks of main memory that lie within this factor of each other are not told apart.

Over the launches of the recorded races those of one candidate on one workload lie within a factor of 1.10
(`mxnet:hybrid` on mnist-cnn, 273 to 300 MB in 8 peaks; eleven others 1.002 to 1.07), and either of two candidates may
be off by that: 1.10^2 = 1.21."""

CONSTANT_LENGTH = "-constant"
"""What the name of a workload ends in that is another one with all lengths the same."""

_RACED = (Test.FASTEST, Test.SLOWEST, Test.LEAST_MEMORY, Test.DYNAMIC_SHAPE)
_PHASE = "train"
_PACKAGE = re.compile(r"[A-Za-z0-9._-]+")


class Ruling(StrEnum):
    """What a trial comes to."""

    CONFIRMED = "confirmed"
    PARTLY = "partly"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    UNTESTABLE = "untestable"  # here: no such device, does not install, nothing runs it, was not raced


class Exhibit(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one framework on one workload that a test rests on; None where it does not look at them.

    Attributes:
        candidate: who stood for the framework; None where nothing was raced.
        versions: package -> version of what the framework's recipes name.
        step_seconds: wall seconds per training step.
        constant_step_seconds: the same with all lengths the same.
        recompilations: while lengths changed.
        why_not: why it could not be tried; None where it was.
    """

    framework: str
    candidate: str | None = None
    versions: Mapping[str, str] = {}
    step_seconds: StepSeconds | None = None
    constant_step_seconds: StepSeconds | None = None
    recompilations: int | None = None
    peak_rss_bytes: int | None = None
    lines: Lines | None = None
    why_not: str | None = None

    @property
    def slowdown(self) -> float | None:
        """Median step time with changing lengths over that with constant ones."""
        if self.step_seconds is None or self.constant_step_seconds is None:
            return None
        return self.step_seconds.median / self.constant_step_seconds.median


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A framework held against one rival on one workload.

    Attributes:
        ratio: how many times better it did in what the guide says of it, below 1 where it did worse; an end that is not
            known is None.
        verdicts: those of the race that this rests on.
        why: what kept it from being decided or tried.
    """

    against: str
    ruling: Ruling
    ratio: Ratio | None = None
    verdicts: tuple[Verdict, ...] = ()
    why: str | None = None


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """One charge on one workload.

    Attributes:
        exhibits: of the framework first, then of its rivals.
        pairs: one for each rival.
    """

    workload: str
    ruling: Ruling
    exhibits: tuple[Exhibit, ...]
    pairs: tuple[Pair, ...]


class ChargeTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one charge.

    Attributes:
        said: what the guide says, in the order of the charge's claims.
        device: what it was tried on; None where it needs no machine, or could not be tried.
        results: ids of the results that it rests on, each once; none where it needs none, or there are none.
        provisional: whether it rests on fewer launches than tell a candidate from the luck of its processes.
        why: what kept all of it from being tried.
    """

    charge: str
    said: tuple[str, ...]
    ruling: Ruling
    device: str | None = None
    results: tuple[str, ...] = ()
    provisional: bool = False
    hearings: tuple[Hearing, ...] = ()
    why: str | None = None


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """A race that charges rest on: the id of its results, when, where and by which code it was held."""

    results: str
    created: str
    device: str
    machine: Machine
    code: str
    interrupted: bool


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One guide's charges, in the order of its file, and the races that they rest on."""

    guide: str
    charges: tuple[ChargeTrial, ...]
    venues: tuple[Venue, ...]


CountedLines = Mapping[str, Mapping[str, Lines]]
"""Framework id -> workload -> lines."""


def counted_lines(guide: Guide) -> CountedLines:
    """The lines of the programs that come with the app, for the frameworks of a guide's charges."""
    frameworks = dict.fromkeys(name for charge in guide.charges for name in (charge.framework, *charge.against))
    return {name: found.workloads for name in frameworks if (found := code_lines(name)) is not None}


def is_raced(charge: Charge) -> bool:
    """Whether a race is needed to try a charge."""
    return charge.test in _RACED


def races(
    guide: Guide, knowledge: Knowledge, devices: Sequence[str], budget_seconds: float | None = None
) -> tuple[Wishes, ...]:
    """The races that try a guide's charges here, one for each kind of device they ask for that this machine has.

    Args:
        devices: the machine's devices, "cpu" first.
        budget_seconds: of each race; None for as much as decides every workload on a quiet machine.
    """
    found = []
    for family in dict.fromkeys(charge.device for charge in guide.charges if is_raced(charge)):
        device = next((name for name in devices if _family(name) == family), None)
        charges = [charge for charge in guide.charges if is_raced(charge) and charge.device == family]
        frameworks = dict.fromkeys(name for charge in charges for name in (charge.framework, *charge.against))
        runnable = tuple(name for name in frameworks if _runs(knowledge, name))
        if device is None or len(runnable) < 2:
            continue
        workloads = tuple(dict.fromkeys(name for charge in charges for name in _workloads(charge)))
        found.append(
            Wishes(
                frameworks=runnable,
                workloads=workloads,
                device=device,
                goal=Goal.ORDER,  # "slowest" needs the pairs at the other end too
                budget_seconds=DEFAULT_BUDGET_SECONDS * len(workloads) if budget_seconds is None else budget_seconds,
            )
        )
    return tuple(found)


def try_guide(guide: Guide, knowledge: Knowledge, results: Iterable[Results], lines: CountedLines) -> Trial:
    """A verdict on every charge of a guide.

    Args:
        results: of any number of races; on each workload the first that raced it on the charge's device counts.
        lines: see `counted_lines`.
    """
    counted = [each for each in results if each.plan.precision == COUNTED_PRECISION]
    charges = tuple(_try(charge, guide, knowledge, counted, lines) for charge in guide.charges)
    used = {id_ for charge in charges for id_ in charge.results}
    venues = tuple(
        Venue(
            results=each.id,
            created=each.created,
            device=each.plan.device,
            machine=each.machine,
            code=each.code,
            interrupted=each.interrupted,
        )
        for each in counted
        if each.id in used
    )
    return Trial(guide=guide.id, charges=charges, venues=venues)


def _try(
    charge: Charge, guide: Guide, knowledge: Knowledge, results: Sequence[Results], lines: CountedLines
) -> ChargeTrial:
    said = {claim.id: claim.said for claim in guide.claims}
    words = tuple(said[claim] for claim in charge.claims)
    if not is_raced(charge):
        hearings = tuple(_on_paper(charge, workload, knowledge, lines) for workload in charge.workloads)
        return ChargeTrial(charge=charge.id, said=words, ruling=_of_workloads(hearings), hearings=hearings)
    here = [each for each in results if _family(each.plan.device) == charge.device]
    chosen = {workload: _held(_workloads(charge, workload), here) for workload in charge.workloads}
    used = {held.id: held for held in chosen.values() if held is not None}
    if not used:
        why = _("not before a race on {device} over {workloads}")
        if results and not here and not any(each.machine.gpus for each in results):
            why = _("needs {device}, and the machine of the race has no GPU")
        told = why.format(device=charge.device, workloads=", ".join(_workloads(charge)))
        return ChargeTrial(charge=charge.id, said=words, ruling=Ruling.UNTESTABLE, why=told)
    hearings = tuple(_in_race(charge, workload, knowledge, held) for workload, held in chosen.items())
    return ChargeTrial(
        charge=charge.id,
        said=words,
        ruling=_of_workloads(hearings),
        device=next(iter(used.values())).plan.device,
        results=tuple(used),
        provisional=any(_is_provisional(hearing, chosen[hearing.workload]) for hearing in hearings),
        hearings=hearings,
    )


def _held(workloads: Sequence[str], results: Iterable[Results]) -> Results | None:
    """The first results of a race in training over all of `workloads`."""

    def raced(each: Results) -> set[str]:
        return {run.workload for run in each.runs if run.phase == _PHASE}

    return next((each for each in results if set(workloads) <= raced(each)), None)


def _is_provisional(hearing: Hearing, held: Results | None) -> bool:
    """Whether a hearing rests on fewer launches than tell a candidate from the luck of its processes."""
    if any(verdict.basis is Basis.ONE_LAUNCH for pair in hearing.pairs for verdict in pair.verdicts):
        return True
    heard = {exhibit.candidate for exhibit in hearing.exhibits if exhibit.why_not is None}
    return any(
        run.provisional
        for run in (held.runs if held else ())
        if run.candidate in heard and run.workload == hearing.workload
    )


# --- lines -----------------------------------------------------------------------------------------------------------


def _on_paper(charge: Charge, workload: str, knowledge: Knowledge, lines: CountedLines) -> Hearing:
    """A charge on lines of code, on one workload."""

    def exhibit(name: str) -> Exhibit:
        found = lines.get(name, {}).get(workload)
        if found is None:
            why = _("nobody has written {workload} in {name} here")
            return Exhibit(framework=name, why_not=why.format(name=_name(knowledge, name), workload=workload))
        return Exhibit(framework=name, lines=found)

    def number(found: Lines) -> int:
        return found.training if charge.test is Test.FEWEST_TRAINING_LINES else found.total

    def pair(own: Exhibit, rival: Exhibit) -> Pair:
        assert own.lines is not None
        assert rival.lines is not None
        ratio = number(rival.lines) / number(own.lines)
        exact = Ratio(low=ratio, high=ratio)
        ruling = Ruling.REFUTED if ratio <= 1 else _by_factor(exact, charge.factor)
        return Pair(against=rival.framework, ruling=ruling, ratio=exact)

    return _hearing(charge, workload, exhibit, pair)


# --- races -----------------------------------------------------------------------------------------------------------


def _in_race(charge: Charge, workload: str, knowledge: Knowledge, results: Results | None) -> Hearing:
    """A charge that a race decides, on one workload; None where nobody raced it."""

    def pair(own: Exhibit, rival: Exhibit) -> Pair:
        assert results is not None
        return _PAIRS[charge.test](charge, workload, results, own, rival)

    return _hearing(charge, workload, lambda name: _raced(charge, workload, knowledge, results, name), pair)


def _raced(charge: Charge, workload: str, knowledge: Knowledge, results: Results | None, name: str) -> Exhibit:
    """What a race says of one framework."""
    if results is None:
        names = ", ".join(_workloads(charge, workload))
        return Exhibit(framework=name, why_not=_("{workload} was not raced").format(workload=names))
    runs = [_run(results, name, each) for each in _workloads(charge, workload)]
    for run in runs:
        if (why := _why_not(run, knowledge, name, workload)) is not None:
            return Exhibit(framework=name, candidate=run.candidate if run else None, why_not=why)
    run, constant = runs[0], runs[1] if len(runs) > 1 else None
    assert run is not None
    memory, changing = charge.test is Test.LEAST_MEMORY, charge.test is Test.DYNAMIC_SHAPE
    return Exhibit(
        framework=name,
        candidate=run.candidate,
        versions=_versions(knowledge, name, run),
        step_seconds=None if memory else run.step_seconds,
        constant_step_seconds=constant.step_seconds if constant else None,
        recompilations=run.recompilations if changing else None,
        peak_rss_bytes=run.peak_rss_bytes if memory else None,
    )


def _run(results: Results, name: str, workload: str) -> Run | None:
    """The run of the candidate that stands for a framework; where its default was not raced, None."""
    defaults = standing_in(results)
    for run in results.runs:
        if (run.framework, run.workload, run.phase) == (name, workload, _PHASE) and run.candidate in defaults:
            return run
    return None


def _why_not(run: Run | None, knowledge: Knowledge, name: str, workload: str) -> str | None:
    """Why a framework could not be tried in a race; None when it was."""
    if run is None and not _runs(knowledge, name):
        return _("{name} cannot be measured: nothing here runs it").format(name=_name(knowledge, name))
    if run is None:
        told = _("{name} was not raced on {workload} in its default mode")
        return told.format(name=_name(knowledge, name), workload=workload)
    if run.status is not Status.OK:
        told = f"{run.candidate}: {run_status_in_words(run.status)}"
        return f"{told}: {run.reason}" if run.reason else told
    return None


def _speed(charge: Charge, workload: str, results: Results, own: Exhibit, rival: Exhibit) -> Pair:
    """`fastest` and `slowest`, from the race's verdict."""
    verdict = _verdict(results, workload, own, rival)
    if verdict is None:
        return Pair(against=rival.framework, ruling=Ruling.UNDECIDED)
    ahead = rival if charge.test is Test.SLOWEST else own  # who the charge says is the faster one
    ratio = verdict.ratio if verdict.a == ahead.candidate else _inverted(verdict.ratio)
    if verdict.verdict is Outcome.UNDECIDED:
        ruling = Ruling.UNDECIDED
    elif verdict.verdict is Outcome.TIE:
        ruling = Ruling.REFUTED
    else:
        faster = verdict.a if verdict.verdict is Outcome.A else verdict.b
        ruling = _by_factor(ratio, charge.factor) if faster == ahead.candidate else Ruling.REFUTED
    return Pair(against=rival.framework, ruling=ruling, ratio=ratio, verdicts=(verdict,), why=verdict.why)


def _memory(charge: Charge, workload: str, results: Results, own: Exhibit, rival: Exhibit) -> Pair:
    """`least-memory`, from the peaks of main memory."""
    if not own.peak_rss_bytes or not rival.peak_rss_bytes:
        why = _("the peak of memory was not measured")
        return Pair(against=rival.framework, ruling=Ruling.UNTESTABLE, why=why)
    point = rival.peak_rss_bytes / own.peak_rss_bytes
    ratio = Ratio(low=point / MEMORY_SPREAD, high=point * MEMORY_SPREAD)
    assert ratio.low is not None
    assert ratio.high is not None
    if ratio.high < 1:
        ruling = Ruling.REFUTED
    elif ratio.low <= 1:
        ruling = Ruling.UNDECIDED
    else:
        ruling = _by_factor(ratio, charge.factor)
    return Pair(against=rival.framework, ruling=ruling, ratio=ratio)


def _changing_length(charge: Charge, workload: str, results: Results, own: Exhibit, rival: Exhibit) -> Pair:
    """`dynamic-shape`, from the race's intervals on the workload and on the one of constant length."""
    verdicts = [_verdict(results, each, own, rival) for each in _workloads(charge, workload)]
    said = tuple(verdict for verdict in verdicts if verdict is not None)
    why = next((verdict.why for verdict in said if verdict.why), None)
    if len(said) < 2 or said[0].quantity is not said[1].quantity:
        return Pair(against=rival.framework, ruling=Ruling.UNDECIDED, verdicts=said, why=why)
    changing, constant = (verdict.ratio if verdict.a == own.candidate else _inverted(verdict.ratio) for verdict in said)
    ratio = _quotient(changing, constant)
    ruling = Ruling.UNDECIDED
    if ratio.low is not None and ratio.high is not None:
        middle = math.sqrt(ratio.low * ratio.high)  # the intervals are symmetric in logarithms
        if ratio.low > 1 and middle >= LEAST_RATIO:
            ruling = _by_factor(ratio, charge.factor)
        elif (ratio.high < 1 and middle <= 1 / LEAST_RATIO) or (ratio.low >= 1 / TIE_RATIO and ratio.high <= TIE_RATIO):
            ruling = Ruling.REFUTED
    return Pair(against=rival.framework, ruling=ruling, ratio=ratio, verdicts=said, why=why)


_PAIRS = {
    Test.FASTEST: _speed,
    Test.SLOWEST: _speed,
    Test.LEAST_MEMORY: _memory,
    Test.DYNAMIC_SHAPE: _changing_length,
}


def _verdict(results: Results, workload: str, own: Exhibit, rival: Exhibit) -> Verdict | None:
    pair = {own.candidate, rival.candidate}
    for verdict in results.verdicts:
        if (verdict.workload, verdict.phase) == (workload, _PHASE) and {verdict.a, verdict.b} == pair:
            return verdict
    return None


# --- from figures to rulings -----------------------------------------------------------------------------------------


def _hearing(
    charge: Charge,
    workload: str,
    exhibit: Callable[[str], Exhibit],
    pair: Callable[[Exhibit, Exhibit], Pair],
) -> Hearing:
    """A charge on one workload, from each framework's figures and from each pair of them."""
    own, *rivals = [exhibit(name) for name in (charge.framework, *charge.against)]
    pairs = tuple(
        Pair(against=rival.framework, ruling=Ruling.UNTESTABLE, why=own.why_not or rival.why_not)
        if own.why_not or rival.why_not
        else pair(own, rival)
        for rival in rivals
    )
    rulings = {each.ruling for each in pairs}
    order = (Ruling.REFUTED, Ruling.UNTESTABLE, Ruling.UNDECIDED, Ruling.PARTLY, Ruling.CONFIRMED)
    ruling = next(each for each in order if each in rulings)  # one rival refutes; all of them are needed to confirm
    return Hearing(workload=workload, ruling=ruling, exhibits=(own, *rivals), pairs=pairs)


def _of_workloads(hearings: Sequence[Hearing]) -> Ruling:
    """What the hearings on all workloads come to together."""
    rulings = {hearing.ruling for hearing in hearings}
    if len(rulings) == 1:
        return rulings.pop()
    held = rulings & {Ruling.CONFIRMED, Ruling.PARTLY}
    if Ruling.REFUTED in rulings:
        return Ruling.PARTLY if held else Ruling.REFUTED
    return Ruling.PARTLY if rulings == held else Ruling.UNDECIDED


def _by_factor(ratio: Ratio, factor: float) -> Ruling:
    """A charge whose direction is right, by the factor that it names."""
    if factor == 1 or (ratio.low is not None and ratio.low >= factor):
        return Ruling.CONFIRMED
    return Ruling.PARTLY if ratio.high is not None and ratio.high < factor else Ruling.UNDECIDED


def _inverted(ratio: Ratio) -> Ratio:
    low, high = (None if end is None else 1 / end for end in (ratio.high, ratio.low))
    return Ratio(low=low, high=high)


def _quotient(a: Ratio, b: Ratio) -> Ratio:
    """What a / b can be; an end is open where one that it needs is."""
    low = a.low / b.high if a.low is not None and b.high is not None else None
    high = a.high / b.low if a.high is not None and b.low is not None else None
    return Ratio(low=low, high=high)


# --- names -----------------------------------------------------------------------------------------------------------


def _workloads(charge: Charge, workload: str | None = None) -> tuple[str, ...]:
    """The workloads to be raced for a charge, or for one of its workloads: where lengths change, both kinds."""
    own = charge.workloads if workload is None else (workload,)
    if charge.test is not Test.DYNAMIC_SHAPE:
        return own
    return tuple(name for each in own for name in (each, each + CONSTANT_LENGTH))


def _family(device: str) -> str:
    return device.partition(":")[0]


def _name(knowledge: Knowledge, framework: str) -> str:
    return knowledge.frameworks[framework].name


def _runs(knowledge: Knowledge, framework: str) -> bool:
    """Whether anything here runs a framework."""
    return next(candidates_of(knowledge.frameworks[framework]), None) is not None


def _versions(knowledge: Knowledge, framework: str, run: Run) -> dict[str, str]:
    """Of what ran, the packages that the framework's recipes name."""
    named = [
        match[0].lower()
        for recipe in knowledge.frameworks[framework].recipes
        for requirement in recipe.requirements
        if (match := _PACKAGE.match(requirement))
    ]
    return {name: run.versions[name] for name in dict.fromkeys(named) if name in run.versions}
