"""Sessions with real worker processes that misbehave in every way we know."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import affinity, protocol
from bench.session import Refusal, Session, WorkerFailure, worker_variables

FAKE = Path(__file__).parent / "fake_worker.py"
DEADLINE = 20.0
NAMED_WITHIN = 2.0  # seconds; what users are promised for stopped and killed workers


@asynccontextmanager
async def fake(**settings: Any) -> AsyncIterator[Session]:
    variables = worker_variables({"FAKE_WORKER": json.dumps(settings)})
    session = await Session.start("fake", Path(sys.executable), FAKE, variables, affinity.choose(1))
    try:
        yield session
    finally:
        await session.kill()


def block(steps: int = 10) -> protocol.Train:
    return protocol.Train(id=0, steps=steps)


async def train(session: Session, deadline: float = DEADLINE) -> protocol.Block:
    return await session.request(block(), protocol.Block, "a block", deadline)


def test_reasons_hold_nothing_that_a_terminal_would_obey() -> None:
    failure = WorkerFailure("it said \x1b[2J\r\u202ewarning", "mend\x00it")
    assert (failure.reason, failure.mend) == ("it said  [2J warning", "mend it")
    assert str(failure) == "it said  [2J warning (mend it)"


async def failure_of(fault: str, deadline: float = DEADLINE) -> WorkerFailure:
    async with fake(faults={"block": {"do": fault}}) as session:
        with pytest.raises(WorkerFailure) as caught:
            await train(session, deadline)
        assert session.lost.done() or isinstance(caught.value, Refusal)
        return caught.value


async def test_replies_are_typed_and_pipelined_one_by_one() -> None:
    async with fake(step_seconds=0.002) as session:
        loaded = await session.request(
            protocol.Load(id=0, adapter="x", backend=None, device="cpu", precision="fp32", threads=1),
            protocol.Loaded,
            "import",
            DEADLINE,
        )
        assert loaded.versions == {"fake": "1.0"}
        blocks = [await train(session) for _ in range(3)]
        assert all(0.019 < reply.wall_seconds < 0.021 for reply in blocks)
        assert not session.lost.done()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("exit", "ended by itself with status 3 during a block: the framework gave up"),
        ("sigkill", "killed by SIGKILL during a block"),
        ("sigstop", "was stopped during a block"),
        ("garbage", "garbage during a block: 'loss: 0.3, all is well'"),
        ("half", "in the middle of a reply"),
        ("long", "more than 1048576 bytes"),
        ("wrong-id", "answered request 999 instead of 1"),
        ("wrong-shape", "garbage during a block"),
    ],
)
async def test_a_lost_worker_is_named_with_its_cause(fault: str, said: str) -> None:
    failure = await failure_of(fault)
    assert said in failure.reason
    assert failure.mend


async def test_silence_is_named_with_the_announced_deadline() -> None:
    failure = await failure_of("silence", deadline=0.3)
    assert "silent for 0.3 s during a block" in failure.reason


async def test_a_second_reply_to_one_request_loses_the_worker() -> None:
    async with fake(faults={"block": {"do": "twice"}}) as session:
        await train(session)
        failure = await asyncio.wait_for(asyncio.shield(session.lost), DEADLINE)
        assert "spoke unasked" in failure.reason


async def test_a_refusal_leaves_the_worker_alive() -> None:
    async with fake(faults={"block": {"do": "refuse-once"}}) as session:
        with pytest.raises(Refusal, match="out of memory") as caught:
            await train(session)
        assert (caught.value.kind, caught.value.mend) == ("run", "use a smaller batch")
        assert (await train(session)).steps == 10


@pytest.mark.parametrize(("sent", "said"), [(signal.SIGKILL, "killed by SIGKILL"), (signal.SIGSTOP, "was stopped")])
async def test_a_waiting_worker_is_missed_without_being_asked(sent: signal.Signals, said: str) -> None:
    async with fake() as session:
        await train(session)
        os.kill(session.pid, sent)
        failure = await asyncio.wait_for(asyncio.shield(session.lost), NAMED_WITHIN)
        assert said in failure.reason
        with pytest.raises(WorkerFailure, match=said):
            await train(session)


async def test_the_whole_process_group_ends_with_the_session() -> None:
    async with fake(children=2) as session:
        await train(session)
        family = psutil.Process(session.pid).children(recursive=True)
        assert len(family) == 2
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


async def test_closing_lets_the_worker_end_by_itself() -> None:
    async with fake() as session:
        await session.close()
        assert not psutil.pid_exists(session.pid)


async def test_workers_run_on_as_many_cpus_as_threads_and_the_parent_keeps_its_own() -> None:
    before = os.sched_getaffinity(0)
    async with fake() as session:
        assert len(os.sched_getaffinity(session.pid)) == 1
        assert set(affinity.choose(1) or ()) == os.sched_getaffinity(session.pid)
    assert os.sched_getaffinity(0) == before


async def test_an_interpreter_that_is_not_there_is_a_failure_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailure, match="could not be started") as caught:
        await Session.start("fake", tmp_path / "python", FAKE, {}, None)
    assert "environment" in caught.value.mend


def test_variables_of_the_parents_python_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    monkeypatch.setenv("LANG", "C.UTF-8")
    variables = worker_variables({"HOME": "own"})
    assert variables["HOME"] == "own"
    assert variables["LANG"] == "C.UTF-8"
    assert not {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"} & variables.keys()
