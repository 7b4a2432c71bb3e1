"""Races between real frameworks (METHOD, "Acceptance", R5), rerun and resumed by one command:

    python -m tests.bench.real_races [--races N] [--budget SECONDS] [--goal winner|order] [--output FILE.jsonl]

Every race has on `mnist-cnn` six candidates of which the fastest is ahead by a fifth or more: TensorFlow and its twin,
Keras on JAX and on PyTorch, JAX itself, and copies of TensorFlow and PyTorch (`tensorflow_slowed`, `pytorch_slowed`)
whose adapters do 13 steps where 10 are asked for. Environments have to be there already (`advisor env create`). A line
of JSON per race goes to the file; races that are in it are not run again, and refused where another code, goal or
budget made them. Then R5's figures are printed: how often the slowed copy was found, whether a twin was ever called
faster, how many of the pairs at least 1.5 times apart were decided the right way, and whether consecutive pairs of
races agree. A bound that nothing was held against is missed. Exits with 1 when one of them is missed. Printed besides:
in how many races all that the goal asks for was decided within 180 s of measuring, and how long ten epochs of each
would take.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

import knowledge
from advisor import paths
from bench import events, fingerprint, machine, race
from bench.engine import start
from bench.environments import Environment, Environments, Report
from bench.events import AnyEvent
from bench.plan import Goal, Plan, untwinned
from bench.planning import Wishes, make_plan
from bench.results import Basis, Outcome, Quantity, Results, Verdict
from bench.store import Block, Store
from bench.workload import load_workloads
from knowledge.faults import BadInput
from knowledge.model import Framework, Knowledge, Recipe

ADAPTERS = Path(__file__).parent / "slowed"
WORKLOAD = "mnist-cnn"
SLOWED, ORIGINAL = "tensorflow_slowed:function", "tensorflow:function"
CANDIDATES = (ORIGINAL, SLOWED, "keras@pytorch:fit", "keras@jax:fit", "jax:jit", "pytorch_slowed:eager")
"""The first is the one that a twin is made of."""

APART = 1.5
"""Pairs further apart than this have to be decided in LEAST_DECIDED of all cases."""

LEAST_DECIDED = 0.95
LEAST_FOUND = 0.9
"""Of the races, in how many the slowed copy has to be found (R5: 9 of 10)."""

SOON_SECONDS = 180.0
"""Of measuring: within this, six candidates are to be decided on a quiet machine (METHOD, "Honest budgets")."""

ABSENT = "absent"
"""What is said of a twin that never had a complete round together with its original."""

SAME_IN_ALL = ("code", "goal", "budget_seconds")
"""Races that differ in one of these are not summed up together."""


class Slowed(Environments):
    """The environments that are there, those of PyTorch and TensorFlow also for their slowed copies."""

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None:
        return super().find(_original(framework), recipe)

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment:
        return await super().create(_original(framework), recipe, report)


def _original(framework: Framework) -> Framework:
    return msgspec.structs.replace(framework, id=framework.id.removesuffix("_slowed"))


def with_slowed(base: Knowledge) -> Knowledge:
    """The knowledge base with two frameworks more: PyTorch and TensorFlow by other adapters."""
    slowed = {
        f"{id_}_slowed": msgspec.structs.replace(base.frameworks[id_], id=f"{id_}_slowed", adapter=f"{id_}_slowed")
        for id_ in ("pytorch", "tensorflow")
    }
    return msgspec.structs.replace(base, frameworks={**base.frameworks, **slowed})


def plan_of(base: Knowledge, candidates: Sequence[str], budget_seconds: float, goal: Goal, seed: int) -> Plan:
    """One race on one workload, launches as the budget pays for."""
    wishes = Wishes(
        candidates=tuple(candidates),
        workloads=(WORKLOAD,),
        device="cpu",
        budget_seconds=budget_seconds,
        goal=goal,
        seed=seed,
        data={"mnist": "made"},
    )
    return make_plan(wishes, base, (WORKLOAD,), machine.devices())


async def run_race(
    plan: Plan, base: Knowledge, environments: Environments, store: Store, folder: Path
) -> tuple[Results, list[AnyEvent], float]:
    """One race: its results, what it told, and the seconds it took in all."""
    began, told = time.monotonic(), []
    async with start(
        plan, base, environments, store, folder=folder, workloads=load_workloads(), adapters=(ADAPTERS,)
    ) as racing:
        async for event in racing.events():
            if not isinstance(event, events.Load):
                told.append(event)
    if racing.results is None:
        raise SystemExit("the race ended before it began")
    return racing.results, told, time.monotonic() - began


def goal_reached(verdicts: Iterable[Verdict], candidates: Sequence[str], goal: Goal) -> bool:
    """Whether three launches or more settled all that the goal asks for among all `candidates`.

    As `race.decided`, except that a candidate that dropped out leaves its pairs open.
    """
    settled = {
        frozenset((each.a, each.b)): each
        for each in verdicts
        if each.verdict is not Outcome.UNDECIDED and each.basis is not Basis.ONE_LAUNCH
    }
    if goal is Goal.ORDER:
        return all(frozenset(pair) in settled for pair in combinations(candidates, 2))
    return any(
        all(
            (found := settled.get(frozenset((best, other)))) is not None
            and (found.verdict is Outcome.TIE or (found.a if found.verdict is Outcome.A else found.b) == best)
            for other in candidates
            if other != best
        )
        for best in candidates
    )


def seconds_of_measuring(told: Sequence[AnyEvent], plan: Plan) -> tuple[float, float | None]:
    """Seconds of rounds and passes in all, and until the goal was reached; None where it was not.

    A round lasts until it is stored, a pass until the next thing is told of. The rest of a race is preparing.
    """
    measured, decided_after = 0.0, None
    since: float | None = None
    for event in told:
        if isinstance(event, events.BlockDone):
            continue  # within a round
        if since is not None:
            measured += event.at_seconds - since
        since = event.at_seconds if isinstance(event, events.RoundStarted | events.Measuring) else None
        if (
            isinstance(event, events.Looked)
            and decided_after is None
            and goal_reached(event.verdicts, plan.candidates, plan.goal)
        ):
            decided_after = measured
    return measured, decided_after


def twin_verdicts(results: Results, blocks: Sequence[Block]) -> list[str]:
    """What the rules would say of each twin, were it a candidate: "a", "b", "tie" or "undecided"; else ABSENT."""
    cpu = any(each.quantity is Quantity.CPU_SECONDS for each in results.verdicts)
    launches: dict[int, dict[int, dict[str, float]]] = {}
    for block in blocks:
        if block.complete:
            seconds = block.reading.cpu_step_seconds if cpu else block.reading.step_seconds
            launches.setdefault(block.launch, {}).setdefault(block.round, {})[block.candidate] = math.log(seconds)
    plan, said = results.plan, []
    for twin in plan.twins:
        together = {untwinned(twin), twin}
        if not any(together <= x.keys() for rounds in launches.values() for x in rounds.values()):
            said.append(ABSENT)
            continue
        (pair,) = race.verdicts(
            [list(rounds.values()) for rounds in launches.values()],
            (untwinned(twin), twin),
            K=plan.K,
            M=plan.M,
            alpha=plan.alpha,
            basis=Basis.WALL,
        )
        said.append(pair.outcome.value)
    return said


def line_of(results: Results, blocks: Sequence[Block], told: Sequence[AnyEvent], seconds: float) -> dict[str, Any]:
    """One race as a line of the file."""
    plan = results.plan
    measuring, decided_after = seconds_of_measuring(told, plan)
    cpu = any(
        each.quantity is Quantity.CPU_SECONDS for each in results.verdicts
    )  # on a busy machine wall time is noise
    steps = {
        run.candidate: run.cpu_seconds_per_step if cpu else run.step_seconds.median
        for run in results.runs
        if run.step_seconds is not None
    }
    measured = sum(block.reading.wall_seconds for block in blocks)
    verdicts = [
        {
            "a": each.a,
            "b": each.b,
            "verdict": each.verdict.value,
            "low": each.ratio.low,
            "high": each.ratio.high,
            "basis": each.basis.value,
            "quantity": each.quantity.value,
        }
        for each in results.verdicts
    ]
    pair = {frozenset((each.a, each.b)): each for each in results.verdicts}.get(frozenset((SLOWED, ORIGINAL)))
    gauge = results.contention.gauge
    return {
        "id": results.id,
        "created": results.created,
        "code": results.code,
        "goal": plan.goal.value,
        "budget_seconds": plan.budget_seconds,
        "seconds": round(seconds, 1),
        "seconds_in_blocks": round(measured, 1),
        "seconds_measuring": round(measuring, 1),
        "seconds_preparing": round(seconds - measuring, 1),
        "decided_after_seconds": None if decided_after is None else round(decided_after, 1),
        "stated_epochs": max((run.stated_run.epochs for run in results.runs if run.stated_run), default=0),
        "stated_seconds": {
            run.candidate: round(run.stated_run.seconds.median, 1) for run in results.runs if run.stated_run
        },
        "launches": max((block.launch for block in blocks), default=0),
        "gauge": gauge.median if gauge else None,
        "statuses": {run.candidate: f"{run.status.value} {run.reason or ''}".strip() for run in results.runs},
        "step_seconds": steps,
        "verdicts": verdicts,
        "twin": msgspec.to_builtins(results.twin),
        "twin_verdicts": twin_verdicts(results, blocks),
        "slowed_found": pair is not None and pair.verdict is Outcome.A and pair.a == ORIGINAL,
    }


# --- over all races --------------------------------------------------------------------------------------------------


def pairs_apart(line: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs, the faster first, whose measured seconds per step are at least APART times apart."""
    steps = line["step_seconds"]
    ordered = sorted(steps, key=steps.__getitem__)
    return [(a, b) for a, b in combinations(ordered, 2) if steps[b] >= APART * steps[a]]


