"""knowledge/template: a start for a framework of one's own that passes every check as it is."""

import datetime
import re
import shutil
from pathlib import Path

import msgspec
import pytest

import knowledge
from knowledge.checks import check, rated_leaves
from knowledge.facts import FACTS
from knowledge.loader import Places, load_with_places
from knowledge.model import Framework, Knowledge

TEMPLATE = Path(knowledge.__file__).parent / "template"
WRITTEN_ON = datetime.date(2026, 11, 26)


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """The template copied into a folder of one's own under another name."""
    shutil.copytree(TEMPLATE, tmp_path / "own")
    (tmp_path / "own" / "frameworks" / "example.yaml").rename(tmp_path / "own" / "frameworks" / "my_framework.yaml")
    return tmp_path / "own"


@pytest.fixture
def loaded(renamed: Path) -> tuple[Knowledge, Places]:
    return load_with_places(extra=[renamed])


def test_it_loads_under_another_name_and_no_check_has_anything_to_say(
    renamed: Path, loaded: tuple[Knowledge, Places]
) -> None:
    base, places = loaded
    assert "my_framework" in base.frameworks
    found = [finding.fault for finding in check(base, places, WRITTEN_ON)]
    assert found  # of the shipped files there are notes
    assert [fault for fault in found if fault.file.startswith(str(renamed))] == []


def test_it_rates_every_leaf_and_states_every_fact(loaded: tuple[Knowledge, Places]) -> None:
    base, _ = loaded
    mine = base.frameworks["my_framework"]
    assert list(mine.ratings) == list(rated_leaves(base))
    assert list(mine.facts) == [fact for fact, rule in FACTS.items() if not rule.derived]


def test_it_shows_an_extreme_a_superseded_and_an_unknown_score(loaded: tuple[Knowledge, Places]) -> None:
    statements = list(loaded[0].frameworks["my_framework"].ratings.values())
    assert any(each[0].score is not None and each[0].score >= 8 for each in statements)
    assert any(len(each) > 1 for each in statements)
    assert any(each[0].score is None and each[0].reason for each in statements)


def test_it_names_every_field_of_a_framework() -> None:
    text = (TEMPLATE / "frameworks" / "example.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?([a-z]+): ?", text, re.MULTILINE)) | {"schema"}
    assert {field.encode_name for field in msgspec.structs.fields(Framework)} - {"id"} <= named


def test_the_shipped_base_does_not_hold_it() -> None:
    assert "example" not in knowledge.load().frameworks
