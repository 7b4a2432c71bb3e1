"""Every candidate of the main frameworks, in its real environment, computes what the reference computes.

Live: makes six environments (a few gigabytes together) and runs the frameworks; minutes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench import affinity, parity, protocol
from bench.data import PreparedData, prepare
from bench.plan import Candidate
from bench.session import Refusal, Session, worker_variables
from bench.tensors import read_tensors
from bench.workload import load_workloads
from knowledge.loader import load
from knowledge.model import Knowledge
from tests.bench.conftest import MakeEnvironment

MAIN = Path(__file__).parent.parent.parent / "bench" / "worker" / "main.py"
DEADLINE = 300.0  # seconds; torch.compile takes 20 on a quiet machine
FRAMEWORKS = ("pytorch", "tensorflow", "keras", "mxnet")
CANDIDATES = [
    str(Candidate(framework=framework, backend=backend, mode=mode.id))
    for framework in FRAMEWORKS
    for known in [load().frameworks[framework]]
    for backend in (known.backends or (None,))
    for mode in known.modes
]
WORKLOADS = load_workloads()

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedData]:
    folder = tmp_path_factory.mktemp("prepared")
    return {name: prepare(workload, 0, folder) for name, workload in WORKLOADS.items()}


@asynccontextmanager
async def loaded(candidate: str, environment: MakeEnvironment, knowledge: Knowledge) -> AsyncIterator[Session]:
    parsed = Candidate.parse(candidate)
    made = await environment(parsed.framework, parsed.backend)
    session = await Session.start(candidate, made.python, MAIN, worker_variables(made.variables), affinity.choose(1))
    try:
        reply = await session.request(load_request(candidate, knowledge), protocol.Loaded, "import", DEADLINE)
        versions = dict(reply.versions)
        assert versions.pop("python").startswith("3.")
        for package, version in versions.items():
            names = (package, "tensorflow-cpu") if package == "tensorflow" else (package,)
            assert version in {made.freeze.get(name) for name in names}, package
        yield session
    finally:
        await session.kill()


def load_request(candidate: str, knowledge: Knowledge, **changes: str) -> protocol.Load:
    parsed = Candidate.parse(candidate)
    fields = {"device": "cpu", "precision": "fp32"} | changes
    return protocol.Load(
        id=0,
        adapter=str(MAIN.parent / "adapters" / f"{knowledge.frameworks[parsed.framework].adapter}.py"),
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


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("candidate", CANDIDATES)
async def test_a_candidate_computes_what_the_reference_does(
    candidate: str,
    workload: str,
    environment: MakeEnvironment,
    knowledge: Knowledge,
    prepared: dict[str, PreparedData],
    tmp_path: Path,
) -> None:
    material = prepared[workload]
    async with loaded(candidate, environment, knowledge) as session:
        build = build_request(material, Candidate.parse(candidate).mode)
        await session.request(build, protocol.Built, "build", DEADLINE)
        first = tmp_path / "first.json"
        trace = protocol.Trace(id=0, steps=parity.STEPS, first_update=str(first))
        traced = await session.request(trace, protocol.Traced, "trace", DEADLINE)
        found = parity.compare(material.reference, traced.losses, read_tensors(first))
        assert found.passed, found
        # A tolerance is at least three times the worst honest candidate (METHOD.md, "Fair blocks").
        assert 3 * found.max_relative_difference <= found.tolerance, found
        assert 3 * found.first_update_difference <= found.first_update_tolerance, found

        for request in (protocol.Train(id=0, steps=4), protocol.Infer(id=0, steps=4)):
            block = await session.request(request, protocol.Block, "block", DEADLINE)
            assert block.steps == 4
            assert block.cpu_seconds > 0
        status = await session.request(protocol.Status(id=0), protocol.StatusReply, "status", DEADLINE)
        assert status.threads == 1
        assert status.threads_seen >= 1
        assert status.peak_rss_bytes > 50_000_000
        assert status.gpu_memory_bytes is None
        assert (await session.request(protocol.Close(id=0), protocol.Reply, "close", DEADLINE)).ok


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_device_a_precision_or_a_mode_it_has_not_is_refused(
    framework: str, environment: MakeEnvironment, knowledge: Knowledge, prepared: dict[str, PreparedData]
) -> None:
    candidate = next(candidate for candidate in CANDIDATES if candidate.partition("@")[0].startswith(framework))
    parsed = Candidate.parse(candidate)
    made = await environment(framework, parsed.backend)
    session = await Session.start(candidate, made.python, MAIN, worker_variables(made.variables), affinity.choose(1))
    try:
        for changes, kind in (({"precision": "bf16"}, "precision"), ({"device": "cuda:99"}, "device")):
            with pytest.raises(Refusal) as refused:
                await session.request(
                    load_request(candidate, knowledge, **changes), protocol.Loaded, "import", DEADLINE
                )
            assert refused.value.kind == kind
            assert refused.value.mend
        await session.request(load_request(candidate, knowledge), protocol.Loaded, "import", DEADLINE)
        build = build_request(prepared["pm25-lstm"], "no_such_mode")
        with pytest.raises(Refusal) as refused:
            await session.request(build, protocol.Built, "build", DEADLINE)
        assert refused.value.kind == "build"
    finally:
        await session.kill()


async def test_compile_without_a_compiler_is_refused_before_it_is_tried(
    environment: MakeEnvironment, knowledge: Knowledge, prepared: dict[str, PreparedData], tmp_path: Path
) -> None:
    made = await environment("pytorch", None)
    variables = worker_variables(made.variables) | {"PATH": str(tmp_path), "CXX": ""}
    session = await Session.start("pytorch:compile", made.python, MAIN, variables, affinity.choose(1))
    try:
        request = load_request("pytorch:compile", knowledge)
        await session.request(request, protocol.Loaded, "import", DEADLINE)
        build = build_request(prepared["pm25-lstm"], "compile")
        with pytest.raises(Refusal) as refused:
            await session.request(build, protocol.Built, "build", DEADLINE)
        assert refused.value.kind == "compiler"
        assert "g++" in str(refused.value)
    finally:
        await session.kill()
