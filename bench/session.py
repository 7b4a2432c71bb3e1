"""The parent's side of one worker: start it, ask, wait no longer than announced, and say exactly how it was lost.

Nothing here busy-waits: a waiting parent costs the worker 1.3 to 2.4 times its speed on two cores. Two polls a second
tell whether the worker was stopped, which no pipe and no exit status would.
"""

import asyncio
import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec
import psutil

from bench import affinity, protocol
from bench.records import Record

LONGEST_LINE = 1 << 20
"""Bytes of the longest reply that is read; a trace of 20 losses takes under a kilobyte."""

POLL_SECONDS = 0.5
"""How often a worker is looked at: stopped workers are named within 2 s."""

STDERR_LINES = 40
"""Last lines of a worker's stderr that are kept for the reason."""

DRAIN_SECONDS = 1.0
"""How long the pipes of an ended worker may take to empty."""

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
"""What a framework may print and a terminal would obey: it becomes a space in reasons."""

_KEPT_OUT = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "PIP_", "UV_")
"""Prefixes of variables that speak of the parent's Python. PYTHONDONTWRITEBYTECODE makes imports 2-6 times slower."""

Request: TypeAlias = (
    protocol.Load
    | protocol.Build
    | protocol.Predict
    | protocol.Trace
    | protocol.Train
    | protocol.Infer
    | protocol.Batches
    | protocol.Latency
    | protocol.Copy
    | protocol.Gemm
    | protocol.Status
    | protocol.Close
)
ReplyType = TypeVar("ReplyType", bound=protocol.Reply)

_MENDS: dict[int, str] = {
    signal.SIGKILL: "if memory ran out, close other programs or race fewer candidates at once",
    signal.SIGILL: "the package uses instructions that this CPU lacks; choose another framework",
    signal.SIGSEGV: "remove its environment and create it again; if it stays, report it to the framework",
}
_MEND_ENDED = "run it again; if it stays, remove its environment and create it anew"


class WorkerFailure(Exception):
    """A worker that was lost or that could not be used: why, and what the user can do about it."""

    def __init__(self, reason: str, mend: str) -> None:
        self.reason, self.mend = _HIDDEN.sub(" ", reason), _HIDDEN.sub(" ", mend)
        super().__init__(f"{self.reason} ({self.mend})" if mend else self.reason)


class Refusal(WorkerFailure):
    """A request that the worker answered with `ok: false`; it goes on living. `kind` as in `bench.protocol`."""

    def __init__(self, reason: str, mend: str, kind: str) -> None:
        super().__init__(reason, mend)
        self.kind = kind


class Deadlines(Record, frozen=True):
    """Seconds a worker may take to answer. Generous: a loaded machine takes ten times what a quiet one does.

    Attributes:
        load: first imports compile byte code (up to 6 s quiet).
        trace: holds the compilation (28 s for torch.compile, 42 s for Keras on it, quiet).
        block, block_factor: a block may take `block` seconds or `block_factor` times what it took in warm-up.
    """

    load: float = 300
    build: float = 300
    trace: float = 900
    warm_up: float = 600
    block: float = 30
    block_factor: float = 20
    status: float = 30
    close: float = 5

    def for_block(self, expected_seconds: float) -> float:
        """Seconds a block may take that took `expected_seconds` in warm-up."""
        return max(self.block, self.block_factor * expected_seconds)


