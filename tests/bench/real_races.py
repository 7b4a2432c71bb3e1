"""Races between real frameworks (METHOD, "Acceptance", R5), rerun and resumed by one command:

    python -m tests.bench.real_races [--races N] [--budget SECONDS] [--goal winner|order] [--output FILE.jsonl]

Every race has on `mnist-cnn` the main frameworks' default modes, a twin, and `pytorch_slowed`: a copy of PyTorch whose
adapter does 13 steps where 10 are asked for. Environments have to be there already (`advisor env create`). A line of
JSON per race goes to the file; races that are in it are not run again. Then R5's figures are printed: how often the
slowed copy was found, whether a twin was ever called faster, how many of the pairs at least 1.5 times apart were
decided, and whether consecutive pairs of races agree. Exits with 1 when one of R5's bounds is missed.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

import knowledge
from advisor import paths
from bench import machine, race
from bench.engine import start
from bench.environments import Environment, Environments, Report
from bench.plan import Goal, Plan, untwinned
from bench.planning import Wishes, make_plan
from bench.results import Basis, Outcome, Quantity, Results
from bench.store import Block, Store
from bench.workload import load_workloads
from knowledge.faults import BadInput
from knowledge.model import Framework, Knowledge, Recipe

ADAPTERS = Path(__file__).parent / "slowed"
WORKLOAD = "mnist-cnn"
SLOWED, ORIGINAL = "pytorch_slowed:eager", "pytorch:eager"
CANDIDATES = (ORIGINAL, "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid", "keras@jax:fit")
APART = 1.5
"""Pairs further apart than this have to be decided in LEAST_DECIDED of all cases."""

LEAST_DECIDED = 0.95
LEAST_FOUND = 0.9
"""Of the races, in how many the slowed copy has to be found (R5: 9 of 10)."""


class Slowed(Environments):
    """The environments that are there, PyTorch's also for its slowed copy."""

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None:
        return super().find(_original(framework), recipe)

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment:
        return await super().create(_original(framework), recipe, report)


def _original(framework: Framework) -> Framework:
    return msgspec.structs.replace(framework, id=framework.id.removesuffix("_slowed"))


def with_slowed(base: Knowledge) -> Knowledge:
    """The knowledge base with a framework more: PyTorch by another adapter."""
    slowed = msgspec.structs.replace(base.frameworks["pytorch"], id="pytorch_slowed", adapter="pytorch_slowed")
    return msgspec.structs.replace(base, frameworks={**base.frameworks, slowed.id: slowed})


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
) -> tuple[Results, float]:
    """One race: its results, and the seconds it took in all."""
    began = time.monotonic()
    async with start(
        plan, base, environments, store, folder=folder, workloads=load_workloads(), adapters=(ADAPTERS,)
    ) as racing:
        async for _ in racing.events():
            pass
    if racing.results is None:
        raise SystemExit("the race ended before it began")
    return racing.results, time.monotonic() - began


def twin_verdicts(results: Results, blocks: Sequence[Block]) -> list[str]:
    """What the rules would say of each twin, were it a candidate: "a", "b", "tie" or "undecided"."""
    cpu = any(each.quantity is Quantity.CPU_SECONDS for each in results.verdicts)
    launches: dict[int, dict[int, dict[str, float]]] = {}
    for block in blocks:
        if block.complete:
            seconds = block.reading.cpu_step_seconds if cpu else block.reading.step_seconds
            launches.setdefault(block.launch, {}).setdefault(block.round, {})[block.candidate] = math.log(seconds)
    plan, said = results.plan, []
    for twin in plan.twins:
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


def told(results: Results, blocks: Sequence[Block], seconds: float) -> dict[str, Any]:
    """One race as a line of the file."""
    plan = results.plan
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
    """Over races 1 and 2, 3 and 4, ...: pairs apart in both that both decided alike, and all pairs apart in both."""
    same = total = 0
    for first, second in list(pairwise(lines))[::2]:
        for a, b in set(pairs_apart(first)) & set(pairs_apart(second)):
            total += 1
            verdicts = [decided(line).get(frozenset((a, b))) for line in (first, second)]
            same += verdicts[0] is not None and verdicts[0] == verdicts[1]
    return same, total


def summarise(lines: Sequence[dict[str, Any]]) -> int:
    """Print R5's figures; the number of bounds missed."""
    races = len(lines)
    found = sum(line["slowed_found"] for line in lines)
    twins = [verdict for line in lines for verdict in line["twin_verdicts"]]
    named = sum(verdict in ("a", "b") for verdict in twins)
    apart = [(pair, line) for line in lines for pair in pairs_apart(line)]
    settled = sum(frozenset(pair) in decided(line) for pair, line in apart)
    same, both = agreement(lines)
    checks = [
        (f"slowed copy found in {found} of {races} races", found >= math.ceil(LEAST_FOUND * races)),
        (f"a twin called faster in {named} of {len(twins)} cases", named == 0),
        (f"pairs >= {APART} x apart decided: {settled} of {len(apart)}", settled >= LEAST_DECIDED * len(apart)),
        (f"consecutive races agree on {same} of {both} such pairs", same >= LEAST_DECIDED * both),
    ]
    for text, holds in checks:
        print(f"{'holds ' if holds else 'MISSED'} {text}")
    seconds = sorted(line["seconds_in_blocks"] for line in lines)
    print(f"seconds in blocks: median {seconds[races // 2]}, from {seconds[0]} to {seconds[-1]}")
    return sum(not holds for _, holds in checks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--races", type=int, default=10)
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--goal", type=Goal, choices=list(Goal), default=Goal.ORDER)
    parser.add_argument("--output", type=Path, default=Path("real-races.jsonl"))
    arguments = parser.parse_args()
    base = with_slowed(knowledge.load())
    environments = Slowed(paths.environments_folder())
    there = {environment.framework for environment in environments.finished()}
    if missing := {"pytorch", "tensorflow", "keras", "mxnet"} - there:  # said before hours are spent
        parser.error(f"environments are missing: advisor env create {' '.join(sorted(missing))}")
    lines = []
    if arguments.output.exists():
        lines = [json.loads(line) for line in arguments.output.read_text(encoding="utf-8").splitlines()]
    while len(lines) < arguments.races:
        plan = plan_of(base, (*CANDIDATES, SLOWED), arguments.budget, arguments.goal, seed=len(lines))
        temporary = TemporaryDirectory(prefix="real-races-", ignore_cleanup_errors=True)
        with temporary as folder, Store(Path(folder) / "results.sqlite") as store:
            try:
                results, seconds = asyncio.run(run_race(plan, base, environments, store, Path(folder) / "data"))
            except BadInput as bad:  # another race is running
                parser.error(str(bad))
            line = told(results, store.blocks(results.id), seconds)
        lines.append(line)
        with arguments.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        winners = sum(each["verdict"] in ("a", "b") for each in line["verdicts"])
        print(
            f"race {len(lines)}: {line['seconds_in_blocks']} s in blocks, {line['seconds']} s in all,"
            f" {line['launches']} launches, {winners} of {len(line['verdicts'])} pairs decided,"
            f" twin {line['twin_verdicts']} {line['twin'] and line['twin']['ratio']},"
            f" slowed {'found' if line['slowed_found'] else 'not found'}, gauge {line['gauge']}",
            flush=True,
        )
    return 1 if summarise(lines[: arguments.races]) else 0


if __name__ == "__main__":
    sys.exit(main())
