"""Every candidate of the main frameworks, in its real environment, computes what the reference computes.

Live: makes six environments (a few gigabytes together) and runs the frameworks; minutes. The full matrix, with more
seeds, is `python -m tests.bench.parity_matrix`.
"""

import asyncio
import subprocess
from pathlib import Path

import pytest

from bench import affinity, parity, protocol
from bench.data import PreparedData
from bench.plan import Candidate
from bench.results import Parity
from bench.session import Refusal, Session, WorkerFailure, worker_variables
from bench.tensors import Array, read_tensors, write_tensors
from tests.bench.candidates import (
    CANDIDATES,
    DEADLINE,
    DEFAULTS,
    FRAMEWORKS,
    MAIN,
    WORKLOADS,
    build_request,
    certify,
    honest,
    load_request,
    started,
)
from tests.bench.conftest import MakeEnvironment, MakeMaterial

SMALL = ("mnist-cnn", "pm25-lstm")
"""What other modes and backends than a framework's default are tried on, and every request is sent on."""

MIXED = (
    "pytorch:eager",
    "tensorflow:function",
    "keras@tensorflow:fit",
    "keras@pytorch:custom",
    "keras@jax:custom",
    "jax:jit",
)

pytestmark = pytest.mark.live


@pytest.mark.parametrize("candidate", CANDIDATES)
async def test_a_candidate_computes_what_the_reference_does(
    candidate: str, environment: MakeEnvironment, prepared: MakeMaterial, tmp_path: Path
) -> None:
    """One worker, one workload after another."""
    wrong = {}
    async with started(candidate, environment) as session:
        loaded = await session.request(load_request(candidate), protocol.Loaded, "import", DEADLINE)
        await versions_are_the_environment_s(candidate, loaded, environment)
        for workload in WORKLOADS if candidate in DEFAULTS else SMALL:
            material = prepared(workload)
            try:
                found = await certify(session, candidate, material, tmp_path)
            except WorkerFailure as failure:
                wrong[workload] = str(failure)
                assert not session.lost.done(), wrong
                continue
            # A tolerance is at least three times the worst honest candidate (METHOD.md, "Fair blocks").
            if not honest(found):
                wrong[workload] = str(found)
            # Another batch size is compiled anew: minutes on all workloads, and the same code on each.
            if workload in (SMALL if candidate in DEFAULTS else SMALL[1:]):
                await everything_else_is_served(session, material, tmp_path)
        assert (await session.request(protocol.Close(id=0), protocol.Reply, "close", DEADLINE)).ok
    assert not wrong


async def versions_are_the_environment_s(candidate: str, loaded: protocol.Loaded, environment: MakeEnvironment) -> None:
    parsed = Candidate.parse(candidate)
    made = await environment(parsed.framework, parsed.backend)
    versions = dict(loaded.versions)
    assert versions.pop("python").startswith("3.")
    for package, version in versions.items():
        names = (package, "tensorflow-cpu") if package == "tensorflow" else (package,)
        assert version in {made.freeze.get(name) for name in names}, package


