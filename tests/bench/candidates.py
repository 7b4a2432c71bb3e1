"""Candidates of the main frameworks as real workers, and how far they are from the reference."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench import affinity, parity, protocol
from bench.data import PreparedData
from bench.plan import Candidate
from bench.readiness import default_candidate
from bench.results import Parity
from bench.session import Session, worker_variables
from bench.tensors import read_tensors
from bench.workload import load_workloads
from knowledge.loader import load
from tests.bench.conftest import MakeEnvironment

MAIN = Path(__file__).parent.parent.parent / "bench" / "worker" / "main.py"
DEADLINE = 600.0  # seconds; torch.compile takes 20 on a quiet machine
FRAMEWORKS = ("pytorch", "tensorflow", "keras", "mxnet", "jax")
WORKLOADS = load_workloads()
KNOWLEDGE = load()
MODES = {
    str(Candidate(framework=framework, backend=backend, mode=mode.id)): mode
    for framework in FRAMEWORKS
    for known in [KNOWLEDGE.frameworks[framework]]
    for backend in (known.backends or (None,))
    for mode in known.modes
}
CANDIDATES = tuple(MODES)
DEFAULTS = tuple(str(default_candidate(KNOWLEDGE.frameworks[framework])) for framework in FRAMEWORKS)


def honest(found: Parity) -> bool:
    """Whether all differences keep to a third of their tolerance, which is what one has to leave (METHOD.md)."""
    assert found.output_difference is not None
    assert found.output_tolerance is not None
    return (
        3 * found.max_relative_difference <= found.tolerance
        and 3 * found.first_update_difference <= found.first_update_tolerance
        and 3 * found.output_difference <= found.output_tolerance
    )


@asynccontextmanager
async def started(candidate: str, environment: MakeEnvironment) -> AsyncIterator[Session]:
    """A worker of the candidate, nothing loaded yet."""
    parsed = Candidate.parse(candidate)
    made = await environment(parsed.framework, parsed.backend)
    session = await Session.start(candidate, made.python, MAIN, worker_variables(made.variables), affinity.choose(1))
    try:
        yield session
    finally:
        await session.kill()


def load_request(candidate: str, **changes: str) -> protocol.Load:
    parsed = Candidate.parse(candidate)
    fields = {"device": "cpu", "precision": "fp32"} | changes
    return protocol.Load(
        id=0,
        adapter=str(MAIN.parent / "adapters" / f"{KNOWLEDGE.frameworks[parsed.framework].adapter}.py"),
        backend=parsed.backend,
        threads=1,
        **fields,
    )


def build_request(material: PreparedData, mode: str) -> protocol.Build:
    return protocol.Build(
        id=0,
        network=str(material.network_json),
        weights=str(material.weights_manifest),
        batches=str(material.batches_manifest),
        mode=mode,
    )


async def certify(
    session: Session, candidate: str, material: PreparedData, folder: Path, precision: str = "fp32"
) -> Parity:
    """Build a workload in a loaded worker, and compare inference before and training from the initial weights.

    Raises:
        bench.session.WorkerFailure: a request was refused, or the worker was lost.
    """
    parsed = Candidate.parse(candidate)
    await session.request(build_request(material, parsed.mode), protocol.Built, "build", DEADLINE)
    outputs, first = folder / "outputs.json", folder / "first.json"
    await session.request(protocol.Predict(id=0, outputs=str(outputs)), protocol.Reply, "predict", DEADLINE)
    trace = protocol.Trace(id=0, steps=parity.STEPS, first_update=str(first))
    traced = await session.request(trace, protocol.Traced, "trace", DEADLINE)
    return parity.compare(
        material.reference,
        traced.losses,
        read_tensors(first),
        read_tensors(outputs)["outputs"],
        precision=precision,
        framework=parsed.framework,
    )
