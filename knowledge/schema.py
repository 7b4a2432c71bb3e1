"""JSON Schemas (draft 2020-12) of the YAML files, for completion and checking in editors.

They are generated from the records, so that they cannot drift from what the loader accepts, and enriched with the
ids that exist (leaves, facts, questions). What depends on several files at once stays with `checks`.
"""

import inspect
from typing import Any, Final

import msgspec

from knowledge.checks import rated_leaves
from knowledge.facts import FACTS, FactRule
from knowledge.loader import (
    CRITERIA_SCHEMA,
    FRAMEWORK_SCHEMA,
    GUIDE_SCHEMA,
    PERSONA_SCHEMA,
    QUESTIONS_SCHEMA,
    SOURCES_SCHEMA,
    CriteriaFile,
    QuestionsFile,
    SourcesFile,
    load,
    walk,
)
from knowledge.model import Choose, Framework, Guide, Knowledge, Persona, Question

ANSWERS_SCHEMA: Final = "advisor/answers/1"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SURE: Final = {"enum": ["low", "medium", "high"]}

Json = dict[str, Any]


def schemas(knowledge: Knowledge | None = None) -> dict[str, Json]:
    """Kind of file ("criteria", "questions", "sources", "framework", "guide", "persona", "answers") -> its JSON Schema.

    Args:
        knowledge: whose ids the schemas of frameworks and answers list; the shipped base when None.
    """
    known = load() if knowledge is None else knowledge
    return {
        "criteria": _of_record(CriteriaFile, CRITERIA_SCHEMA),
        "questions": _of_record(QuestionsFile, QUESTIONS_SCHEMA),
        "sources": _of_record(SourcesFile, SOURCES_SCHEMA),
        "framework": _framework(known),
        "guide": _guide(),
        "persona": _persona(known),
        "answers": _answers(known),
    }


def text(schema: Json) -> str:
    """A schema as the text of a file: equal schemas give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _of_record(record: type[msgspec.Struct], schema: str) -> Json:
    """The schema of a file that holds one `record` and the line `schema: ...`."""
    _, components = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    for component in components.values():  # Python 3.13 strips the indentation of docstrings, older ones keep it
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    top = components.pop(record.__name__)
    return {
        **top,
        "$schema": _DIALECT,
        "title": schema,
        "properties": {"schema": {"const": schema}, **top["properties"]},
        "required": ["schema", *top["required"]],
        "$defs": dict(sorted(components.items())),
    }


def _framework(knowledge: Knowledge) -> Json:
    schema = _of_record(Framework, FRAMEWORK_SCHEMA)
    del schema["properties"]["id"]  # the file's name gives it
    schema["required"].remove("id")
    stated = [fact for fact, rule in FACTS.items() if not rule.derived]
    rated = list(rated_leaves(knowledge))
    schema["properties"]["facts"]["propertyNames"] = {"enum": stated}
    schema["properties"]["ratings"]["propertyNames"] = {"enum": rated}
    return schema


def _guide() -> Json:
    schema = _of_record(Guide, GUIDE_SCHEMA)
    del schema["properties"]["id"]  # the file's name gives it
    schema["required"].remove("id")
    return schema


def _persona(knowledge: Knowledge) -> Json:
    schema = _of_record(Persona, PERSONA_SCHEMA)
    del schema["properties"]["id"]  # the file's name gives it
    schema["required"].remove("id")
    sheet = _answers(knowledge)
    schema["$defs"] |= sheet.pop("$defs")
    del sheet["$schema"]
    schema["properties"]["sheet"] = sheet
    schema["$defs"]["Expected"]["properties"]["excluded"]["additionalProperties"] = {"enum": list(FACTS)}
    return schema


def _answers(knowledge: Knowledge) -> Json:
    """The answer sheet of INTERFACE.md; no record of this room, hence written out."""
    answers: Json = {}
    for question in knowledge.questions.values():
        options = {"enum": [option.id for option in question.options]}
        if question.asks is None:
            answers[question.id] = _answer(question, options)
        else:
            answers[question.id] = {"type": "string"}
        if question.maybe is not None:
            answers[question.maybe] = {"anyOf": [options, {"type": "array", "items": options}]}
    percent = {"type": "number", "minimum": 0, "maximum": 100}
    return {
        "$schema": _DIALECT,
        "title": ANSWERS_SCHEMA,
        "type": "object",
        "properties": {
            "schema": {"const": ANSWERS_SCHEMA},
            "respondent": {"type": "string"},
            "current": {"type": "string"},
            "course": {"type": "string"},
            "answers": {"type": "object", "properties": answers, "additionalProperties": False},
            "weights": {
                "type": "object",
                "properties": {path: {"$ref": "#/$defs/Share"} for path, _ in walk(knowledge.criteria)},
                "additionalProperties": False,
            },
            "requirements": {
                "type": "object",
                "properties": {fact: _requirement(rule) for fact, rule in FACTS.items()},
                "additionalProperties": False,
            },
        },
        "required": ["schema"],
        "additionalProperties": False,
        "$defs": {"Share": {"anyOf": [percent, _with_sure(percent)]}},
    }


def _answer(question: Question, options: Json) -> Json:
    """One option, or several where the question takes them, with or without how sure."""
    forms: list[Json] = [options]
    if question.choose is not Choose.ONE:
        several: Json = {"type": "array", "items": options, "uniqueItems": True}
        if question.choose is Choose.UP_TO_TWO:
            several["maxItems"] = 2
        forms.append(several)
    return {"anyOf": [*forms, _with_sure({"anyOf": forms})]}


def _with_sure(value: Json) -> Json:
    return {
        "type": "object",
        "properties": {"value": value, "sure": _SURE},
        "required": ["value"],
        "additionalProperties": False,
    }


def _requirement(rule: FactRule) -> Json:
    """One value, a list of values that must all hold, or {any: [...]}."""
    forms: list[Json] = [{"enum": list(rule.values)}]
    if rule.pattern:
        forms.append({"type": "string", "pattern": f"^(?:{rule.pattern})$"})
    if "true" in rule.values:
        forms.append({"enum": [value == "true" for value in rule.values if value in ("true", "false")]})
    value = forms[0] if len(forms) == 1 else {"anyOf": forms}
    several = {"type": "array", "items": value}
    one_of = {"type": "object", "properties": {"any": several}, "required": ["any"], "additionalProperties": False}
    return {"anyOf": [value, several, one_of]}
