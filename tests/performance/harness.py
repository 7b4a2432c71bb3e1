"""CPU seconds per step of a worker's block over those of a few lines that train the same network by hand.

Both are processes of the framework's own environment with the same weights, batches, variables and CPUs. Blocks take
turns, in random order within a pair. What a block costs is read from outside, by the kernel's clock of each process:
all that the worker does for a block counts, not only what it times itself. Processes differ from launch to launch by
some per cent (METHOD, "Race"), so both are started anew several times.
"""

import asyncio
import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
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
from bench.worker import main as worker_main
from bench.workload import load_workloads
from tests.performance import clocks
from tests.performance.bounds import told
from tests.performance.options import Options

CANDIDATES = ("pytorch:eager", "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid")
WORKLOAD = "mnist-cnn"
THREADS = 1
BLOCK_SECONDS = 0.5
"""CPU seconds of a block, at least."""

WARM_UP_STEPS = 10
SAME_LOSS = 1e-3
"""How far the first losses may differ, relatively: enough to tell another network, not one rounding from another."""

_DEADLINES = Deadlines()


class Bare:
    """The few lines in a process of their own."""

    def __init__(self, candidate: Candidate, environment: Environment, material: Path, folder: Path) -> None:
        variables = {
            **environment.variables,
            "TMPDIR": str(folder),
            **worker_main.FIXED_ENVIRONMENT,
            **dict.fromkeys(worker_main.THREAD_VARIABLES, str(THREADS)),
            "NVIDIA_TF32_OVERRIDE": "0",
        }
        program = Path(__file__).parent / "bare" / f"{candidate.framework}.py"
        with affinity.inherited(affinity.choose(THREADS)):
            self._process = subprocess.Popen(
                # -I keeps the folder of the program off the path: its files are named like frameworks.
                [str(environment.python), "-I", str(program), str(material), str(THREADS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=worker_variables(variables),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def train(self, steps: int) -> float:
        """Train so many steps; the last one's loss.

        Raises:
            RuntimeError: it ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("loss "):
                return float(line.split()[1])
        raise RuntimeError(f"the bare loop ended with status {self._process.wait()}")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


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


async def _start_worker(candidate: Candidate, environment: Environment, prepared: PreparedData) -> Session:
    """A worker as the engine starts it, built and past its first step."""
    session = await Session.start(
        str(candidate),
        environment.python,
        WORKER,
        worker_variables(environment.variables),
        affinity.choose(THREADS),
        ("--parent", str(os.getpid())),
    )
    adapter = WORKER.parent / "adapters" / f"{knowledge.load().frameworks[candidate.framework].adapter}.py"
    load = protocol.Load(
        id=0, adapter=str(adapter), backend=candidate.backend, device="cpu", precision="fp32", threads=THREADS
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
    return session


async def _train(session: Session, steps: int) -> None:
    await session.request(protocol.Train(id=0, steps=steps, rewarm=0), protocol.Block, "a block", _DEADLINES.trace)


async def _launch(
    candidate: Candidate, environment: Environment, prepared: PreparedData, material: Path, folder: Path, pairs: int
) -> list[float]:
    """Harness over bare loop in one pair of new processes: the ratio of each pair of blocks."""
    bare = Bare(candidate, environment, material, folder)
    session = None
    try:
        first = await asyncio.to_thread(bare.train, 1)
        expected = prepared.reference.losses[0]
        if abs(first - expected) > SAME_LOSS * abs(expected):
            raise RuntimeError(f"the bare loop computes something else: {first} instead of {expected}")
        session = await _start_worker(candidate, environment, prepared)
        await _train(session, WARM_UP_STEPS)
        await asyncio.to_thread(bare.train, WARM_UP_STEPS)
        before = clocks.of(bare.pid)
        await asyncio.to_thread(bare.train, WARM_UP_STEPS)
        steps = max(1, round(1.2 * BLOCK_SECONDS * WARM_UP_STEPS / (clocks.of(bare.pid) - before)))
        await _train(session, steps)  # other lengths of a call may compile anew
        await asyncio.to_thread(bare.train, steps)
        ratios = []
        for _ in range(pairs):
            spent = {}
            for which in random.sample(("harness", "bare"), 2):
                pid = session.pid if which == "harness" else bare.pid
                before = clocks.of(pid)
                if which == "harness":
                    await _train(session, steps)
                else:
                    await asyncio.to_thread(bare.train, steps)
                spent[which] = clocks.of(pid) - before
            ratios.append(spent["harness"] / spent["bare"])
        return ratios
    finally:
        bare.close()
        if session is not None:
            await session.kill()


def _environment(candidate: Candidate) -> Environment | None:
    framework = knowledge.load().frameworks[candidate.framework]
    environments = Environments(paths.environments_folder())
    return environments.find(framework, recipe_for(framework, candidate.backend, "cpu"))


@contextlib.contextmanager
def _material() -> Iterator[tuple[PreparedData, Path, Path]]:
    workload = load_workloads()[WORKLOAD]
    with TemporaryDirectory() as name:
        folder = Path(name)
        prepared = prepare(workload, 0, folder)
        yield prepared, _bundle(prepared, workload.optimiser.learning_rate, folder), folder


def harness(options: Options) -> None:
    """Target: ratio <= 1.02, upper bound <= 1.05."""
    print(f"CPU seconds of a worker's block / of a bare loop, {WORKLOAD}, {THREADS} thread; target 1.02, bound 1.05")
    with _material() as (prepared, material, folder):
        for name in options.candidates or CANDIDATES:
            candidate = Candidate.parse(name)
            environment = _environment(candidate)
            if environment is None:
                print(f"{name:<24} left out: its environment is not there (advisor env create {candidate.framework})")
                continue
            launches = [
                asyncio.run(_launch(candidate, environment, prepared, material, folder, options.pairs))
                for _ in range(options.launches)
            ]
            pairs = [ratio for launch in launches for ratio in launch]
            medians = [median(launch) for launch in launches]
            print(f"{name:<24} over pairs of blocks {told(pairs)}")
            print(f"{'':<24} over launches        {told(medians)}: {' '.join(f'{each:.3f}' for each in medians)}")


EXPERIMENTS = {"harness over a bare loop": harness}
