"""Everything a race has found so far, and the results it adds up to at any moment.

The engine writes down what happens; `results` is a function of that alone, so an interrupted race, a finished one and
the row stored after each round are made in the same way.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log
from statistics import fmean, median
from typing import Any

import numpy as np

from bench import fingerprint, race
from bench.events import LivePair, Standing
from bench.plan import Candidate, Plan
from bench.race import Launch, Reading
from bench.results import (
    Basis,
    Contention,
    Energy,
    Gauge,
    GpuUtilisation,
    Machine,
    Outcome,
    Quantity,
    Range,
    Ratio,
    Results,
    Run,
    Status,
    StepSeconds,
    Verdict,
)
from bench.scrub import scrubbed

LOW_PERCENTILE = 5
"""The "low" of the contention gauge: the block that 5 % fall below."""


class Scoreboard:
    """What is known of one race.

    Args:
        identity, created, machine: as they will stand in the results.
        batches: workload -> samples per step.
        load_average: of the machine, before the race added to it.
    """

    def __init__(
        self,
        identity: str,
        created: str,
        plan: Plan,
        machine: Machine,
        batches: Mapping[str, int],
        load_average: float | None = None,
    ) -> None:
        self.identity, self.created, self.plan, self.machine = identity, created, plan, machine
        self._batches, self._load_average = batches, load_average
        self._facts: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        self._ended: dict[tuple[str, str], tuple[Status, str | None]] = {}
        self._rounds: dict[tuple[str, str, int], list[dict[str, Reading]]] = defaultdict(list)
        self._utilisation: dict[tuple[str, str], list[float]] = defaultdict(list)

    # -- writing down -------------------------------------------------------------------------------------------------

    def note(self, candidate: str, workload: str, **facts: Any) -> None:
        """Set fields of a candidate's runs on a workload (names as in `bench.results.Run`)."""
        self._facts[candidate, workload].update(facts)

    def add_round(self, workload: str, phase: str, launch: int, readings: Mapping[str, Reading]) -> None:
        """One complete round: a reading of every candidate that was live in it."""
        self._rounds[workload, phase, launch].append(dict(readings))

    def add_utilisation(self, candidate: str, workload: str, share: float) -> None:
        """One sample (0-1) of the GPU while a block of `candidate` ran."""
        self._utilisation[candidate, workload].append(share)

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
        """The complete rounds per launch as x = log(seconds per step)."""
        return tuple(
            [
                {
                    candidate: log(reading.cpu_step_seconds if basis is Basis.CPU_SECONDS else reading.step_seconds)
                    for candidate, reading in readings.items()
                    if basis is Basis.WALL or reading.cpu_seconds > 0
                }
                for readings in self._rounds[workload, phase, launch]
            ]
            for launch in range(1, self.plan.launches + 1)
            if self._rounds[workload, phase, launch]
        )

    def standings(self, workload: str, phase: str) -> tuple[Standing, ...]:
        """Places in the newest launch, fastest first."""
        batch = self._batches[workload]
        return tuple(
            Standing(
                candidate=place.candidate,
                samples_per_second=batch / place.step_seconds.median,
                low=batch / place.step_seconds.high,
                high=batch / place.step_seconds.low,
                step_seconds=place.step_seconds.median,
            )
            for place in race.standings(self.launches(workload, phase)[-1:])
        )

    def live_pairs(self, workload: str, phase: str, standings: Sequence[Standing]) -> tuple[LivePair, ...]:
        """Neighbours in the standings: how far apart in the newest launch, and whether that is settled for it."""
        launches = self.launches(workload, phase)
        if not launches:
            return ()
        pairs = []
        for faster, slower in pairwise(standings):
            a, b = faster.candidate, slower.candidate
            if (ratio := race.paired_ratio(launches[-1], a, b)) is not None:
                settled = race.slower(launches[-1], b, a).certify(self.plan.M, self.plan.alpha)
                pairs.append(LivePair(a=a, b=b, ratio=ratio, settled=settled))
        return tuple(pairs)

    def gauge(self, workload: str, phase: str) -> float | None:
        """Median contention gauge of a race; None on accelerators, where the CPU waits by nature, and before it."""
        gauges = self._gauges(workload, phase)
        return median(gauges) if gauges else None

    def results(self, interrupted: bool) -> Results:
        """What all of it adds up to."""
        races = [(workload, phase) for workload in self.plan.workloads for phase in self.plan.phases]
        runs = [self._run(candidate, *each) for each in races for candidate in self.plan.candidates]
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
            twin=None,
            contention=self._contention(races),
            interrupted=interrupted,
            code=fingerprint.code(),
        )

    # -- parts --------------------------------------------------------------------------------------------------------

    def _run(self, name: str, workload: str, phase: str) -> Run:
        candidate = Candidate.parse(name)
        readings = self._readings(name, workload, phase)
        status, reason = self._ended.get((name, workload), (None, None))
        if status is None and not readings:
            status, reason = Status.SKIPPED, "the race was interrupted before it was measured"
        elif status in (None, Status.OK):
            status, reason = self._comparable(readings)
        launches = sum(any(name in x for x in launch) for launch in self.launches(workload, phase))
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
            **self._facts[name, workload],
            **self._measured(name, workload, readings),
        )

    def _comparable(self, readings: Sequence[Reading]) -> tuple[Status, str | None]:
        """OK, or incomparable when the candidate took more CPUs than it was given."""
        threads = self.plan.threads
        if readings and (used := median(reading.gauge(threads) for reading in readings)) > race.FAIR_GAUGE:
            reason = (
                f"it used {used * threads:.1f} threads where {threads} was given (race it with --threads 2 or more)"
            )
            return Status.INCOMPARABLE, reason
        return Status.OK, None

    def _measured(self, candidate: str, workload: str, readings: Sequence[Reading]) -> dict[str, Any]:
        """The fields of a run that come from its blocks."""
        if not readings:
            return {}
        batch = self._batches[workload]
        seconds = race.median_range([reading.step_seconds for reading in readings])
        utilisation = self._utilisation[candidate, workload]
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
            "gpu_utilisation": GpuUtilisation(
                mean=fmean(utilisation),
                p50=float(np.percentile(utilisation, 50)),
                p95=float(np.percentile(utilisation, 95)),
            )
            if utilisation
            else None,
        }

    def _verdicts(self, workload: str, phase: str, candidates: Sequence[str]) -> list[Verdict]:
        gauge = self.gauge(workload, phase)
        busy = gauge is not None and gauge < race.QUIET_GAUGE
        cpu_decides = busy and self.plan.threads == 1 and self.plan.device == "cpu"
        basis = Basis.CPU_SECONDS if cpu_decides else Basis.WALL
        found = race.verdicts(
            self.launches(workload, phase, basis),
            candidates,
            K=self.plan.K,
            M=self.plan.M,
            alpha=self.plan.alpha,
            basis=basis,
        )
        no_verdict = busy and not cpu_decides
        return [
            Verdict(
                workload=workload,
                phase=phase,
                a=pair.a,
                b=pair.b,
                verdict=Outcome.UNDECIDED if no_verdict else pair.outcome,
                ratio=Ratio(low=None, high=None) if no_verdict else pair.ratio,
                basis=pair.basis,
                quantity=Quantity.CPU_SECONDS if cpu_decides else Quantity.WALL_SECONDS,
            )
            for pair in found
        ]

    def _contention(self, races: Sequence[tuple[str, str]]) -> Contention:
        gauges = [gauge for each in races for gauge in self._gauges(*each)]
        blocks = sum(len(readings) for rounds in self._rounds.values() for readings in rounds)
        return Contention(
            gauge=Gauge(median=median(gauges), low=float(np.percentile(gauges, LOW_PERCENTILE))) if gauges else None,
            flagged_blocks=sum(gauge < race.QUIET_GAUGE for gauge in gauges),
            blocks=blocks,
            load_average=self._load_average,
        )

    def _gauges(self, workload: str, phase: str) -> list[float]:
        if self.plan.device != "cpu":
            return []
        return [
            reading.gauge(self.plan.threads)
            for (its_workload, its_phase, _), rounds in self._rounds.items()
            if (its_workload, its_phase) == (workload, phase)
            for readings in rounds
            for reading in readings.values()
        ]

    def _readings(self, candidate: str, workload: str, phase: str) -> list[Reading]:
        return [
            readings[candidate]
            for launch in range(1, self.plan.launches + 1)
            for readings in self._rounds[workload, phase, launch]
            if candidate in readings
        ]