async def everything_else_is_served(session: Session, material: PreparedData, folder: Path) -> None:
    for request in (protocol.Train(id=0, steps=4), protocol.Infer(id=0, steps=4)):
        block = await session.request(request, protocol.Block, "block", DEADLINE)
        assert block.steps == 4
        assert block.cpu_seconds > 0
    status = await session.request(protocol.Status(id=0), protocol.StatusReply, "status", DEADLINE)
    assert status.threads == 1
    assert status.threads_seen >= 1
    assert status.peak_rss_bytes > 50_000_000
    assert status.gpu_memory_bytes is None
    assert not status.copy_included
    assert (await session.request(protocol.Copy(id=0, steps=2), protocol.Copied, "copy", DEADLINE)).seconds is None
    product = protocol.Gemm(id=0, size=64, repeats=2)
    assert (await session.request(product, protocol.Multiplied, "gemm", DEADLINE)).seconds > 0
    smaller = folder / "smaller.json"
    write_tensors(smaller, of_half_the_size(material.batches_manifest))
    await session.request(protocol.Batches(id=0, batches=str(smaller)), protocol.Reply, "batches", DEADLINE)
    await session.request(protocol.Train(id=0, steps=2), protocol.Block, "block", DEADLINE)
    latencies = await session.request(protocol.Latency(id=0, calls=3), protocol.Latencies, "latency", DEADLINE)
    assert len(latencies.seconds) == 3
    await session.request(
        protocol.Predict(id=0, outputs=str(folder / "half.json")), protocol.Reply, "predict", DEADLINE
    )
    full, half = (read_tensors(folder / name)["outputs"].shape for name in ("outputs.json", "half.json"))
    assert half == (full[0] // 2, *full[1:])


def of_half_the_size(manifest: Path) -> dict[str, Array]:
    tensors = read_tensors(manifest)
    half = tensors["targets"].shape[1] // 2
    return {name: tensor if name.startswith("steps.") else tensor[:, :half] for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("candidate", "again"),
    [
        ("pytorch:compile", 7),
        ("keras@jax:custom", 7),
        ("tensorflow:function", 0),  # the length is a tensor, its loop a tf.while_loop
        ("tensorflow:xla", 7),
        ("mxnet:hybrid", 0),  # Gluon's foreach goes over however many there are
        ("jax:jit", 7),
    ],
)
async def test_a_length_that_changes_is_compiled_anew_and_counted(
    candidate: str, again: int, environment: MakeEnvironment, prepared: MakeMaterial, tmp_path: Path
) -> None:
    """Eight lengths in turn, which some engines take as they come; where the length stays, and from one network to the
    next, nothing is counted."""
    async with started(candidate, environment) as session:
        await session.request(load_request(candidate), protocol.Loaded, "import", DEADLINE)
        counted = {}
        for workload in ("dynamic-rnn", "dynamic-rnn-constant"):
            await certify(session, candidate, prepared(workload), tmp_path)
            status = await session.request(protocol.Status(id=0), protocol.StatusReply, "status", DEADLINE)
            counted[workload] = status.recompilations
    assert counted == {"dynamic-rnn": again, "dynamic-rnn-constant": 0}


@pytest.mark.parametrize("candidate", MIXED)
async def test_bf16_is_what_it_computes_in(
    candidate: str, environment: MakeEnvironment, prepared: MakeMaterial, tmp_path: Path
) -> None:
    async with started(candidate, environment) as session:
        await session.request(load_request(candidate, precision="bf16"), protocol.Loaded, "import", DEADLINE)
        for workload in ("mlp-tabular", "transformer-lm"):
            found = await certify(session, candidate, prepared(workload), tmp_path, "bf16")
            assert found.passed, found
            assert found.max_relative_difference > parity.LOSS_TOLERANCE, workload
            assert (found.output_difference or 0) > parity.OUTPUT_TOLERANCE, workload
            for name, tensor in read_tensors(tmp_path / "first.json").items():
                assert tensor.dtype == "float32", name


async def test_an_lstm_in_bf16_is_computed_or_refused_as_the_precision_it_is(
    environment: MakeEnvironment, prepared: MakeMaterial, tmp_path: Path
) -> None:
    """oneDNN has it only for CPUs with instructions for bfloat16, and does not say so before it runs."""
    async with started("pytorch:eager", environment) as session:
        await session.request(load_request("pytorch:eager", precision="bf16"), protocol.Loaded, "import", DEADLINE)
        outcome: Parity | Refusal
        try:
            outcome = await certify(session, "pytorch:eager", prepared("pm25-lstm"), tmp_path, "bf16")
        except Refusal as refusal:
            outcome = refusal
        if isinstance(outcome, Refusal):
            assert (outcome.kind, outcome.mend) == ("precision", "use --precision fp32")
        else:
            assert outcome.passed, outcome
        found = await certify(session, "pytorch:eager", prepared("mlp-tabular"), tmp_path, "bf16")
        assert found.passed, found


async def test_bf16_without_kernels_is_refused_before_it_is_tried(environment: MakeEnvironment) -> None:
    async with started("mxnet:hybrid", environment) as session:
        request = load_request("mxnet:hybrid", precision="bf16")
        with pytest.raises(Refusal) as refused:
            await session.request(request, protocol.Loaded, "import", DEADLINE)
        assert refused.value.kind == "precision"
        assert refused.value.mend == "use --precision fp32"


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_device_a_precision_or_a_mode_it_has_not_is_refused(
    framework: str, environment: MakeEnvironment, prepared: MakeMaterial
) -> None:
    candidate = next(candidate for candidate in CANDIDATES if candidate.partition("@")[0].startswith(framework))
    async with started(candidate, environment) as session:
        for changes, kind in (({"precision": "tf32"}, "precision"), ({"device": "cuda:99"}, "device")):
            with pytest.raises(Refusal) as refused:
                await session.request(load_request(candidate, **changes), protocol.Loaded, "import", DEADLINE)
            assert refused.value.kind == kind
            assert refused.value.mend
        await session.request(load_request(candidate), protocol.Loaded, "import", DEADLINE)
        build = build_request(prepared("pm25-lstm"), "no_such_mode")
        with pytest.raises(Refusal) as refused:
            await session.request(build, protocol.Built, "build", DEADLINE)
        assert refused.value.kind == "build"


BOTH_SWITCHES = """
import importlib.util, sys
for name in ("kit", "runtimes"):
    spec = importlib.util.spec_from_file_location("advisor_" + name, "%s/%s.py" % (sys.argv[1], name))
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
runtime = module.Torch("cpu", "fp32", 1)
for on in (False, True):
    runtime._set_tf32(on)
    backends = runtime.torch.backends
    print(backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, runtime.torch.get_float32_matmul_precision())
"""


async def test_what_torch_compile_reads_of_tf32_is_what_was_set(environment: MakeEnvironment) -> None:
    """It reads the older switches when it compiles for a GPU, and those raise where they disagree with the newer."""
    made = await environment("pytorch", None)
    command = [str(made.python), "-I", "-c", BOTH_SWITCHES, str(MAIN.parent)]
    read = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert read.stdout == "False False highest\nTrue True high\n", read.stderr


async def test_compile_without_a_compiler_is_refused_before_it_is_tried(
    environment: MakeEnvironment, prepared: MakeMaterial, tmp_path: Path
) -> None:
    made = await environment("pytorch", None)
    variables = worker_variables(made.variables) | {"PATH": str(tmp_path), "CXX": ""}
    session = await Session.start("pytorch:compile", made.python, MAIN, variables, affinity.choose(1))
    try:
        request = load_request("pytorch:compile")
        await session.request(request, protocol.Loaded, "import", DEADLINE)
        build = build_request(prepared("pm25-lstm"), "compile")
        with pytest.raises(Refusal) as refused:
            await session.request(build, protocol.Built, "build", DEADLINE)
        assert refused.value.kind == "compiler"
        assert "g++" in str(refused.value)
    finally:
        await session.kill()