def decided(line: dict[str, Any]) -> dict[frozenset[str], str]:
    """Pair -> the faster one, for the pairs with a winner."""
    return {
        frozenset((each["a"], each["b"])): each[each["verdict"]]
        for each in line["verdicts"]
        if each["verdict"] in ("a", "b")
    }


def agreement(lines: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Over races 1 and 2, 3 and 4, ...: pairs apart in both that both decided alike, and all pairs apart in both.

    Whichever was the faster: a pair that changes sides between two races is one that they do not agree on.
    """
    same = total = 0
    for first, second in list(pairwise(lines))[::2]:
        apart = [{frozenset(pair) for pair in pairs_apart(line)} for line in (first, second)]
        for pair in apart[0] & apart[1]:
            total += 1
            verdicts = [decided(line).get(pair) for line in (first, second)]
            same += verdicts[0] is not None and verdicts[0] == verdicts[1]
    return same, total


def unlike(lines: Sequence[dict[str, Any]], wanted: dict[str, Any]) -> str | None:
    """Why these lines are not summed up with races of `wanted` code, goal and budget; None when they may be."""
    for number, line in enumerate(lines, start=1):
        for key in SAME_IN_ALL:
            if line.get(key) != wanted[key]:
                return f"race {number} has {key} {line.get(key)}, this run {wanted[key]}"
    return None


def summarise(lines: Sequence[dict[str, Any]]) -> int:
    """Print R5's figures; the number of bounds missed. One that nothing was held against is missed."""
    races = len(lines)
    if not races:
        print("MISSED no race was run")
        return 1
    found = sum(line["slowed_found"] for line in lines)
    twins = [verdict for line in lines for verdict in line["twin_verdicts"] if verdict != ABSENT]
    without = sum(all(verdict == ABSENT for verdict in line["twin_verdicts"]) for line in lines)
    named = sum(verdict in ("a", "b") for verdict in twins)
    apart = [(pair, line) for line in lines for pair in pairs_apart(line)]
    right = sum(decided(line).get(frozenset(pair)) == pair[0] for pair, line in apart)
    same, both = agreement(lines)
    strangers = unlike(lines, lines[0])
    checks = [
        (f"slowed copy found in {found} of {races} races", found >= math.ceil(LEAST_FOUND * races)),
        (
            f"a twin called faster in {named} of {len(twins)} cases, {without} races without one",
            named == without == 0,
        ),
        (
            f"pairs >= {APART} x apart decided the right way: {right} of {len(apart)}",
            bool(apart) and right >= LEAST_DECIDED * len(apart),
        ),
        (f"consecutive races agree on {same} of {both} such pairs", both > 0 and same >= LEAST_DECIDED * both),
        (strangers or f"all have the same {', '.join(SAME_IN_ALL)}", strangers is None),
    ]
    for text, holds in checks:
        print(f"{'holds ' if holds else 'MISSED'} {text}")
    for key in ("seconds_in_blocks", "seconds_measuring", "seconds_preparing"):
        values = [line[key] for line in lines]
        print(f"{key.replace('_', ' ')}: median {median(values):.1f}, from {min(values)} to {max(values)}")
    lost = [f"{name} ({status})" for line in lines for name, status in line["statuses"].items() if status != "ok"]
    print(f"did not finish: {'; '.join(lost) or 'none'}")
    tell_how_soon(lines)
    return sum(not holds for _, holds in checks)


def tell_how_soon(lines: Sequence[dict[str, Any]]) -> None:
    """Print how much measuring the goal took, beside the stated run (ten epochs) of every candidate."""
    took = [line["decided_after_seconds"] for line in lines]
    soon = sum(seconds is not None and seconds <= SOON_SECONDS for seconds in took)
    print(
        f"all that the goal ({lines[0]['goal']}) asks for was decided within {SOON_SECONDS:.0f} s of measuring"
        f" in {soon} of {len(lines)} races, ever in {len(took) - took.count(None)}"
    )
    factors = []
    for number, line in enumerate(lines, start=1):
        stated, seconds = sum(line["stated_seconds"].values()), line["decided_after_seconds"]
        text = f"race {number}: {line['stated_epochs']} epochs of each of {len(line['stated_seconds'])} candidates take"
        text += f" {stated:.0f} s,"
        if seconds is None:
            print(f"{text} not decided in {line['seconds_measuring']} s of measuring")
        else:
            factors.append(stated / seconds)
            print(f"{text} {factors[-1]:.1f} x the {seconds} s of measuring that decided it")
    if factors:
        print(f"factor: median {median(factors):.1f}, from {min(factors):.1f} to {max(factors):.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--races", type=int, default=10)
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--goal", type=Goal, choices=list(Goal), default=Goal.WINNER)
    parser.add_argument("--output", type=Path, default=Path("real-races.jsonl"))
    arguments = parser.parse_args()
    base = with_slowed(knowledge.load())
    environments = Slowed(paths.environments_folder())
    there = {environment.framework for environment in environments.finished()}
    if missing := {"pytorch", "tensorflow", "keras", "jax"} - there:  # said before hours are spent
        parser.error(f"environments are missing: advisor env create {' '.join(sorted(missing))}")
    lines = []
    if arguments.output.exists():
        lines = [json.loads(line) for line in arguments.output.read_text(encoding="utf-8").splitlines()]
    wanted = {"code": fingerprint.code(), "goal": arguments.goal.value, "budget_seconds": arguments.budget}
    if (why := unlike(lines, wanted)) is not None:
        parser.error(f"{arguments.output}: {why}; give another --output")
    while len(lines) < arguments.races:
        plan = plan_of(base, CANDIDATES, arguments.budget, arguments.goal, seed=len(lines))
        temporary = TemporaryDirectory(prefix="real-races-", ignore_cleanup_errors=True)
        with temporary as folder, Store(Path(folder) / "results.sqlite") as store:
            try:
                results, told, seconds = asyncio.run(run_race(plan, base, environments, store, Path(folder) / "data"))
            except BadInput as bad:  # another race is running
                parser.error(str(bad))
            line = line_of(results, store.blocks(results.id), told, seconds)
        lines.append(line)
        with arguments.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        winners = sum(each["verdict"] in ("a", "b") for each in line["verdicts"])
        print(
            f"race {len(lines)}: {line['seconds_measuring']} s of measuring ({line['seconds_in_blocks']} s in blocks),"
            f" {line['seconds_preparing']} s of preparing, decided after {line['decided_after_seconds']} s,"
            f" {line['launches']} launches, {winners} of {len(line['verdicts'])} pairs decided,"
            f" twin {line['twin_verdicts']} {line['twin'] and line['twin']['ratio']},"
            f" slowed {'found' if line['slowed_found'] else 'not found'}, gauge {line['gauge']}",
            flush=True,
        )
    return 1 if summarise(lines[: arguments.races]) else 0


if __name__ == "__main__":
    sys.exit(main())
