"""Kills and stops workers, and kills the parent, at random moments of real races; says what was lost. Nothing may be.

`python -m tests.bench.crashes` takes the real environments of PyTorch and MXNet where they are (ADVISOR_HOME), else
fake workers. It prints a table, names every violation and exits with 1 if there is one. After each moment: every round
that was told is in the store, the store opens and passes SQLite's own check, no process is left over, and a worker's
end was told with its reason within 2 s. Moments are drawn evenly over the life of a worker, or of a race, as a race
without any disturbance showed it: start, import, build, parity check, warm-up, waiting, rounds and what follows them.
"""

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import psutil

import knowledge
from advisor import paths
from bench import engine, machine
from bench.environments import Environments, recipe_for
from bench.events import (
    AnyEvent,
    BlockDone,
    CandidateEnded,
    Prepared,
    Preparing,
    RaceFinished,
    RoundDone,
    RoundStarted,
)
from bench.plan import Candidate, Plan
from bench.planning import Wishes, make_plan
from bench.store import Store
from bench.workload import load_workloads
from knowledge.faults import BadInput
from tests.bench import pretend

NAMED_SECONDS = 2.0
GONE_SECONDS = 5.0
"""How long the processes of a killed parent may take to end: the kernel kills workers at once, what a worker started
sees its pipe close."""

REAL = ("pytorch:eager", "mxnet:hybrid", "mxnet:imperative")
REAL_WORKLOAD = "pm25-lstm"  # its reference takes a fifth of a second
FAKE = ("a1", "b1", "c1")
BUDGET_SECONDS = 10.0
PARENTS_AT_ONCE = 2
MOST_RACES = 4
"""Races run for a number of strikes, as multiples of what is needed if every strike finds its worker alive."""

_WORDS = {signal.SIGKILL: "killed by SIGKILL", signal.SIGSTOP: "was stopped"}

Round = tuple[str, str, int, int]  # workload, phase, launch, round


@dataclass
class Setting:
    """What is raced: all of it is handed to `bench.engine.start`."""

    plan: Plan
    knowledge: knowledge.Knowledge
    environments: Any
    others: dict[str, Any]


def setting(fake: bool, folder: Path) -> Setting:
    """Real candidates, or fake ones that take a tenth of the time they state."""
    if fake:
        workers = {name: {"step_seconds": 0.004, "speed": 10} for name in FAKE}
        return Setting(
            plan=pretend.plan(*FAKE, budget_seconds=BUDGET_SECONDS),
            knowledge=pretend.knowledge(*map(pretend.framework, FAKE)),
            environments=pretend.Environments(folder, workers),
            others={"worker": pretend.WORKER, "prepare": pretend.prepare, "pace": pretend.PACE},
        )
    base = knowledge.load()
    wishes = Wishes(
        candidates=REAL,
        workloads=(REAL_WORKLOAD,),
        device="cpu",
        budget_seconds=BUDGET_SECONDS,
        launches=1,
    )
    plan = make_plan(wishes, base, tuple(load_workloads()), machine.devices())
    return Setting(plan, base, Environments(paths.environments_folder()), {})


def have_real() -> bool:
    """Whether the environments of all real candidates are there."""
    base, environments = knowledge.load(), Environments(paths.environments_folder())
    return all(
        environments.find(framework, recipe_for(framework, None, "cpu")) is not None
        for framework in (base.frameworks[Candidate.parse(name).framework] for name in REAL)
    )


@asynccontextmanager
async def racing(fake: bool, folder: Path) -> AsyncIterator[engine.Race]:
    """A race in this process, its store and lock in `folder`."""
    what = setting(fake, folder)
    with Store(folder / "results.sqlite") as store:
        async with engine.start(
            what.plan,
            what.knowledge,
            what.environments,
            store,
            folder=folder / "data",
            workloads=load_workloads(),
            lock=folder / "lock",
            **what.others,
        ) as race:
            yield race


# --- what has to hold afterwards -------------------------------------------------------------------------------------


def lost_rounds(folder: Path, told: set[Round]) -> Iterator[str]:
    """What of the rounds that were told complete is not in the store, and what is wrong with the store."""
    path = folder / "results.sqlite"
    with closing(sqlite3.connect(path)) as database:
        ((verdict,),) = database.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok":
        yield f"the store is damaged: {verdict}"
        return
    try:
        with Store(path) as store:
            results = store.latest()
            blocks = store.blocks(results.id) if results is not None else ()
    except BadInput as bad:
        yield f"the store does not open: {bad}"
        return
    kept = {(each.workload, each.phase, each.launch, each.round) for each in blocks if each.complete}
    for missing in sorted(told - kept):
        yield f"a committed round was lost: {missing}"


def complete_rounds(events: list[AnyEvent]) -> set[Round]:
    """The rounds that were told complete."""
    return {
        (event.workload, event.phase, event.launch, event.round)
        for event in events
        if isinstance(event, RoundDone) and event.complete
    }


