"""Everything a race has found so far, and the results it adds up to at any moment.

The engine writes down what happens; `results` is a function of that alone, so an interrupted race, a finished one and
the row stored after each round are made in the same way.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import isinf, log
from statistics import fmean, median
from typing import Any

import numpy as np

from bench import fingerprint, race, waves
from bench.events import LivePair, Standing
from bench.plan import Candidate, Plan, untwinned
from bench.race import Launch, Reading
from bench.records import Record
from bench.results import (
    Basis,
    Contention,
    Energy,
    Gauge,
    GpuUtilisation,
    Latency,
    Machine,
    Outcome,
    Quantity,
    Range,
    Ratio,
    Results,
    Run,
    StatedRun,
    Status,
    StepSeconds,
    Twin,
    Verdict,
)
from bench.scrub import scrubbed

LOW_PERCENTILE = 5
"""The "low" of the contention gauge: the block that 5 % fall below."""


class Stated(Record, frozen=True):
    """What a workload says of itself.

    Attributes:
        batch: samples per step.
        flops: phase -> nominal floating-point operations of one step.
        epochs, steps: of the run it re-creates; None where there is none.
    """

    batch: int
    flops: dict[str, float] = {}
    epochs: int | None = None
    steps: int | None = None


class Scoreboard:
    """What is known of one race.

    Args:
        identity, created, machine: as they will stand in the results.
        stated: workload -> what it says of itself.
        load_average: of the machine, before the race added to it.

    Attributes:
        copies: name and workload -> whether its steps copy their batches to the device.
    """

    def __init__(
        self,
        identity: str,
        created: str,
        plan: Plan,
        machine: Machine,
        stated: Mapping[str, Stated],
        load_average: float | None = None,
    ) -> None:
        self.identity, self.created, self.plan, self.machine = identity, created, plan, machine
        self._stated, self._load_average = stated, load_average
        self._batches = {workload: each.batch for workload, each in stated.items()}
        self.copies: dict[tuple[str, str], bool] = {}
        self._latencies: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._best_gemm = 0.0  # FLOPs per second
        self._facts: dict[tuple[str, str, str | None], dict[str, Any]] = defaultdict(dict)
        self._remarks: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._starts: dict[tuple[str, str], list[tuple[float, float, Mapping[str, float]]]] = defaultdict(list)
        self._flagged: set[tuple[str, str, str]] = set()
        self._ended: dict[tuple[str, str], tuple[Status, str | None]] = {}
        self._rounds: dict[tuple[str, str, int], dict[int, list[dict[str, Reading]]]] = defaultdict(dict)
        self._references: dict[tuple[str, int], tuple[str, ...]] = {}
        self._over: set[tuple[str, str, int]] = set()  # launches all of whose rounds are there
        self._stopped: dict[tuple[str, str], str] = {}  # races that were given up, and why
        self._utilisation: dict[tuple[str, str, str], list[float]] = defaultdict(list)

    # -- writing down -------------------------------------------------------------------------------------------------

    def note(self, name: str, workload: str, phase: str | None = None, **facts: Any) -> None:
        """Set fields of a candidate's runs on a workload (names as in `bench.results.Run`), of one phase or of all."""
        self._facts[name, workload, phase].update(facts)

    def remark(self, name: str, workload: str, text: str) -> None:
        """Add a line to the notes of a candidate's runs on a workload, once."""
        self._remarks[name, workload][text] = None

    def flag(self, name: str, workload: str, phase: str, text: str) -> None:
        """Say once that a candidate was not raced on, and why."""
        if (name, workload, phase) not in self._flagged:
            self._flagged.add((name, workload, phase))
            self.remark(name, workload, text)

    def add_start(
        self, name: str, workload: str, import_: float, build: float, first_steps: Mapping[str, float]
    ) -> None:
        """What one launch took to import, build and do the first step of each phase, in seconds.

        The medians enter the results.
        """
        self._starts[name, workload].append((import_, build, first_steps))

    def add_round(self, workload: str, phase: str, launch: int, readings: Mapping[str, Reading], wave: int = 1) -> None:
        """One complete round: a reading of everybody who was live in it."""
        self._rounds[workload, phase, launch].setdefault(wave, []).append(dict(readings))

    def finish_launch(self, workload: str, phase: str, launch: int) -> None:
        """All rounds of a launch are there, those of all its waves: from now on it counts between launches."""
        self._over.add((workload, phase, launch))

    def stop(self, workload: str, phase: str, candidates: Sequence[str], why: str) -> None:
        """Say why a race gets no further launch, so that its undecided pairs stay so; `candidates` get a remark."""
        self._stopped[workload, phase] = why
        for name in candidates:
            self.remark(name, workload, f"no further launch ({phase}): {why}")

    def set_references(self, workload: str, launch: int, references: Sequence[str]) -> None:
        """Who runs in every wave of a launch that is raced in waves."""
        self._references[workload, launch] = tuple(references)

    def add_utilisation(self, name: str, workload: str, phase: str, share: float) -> None:
        """One sample (0-1) of the GPU while a block of `name` ran."""
        self._utilisation[name, workload, phase].append(share)

    def add_latencies(self, name: str, workload: str, seconds: Sequence[float]) -> None:
        """Seconds of single inference calls on one sample."""
        self._latencies[name, workload].extend(seconds)

    def add_gemm(self, flops_per_second: float) -> None:
        """The speed of a matrix product; the best one is the peak."""
        self._best_gemm = max(self._best_gemm, flops_per_second)

    def end(self, candidate: str, workload: str, status: Status, reason: str | None) -> bool:
        """A candidate is out of a workload, or through it. The first end stands; True when this is the first."""
        if self.ended(candidate, workload):
            return False
        self._ended[candidate, workload] = (status, reason and scrubbed(reason))
        return True

    def ended(self, candidate: str, workload: str) -> bool:
        """Whether a candidate has ended on a workload."""
        return (candidate, workload) in self._ended

    # -- reading off --------------------------------------------------------------------------------------------------

    def launches(self, workload: str, phase: str, basis: Basis = Basis.WALL) -> tuple[Launch, ...]:
        """The complete rounds per launch as x = log(seconds per step), waves of a launch put together; twins too."""
        return tuple(self._merged(workload, phase, launch, basis) for launch in self._numbers(workload, phase))

    def full_launches(self, workload: str, phase: str, basis: Basis = Basis.WALL) -> tuple[Launch, ...]:
        """Those of `launches` that are over and count between launches."""
        return tuple(
            self._merged(workload, phase, launch, basis)
            for launch in self._full(workload, phase, self.plan.candidates)
            if (workload, phase, launch) in self._over
        )

    def basis(self, workload: str, phase: str) -> Basis | None:
        """What verdicts compare: wall time, CPU time where that can stand in for it, nothing on a busy machine else.

        The first look between launches at which there is one settles it, by the launches of that look: were it to
        follow the gauge any further, verdicts that stand would be worked out anew on another quantity.
        """
        full = [
            launch
            for launch in self._full(workload, phase, self.plan.candidates)
            if (workload, phase, launch) in self._over
        ]
        for number, _ in race.LOOKS:
            if number <= len(full) and (found := self._basis(self._gauges(workload, phase, full[:number]))):
                return found
        return self._basis(self._gauges(workload, phase))

    def _basis(self, gauges: Sequence[float]) -> Basis | None:
        """What a machine as busy as this lets verdicts compare."""
        if not gauges or median(gauges) >= race.QUIET_GAUGE:
            return Basis.WALL
        return Basis.CPU_SECONDS if self.plan.threads == 1 and self.plan.device == "cpu" else None

    def standings(self, workload: str, phase: str) -> tuple[Standing, ...]:
        """Places in the newest launch, fastest first; twins have none."""
        batch = self._batches[workload]
        return tuple(
            Standing(
                candidate=place.candidate,
                samples_per_second=batch / place.step_seconds.median,
                low=batch / place.step_seconds.high,
                high=batch / place.step_seconds.low,
                step_seconds=place.step_seconds.median,
            )
            for place in race.standings([self._newest(workload, phase)])
            if place.candidate in self.plan.candidates
        )

    def live_pairs(self, workload: str, phase: str, standings: Sequence[Standing]) -> tuple[LivePair, ...]:
        """Neighbours in the standings: how far apart in the newest launch, and whether that is settled for it."""
        launch = self._newest(workload, phase)
        pairs = []
        for faster, slower in pairwise(standings):
            a, b = faster.candidate, slower.candidate
            if (ratio := race.paired_ratio(launch, a, b)) is not None:
                settled = race.slower(launch, b, a).certify(self.plan.M, self.plan.alpha)
                pairs.append(LivePair(a=a, b=b, ratio=ratio, settled=settled))
        return tuple(pairs)

    def gauge(self, workload: str, phase: str) -> float | None:
        """Median contention gauge of a race; None on accelerators, where the CPU waits by nature, and before it."""
        gauges = self._gauges(workload, phase)
        return median(gauges) if gauges else None

    def results(self, interrupted: bool) -> Results:
        """What all of it adds up to."""
        races = [(workload, phase) for workload in self.plan.workloads for phase in self.plan.phases]
        runs = [self._run(name, *each) for each in races for name in (*self.plan.candidates, *self.plan.left_out)]
        return Results(
            id=self.identity,
            created=self.created,
            machine=self.machine,
            plan=self.plan,
            runs=tuple(runs),
            verdicts=tuple(
                verdict
                for workload, phase in races
                for verdict in self._verdicts(
                    workload,
                    phase,
                    [
                        run.candidate
                        for run in runs
                        if (run.workload, run.phase) == (workload, phase) and run.status is Status.OK
                    ],
                )
            ),
            twin=self._twin(races),
            contention=self._contention(races),
            interrupted=interrupted,
            code=fingerprint.code(),
        )

    # -- parts --------------------------------------------------------------------------------------------------------

    def _run(self, name: str, workload: str, phase: str) -> Run:
        candidate = Candidate.parse(name)
        readings = self._readings(name, workload, phase)
        status, reason = self._ended.get((name, workload), (None, None))
        if name in self.plan.left_out:
            status, reason = Status.SKIPPED, self.plan.left_out[name]
        elif status is None and not readings:
            status, reason = Status.SKIPPED, "the race was interrupted before it was measured"
        elif status in (None, Status.OK):
            status, reason = self._comparable(readings)
        launches = sum(
            len(self.readings(name, workload, phase, each)) >= race.MIN_ROUNDS
            for each in self._numbers(workload, phase)
        )
        facts = {**self._facts[name, workload, None], **self._facts[name, workload, phase]}
        notes = (*facts.pop("notes", ()), *self._remarks[name, workload])
        return Run(
            candidate=name,
            framework=candidate.framework,
            backend=candidate.backend,
            mode=candidate.mode,
            workload=workload,
            phase=phase,
            device=self.plan.device,
            precision=self.plan.precision,
            threads=self.plan.threads,
            launches=launches,
            provisional=launches < race.MIN_LAUNCHES,
            status=status,
            reason=reason,
            batch=self._batches[workload],
            notes=tuple(dict.fromkeys(notes)),
            **self._started(name, workload, phase),
            **{**self._measured(name, workload, phase, readings), **facts},
        )

    def _started(self, name: str, workload: str, phase: str) -> dict[str, Any]:
        """Medians over launches of what a start took."""
        starts = self._starts[name, workload]
        if not starts:
            return {}
        imports, builds, first_steps = zip(*starts, strict=True)
        return {
            "import_seconds": median(imports),
            "build_seconds": median(builds),
            "first_step_seconds": median(seconds[phase] for seconds in first_steps),
        }

    def comparable(self, name: str, workload: str, phase: str) -> bool:
        """Whether a candidate is still in a race that verdicts speak of."""
        if self._ended.get((name, workload), (Status.OK, None))[0] is not Status.OK:
            return False
        return self._comparable(self._readings(name, workload, phase))[0] is Status.OK

    def _comparable(self, readings: Sequence[Reading]) -> tuple[Status, str | None]:
        """OK, or incomparable when the candidate took more CPUs than it was given."""
        threads = self.plan.threads
        if readings and (used := median(reading.gauge(threads) for reading in readings)) > race.FAIR_GAUGE:
            reason = (
                f"it used {used * threads:.1f} threads where {threads} was given (race it with --threads 2 or more)"
            )
            return Status.INCOMPARABLE, reason
        return Status.OK, None

    def _measured(self, name: str, workload: str, phase: str, readings: Sequence[Reading]) -> dict[str, Any]:
        """The fields of a run that come from its blocks."""
        if not readings:
            return {}
        batch = self._batches[workload]
        seconds = race.median_range([reading.step_seconds for reading in readings])
        utilisation = self._utilisation[name, workload, phase]
        return {
            "step_seconds": StepSeconds(
                median=seconds.median,
                low=seconds.low,
                high=seconds.high,
                blocks=len(readings),
                steps_per_block=readings[-1].steps,
            ),
            "samples_per_second": Range(
                median=batch / seconds.median, low=batch / seconds.high, high=batch / seconds.low
            ),
            "cpu_seconds_per_step": median(reading.cpu_step_seconds for reading in readings),
            "energy_joules_per_sample": Energy(value=None, basis="unavailable"),
            "latency_seconds": self._latency(name, workload) if phase == "infer" else None,
            "percent_of_peak": self._percent_of_peak(workload, phase, seconds.median),
            "stated_run": self._stated_run(name, workload, seconds) if phase == "train" else None,
            "gpu_utilisation": GpuUtilisation(
                mean=fmean(utilisation),
                p50=float(np.percentile(utilisation, 50)),
                p95=float(np.percentile(utilisation, 95)),
            )
            if utilisation
            else None,
        }

    def _latency(self, name: str, workload: str) -> Latency | None:
        seconds = self._latencies[name, workload]
        if not seconds:
            return None
        return Latency(p50=float(np.percentile(seconds, 50)), p99=float(np.percentile(seconds, 99)))

    def _percent_of_peak(self, workload: str, phase: str, step_seconds: float) -> float | None:
        """Nominal FLOPs of a step over what the best matrix product of this race would have done in its time.

        None where that is no percentage (above 100: the nominal count is not what was computed) or where the machine
        was too busy for wall time to mean anything.
        """
        flops = self._stated[workload].flops.get(phase)
        if not flops or not self._best_gemm or self._basis(self._gauges(workload, phase)) is not Basis.WALL:
            return None
        percent = 100 * flops / (step_seconds * self._best_gemm)
        return percent if percent <= 100 else None

    def _stated_run(self, name: str, workload: str, step_seconds: Range) -> StatedRun | None:
        """Start, compilation and all steps of the run that the workload re-creates."""
        stated, started = self._stated[workload], self._started(name, workload, "train")
        if stated.epochs is None or stated.steps is None or not started:
            return None
        start, further = sum(started.values()), stated.steps - 1  # the first step is part of the start
        return StatedRun(
            epochs=stated.epochs,
            steps=stated.steps,
            seconds=Range(
                median=start + further * step_seconds.median,
                low=start + further * step_seconds.low,
                high=start + further * step_seconds.high,
            ),
        )

    def _verdicts(self, workload: str, phase: str, candidates: Sequence[str]) -> list[Verdict]:
        basis, numbers = self.basis(workload, phase), self._full(workload, phase, candidates)
        found = race.verdicts(
            [self._merged(workload, phase, launch, basis or Basis.WALL) for launch in numbers],
            candidates,
            K=self.plan.K,
            M=self.plan.M,
            alpha=self.plan.alpha,
            basis=basis or Basis.WALL,
            over=sum((workload, phase, launch) in self._over for launch in numbers),
        )
        apart = {
            number: self._apart(workload, phase, numbers[:number], basis or Basis.WALL)
            for number in {pair.launches for pair in found}
        }
        verdicts = []
        for pair in found:
            why = apart[pair.launches].get(frozenset((pair.a, pair.b)))  # what came after a verdict leaves it alone
            if basis is None:
                why = "the machine was too busy: wall time measures its other programs"
            elif why is None and pair.outcome is Outcome.UNDECIDED:
                why = self._stopped.get((workload, phase))
            verdicts.append(
                Verdict(
                    workload=workload,
                    phase=phase,
                    a=pair.a,
                    b=pair.b,
                    verdict=Outcome.UNDECIDED if why else pair.outcome,
                    ratio=Ratio(low=None, high=None) if why else pair.ratio,
                    basis=pair.basis,
                    quantity=Quantity.CPU_SECONDS if basis is Basis.CPU_SECONDS else Quantity.WALL_SECONDS,
                    why=why,
                )
            )
        return verdicts

    def _apart(self, workload: str, phase: str, launches: Sequence[int], basis: Basis) -> Mapping[frozenset[str], str]:
        """Pairs of different waves that are not to be compared in one of `launches`, and why."""
        apart: dict[frozenset[str], str] = {}
        for launch in launches:
            parts, references = self._parts(workload, phase, launch, basis)
            why = "they ran in different waves, between which the two references did not agree within 5 %"
            if isinf(waves.disagreement(parts, references)):
                why = "they ran in different waves, and one of the two references that every wave shares was lost"
            for pair in waves.incomparable(parts, references):
                apart.setdefault(pair, why)
        return apart

    def _twin(self, races: Sequence[tuple[str, str]]) -> Twin | None:
        """How far the first twin that was measured differed, in the first race where it was."""
        for workload, phase in races:
            basis = self.basis(workload, phase) or Basis.WALL
            launches = self.full_launches(workload, phase, basis) or self.launches(workload, phase, basis)
            names = {name for launch in launches for x in launch for name in x}
            for twin in sorted(name for name in names if untwinned(name) != name):
                ratio = race.same_twice(launches, untwinned(twin), twin, self.plan.K, self.plan.alpha)
                if ratio is not None:
                    return Twin(candidate=untwinned(twin), ratio=ratio)
        return None

    def _contention(self, races: Sequence[tuple[str, str]]) -> Contention:
        gauges = [gauge for each in races for gauge in self._gauges(*each)]
        blocks = sum(
            len(readings) for launch in self._rounds.values() for rounds in launch.values() for readings in rounds
        )
        return Contention(
            gauge=Gauge(median=median(gauges), low=float(np.percentile(gauges, LOW_PERCENTILE))) if gauges else None,
            flagged_blocks=sum(gauge < race.QUIET_GAUGE for gauge in gauges),
            blocks=blocks,
            load_average=self._load_average,
        )

    def _gauges(self, workload: str, phase: str, launches: Sequence[int] | None = None) -> list[float]:
        """The gauges of all blocks of some launches, of all where None."""
        if self.plan.device != "cpu":
            return []
        return [
            reading.gauge(self.plan.threads)
            for launch in (self._numbers(workload, phase) if launches is None else launches)
            for rounds in self._rounds[workload, phase, launch].values()
            for readings in rounds
            for reading in readings.values()
        ]

    def _readings(self, name: str, workload: str, phase: str) -> list[Reading]:
        return [
            readings[name]
            for launch in self._numbers(workload, phase)
            for rounds in self._rounds[workload, phase, launch].values()
            for readings in rounds
            if name in readings
        ]

    def readings(self, name: str, workload: str, phase: str, launch: int) -> list[Reading]:
        """What somebody's blocks of one launch took, complete rounds only."""
        rounds = self._rounds.get((workload, phase, launch), {}).values()
        return [readings[name] for wave in rounds for readings in wave if name in readings]

    def _numbers(self, workload: str, phase: str) -> list[int]:
        """The launches of a race that have complete rounds."""
        return sorted(key[2] for key, rounds in self._rounds.items() if key[:2] == (workload, phase) and rounds)

    def _full(self, workload: str, phase: str, candidates: Collection[str]) -> list[int]:
        """The launches of a race that are full for `candidates`; the last one may be under way."""
        return [
            launch
            for launch in self._numbers(workload, phase)
            if race.is_full(self._merged(workload, phase, launch, Basis.WALL), candidates)
        ]

    def _merged(self, workload: str, phase: str, launch: int, basis: Basis) -> Launch:
        return waves.merged(*self._parts(workload, phase, launch, basis))

    def _parts(self, workload: str, phase: str, launch: int, basis: Basis) -> tuple[list[Launch], tuple[str, ...]]:
        """The waves of one launch and what ties them together."""
        return self._waves(workload, phase, launch, basis), self._references.get((workload, launch), ())

    def _waves(self, workload: str, phase: str, launch: int, basis: Basis) -> list[Launch]:
        """The complete rounds of one launch as x, wave by wave."""
        return [
            [
                {
                    name: log(reading.cpu_step_seconds if basis is Basis.CPU_SECONDS else reading.step_seconds)
                    for name, reading in readings.items()
                    if basis is Basis.WALL or reading.cpu_seconds > 0
                }
                for readings in rounds
            ]
            for rounds in self._rounds[workload, phase, launch].values()
        ]

    def _newest(self, workload: str, phase: str) -> Launch:
        """The rounds of the newest launch as they were, wave after wave."""
        numbers = self._numbers(workload, phase)
        parts = self._waves(workload, phase, numbers[-1], Basis.WALL) if numbers else []
        return [x for part in parts for x in part]
