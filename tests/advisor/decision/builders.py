"""Small knowledge bases and results, made by hand: the shipped tree and questionnaire, invented frameworks."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

import knowledge
from bench.plan import Goal, Plan
from bench.results import Contention, Machine, Results, Run, Status, StepSeconds
from knowledge.loader import CriteriaFile, QuestionsFile, walk
from knowledge.model import (
    Criterion,
    Evidence,
    FactStatement,
    Framework,
    Knowledge,
    Leaving,
    Lifecycle,
    Release,
    Role,
    Statement,
    Support,
    Text,
)
from knowledge.model import (
    Status as LifeStatus,
)
from knowledge.reader import convert, read

TODAY = date(2026, 11, 20)
SHIPPED = Path(knowledge.__file__).parent

T = TypeVar("T")

Range = tuple[float, float, float] | float | None


def text(words: str) -> Text:
    return Text(en=words, zh=words)


def framework(
    name: str,
    ratings: Mapping[str, Range] | None = None,
    facts: Mapping[str, Mapping[str, Support]] | None = None,
    role: Role = Role.ENGINE,
    released: date = date(2026, 6, 1),
) -> Framework:
    """A framework with ratings (one score, (low, score, high), or None for unknown) and graded facts."""
    evidence = (Evidence(claim=f"A claim about {name}.", source="nowhere"),)
    return Framework(
        id=name,
        name=name.title(),
        role=role,
        summary=text(name),
        homepage="https://example.org",
        lifecycle=Lifecycle(
            status=LifeStatus.ACTIVE,
            first_release="2015",
            releases=(Release(version="1.0", date=released),),
            evidence=evidence,
        ),
        facts={
            fact: tuple(
                FactStatement(values=(value,), support=support, as_of=TODAY, evidence=evidence)
                for value, support in values.items()
            )
            for fact, values in (facts or {}).items()
        },
        ratings={leaf: (rating(given),) for leaf, given in (ratings or {}).items()},
        leaving=Leaving(cost=f"Leaving {name} costs a week."),
    )


def rating(given: Range, as_of: date = TODAY) -> Statement:
    """A statement with that range; a single number has no range, None is unknown."""
    if given is None:
        return Statement(as_of=as_of, author="test", score=None, reason="not looked at")
    low, score, high = given if isinstance(given, tuple) else (given, given, given)
    return Statement(as_of=as_of, author="test", score=score, low=low, high=high, rationale="made up")


def with_frameworks(base: Knowledge, frameworks: Sequence[Framework]) -> Knowledge:
    return msgspec.structs.replace(base, frameworks={each.id: each for each in frameworks})


def with_criteria(base: Knowledge, criteria: Sequence[Criterion]) -> Knowledge:
    leaves = {path: criterion for path, criterion in walk(criteria) if not criterion.children}
    return msgspec.structs.replace(base, criteria=tuple(criteria), leaves=leaves)


@cache
def base() -> Knowledge:
    """The shipped criteria and questions with no framework."""
    criteria = convert_file("criteria.yaml", CriteriaFile).criteria
    questions = convert_file("questions.yaml", QuestionsFile).questions
    empty = Knowledge(
        criteria=(), leaves={}, questions={each.id: each for each in questions}, sources={}, frameworks={}, date=TODAY
    )
    return with_criteria(empty, criteria)


def convert_file(name: str, type_: type[T]) -> T:
    document = read(SHIPPED / name)
    assert isinstance(document.value, dict)
    return convert(document, type_, {key: value for key, value in document.value.items() if key != "schema"})


def flat(*leaves: str) -> tuple[Criterion, ...]:
    """A tree of one level: leaves under the root."""
    return tuple(Criterion(id=leaf, name=text(leaf), question=text(leaf)) for leaf in leaves)


def node(name: str, *children: Criterion) -> Criterion:
    return Criterion(id=name, name=text(name), question=text(name), children=children)


def run(
    candidate: str,
    step_seconds: float,
    workload: str = "mnist-cnn",
    phase: str = "train",
    device: str = "cpu",
    status: Status = Status.OK,
    provisional: bool = False,
    spread: float = 1.0,
    **measured: object,
) -> Run:
    """One run; `spread` is the factor between the median and either end of the range of step times."""
    head, _colon, mode = candidate.partition(":")
    name, _at, backend = head.partition("@")
    given: dict[str, object] = {
        "import_seconds": 1.0,
        "build_seconds": 0.0,
        "first_step_seconds": step_seconds,
        "peak_rss_bytes": 10**9,
        **measured,
    }
    return Run(
        candidate=candidate,
        framework=name,
        backend=backend or None,
        mode=mode,
        workload=workload,
        phase=phase,
        device=device,
        precision="fp32",
        threads=2,
        launches=1,
        provisional=provisional,
        status=status,
        reason=None if status is Status.OK else "it did not work",
        step_seconds=StepSeconds(
            median=step_seconds,
            low=step_seconds / spread,
            high=step_seconds * spread,
            blocks=20,
            steps_per_block=100,
        ),
        **given,  # type: ignore[arg-type]
    )


def results(*runs: Run, defaults: Sequence[str] | None = None) -> Results:
    """A race of these runs; every candidate is a default unless `defaults` says which are."""
    candidates = tuple(dict.fromkeys(each.candidate for each in runs))
    workloads = tuple(dict.fromkeys(each.workload for each in runs))
    return Results(
        id="race-1",
        created="2026-11-20T12:00:00Z",
        machine=Machine(
            system="Linux",
            architecture="x86_64",
            cpu="a processor",
            cores_logical=2,
            cores_physical=2,
            memory_bytes=2**34,
            gpus=(),
            gpu_driver=None,
            python="3.11.7",
        ),
        plan=Plan(
            candidates=candidates,
            workloads=workloads,
            phases=("train",),
            device="cpu",
            precision="fp32",
            threads=2,
            batch=None,
            budget_seconds=60,
            goal=Goal.WINNER,
            launches=1,
            rounds=15,
            seed=0,
            K=len(candidates),
            M=len(candidates) * (len(candidates) - 1) // 2,
            alpha=0.05,
            data={},
            defaults=tuple(candidates if defaults is None else defaults),
        ),
        runs=runs,
        verdicts=(),
        twin=None,
        contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
    )
