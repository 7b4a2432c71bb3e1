"""CPU seconds of a worker's block over those of a few lines that train the same network by hand.

Both run in one process of the framework's environment, with the same weights and batches: processes differ from launch
to launch by some per cent (METHOD, "Race"), more than is to be found. Of the worker's block everything counts that the
kernel's clock of the process shows from outside, the request and its answer too; of the bare loop only the loop. Blocks
take turns, in random order within a pair, and the process is started anew several times.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

import knowledge
from advisor import paths
from bench import affinity, protocol
from bench.data import PreparedData, prepare
from bench.engine import WORKER
from bench.environments import Environment, Environments, recipe_for
from bench.plan import Candidate
from bench.session import Deadlines, Session, worker_variables
from bench.tensors import read_tensors
from bench.workload import load_workloads
from tests.performance import clocks
from tests.performance.bounds import told
from tests.performance.options import Options

CANDIDATES = ("pytorch:eager", "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid")
WORKLOAD = "mnist-cnn"
FOLDER = Path(__file__).parent
THREADS = 1
BLOCK_SECONDS = 0.5
"""CPU seconds of a block, at least."""

WARM_UP_STEPS = 10
SAME_LOSS = 1e-3
"""How far the first losses may differ, relatively: enough to tell another network, not one rounding from another."""

_DEADLINES = Deadlines()


def _bundle(prepared: PreparedData, learning_rate: float, folder: Path) -> Path:
    """Weights and batches in one file that NumPy alone can read."""
    batches = read_tensors(prepared.batches_manifest)
    inputs = next(array for name, array in batches.items() if name.startswith("inputs"))
    path = folder / "material.npz"
    np.savez(
        path,
        inputs=inputs,
        targets=batches["targets"],
        learning_rate=learning_rate,
        **read_tensors(prepared.weights_manifest),
    )
    return path


async def _start_worker(
    candidate: Candidate, environment: Environment, prepared: PreparedData, material: Path
) -> Session:
    """A worker as the engine starts it, with the bare loop beside its adapter; both are built.

    Raises:
        RuntimeError: the bare loop computes something else.
    """
    adapter = WORKER.parent / "adapters" / f"{knowledge.load().frameworks[candidate.framework].adapter}.py"
    bare = FOLDER / "bare" / f"{candidate.framework}.py"
    variables = {**environment.variables, "ADVISOR_BESIDE": os.pathsep.join(map(str, (adapter, bare, material)))}
    session = await Session.start(
        str(candidate),
        environment.python,
        WORKER,
        worker_variables(variables),
        affinity.choose(THREADS),
        ("--parent", str(os.getpid())),
    )
    load = protocol.Load(
        id=0,
        adapter=str(FOLDER / "beside.py"),
        backend=candidate.backend,
        device="cpu",
        precision="fp32",
        threads=THREADS,
    )
    await session.request(load, protocol.Loaded, "import", _DEADLINES.load)
    build = protocol.Build(
        id=0,
        network=str(prepared.network_json),
        weights=str(prepared.weights_manifest),
        batches=str(prepared.batches_manifest),
        mode=candidate.mode,
    )
    await session.request(build, protocol.Built, "build", _DEADLINES.build)
    status = await session.request(protocol.Status(id=0), protocol.StatusReply, "status", _DEADLINES.status)
    found, expected = float(status.notes[0]), prepared.reference.losses[0]
    if abs(found - expected) > SAME_LOSS * abs(expected):
        raise RuntimeError(f"the bare loop computes something else: {found} instead of {expected}")
    return session


async def _harness(session: Session, steps: int) -> float:
    """CPU seconds that a block of the harness takes in all."""
    before = clocks.of(session.pid)
    await session.request(protocol.Train(id=0, steps=steps, rewarm=0), protocol.Block, "a block", _DEADLINES.trace)
    return clocks.of(session.pid) - before


async def _bare(session: Session, steps: int) -> float:
    """CPU seconds that the bare loop takes for as many steps."""
    request = protocol.Infer(id=0, steps=steps, rewarm=0)
    return (await session.request(request, protocol.Block, "the bare loop", _DEADLINES.trace)).cpu_seconds


async def _launch(
    candidate: Candidate, environment: Environment, prepared: PreparedData, material: Path, pairs: int
) -> list[float]:
    """Harness over bare loop in one new process: the ratio of each pair of blocks."""
    session = await _start_worker(candidate, environment, prepared, material)
    try:
        for run in (_harness, _bare):
            await run(session, WARM_UP_STEPS)
        steps = max(1, round(1.2 * BLOCK_SECONDS * WARM_UP_STEPS / await _bare(session, WARM_UP_STEPS)))
        for run in (_harness, _bare):
            await run(session, steps)  # other lengths of a call may compile anew
        ratios = []
        for _ in range(pairs):
            spent = {run: await run(session, steps) for run in random.sample((_harness, _bare), 2)}
            ratios.append(spent[_harness] / spent[_bare])
        return ratios
    finally:
        await session.kill()


def _environment(candidate: Candidate) -> Environment | None:
    framework = knowledge.load().frameworks[candidate.framework]
    environments = Environments(paths.environments_folder())
    return environments.find(framework, recipe_for(framework, candidate.backend, "cpu"))


@contextmanager
def _material() -> Iterator[tuple[PreparedData, Path]]:
    workload = load_workloads()[WORKLOAD]
    with TemporaryDirectory() as name:
        folder = Path(name)
        prepared = prepare(workload, 0, folder)
        yield prepared, _bundle(prepared, workload.optimiser.learning_rate, folder)


def harness(options: Options) -> None:
    """Target: ratio <= 1.02, upper bound <= 1.05."""
    print(f"CPU seconds of a worker's block / of a bare loop, {WORKLOAD}, {THREADS} thread; target 1.02, bound 1.05")
    with _material() as (prepared, material):
        for name in options.candidates or CANDIDATES:
            candidate = Candidate.parse(name)
            environment = _environment(candidate)
            if environment is None:
                print(f"{name:<24} left out: its environment is not there (advisor env create {candidate.framework})")
                continue
            launches = [
                asyncio.run(_launch(candidate, environment, prepared, material, options.pairs))
                for _ in range(options.launches)
            ]
            pairs = [ratio for launch in launches for ratio in launch]
            medians = [median(launch) for launch in launches]
            print(f"{name:<24} over pairs of blocks {told(pairs)}")
            print(f"{'':<24} over launches        {told(medians)}: {' '.join(f'{each:.3f}' for each in medians)}")


EXPERIMENTS = {"harness over a bare loop": harness}
