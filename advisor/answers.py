"""The answer sheet: the file in which one person's answers are kept, read and written without loss.

The format is INTERFACE.md's `advisor/answers/1`. Reading collects every fault; what the answers mean is worked out in
`questionnaire.py`.
"""

import math
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final
from unicodedata import category

import msgspec
import yaml

from advisor.i18n import _
from bench.files import is_special
from knowledge.facts import FACTS
from knowledge.faults import BadInput, Fault
from knowledge.loader import walk
from knowledge.model import Choose, Knowledge, Question
from knowledge.reader import FLOAT, MAX_FAULTS, Document, Plain, Steps, describe, did_you_mean, parse, read

SCHEMA: Final = "advisor/answers/1"

_KEYS: Final = ("schema", "respondent", "current", "course", "answers", "weights", "requirements")
_CURRENT: Final = "current"
_TOLERANCE_PER_CENT: Final = 1e-9  # sums of decimal fractions such as 33.3 + 33.3 + 33.4


class Sure(StrEnum):
    """How sure the respondent is of one answer."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Answer(msgspec.Struct, frozen=True):
    """What was answered to one question, or to its "perhaps": option ids in the order given."""

    values: tuple[str, ...]
    sure: Sure = Sure.MEDIUM


class FixedWeight(msgspec.Struct, frozen=True):
    """A weight set by hand: per cent among the siblings, 0-100."""

    per_cent: float
    sure: Sure = Sure.MEDIUM


class Wanted(msgspec.Struct, frozen=True):
    """The values of one fact that `requirements` names: all of them must hold, or with `any` one of them."""

    values: tuple[str, ...]
    any: bool = False


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """One answer sheet.

    Attributes:
        respondent: a name, for several people; "" when not given.
        current: id of the framework in use today.
        course: id of the framework a course dictates.
        answers: question id, or the id of its "perhaps" -> answer.
        weights: dotted path of a node or leaf -> fixed weight.
        requirements: fact id -> wanted values.
    """

    respondent: str = ""
    current: str | None = None
    course: str | None = None
    answers: dict[str, Answer] = {}
    weights: dict[str, FixedWeight] = {}
    requirements: dict[str, Wanted] = {}


def read_answers(path: Path, knowledge: Knowledge) -> Answers:
    """Read the answer sheet at `path`.

    Raises:
        BadInput: with every fault: file, line, key and what to do about it.
    """
    if is_special(path):  # a pipe would be waited for without end
        raise BadInput([Fault(str(path), None, "", _("is no ordinary file"), _("name a YAML file"))])
    return answers_in(read(path), knowledge)


def parse_answers(text: bytes, name: str, knowledge: Knowledge) -> Answers:
    """Read an answer sheet from its text; `name` is what faults call it.

    Raises:
        BadInput: with every fault.
    """
    return answers_in(parse(text, name), knowledge)


def answers_in(document: Document, knowledge: Knowledge) -> Answers:
    """Read the answer sheet that `document` holds.

    Raises:
        BadInput: with every fault.
    """
    return _Reader(document, knowledge).answers()


class _Dumper(yaml.SafeDumper):
    """Quotes text that the reader takes for a number (YAML 1.2) though PyYAML (YAML 1.1) does not: 1e5, a name."""


# A resolver looks for its pattern at the start of the text.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{FLOAT.pattern})\Z"), list("+-.0123456789"))


def dump_answers(answers: Answers) -> str:
    """`answers` as YAML that reads back as an equal record."""
    sheet: dict[str, object] = {"schema": SCHEMA}
    if answers.respondent:
        sheet["respondent"] = answers.respondent
    if answers.current:
        sheet["current"] = answers.current
    if answers.course:
        sheet["course"] = answers.course
    sheet["answers"] = {key: _plain(_plain_values(each.values), each.sure) for key, each in answers.answers.items()}
    if answers.weights:
        sheet["weights"] = {path: _plain(each.per_cent, each.sure) for path, each in answers.weights.items()}
    if answers.requirements:
        sheet["requirements"] = {
            fact: {"any": list(wanted.values)} if wanted.any else _plain_values(wanted.values)
            for fact, wanted in answers.requirements.items()
        }
    return yaml.dump(sheet, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None)


def _plain_values(values: tuple[str, ...]) -> str | bool | list[str]:
    if values in (("true",), ("false",)):
        return values == ("true",)
    return values[0] if len(values) == 1 else list(values)


def _plain(value: object, sure: Sure) -> object:
    return value if sure is Sure.MEDIUM else {"value": value, "sure": sure.value}


class _Reader:
    """One pass over one document; faults gather as it goes."""

    def __init__(self, document: Document, knowledge: Knowledge) -> None:
        self._document = document
        self._knowledge = knowledge
        self._faults: list[Fault] = []

    def answers(self) -> Answers:
        """The whole sheet.

        Raises:
            BadInput: with every fault, in the order of lines.
        """
        sheet = self._mapping((), self._document.value)
        for key in sheet:
            if key not in _KEYS:
                self._blame((key,), _("there is no such key"), did_you_mean(key, _KEYS))
        if "schema" not in sheet:
            self._blame((), _("the schema is missing"), _("begin with 'schema: {schema}'").format(schema=SCHEMA))
        elif sheet["schema"] != SCHEMA:
            self._blame(
                ("schema",),
                _("{value!r} is not a schema this version reads").format(value=sheet["schema"]),
                _("write {schema}").format(schema=SCHEMA),
            )
        answers = Answers(
            respondent=self._name(("respondent",), sheet.get("respondent")),
            current=self._current(sheet),
            course=self._framework(("course",), sheet["course"]) if "course" in sheet else None,
            answers=dict(self._read_answers(sheet)),
            weights=dict(self._read_weights(sheet)),
            requirements=dict(self._read_requirements(sheet)),
        )
        self._check_follow_ups(answers, sheet.get("requirements"))
        self._check_siblings(answers)
        if self._faults:
            faults = sorted(self._faults, key=lambda fault: fault.line or 0)
            if len(faults) > MAX_FAULTS:
                more = _("and {n} faults more").format(n=len(faults) - MAX_FAULTS)
                faults[MAX_FAULTS:] = [self._document.fault((), more)]
            raise BadInput(faults)
        return answers

    def _blame(self, path: Steps, problem: str, mend: str = "") -> None:
        self._faults.append(self._document.fault(path, problem, mend))

    # --- the parts of a sheet ---

    def _current(self, sheet: dict[str, Plain]) -> str | None:
        """The framework in use today, which may stand at the top or among the answers."""
        found: dict[str, str] = {}
        inner = sheet.get("answers")
        for path, container in (((_CURRENT,), sheet), (("answers", _CURRENT), inner)):
            if isinstance(container, dict) and container.get(_CURRENT) is not None:
                value = container[_CURRENT]
                if isinstance(value, dict):
                    value = self._value_and_sure(path, value)[0]
                framework = self._framework(path, value)
                if framework is not None:
                    found[framework] = framework
        if len(found) > 1:
            self._blame(
                ("answers", _CURRENT),
                _("is not the same as current: {other}").format(other=next(iter(found))),
                _("keep one of them"),
            )
        return next(iter(found), None)

    def _read_answers(self, sheet: dict[str, Plain]) -> Iterator[tuple[str, Answer]]:
        questions = self._knowledge.questions
        keys = [key for each in questions.values() for key in (each.id, each.maybe) if key]
        for key, value in self._mapping(("answers",), sheet.get("answers")).items():
            path: Steps = ("answers", key)
            question = next((each for each in questions.values() if key in (each.id, each.maybe)), None)
            if question is None:
                self._blame(path, _("there is no such question"), did_you_mean(key, keys))
            elif not question.options or value is None:
                continue  # a question about frameworks is `_current`'s; an empty value is a skipped question
            else:
                plain, sure, path = self._value_and_sure(path, value)
                values = () if plain is None else self._options(path, plain, question, maybe=key == question.maybe)
                if values:
                    yield key, Answer(values, sure)

    def _options(self, path: Steps, plain: Plain, question: Question, *, maybe: bool) -> tuple[str, ...]:
        known = [option.id for option in question.options]
        values: list[str] = []
        for place, value in self._items(path, plain):
            if not isinstance(value, str):
                self._blame(
                    place,
                    _("expected an option, found {found}").format(found=describe(value)),
                    _("known: {names}").format(names=", ".join(known)),
                )
            elif value not in known:
                self._blame(place, _("there is no option {value!r}").format(value=value), did_you_mean(value, known))
            elif value in values:
                self._blame(place, _("{value!r} is named twice").format(value=value), _("name it once"))
            else:
                values.append(value)
        alone = [option.id for option in question.options if option.alone and option.id in values]
        if alone and maybe:
            self._blame(
                path,
                _("{value!r} cannot be a perhaps").format(value=alone[0]),
                _("leave it out, or answer it outright"),
            )
        elif alone and len(values) > 1:
            self._blame(path, _("{value!r} stands alone").format(value=alone[0]), _("leave it or the others out"))
        most = {Choose.ONE: 1, Choose.UP_TO_TWO: 2}.get(question.choose)
        if most is not None and not maybe and len(values) > most:
            self._blame(path, _("{n} options chosen").format(n=len(values)), _("choose {n} at most").format(n=most))
        return tuple(values)

    def _read_weights(self, sheet: dict[str, Plain]) -> Iterator[tuple[str, FixedWeight]]:
        paths = [path for path, _criterion in walk(self._knowledge.criteria)]
        for key, value in self._mapping(("weights",), sheet.get("weights")).items():
            path: Steps = ("weights", key)
            if key not in paths:
                self._blame(path, _("there is no such criterion"), did_you_mean(key, paths))
                continue
            plain, sure, path = self._value_and_sure(path, value)
            mend = _("write per cent among its siblings, 0 to 100")
            if plain is None:
                continue
            if isinstance(plain, bool) or not isinstance(plain, int | float):
                self._blame(path, _("expected a number, found {found}").format(found=describe(plain)), mend)
            elif not math.isfinite(plain) or not 0 <= plain <= 100:
                self._blame(path, _("{value} is not a per cent").format(value=plain), mend)
            else:
                yield key, FixedWeight(float(plain), sure)

    def _read_requirements(self, sheet: dict[str, Plain]) -> Iterator[tuple[str, Wanted]]:
        for fact, value in self._mapping(("requirements",), sheet.get("requirements")).items():
            path: Steps = ("requirements", fact)
            if fact not in FACTS:
                self._blame(path, _("there is no such fact"), did_you_mean(fact, FACTS))
                continue
            either = isinstance(value, dict)
            if isinstance(value, dict):
                if list(value) != ["any"]:
                    self._blame(
                        path, _("expected a value, a list or {any: [...]}"), _("write any: and a list of values")
                    )
                    continue
                value, path = value["any"], (*path, "any")
            values: list[str] = []
            for place, item in self._items(path, value):
                known = FACTS[fact].value(item)
                if known is None:
                    shown = repr(item) if isinstance(item, str) else describe(item)
                    self._blame(
                        place, _("{fact} cannot be {value}").format(fact=fact, value=shown), FACTS[fact].mend(item)
                    )
                elif known not in values:
                    values.append(known)
            if "false" in values and len(values) > 1:
                self._blame(path, _("true and false exclude each other"), _("keep one of them"))
            if values:
                yield fact, Wanted(tuple(values), either and len(values) > 1)

    # --- what only the whole sheet shows ---

    def _check_follow_ups(self, answers: Answers, requirements: Plain) -> None:
        """An answer that needs another key of the sheet to mean anything. Other follow-ups may be skipped."""
        given = requirements if isinstance(requirements, dict) else {}  # whatever is wrong with it was said already
        for question in self._knowledge.questions.values():
            answer = answers.answers.get(question.id)
            for option in question.options if answer else ():
                for asked in option.asks:
                    section, _dot, fact = asked.partition(".")
                    chosen = answer is not None and option.id in answer.values
                    if chosen and section == "requirements" and fact not in given:
                        mend = (
                            _("add {section}: {{{fact}: ...}}").format(section=section, fact=fact)
                            if fact != "python"
                            else _('add requirements: {python: "3.13"}')
                        )
                        self._blame(
                            ("answers", question.id), _("{option!r} does not say which").format(option=option.id), mend
                        )

    def _check_siblings(self, answers: Answers) -> None:
        siblings = [tuple(criterion.id for criterion in self._knowledge.criteria)]
        for path, criterion in walk(self._knowledge.criteria):
            siblings.append(tuple(f"{path}.{child.id}" for child in criterion.children))
        for children in siblings:
            fixed = {child: answers.weights[child].per_cent for child in children if child in answers.weights}
            if not fixed:
                continue
            last: Steps = ("weights", list(fixed)[-1])
            total = math.fsum(fixed.values())
            if total > 100 + _TOLERANCE_PER_CENT:
                self._blame(
                    last,
                    _("{names} sum to {total:g} per cent").format(names=" + ".join(fixed), total=total),
                    _("siblings sum to 100 at most"),
                )
            if len(fixed) == len(children) and total == 0:
                self._blame(last, _("{names} are all 0").format(names=", ".join(fixed)), _("give one of them a weight"))

    # --- forms of values ---

    def _value_and_sure(self, path: Steps, value: Plain) -> tuple[Plain, Sure, Steps]:
        """The value (None: skipped), how sure it is, and where it stands. It may be bare, or `{value:, sure:}`."""
        if not isinstance(value, dict):
            return value, Sure.MEDIUM, path
        for key in value:
            if key not in ("value", "sure"):
                self._blame((*path, key), _("there is no such key"), did_you_mean(key, ("value", "sure")))
        if "value" not in value:
            self._blame(path, _("the value is missing"), _("write {value: ..., sure: low, medium or high}"))
        sure = value.get("sure", Sure.MEDIUM.value)
        if sure not in list(Sure):
            self._blame(
                (*path, "sure"),
                _("{value!r} is not a degree of sureness").format(value=sure),
                _("write low, medium or high"),
            )
            sure = Sure.MEDIUM
        return value.get("value"), Sure(str(sure)), (*path, "value")

    def _items(self, path: Steps, value: Plain) -> Iterator[tuple[Steps, Plain]]:
        """The items of a list with their places; anything else counts as a list of one."""
        if isinstance(value, list):
            if not value:
                self._blame(path, _("the list is empty"), _("name at least one value, or leave the key out"))
            yield from (((*path, index), item) for index, item in enumerate(value))
        else:
            yield path, value

    def _mapping(self, path: Steps, value: Plain) -> dict[str, Plain]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self._blame(
                path,
                _("expected a mapping, found {found}").format(found=describe(value)),
                _("write lines such as 'key: value'"),
            )
        return {}

    def _name(self, path: Steps, value: Plain) -> str:
        if isinstance(value, str):
            if any(category(letter) == "Cc" for letter in value):
                self._blame(path, _("a name cannot hold line breaks or control codes"), _("write it on one line"))
            return value
        if value is not None:
            self._blame(path, _("expected text, found {found}").format(found=describe(value)), _("put it into quotes"))
        return ""

    def _framework(self, path: Steps, value: Plain) -> str | None:
        if value is None:
            return None
        known = {name: each.id for each in self._knowledge.frameworks.values() for name in (each.id, *each.aliases)}
        if not isinstance(value, str):
            self._blame(
                path, _("expected a framework, found {found}").format(found=describe(value)), did_you_mean("", known)
            )
            return None
        if value not in known:
            self._blame(path, _("there is no framework {value!r}").format(value=value), did_you_mean(value, known))
        return known.get(value)
