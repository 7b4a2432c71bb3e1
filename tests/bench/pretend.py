"""A race without frameworks: a knowledge base of pretended ones, whose workers are real processes (fake_worker.py)."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench import machine
from bench.engine import Pace
from bench.environments import Environment, EnvironmentFailure, Report
from bench.machine import platform_tag
from bench.plan import Candidate, Goal, Plan, family_error_rate
from bench.reference import Reference
from bench.results import Contention, Results, Run
from bench.results import Status as RunStatus
from bench.session import Deadlines, Session
from bench.tensors import write_tensors
from bench.workload import Workload, load_workloads
from knowledge.model import Framework, Knowledge, Lifecycle, Mode, Need, Recipe, Role, Status, Text

WORKER = Path(__file__).parent / "fake_worker.py"
WORKLOAD = "mnist-cnn"
PACE = Pace(
    deadlines=Deadlines(load=20, build=20, trace=20, warm_up=20, block=5, block_factor=1, status=20),
    idle_settle_seconds=0.05,
    idle_watch_seconds=0.2,
    sample_seconds=0.1,
)
_NAME = Text(en="pretended", zh="假装")


def framework(name: str, needs: tuple[Need, ...] = ()) -> Framework:
    """A framework with one mode, `plain`."""
    recipe = Recipe(
        id="only",
        devices=("cpu",),
        python=(f"{sys.version_info.major}.{sys.version_info.minor}",),
        requirements=(),
        platforms=(platform_tag(),),
        download_mb=1,
        disk_mb=1,
        install_seconds=1,
        verified="trained",
        needs=needs,
    )
    return Framework(
        id=name,
        name=name.title(),
        role=Role.ENGINE,
        summary=_NAME,
        homepage="",
        lifecycle=Lifecycle(status=Status.ACTIVE, first_release="2020", releases=(), evidence=()),
        facts={},
        ratings={},
        recipes=(recipe,),
        modes=(Mode(id="plain", name=_NAME, default=True),),
        adapter="pretended",
    )


def knowledge(*frameworks: Framework) -> Knowledge:
    return Knowledge(
        criteria=(),
        leaves={},
        questions={},
        sources={},
        frameworks={each.id: each for each in frameworks},
        date=date(2026, 1, 1),
    )


class Environments:
    """Environments that are there already: this interpreter, and settings for the fake worker by framework."""

    def __init__(self, folder: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.folder, self.settings = folder, settings

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None:
        if framework.id not in self.settings:
            return None
        return Environment(
            name=framework.id,
            framework=framework.id,
            recipe=recipe.id,
            path=self.folder,
            python=Path(sys.executable),
            created="2026-01-01T00:00:00Z",
            variables={"FAKE_WORKER": json.dumps(self.settings[framework.id])},
            stand_ins=(),
            freeze={"fake": "0.9"},
            disk_bytes=0,
        )

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment:
        report("resolving", 0.5)
        raise EnvironmentFailure("the package index cannot be reached", "check the network")


class Time:
    """A clock that only moves by what workers say they took: seconds of imports, builds, first steps, blocks, calls."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within it every reply of a worker moves the clock."""
        request = Session.request

        async def timed(session: Session, message: Any, reply: Any, phase: str, deadline_seconds: float) -> Any:
            answer = await request(session, message, reply, phase, deadline_seconds)
            told = msgspec.to_builtins(answer)
            names = ("import_seconds", "build_seconds", "first_step_seconds", "wall_seconds")
            self.seconds += sum(told.get(name, 0.0) for name in names)
            self.seconds += sum(told.get("seconds") or ()) if isinstance(told.get("seconds"), list | tuple) else 0.0
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Session, "request", timed)
            yield


class Meter:
    """A counter of 10 W; a reading takes 50 ms and sees it move 50 times."""

    absent_because = None
    mend = ""
    scope = "package"
    basis = "measured"

    def __init__(self, time: Time) -> None:
        self.time, self.updates = time, 0

    def joules(self) -> float:
        self.updates += 50
        self.time.seconds += 0.05
        return 10 * self.time()

    def close(self) -> None: ...


class Material(msgspec.Struct, frozen=True):
    """What fake workers train on: nothing; every honest loss is 1."""

    network_json: Path
    weights_manifest: Path
    batches_manifest: Path
    reference: Reference


def prepare(workload: Workload, seed: int, folder: Path, data: Path | None) -> Material:
    one = np.ones(1, np.float32)
    write_tensors(
        folder / "batches.json", {"inputs": np.ones((20, 8, 2), np.float32), "targets": np.ones((20, 8), np.int32)}
    )
    return Material(
        network_json=folder / "network.json",
        weights_manifest=folder / "weights.json",
        batches_manifest=folder / "batches.json",
        reference=Reference(
            inputs={"input": one},
            targets=one,
            weights={"dense.weight": one},
            outputs=np.ones((8, 1)),
            losses=(1.0,) * 20,
            first_update={"dense.weight": one.astype(np.float64)},
            margin=1e-4,
            safe_steps=20,
        ),
    )


def plan(*names: str, budget_seconds: float = 60, rounds: int = 15, **changes: Any) -> Plan:
    """One race on one workload between the frameworks named."""
    candidates = tuple(f"{name}:plain" for name in names)
    settings: dict[str, Any] = {
        "candidates": candidates,
        "workloads": (WORKLOAD,),
        "phases": ("train",),
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "batch": None,
        "budget_seconds": budget_seconds,
        "goal": Goal.WINNER,
        "launches": 1,
        "rounds": rounds,
        "seed": 0,
        "K": len(names),
        "M": len(names) * (len(names) - 1) // 2,
        "alpha": family_error_rate([WORKLOAD], ["train"]),
        "data": {},
        "defaults": candidates,
    }
    return Plan(**{**settings, **changes})


def workloads() -> dict[str, Workload]:
    return load_workloads()


def results(plan: Plan, **facts: Any) -> Results:
    """Results in which every candidate of `plan` came through, with `facts` in each run."""
    runs = [
        Run(
            candidate=name,
            framework=Candidate.parse(name).framework,
            backend=None,
            mode=Candidate.parse(name).mode,
            workload=workload,
            phase=phase,
            device=plan.device,
            precision=plan.precision,
            threads=plan.threads,
            launches=1,
            provisional=True,
            status=RunStatus.OK,
            reason=None,
            **facts,
        )
        for workload in plan.workloads
        for phase in plan.phases
        for name in plan.candidates
    ]
    return Results(
        id="20260101-000000-aaaaaa",
        created="2026-01-01T00:00:00Z",
        machine=machine.describe(),
        plan=plan,
        runs=tuple(runs),
        verdicts=(),
        twin=None,
        contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
    )