def worker_variables(own: Mapping[str, str]) -> dict[str, str]:
    """The variables of a worker: this process's without what speaks of its Python, then the environment's `own`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    return {**inherited, **own}


class Session:
    """One worker process. Made by `start`; one request at a time.

    Attributes:
        name: what the worker is called in reasons.
        lost: done with the reason as soon as the worker is lost, also while nobody asks it anything.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.lost: asyncio.Future[WorkerFailure] = asyncio.get_running_loop().create_future()
        self._process = process
        self._next_id = 0
        self._asked: str | None = None
        self._reply: asyncio.Future[bytes] | None = None  # of the request under way
        self._partial = b""
        self._complaints: deque[str] = deque(maxlen=STDERR_LINES)
        self._readers = (asyncio.create_task(self._read_replies()), asyncio.create_task(self._read_complaints()))
        self._watchers = (asyncio.create_task(self._await_end()), asyncio.create_task(self._watch_state()))

    @classmethod
    async def start(
        cls,
        name: str,
        python: Path,
        worker: Path,
        variables: Mapping[str, str],
        cpus: frozenset[int] | None,
        arguments: Sequence[str] = (),
    ) -> "Session":
        """Start `worker` by the interpreter `python`, isolated (-I), in a session of its own: Ctrl-C stays here.

        Args:
            name: what to call it in reasons.
            variables: its whole environment (see `worker_variables`).
            cpus: its affinity mask, or None.
            arguments: handed to the worker.

        Raises:
            WorkerFailure: it cannot be started.
        """
        try:
            with affinity.inherited(cpus):
                process = await asyncio.create_subprocess_exec(
                    str(python),
                    "-I",
                    str(worker),
                    *arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    env=dict(variables),
                    start_new_session=True,
                )
        except OSError as error:
            raise WorkerFailure(
                f"the worker could not be started: {error.strerror}", "remove its environment and create it again"
            ) from error
        return cls(name, process)

    @property
    def pid(self) -> int:
        """The worker's process id, which is also its process group."""
        return self._process.pid

    async def request(self, message: Request, reply: type[ReplyType], phase: str, deadline_seconds: float) -> ReplyType:
        """Send `message` under a fresh id and wait for its reply.

        Args:
            message: its `id` is replaced.
            reply: the record to read the answer as.
            phase: what to call this in a reason ("import", "block").
            deadline_seconds: silence beyond this loses the worker.

        Raises:
            Refusal: the worker answered `ok: false`.
            WorkerFailure: the worker is lost; its process group has been killed.
        """
        if self.lost.done():
            raise self.lost.result()
        self._next_id += 1
        message = msgspec.structs.replace(message, id=self._next_id)
        self._asked, self._reply = phase, asyncio.get_running_loop().create_future()
        awaited: set[asyncio.Future[Any]] = {self._reply, self.lost}
        try:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its end is told by _await_end
                self._process.stdin.write(msgspec.json.encode(message) + b"\n")
                await self._process.stdin.drain()
            done, _ = await asyncio.wait(awaited, timeout=deadline_seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._reply.done():
                return self._understand(self._reply.result(), reply, phase)
            if not done:
                half = ", but for half a line" if self._partial else ""
                self._lose(
                    f"it was silent{half} for {deadline_seconds:g} s during {phase}",
                    "run it again when the machine is less busy",
                )
            raise self.lost.result()
        finally:
            self._asked, self._reply = None, None

    async def close(self) -> None:
        """Ask the worker to end, and end its whole process group in any case."""
        if not self.lost.done():
            with contextlib.suppress(WorkerFailure):
                await self.request(protocol.Close(id=0), protocol.Reply, "close", Deadlines().close)
        await self.kill()

    async def kill(self) -> None:
        """End the worker's process group at once and wait until it is gone."""
        self._end_group()
        for watcher in self._watchers:
            watcher.cancel()
        await self._process.wait()
        await asyncio.wait(self._readers, timeout=DRAIN_SECONDS)
        for task in (*self._readers, *self._watchers):
            task.cancel()
        await asyncio.gather(*self._readers, *self._watchers, return_exceptions=True)
        if not self.lost.done():
            self.lost.set_result(WorkerFailure("it was ended", ""))

    # -- what it says -------------------------------------------------------------------------------------------------

    def _understand(self, line: bytes, reply: type[ReplyType], phase: str) -> ReplyType:
        try:
            outcome = msgspec.json.decode(line, type=protocol.Reply)
            if outcome.ok and outcome.id == self._next_id:
                return msgspec.json.decode(line, type=reply)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            shown = line[:60].decode(errors="replace")
            raise self._lose(
                f"it answered with garbage during {phase}: {shown!r}", "report it: the adapter breaks the protocol"
            ) from error
        if outcome.id != self._next_id:
            raise self._lose(
                f"it answered request {outcome.id} instead of {self._next_id} during {phase}",
                "report it: the adapter breaks the protocol",
            )
        raise Refusal(outcome.error or f"{phase} failed", outcome.mend or "", outcome.kind or "run")

    async def _read_replies(self) -> None:
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(1 << 16):
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            if max(map(len, (*lines, self._partial))) > LONGEST_LINE:
                self._lose(f"it sent a line of more than {LONGEST_LINE} bytes", "report it: the adapter is broken")
                return
            for line in lines:
                if self._reply is None or self._reply.done():
                    self._lose(
                        f"it spoke unasked: {line[:60].decode(errors='replace')!r}",
                        "report it: the adapter breaks the protocol",
                    )
                    return
                self._reply.set_result(line)

    async def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        rest = b""
        while chunk := await self._process.stderr.read(1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            self._complaints.extend(text for line in lines if (text := line.decode(errors="replace").strip()))
            rest = rest[-LONGEST_LINE:]
        if text := rest.decode(errors="replace").strip():
            self._complaints.append(text)

    # -- how it ends --------------------------------------------------------------------------------------------------

    async def _await_end(self) -> None:
        status = await self._process.wait()
        await asyncio.wait(self._readers, timeout=DRAIN_SECONDS)
        during = f" during {self._asked}" if self._asked else ""
        half = " in the middle of a reply" if self._partial else ""
        last = f": {self._complaints[-1][:200]}" if self._complaints else ""
        if status < 0:
            known = next((s for s in signal.Signals if s == -status), None)
            name = known.name if known else f"signal {-status}"
            self._lose(f"it was killed by {name}{during}{half}{last}", _MENDS.get(-status, _MEND_ENDED))
        else:
            self._lose(f"it ended by itself with status {status}{during}{half}{last}", _MEND_ENDED)

    async def _watch_state(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # _await_end tells
            process = psutil.Process(self.pid)
            while True:
                await asyncio.sleep(POLL_SECONDS)
                if process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP):
                    during = f" during {self._asked}" if self._asked else " while it waited for its turn"
                    self._lose(f"it was stopped{during}", "leave the workers of a race alone; run it again")
                    return

    def _lose(self, reason: str, mend: str) -> WorkerFailure:
        if not self.lost.done():
            self.lost.set_result(WorkerFailure(reason, mend))
        self._end_group()
        return self.lost.result()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already; macOS says so with EPERM
            os.killpg(self.pid, signal.SIGKILL)
