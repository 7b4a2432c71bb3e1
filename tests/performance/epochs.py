"""A race beside the fixed-epoch protocol of the old guides: ten full epochs of every candidate, one after another."""

import asyncio
import time
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import knowledge
from advisor import paths
from bench import engine, exchange, machine
from bench.environments import Environments
from bench.events import RaceFinished, RoundStarted
from bench.plan import Candidate
from bench.planning import Wishes, make_plan
from bench.results import Results, Run
from bench.store import Store
from bench.workload import load_workloads
from tests.performance import harness
from tests.performance.options import Options

WORKLOAD = "mnist-cnn"
EPOCHS = 10
"""What the guide's experiment ran (bench/workloads/mnist-cnn.yaml, `source`)."""

CHUNK_STEPS = 50
TARGET = 20.0


async def _race(options: Options, folder: Path) -> tuple[Results, float, float]:
    """(results, seconds of the whole race, seconds until its first round)."""
    base, workloads = knowledge.load(), load_workloads()
    wishes = Wishes(
        candidates=options.candidates,
        workloads=(WORKLOAD,),
        device="cpu",
        budget_seconds=options.budget,
    )
    environments = Environments(paths.environments_folder())
    plan = make_plan(wishes, base, tuple(workloads), machine.devices())
    prepared = seconds = 0.0
    with Store(folder / "results.sqlite") as store:
        async with engine.start(plan, base, environments, store, folder=folder / "data", workloads=workloads) as race:
            async for event in race.events():
                if isinstance(event, RoundStarted) and not prepared:
                    prepared = event.at_seconds
                if isinstance(event, RaceFinished):
                    seconds = event.at_seconds
    assert race.results is not None
    return race.results, seconds, prepared


def _spent(run: Run) -> float:
    """What a run took of a race, from its result: starts, first steps and blocks. Waiting and warm-up are not in it."""
    steps = run.step_seconds
    assert steps is not None
    return run.launches * _start(run) + steps.blocks * steps.steps_per_block * steps.median


def _start(run: Run) -> float:
    return sum(seconds or 0.0 for seconds in (run.import_seconds, run.build_seconds, run.first_step_seconds))


def _ten_epochs(run: Run, samples: int) -> float:
    """Seconds that the fixed protocol takes of one candidate, at the step time measured."""
    assert run.step_seconds is not None
    assert run.batch is not None
    return _start(run) + EPOCHS * ceil(samples / run.batch) * run.step_seconds.median


async def _really(name: str) -> tuple[float, int]:
    """(seconds, steps) of ten real epochs of one candidate, its start included."""
    candidate = Candidate.parse(name)
    environment = harness._environment(candidate)
    if environment is None:
        raise SystemExit(f"{name}: its environment is not there (advisor env create {candidate.framework})")
    with harness._material() as (prepared, _, _):
        workload = load_workloads()[WORKLOAD]
        steps = EPOCHS * ceil(workload.epoch_samples / workload.batch)
        started = time.monotonic()
        session = await harness._start_worker(candidate, environment, prepared)
        try:
            for done in range(0, steps, CHUNK_STEPS):
                await harness._train(session, min(CHUNK_STEPS, steps - done))
        finally:
            await session.kill()
        return time.monotonic() - started, steps


def epochs(options: Options) -> None:
    """Target: a race takes a twentieth of the fixed protocol's time, or less."""
    samples = load_workloads()[WORKLOAD].epoch_samples
    if options.results is not None:
        results = exchange.decode(Path(options.results).read_bytes(), options.results)
        seconds = sum(_spent(run) for run in results.runs if run.workload == WORKLOAD and run.step_seconds)
        how = "of starts and blocks in the result given"
    else:
        with TemporaryDirectory() as folder:
            results, seconds, prepared = asyncio.run(_race(options, Path(folder)))
        how = f"of a fresh race, {prepared:.0f} of them before its first round"
    runs = [run for run in results.runs if run.workload == WORKLOAD and run.phase == "train" and run.step_seconds]
    if not runs:
        raise SystemExit(f"{WORKLOAD}: nothing was measured: {[run.reason for run in results.runs]}")
    decided = sum(verdict.verdict.value != "undecided" for verdict in results.verdicts)
    print(f"{WORKLOAD}: {seconds:.0f} s {how}; {decided} of {len(results.verdicts)} pairs decided")
    for run in runs:
        print(f"  {run.candidate:<24} ten epochs {_ten_epochs(run, samples):8.0f} s")
    total = sum(_ten_epochs(run, samples) for run in runs)
    print(f"ten full epochs of each: {total:.0f} s, {total / seconds:.1f} times the race; target {TARGET:.0f}")
    if options.really:
        took, steps = asyncio.run(_really(options.really))
        print(f"{options.really}: ten real epochs ({steps} steps) took {took:.0f} s")


EXPERIMENTS = {"race against fixed epochs": epochs}