def left_over(processes: list[psutil.Process], seconds: float) -> list[str]:
    """Those still alive after so long; zombies, which wait for whoever started them, are not."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [f"{each.pid} {each.name()}" for each in alive if each.is_running() and each.status() != "zombie"]


# --- workers ---------------------------------------------------------------------------------------------------------


@dataclass
class Strike:
    """One signal to one worker.

    Attributes:
        stage: what the worker passed through; `over` when its rounds were over and its loss ends nothing.
        named_seconds: until its end was told; None when it was not.
    """

    name: str
    signal: signal.Signals
    stage: str = ""
    over: bool = False
    at: float = 0.0
    named_seconds: float | None = None
    reason: str = ""


@dataclass
class Outcome:
    """What came of one kind of disturbance."""

    moments: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    longest_naming: float = 0.0
    rounds: int = 0
    violations: list[str] = field(default_factory=list)


class Stages:
    """What each candidate passes through, as the events tell."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def take(self, event: AnyEvent) -> None:
        if isinstance(event, Preparing):
            self.now[event.candidate] = event.stage
        elif isinstance(event, Prepared):
            self.now[event.candidate] = "ready"
        elif isinstance(event, RoundStarted):
            self.now = {name: "rounds" if stage == "ready" else stage for name, stage in self.now.items()}


