"""From answers to preferences: what the answers mean for weights, knock-outs, fit and measurements.

Answers come from a sheet (`answers.py`) or from the screens; the decision reads only `Preferences`. Every question
may be skipped. What a skipped question makes us assume is listed, never silent (QUESTIONS.md).
"""

from collections.abc import Iterator
from enum import StrEnum
from math import log

import msgspec

from advisor.answers import Answer, Answers, Sure, Wanted, dump_answers, read_answers
from knowledge.model import Choose, Knowledge, Option, Question, Role

__all__ = ["Answers", "Origin", "Preferences", "Requirement", "dump_answers", "preferences", "read_answers"]

CONCENTRATION = {Sure.HIGH: 200.0, Sure.MEDIUM: 60.0, Sure.LOW: 20.0}
"""c of the Dirichlet distribution of weights by how sure the answer is (METHOD.md, "Decision")."""

DEFAULT_RUN_LENGTH_SECONDS = 14_400.0
"""Length of a run when `rhythm` is skipped (QUESTIONS.md)."""

ASSUMED_LANGUAGE = "python"
"""Counts in the fit when `language` is skipped (QUESTIONS.md)."""

MAINTAINED = "maintained"
NATIVE_WINDOWS = "native_windows"
LANGUAGE = "language"
_DEVICE_QUESTION, _TARGET_QUESTION, _LANGUAGE_QUESTION = "train_on", "run_on", "language"
_TRAINING_ROLES = (Role.ENGINE, Role.HIGH_LEVEL)


class Origin(StrEnum):
    """Where a requirement comes from."""

    ANSWER = "answer"
    ASSUMED = "assumed"
    REQUIREMENTS = "requirements"  # the sheet's key of that name


