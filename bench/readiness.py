"""What a candidate still needs before it can run here: asked by `bench list`, the plan screen and `doctor`."""

from collections.abc import Iterator
from enum import StrEnum

from bench import machine
from bench.environments import EnvironmentFailure, Environments, interpreters, recipe_for
from bench.plan import Candidate
from bench.records import Record
from knowledge.model import Framework, Knowledge


class State(StrEnum):
    READY = "ready"
    INSTALLABLE = "installable"
    IMPOSSIBLE = "impossible"


class Readiness(Record, frozen=True):
    """One candidate on this machine.

    Attributes:
        why, mend: what is missing and what to do about it; None unless impossible.
        environment: what its environment is called in announcements; candidates with the same one share the costs.
        download_bytes, disk_bytes, install_seconds: what making the environment takes; 0 when it is there.
        prepare_seconds: typical start and compile time of the mode.
    """

    candidate: str
    state: State
    why: str | None
    mend: str | None
    environment: str | None
    download_bytes: int
    disk_bytes: int
    install_seconds: float
    prepare_seconds: float
    default: bool


def candidates_of(framework: Framework) -> Iterator[Candidate]:
    """Every candidate of a framework that can be raced, its documented default first among its backend's modes."""
    if framework.adapter is None:
        return
    for backend in framework.backends or (None,):
        for mode in sorted(framework.modes, key=lambda mode: not mode.default):
            yield Candidate(framework=framework.id, backend=backend, mode=mode.id)


def default_candidate(framework: Framework) -> Candidate | None:
    """The candidate that stands for a framework in the ranking: first backend, documented default mode."""
    return next(candidates_of(framework), None)


def readiness(knowledge: Knowledge, candidate: Candidate, device: str, environments: Environments) -> Readiness:
    """What `candidate` needs on this machine for `device`. The candidate's framework and mode must be known."""
    framework = knowledge.frameworks[candidate.framework]
    mode = next(mode for mode in framework.modes if mode.id == candidate.mode)
    default = default_candidate(framework) == candidate

    def impossible(why: str, mend: str) -> Readiness:
        return Readiness(
            candidate=str(candidate),
            state=State.IMPOSSIBLE,
            why=why,
            mend=mend,
            environment=None,
            download_bytes=0,
            disk_bytes=0,
            install_seconds=0,
            prepare_seconds=mode.prepare_seconds,
            default=default,
        )

    try:
        recipe = recipe_for(framework, candidate.backend, device)
    except EnvironmentFailure as failure:
        return impossible(failure.reason, failure.mend)
    for need in recipe.needs:
        if (not need.modes or mode.id in need.modes) and (lack := machine.missing_need(need)) is not None:
            return impossible(lack, need.mend)
    ready = environments.find(framework, recipe) is not None
    if not ready and not set(recipe.python) & interpreters().keys():
        return impossible(f"needs Python {' or '.join(recipe.python)}", f"install Python {recipe.python[0]}")
    estimate = environments.estimate(framework, recipe)
    return Readiness(
        candidate=str(candidate),
        state=State.READY if ready else State.INSTALLABLE,
        why=None,
        mend=None,
        environment=f"{framework.id}-{recipe.id}",
        download_bytes=estimate.download_bytes,
        disk_bytes=estimate.disk_bytes,
        install_seconds=estimate.seconds,
        prepare_seconds=mode.prepare_seconds,
        default=default,
    )
