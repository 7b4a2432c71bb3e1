"""knowledge.schema: the schemas follow the records and the ids that exist."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from knowledge.facts import FACTS
from knowledge.loader import load
from knowledge.model import Framework
from knowledge.reader import read
from knowledge.schema import schemas, text
from tests.knowledge.conftest import Base

KINDS = ["criteria", "questions", "sources", "framework", "guide", "persona", "answers"]


@pytest.fixture
def made(base: Base) -> dict[str, dict[str, Any]]:
    return schemas(load(base.folder))


def parts(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from parts(part)


def test_there_is_a_schema_for_every_kind_of_file(made: dict[str, dict[str, Any]]) -> None:
    assert list(made) == KINDS
    for kind, schema in made.items():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["properties"]["schema"] == {"const": f"advisor/{kind}/1"}
        assert schema["required"][0] == "schema"


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_somewhere(made: dict[str, dict[str, Any]], kind: str) -> None:
    references = {part["$ref"] for part in parts(made[kind]) if "$ref" in part}
    assert references <= {f"#/$defs/{name}" for name in made[kind]["$defs"]}
    assert references


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_keys_are_refused_everywhere(made: dict[str, dict[str, Any]], kind: str) -> None:
    closed = [part for part in parts(made[kind]) if part.get("type") == "object" and "properties" in part]
    assert closed
    assert all(part["additionalProperties"] is False for part in closed)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("criteria", "criteria.yaml"),
        ("questions", "questions.yaml"),
        ("sources", "sources.yaml"),
        ("framework", "frameworks/alpha.yaml"),
        ("guide", "guides/old.yaml"),
        ("persona", "personas/learner.yaml"),
    ],
)
def test_a_file_that_loads_has_the_keys_of_its_schema(
    base: Base, made: dict[str, dict[str, Any]], kind: str, name: str
) -> None:
    keys = read(base.folder / name).value
    assert isinstance(keys, dict)
    assert set(made[kind]["required"]) <= set(keys) <= set(made[kind]["properties"])


def test_the_schema_of_frameworks_has_all_fields_but_the_id_and_names_leaves_and_facts(
    made: dict[str, dict[str, Any]],
) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(Framework)}
    assert set(made["framework"]["properties"]) == fields - {"id"} | {"schema"}
    properties = made["framework"]["properties"]
    assert properties["ratings"]["propertyNames"] == {"enum": ["ease.ramp_up", "ease.install"]}
    assert properties["facts"]["propertyNames"] == {"enum": [fact for fact in FACTS if fact != "maintained"]}


def test_the_schema_of_answers_names_questions_options_criteria_and_facts(made: dict[str, dict[str, Any]]) -> None:
    properties = made["answers"]["properties"]
    assert list(properties["answers"]["properties"]) == ["goal", "train_on", "train_on_maybe", "must", "current"]
    assert properties["answers"]["properties"]["goal"]["anyOf"][0] == {"enum": ["learn", "keep"]}
    assert "performance.time_to_finish" in properties["weights"]["properties"]
    assert list(properties["requirements"]["properties"]) == list(FACTS)
    assert {"enum": [True, False]} in list(parts(properties["requirements"]["properties"]["maintained"]))


def test_the_schema_of_personas_holds_that_of_answers(made: dict[str, dict[str, Any]]) -> None:
    sheet = made["persona"]["properties"]["sheet"]
    assert sheet["properties"] == made["answers"]["properties"]
    assert sheet["required"] == made["answers"]["required"]


def test_equal_knowledge_gives_equal_bytes(base: Base) -> None:
    once, again = (schemas(load(base.folder)) for _ in range(2))
    for kind in KINDS:
        assert text(once[kind]) == text(again[kind])
        assert text(msgspec.json.decode(text(once[kind]))) == text(once[kind])
        assert text(once[kind]).endswith("}\n")