class Requirement(msgspec.Struct, frozen=True):
    """One knock-out: the framework must support at least one of `values` of `fact`.

    Attributes:
        owners: the respondents who ask for it, where several people decide together.
    """

    fact: str
    values: tuple[str, ...]
    origin: Origin
    owners: tuple[str, ...] = ()

    @property
    def is_assumed(self) -> bool:
        """Whether nobody asked for it."""
        return self.origin is Origin.ASSUMED

    def __str__(self) -> str:
        return self.fact if self.values == ("true",) else f"{self.fact}: {' | '.join(self.values)}"


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What one person's answers ask of a framework.

    Attributes:
        respondent: who answered; keys the draws of this person's weights.
        roles: the roles that compete.
        effects: dotted path of a node or leaf -> product of the factors that answers put on its weight.
        fixed: dotted path -> per cent among its siblings.
        concentrations: path of an inner node ("" is the root) -> c of the weights of its children, where an answer
            touches one of them.
        requirements: the knock-outs.
        fit: fact -> its named values, each of which counts in the fit.
        devices: accelerators the user trains on; None when not said.
        workloads: ids of the workloads that resemble the task; None when not said.
        run_length_seconds: how long one training run is on the fastest framework.
        targets: values of the fact `target` where the model must run.
        deploys: False when the model only runs where it is trained.
        assumptions: ids of what was assumed: maintained, python-in-fit, run-length.
        current, course: framework ids.
        answered: number of questions answered.
    """

    respondent: str = ""
    roles: tuple[Role, ...] = _TRAINING_ROLES
    effects: dict[str, float] = {}
    fixed: dict[str, float] = {}
    concentrations: dict[str, float] = {}
    requirements: tuple[Requirement, ...] = ()
    fit: dict[str, tuple[str, ...]] = {}
    devices: tuple[str, ...] | None = None
    workloads: tuple[str, ...] | None = None
    run_length_seconds: float = DEFAULT_RUN_LENGTH_SECONDS
    targets: tuple[str, ...] = ()
    deploys: bool = True
    assumptions: tuple[str, ...] = ()
    current: str | None = None
    course: str | None = None
    answered: int = 0

    @property
    def trains(self) -> bool:
        """Whether anything is trained at all; if not, runtimes compete."""
        return Role.RUNTIME not in self.roles


def preferences(answers: Answers, knowledge: Knowledge) -> Preferences:
    """What `answers` ask for. Unfinished answers (a follow-up not given yet) ask for nothing more.

    Where the options of one question touch the same weight, the strongest effect counts once: a model that must run
    on phones and on boards does not need phones and boards sixteen times as much. Across questions effects multiply.

    Python counts in the fit only beside something that was named, since on its own it would give the fit a weight
    that nobody asked for.
    """
    chosen = list(_chosen(answers, knowledge))
    effects: dict[str, float] = {}
    least_sure: dict[str, Sure] = {}
    for _question, answer, options in chosen:
        for path, factor in _strongest_effects(options).items():
            effects[path] = effects.get(path, 1.0) * factor
            _note_sure(least_sure, path, answer.sure)
    for path, weight in answers.weights.items():
        _note_sure(least_sure, path, weight.sure)

    fit = _fit(answers, knowledge)
    assumptions = []
    if fit and _LANGUAGE_QUESTION not in answers.answers:
        fit[LANGUAGE] = tuple(dict.fromkeys((*fit.get(LANGUAGE, ()), ASSUMED_LANGUAGE)))
        assumptions.append("python-in-fit")
    requirements = _requirements(answers, chosen)
    if any(each.fact == MAINTAINED and each.origin is Origin.ASSUMED for each in requirements):
        assumptions.insert(0, MAINTAINED)
    every_option = [option for _question, _answer, options in chosen for option in options]
    lengths = [option.run_length_seconds for option in every_option if option.run_length_seconds]
    if not lengths:
        assumptions.append("run-length")
    roles = tuple(Role(option.role) for option in every_option if option.role)
    run_on = [option for question, _answer, options in chosen if question.id == _TARGET_QUESTION for option in options]
    return Preferences(
        respondent=answers.respondent,
        roles=roles or _TRAINING_ROLES,
        effects=effects,
        fixed={path: weight.per_cent for path, weight in answers.weights.items()},
        concentrations={node: CONCENTRATION[sure] for node, sure in least_sure.items()},
        requirements=requirements,
        fit=fit,
        devices=_devices(chosen),
        workloads=_workloads(every_option) if "build" in answers.answers else None,
        run_length_seconds=lengths[0] if lengths else DEFAULT_RUN_LENGTH_SECONDS,
        targets=tuple(option.fit["target"] for option in run_on if "target" in option.fit),
        deploys=not run_on or any("target" in option.fit for option in run_on),
        assumptions=tuple(assumptions),
        current=answers.current,
        course=answers.course,
        answered=len(chosen) + (answers.current is not None),
    )


_Chosen = tuple[Question, Answer, tuple[Option, ...]]


def _chosen(answers: Answers, knowledge: Knowledge) -> Iterator[_Chosen]:
    """The answered questions that have options, in the order of the questionnaire, with the options chosen."""
    for question in knowledge.questions.values():
        answer = answers.answers.get(question.id)
        if answer is not None and answer.values and question.options:
            yield question, answer, tuple(each for each in question.options if each.id in answer.values)


def _strongest_effects(options: tuple[Option, ...]) -> dict[str, float]:
    strongest: dict[str, float] = {}
    for option in options:
        for path, factor in option.multiply.items():
            strongest[path] = max(strongest.get(path, 1.0), factor, key=lambda each: abs(log(each)))
    return strongest


def _note_sure(least_sure: dict[str, Sure], path: str, sure: Sure) -> None:
    """Record at the parent of `path` that its children were touched by an answer this sure; the least sure counts."""
    parent = path.rpartition(".")[0]
    least_sure[parent] = min(least_sure.get(parent, sure), sure, key=CONCENTRATION.__getitem__)


def _fit(answers: Answers, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """Fact -> values that answers name, perhaps and unsure ones included."""
    fit: dict[str, tuple[str, ...]] = {}
    for question in knowledge.questions.values():
        for key in filter(None, (question.id, question.maybe)):
            answer = answers.answers.get(key)
            for option in question.options if answer else ():
                if answer and option.id in answer.values:
                    for fact, value in option.fit.items():
                        fit[fact] = tuple(dict.fromkeys((*fit.get(fact, ()), value)))
    return fit


def _requirements(answers: Answers, chosen: list[_Chosen]) -> tuple[Requirement, ...]:
    """The knock-outs without repetition: those of answers, then assumed ones, then those the sheet adds.

    An unsure answer knocks nothing out. The sheet's own `requirements` have the last word about a fact being
    maintained, so that `maintained: false` keeps what nobody maintains.
    """
    required: dict[tuple[str, frozenset[str]], Requirement] = {}
    devices = _devices([each for each in chosen if each[1].sure is not Sure.LOW])

    def add(fact: str, values: tuple[str, ...], origin: Origin) -> None:
        if fact == NATIVE_WINDOWS and values == ("true",) and devices:
            values = devices  # it must train there on one of the accelerators asked for
        required.setdefault((fact, frozenset(values)), Requirement(fact, values, origin))

    drops, confirms = set[str](), list[str]()
    for question, answer, options in chosen:
        for option in options:
            drops.update(option.drops)
            if answer.sure is not Sure.LOW:
                confirms.extend(option.confirms)
        if answer.sure is Sure.LOW:
            continue
        wanted = [(fact, value) for option in options for fact, value in option.require.items()]
        if question.choose is Choose.ANY:
            for fact in dict(wanted):
                add(fact, tuple(value for each, value in wanted if each == fact), Origin.ANSWER)
        else:
            for fact, value in wanted:
                add(fact, (value,), Origin.ANSWER)
    stated = answers.requirements.get(MAINTAINED)
    if stated is None:
        for fact in confirms:
            add(fact, ("true",), Origin.ANSWER)
        if MAINTAINED not in drops:
            add(MAINTAINED, ("true",), Origin.ASSUMED)
    for fact, wanted_values in answers.requirements.items():
        for values in _alternatives(wanted_values):
            add(fact, values, Origin.REQUIREMENTS)
    return tuple(required.values())


def _alternatives(wanted: Wanted) -> tuple[tuple[str, ...], ...]:
    """Sets of values of which one each must be supported. `false` asks for nothing."""
    if wanted.any:
        return (wanted.values,)
    return tuple((value,) for value in wanted.values if value != "false")


def _devices(chosen: list[_Chosen]) -> tuple[str, ...] | None:
    for question, _answer, options in chosen:
        if question.id == _DEVICE_QUESTION:
            return tuple(option.fit["accelerator"] for option in options if "accelerator" in option.fit)
    return None


def _workloads(options: list[Option]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(workload for option in options for workload in option.workloads))
