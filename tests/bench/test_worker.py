"""The worker itself, as a real process under every Python found here, with a framework made of nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest

from bench import protocol
from bench.environments import interpreters
from bench.tensors import read_tensors, write_tensors

ROOT = Path(__file__).parent.parent.parent
MAIN = ROOT / "bench" / "worker" / "main.py"
ECHO = Path(__file__).parent / "echo_adapter.py"
PYTHONS = {minor: path for minor, path in interpreters().items() if tuple(map(int, minor.split("."))) >= (3, 6)}
ENDS_WITHIN = 20.0  # seconds; only how long a test waits before it calls a process stuck

ReplyType = TypeVar("ReplyType", bound=protocol.Reply)


class Worker:
    """A worker process and its two pipes."""

    def __init__(self, python: Path | str = sys.executable, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [python, "-I", MAIN, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **variables},
        )

    def line(self, line: bytes) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def ask(self, request: msgspec.Struct, reply: type[ReplyType]) -> ReplyType:
        return msgspec.convert(self.line(msgspec.json.encode(request)), reply)

    def refusal(self, request: msgspec.Struct) -> protocol.Reply:
        reply = self.ask(request, protocol.Reply)
        assert not reply.ok
        return reply


@contextlib.contextmanager
def worker(python: Path | str = sys.executable, *arguments: str, **variables: str) -> Iterator[Worker]:
    started = Worker(python, *arguments, **variables)
    try:
        yield started
    finally:
        started.process.kill()
        for pipe in (started.process.stdin, started.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        started.process.wait()


def load(adapter: Path = ECHO, **changes: Any) -> protocol.Load:
    fields: dict[str, Any] = {
        "id": 1,
        "adapter": str(adapter),
        "backend": None,
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
    }
    return protocol.Load(**(fields | changes))


@pytest.fixture
def build(tmp_path: Path) -> protocol.Build:
    (tmp_path / "network.json").write_text(json.dumps({"layers": [], "optimiser": {"learning_rate": 0.1}}))
    write_tensors(tmp_path / "weights.json", {"w": np.zeros(2, np.float32)})
    write_tensors(tmp_path / "batches.json", {"inputs": np.zeros((2, 3), np.float32)})
    return protocol.Build(
        id=2,
        network=str(tmp_path / "network.json"),
        weights=str(tmp_path / "weights.json"),
        batches=str(tmp_path / "batches.json"),
        mode="echo",
    )


def with_mode(build: protocol.Build, mode: str) -> protocol.Build:
    return msgspec.structs.replace(build, mode=mode)


@pytest.mark.parametrize("minor", PYTHONS)
def test_a_whole_conversation_under_every_python(minor: str, build: protocol.Build, tmp_path: Path) -> None:
    with worker(PYTHONS[minor], "--parent", str(os.getpid()), PYTHONPATH=str(ROOT)) as echo:
        loaded = echo.ask(load(), protocol.Loaded)
        assert loaded.versions["echo"] == "1"
        assert loaded.versions["python"].startswith(minor)
        assert echo.ask(build, protocol.Built).build_seconds >= 0
        traced = echo.ask(protocol.Trace(id=3, steps=3, first_update=str(tmp_path / "first.json")), protocol.Traced)
        assert traced.losses == (1.0, 1.0, 0.5)
        assert read_tensors(tmp_path / "first.json")["w"].tolist() == [1.0, 2.0]
        block = echo.ask(protocol.Train(id=4, steps=5, rewarm=2), protocol.Block)
        assert (block.id, block.steps) == (4, 5)
        assert block.wall_seconds > 0
        assert echo.ask(protocol.Infer(id=5, steps=7), protocol.Block).steps == 7
        predict = protocol.Predict(id=5, outputs=str(tmp_path / "outputs.json"))
        assert echo.ask(predict, protocol.Predicted).first_step_seconds > 0
        assert read_tensors(tmp_path / "outputs.json")["outputs"].tolist() == [1.0, 2.0]
        latencies = echo.ask(protocol.Latency(id=5, calls=4), protocol.Latencies).seconds
        assert len(latencies) == 4
        assert min(latencies) > 0
        assert echo.ask(protocol.Copy(id=5, steps=3), protocol.Copied).seconds is None
        assert echo.ask(protocol.Gemm(id=5, size=10, repeats=2), protocol.Multiplied).seconds > 0
        status = echo.ask(protocol.Status(id=6), protocol.StatusReply)
        counts, *notes = status.notes
        # 3 traced, 2 + 5 trained, 1 + 7 inferred, 1 + 4 for latency; one step tells there is nothing to copy.
        assert counts == "23 steps, 1 copied, 30 products"
        assert (status.recompilations, status.graph_breaks, status.copy_included) == (None, None, False)
        assert status.page_faults_per_step is not None
        assert status.kernel_share is not None
        assert 0 <= status.kernel_share <= 1
        assert notes[:2] == ["w", "inputs"]
        assert status.peak_rss_bytes > 1_000_000
        assert status.gpu_memory_bytes is None
        paths = [Path(note.removeprefix("path ")) for note in notes[2:]]
        assert ROOT not in paths
        assert not [path for path in paths if path.is_relative_to(MAIN.parent)], "an adapter would hide its framework"
        assert echo.ask(protocol.Close(id=7), protocol.Reply).ok
        assert echo.process.wait(ENDS_WITHIN) == 0
        assert echo.process.stdout is not None
        assert echo.process.stdout.read() == b""


def test_one_worker_serves_one_network_after_another(build: protocol.Build, tmp_path: Path) -> None:
    with worker() as echo:
        echo.ask(load(), protocol.Loaded)
        echo.ask(build, protocol.Built)
        echo.ask(protocol.Train(id=3, steps=5), protocol.Block)
        write_tensors(tmp_path / "others.json", {"others": np.zeros((2, 7), np.float32)})
        assert echo.ask(protocol.Batches(id=4, batches=str(tmp_path / "others.json")), protocol.Reply).ok
        assert echo.ask(with_mode(build, "copy"), protocol.Built).ok
        assert (echo.ask(protocol.Copy(id=5, steps=3), protocol.Copied).seconds or 0) > 0
        counts, *notes = echo.ask(protocol.Status(id=6), protocol.StatusReply).notes
        assert counts == "0 steps, 4 copied, 0 products"
        assert "others" not in notes


def test_a_build_that_fails_leaves_nothing_to_run(build: protocol.Build, tmp_path: Path) -> None:
    with worker() as echo:
        echo.ask(load(), protocol.Loaded)
        echo.ask(build, protocol.Built)
        (tmp_path / "network.json").write_text("{}")
        assert echo.refusal(build).kind == "build"
        assert "build has to come first" in (echo.refusal(protocol.Train(id=3, steps=1)).error or "")


@pytest.mark.parametrize(
    "request_",
    [
        protocol.Predict(id=3, outputs="outputs.json"),
        protocol.Batches(id=3, batches="batches.json"),
        protocol.Gemm(id=3, size=10, repeats=1),
    ],
)
def test_what_an_adapter_leaves_out_is_refused_and_does_not_end_it(
    request_: protocol.Predict | protocol.Batches | protocol.Gemm, build: protocol.Build, tmp_path: Path
) -> None:
    least = (
        "import advisor_kit as kit\n"
        "class Adapter(kit.Adapter):\n"
        "    def __init__(self, backend, device, precision, threads): pass\n"
        "    def build(self, network, weights, batches, mode): pass\n"
        "    def infer(self, steps): pass\n"
        "    def synchronise(self): pass\n"
        "    def threads(self): return 1\n"
        "    def versions(self): return {}\n"
    )
    (tmp_path / "adapter.py").write_text(least)
    if isinstance(request_, protocol.Batches):
        request_ = msgspec.structs.replace(request_, batches=build.batches)
    with worker() as bare:
        bare.ask(load(tmp_path / "adapter.py"), protocol.Loaded)
        bare.ask(build, protocol.Built)
        reply = bare.refusal(request_)
        assert reply.kind == "run"
        assert "this adapter" in (reply.error or "")
        assert bare.ask(protocol.Copy(id=4, steps=1), protocol.Copied).seconds is None
        assert len(bare.ask(protocol.Latency(id=5, calls=2), protocol.Latencies).seconds) == 2
        assert bare.ask(protocol.Status(id=6), protocol.StatusReply).recompilations is None


def test_what_runs_beside_a_framework_is_written_for_python_3_6_and_later() -> None:
    command = [sys.executable, "-c", "from vermin import main; main()", "--no-tips", "--quiet", "-t=3.6-"]
    idioms = ROOT / "bench" / "idioms"
    code = [MAIN.parent, ECHO, idioms / "runner.py", idioms / "weights"]
    found = subprocess.run([*command, *map(str, code)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    newer = subprocess.run([*command, str(Path(__file__))], capture_output=True, text=True, check=False)
    assert newer.returncode != 0, "vermin would let anything pass"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\xff\xfe",
        b"[]",
        b"{}",
        b'"train"',
        b'{"do": "train", "steps": 1}',
        b'{"do": "train", "id": true, "steps": 1}',
        b'{"do": "fly", "id": 9}',
        b'{"do": "__init__", "id": 9}',
        b'{"do": ["train"], "id": 9}',
        b'{"do": "load", "id": 9}',
        b'{"do": "load", "id": 9, "adapter": 1, "threads": 1}',
        b"[" * 100_000,
        b"x" * 3_000_000,
    ],
    ids=lambda line: f"{line[:24]!r}*{len(line)}",
)
def test_garbage_gets_one_protocol_error_and_the_worker_goes_on(line: bytes) -> None:
    with worker() as echo:
        reply = msgspec.convert(echo.line(line), protocol.Reply)
        assert (reply.ok, reply.kind) == (False, "protocol")
        assert reply.error
        assert reply.id == (9 if b'"id": 9' in line else -1)
        assert echo.ask(load(), protocol.Loaded).ok


def test_requests_out_of_order_are_refused(build: protocol.Build) -> None:
    with worker() as echo:
        for early in (build, protocol.Train(id=1, steps=1), protocol.Status(id=1)):
            assert echo.refusal(early).kind == "protocol"
        assert echo.ask(load(), protocol.Loaded).ok
        assert echo.refusal(load()).kind == "protocol"
        assert echo.refusal(protocol.Train(id=1, steps=1)).kind == "protocol"
        assert echo.ask(build, protocol.Built).ok
        assert echo.refusal(protocol.Train(id=1, steps=0)).kind == "protocol"
        assert echo.refusal(protocol.Train(id=1, steps=1, rewarm=-1)).kind == "protocol"
        assert echo.refusal(protocol.Latency(id=1, calls=0)).kind == "protocol"
        assert echo.refusal(protocol.Copy(id=1, steps=0)).kind == "protocol"
        assert echo.refusal(protocol.Gemm(id=1, size=0, repeats=1)).kind == "protocol"
        assert echo.ask(protocol.Train(id=1, steps=1, rewarm=0), protocol.Block).ok


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"device": "cuda:0"}, "device"), ({"precision": "bf16"}, "precision"), ({"threads": 0}, "protocol")],
)
def test_what_an_adapter_cannot_do_is_refused_with_its_kind(changes: dict[str, Any], kind: str) -> None:
    with worker() as echo:
        assert echo.refusal(load(**changes)).kind == kind
        assert echo.ask(load(), protocol.Loaded).ok


@pytest.mark.parametrize(
    ("source", "kind", "problem", "mend"),
    [
        ("import no_such_framework", "import", "no_such_framework", "create it again"),
        (
            "raise OSError('libquadmath.so.0: cannot open shared object file: No such file or directory')",
            "library",
            "libquadmath.so.0",
            "libquadmath0",
        ),
        (
            "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')",
            "library",
            "libgomp.so.1",
            "libgomp1",
        ),
        (
            "raise ImportError('dlopen(x.so, 2): Library not loaded: @rpath/libomp.dylib')",
            "library",
            "libomp.dylib",
            "libomp.dylib",
        ),
        ("import math; math.bool", "import", "no attribute 'bool'", "create it again"),
        ("raise RuntimeError('two\\nlines')", "run", "RuntimeError: two lines", None),
        ("raise SystemExit(1)", "run", "SystemExit", None),
        ("def broken(:", "run", "SyntaxError", None),
    ],
)
def test_an_import_that_fails_says_what_is_missing(
    tmp_path: Path, source: str, kind: str, problem: str, mend: str | None
) -> None:
    (tmp_path / "adapter.py").write_text(source)
    with worker() as broken:
        reply = broken.refusal(load(tmp_path / "adapter.py"))
        assert reply.kind == kind
        assert problem in (reply.error or "")
        assert "\n" not in (reply.error or "")
        assert mend in reply.mend if mend and reply.mend else reply.mend == mend


def test_a_framework_that_exits_in_a_block_fails_only_that_block(build: protocol.Build) -> None:
    with worker() as echo:
        echo.ask(load(), protocol.Loaded)
        echo.ask(with_mode(build, "exit"), protocol.Built)
        reply = echo.refusal(protocol.Train(id=5, steps=1))
        assert (reply.id, reply.kind) == (5, "run")
        assert echo.ask(protocol.Status(id=6), protocol.StatusReply).ok


def test_a_loss_that_is_not_finite_is_refused(build: protocol.Build, tmp_path: Path) -> None:
    with worker() as echo:
        echo.ask(load(), protocol.Loaded)
        echo.ask(with_mode(build, "nan"), protocol.Built)
        reply = echo.refusal(protocol.Trace(id=3, steps=2, first_update=str(tmp_path / "first.json")))
        assert "loss of step 1 is nan" in (reply.error or "")


def test_a_closed_pipe_ends_the_worker_even_inside_a_block(build: protocol.Build) -> None:
    with worker() as echo:
        echo.ask(load(), protocol.Loaded)
        echo.ask(with_mode(build, "hang"), protocol.Built)
        assert echo.process.stdin is not None
        echo.process.stdin.write(msgspec.json.encode(protocol.Train(id=3, steps=1)) + b"\n")
        echo.process.stdin.close()
        assert echo.process.wait(ENDS_WITHIN) == 0


def test_half_a_line_and_the_end_of_the_pipe_end_the_worker() -> None:
    with worker() as echo:
        assert echo.process.stdin is not None
        echo.process.stdin.write(b'{"do": "lo')
        echo.process.stdin.close()
        assert echo.process.wait(ENDS_WITHIN) == 0


def test_a_worker_whose_parent_is_gone_does_not_start() -> None:
    with worker(sys.executable, "--parent", "1") as orphan:
        assert orphan.process.wait(ENDS_WITHIN) == 1


def test_ctrl_c_is_for_the_parent_to_answer() -> None:
    with worker() as echo:
        assert echo.ask(load(), protocol.Loaded).ok
        echo.process.send_signal(signal.SIGINT)
        assert echo.ask(protocol.Status(id=2), protocol.StatusReply).ok


if sys.platform == "linux":

    def test_the_kernel_kills_a_worker_whose_parent_was_killed() -> None:
        # The pipe stays open here, in the test: nothing but the parent's death can end the worker.
        program = (
            "import subprocess, sys, time\n"
            f"child = subprocess.Popen([sys.executable, '-I', {str(MAIN)!r}])\n"
            "print(child.pid, file=sys.stderr, flush=True)\n"
            "time.sleep(600)\n"
        )
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([sys.executable, "-c", program], **pipes) as parent:
            pid = int(parent.stderr.readline())  # type: ignore[union-attr]
            parent.stdin.write(b"{}\n")  # type: ignore[union-attr]
            parent.stdin.flush()  # type: ignore[union-attr]
            assert b"protocol" in parent.stdout.readline()  # type: ignore[union-attr]
            parent.kill()
            deadline = time.monotonic() + ENDS_WITHIN
            while _runs(pid) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not _runs(pid)

    def _runs(pid: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return "(zombie)" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return False

    def test_peak_memory_is_the_worker_s_own_and_not_its_parent_s() -> None:
        ballast = np.ones(40_000_000)  # 320 MB, touched; a child starts with its parent's peak in ru_maxrss
        with worker() as echo:
            echo.ask(load(), protocol.Loaded)
            peak = echo.ask(protocol.Status(id=2), protocol.StatusReply).peak_rss_bytes
        assert peak < ballast.nbytes / 2