async def lives(fake: bool, folder: Path) -> dict[str, float]:
    """Candidate -> seconds from the start of its worker to its end, in a race that nothing disturbs."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    async with racing(fake, folder) as race:
        async for event in race.events():
            if isinstance(event, Preparing) and event.stage == "start":
                began.setdefault(event.candidate, event.at_seconds)
            if isinstance(event, CandidateEnded):
                if event.status.value != "ok":
                    raise SystemExit(f"the undisturbed race failed: {event.candidate}: {event.reason}")
                ended[event.candidate] = event.at_seconds
    return {name: ended[name] - began[name] for name in began}


async def strike_race(
    fake: bool, folder: Path, sent: signal.Signals, draw: random.Random, life: Mapping[str, float], most: int
) -> tuple[list[Strike], list[AnyEvent], list[str]]:
    """One race in which up to `most` workers get a signal: strikes, events, and processes left over."""
    strikes: dict[str, Strike] = {}
    planned = dict.fromkeys(draw.sample(sorted(life), min(most, len(life))))
    tasks: list[asyncio.Task[None]] = []
    stages, seen = Stages(), []

    async def strike(race: engine.Race, name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        worker = race._workers.live.get(name)
        if worker is None:
            return  # its life was shorter this time: not a moment of it
        strikes[name] = Strike(name, sent, stages.now.get(name, "?"), worker.over, time.monotonic())
        os.kill(worker.session.pid, sent)

    before = {each.pid for each in psutil.Process().children(recursive=True)}
    async with racing(fake, folder) as race:
        async for event in race.events():
            seen.append(event)
            stages.take(event)
            if isinstance(event, Preparing) and event.stage == "start" and event.candidate in planned:
                tasks.append(asyncio.create_task(strike(race, event.candidate, draw.uniform(0, life[event.candidate]))))
                del planned[event.candidate]
            if isinstance(event, CandidateEnded) and event.candidate in strikes:
                struck = strikes[event.candidate]
                struck.named_seconds = time.monotonic() - struck.at
                struck.reason = event.reason or event.status.value
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    family = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
    return list(strikes.values()), seen, left_over(family, 0.5)


def faults_of(strike: Strike) -> Iterator[str]:
    """What was wrong with how the end of a worker was told."""
    if strike.over:
        return  # its results stand, there is nothing to name
    where = f"{strike.name} ({strike.signal.name} during {strike.stage})"
    if strike.named_seconds is None:
        yield f"{where}: its end was never told"
    elif strike.named_seconds > NAMED_SECONDS:
        yield f"{where}: its end was told after {strike.named_seconds:.1f} s"
    elif _WORDS[strike.signal] not in strike.reason:
        yield f"{where}: the reason is {strike.reason!r}"


def strike_workers(
    fake: bool, home: Path, sent: signal.Signals, moments: int, draw: random.Random, life: Mapping[str, float]
) -> Outcome:
    """Races until `moments` workers got the signal; `life` as `lives` gives it."""
    outcome = Outcome()
    for number in range(MOST_RACES * moments):
        if outcome.moments >= moments:
            break
        folder = home / str(number)
        folder.mkdir()
        strikes, seen, orphans = asyncio.run(strike_race(fake, folder, sent, draw, life, moments - outcome.moments))
        told = complete_rounds(seen)
        outcome.moments += len(strikes)
        outcome.rounds += len(told)
        outcome.stages.update("after the rounds" if each.over else each.stage for each in strikes)
        named = [each.named_seconds for each in strikes if each.named_seconds is not None and not each.over]
        outcome.longest_naming = max([outcome.longest_naming, *named])
        outcome.violations += [fault for each in strikes for fault in faults_of(each)]
        outcome.violations += lost_rounds(folder, told)
        outcome.violations += [f"a process was left over: {orphan}" for orphan in orphans]
        if not isinstance(seen[-1], RaceFinished):
            outcome.violations.append("the race did not come to its end")
    return outcome


# --- the parent ------------------------------------------------------------------------------------------------------


async def tell(fake: bool, folder: Path) -> None:
    """Run a race and print every event as a line: what the killed parent runs."""
    async with racing(fake, folder) as race:
        async for event in race.events():
            sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
            sys.stdout.buffer.flush()


def start_parent(fake: bool, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.bench.crashes", "--race", str(folder), *(["--fake"] if fake else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@dataclass
class ParentKill:
    """One parent killed."""

    stage: str
    rounds: int
    violations: list[str]


def kill_parent(fake: bool, folder: Path, delay: float) -> ParentKill:
    """Kill the parent of a race `delay` seconds after its first event."""
    seen: list[AnyEvent] = []
    family: list[psutil.Process] = []
    with start_parent(fake, folder) as parent, ThreadPoolExecutor(1) as thread:
        assert parent.stdout is not None
        seen.append(msgspec.json.decode(parent.stdout.readline(), type=AnyEvent))

        def strike() -> None:
            time.sleep(delay)
            family.extend(psutil.Process(parent.pid).children(recursive=True))
            parent.kill()

        struck = thread.submit(strike)
        for line in parent.stdout:
            if line.endswith(b"\n"):
                seen.append(msgspec.json.decode(line, type=AnyEvent))
        struck.result()
    told = complete_rounds(seen)
    violations = [f"a process was left over: {orphan}" for orphan in left_over(family, GONE_SECONDS)]
    violations += lost_rounds(folder, told)
    return ParentKill(stage=_stage_of_race(seen), rounds=len(told), violations=violations)


def _stage_of_race(seen: list[AnyEvent]) -> str:
    """What a race was doing when its last event was told."""
    for event in reversed(seen):
        if isinstance(event, Preparing):
            return event.stage
        if isinstance(event, RoundStarted | RoundDone | BlockDone):
            return "rounds"
        if isinstance(event, CandidateEnded | RaceFinished):
            return "end"
    return "begin"


def length(fake: bool, folder: Path) -> float:
    """Seconds from the first to the last event of a race that nothing disturbs, its parent a process of its own."""
    with start_parent(fake, folder) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        began = time.monotonic()
        parent.stdout.read()
        return time.monotonic() - began


def kill_parents(fake: bool, home: Path, moments: int, draw: random.Random) -> Outcome:
    """As many races whose parent is killed, at moments drawn evenly over a race."""
    outcome = Outcome()
    for number in range(moments + 1):
        (home / str(number)).mkdir()
    whole = length(fake, home / str(moments))
    delays = [draw.uniform(0, whole) for _ in range(moments)]
    with ThreadPoolExecutor(PARENTS_AT_ONCE) as threads:
        kills = list(threads.map(lambda number: kill_parent(fake, home / str(number), delays[number]), range(moments)))
    for kill in kills:
        outcome.moments += 1
        outcome.stages[kill.stage] += 1
        outcome.rounds += kill.rounds
        outcome.violations += kill.violations
    return outcome


# --- all of it -------------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crashes", description="Kill and stop, lose nothing.")
    parser.add_argument("--kills", type=int, default=30, help="workers killed")
    parser.add_argument("--stops", type=int, default=10, help="workers stopped")
    parser.add_argument("--parents", type=int, default=30, help="parents killed")
    parser.add_argument("--fake", action="store_true", help="fake workers although the real environments are there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--race", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.race is not None:
        asyncio.run(tell(given.fake, given.race))
        return 0
    fake = given.fake or not have_real()
    print("workers:", "fake" if fake else ", ".join(REAL))
    print(f"{'':<17}{'moments':>8}{'rounds told':>13}{'longest naming':>16}{'violations':>12}  struck during")
    draw, found = random.Random(given.seed), []
    with TemporaryDirectory() as name:
        home = Path(name)
        (home / "undisturbed").mkdir()
        life = asyncio.run(lives(fake, home / "undisturbed")) if given.kills or given.stops else {}
        for title, moments, sent in (
            ("worker killed", given.kills, signal.SIGKILL),
            ("worker stopped", given.stops, signal.SIGSTOP),
            ("parent killed -9", given.parents, None),
        ):
            if not moments:
                continue
            folder = home / title.replace(" ", "-")
            folder.mkdir()
            if sent is None:
                outcome = kill_parents(fake, folder, moments, draw)
            else:
                outcome = strike_workers(fake, folder, sent, moments, draw, life)
            if outcome.moments < moments:
                outcome.violations.append(f"only {outcome.moments} of {moments} moments could be had")
            found += [f"{title}: {violation}" for violation in outcome.violations]
            naming = f"{outcome.longest_naming:.2f} s" if outcome.longest_naming else "-"
            struck = ", ".join(f"{stage} {count}" for stage, count in outcome.stages.most_common())
            row = f"{title:<17}{outcome.moments:>8}{outcome.rounds:>13}{naming:>16}{len(outcome.violations):>12}"
            print(f"{row}  {struck}", flush=True)
    for violation in found:
        print(violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
