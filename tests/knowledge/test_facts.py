"""knowledge.facts: known values, and what being maintained means."""

import datetime

import msgspec
import pytest

from knowledge.checks.criteria import CLOSED
from knowledge.facts import ACCELERATORS, FACTS, MAINTAINED_DAYS, earliest, maintained
from knowledge.loader import load
from knowledge.model import Framework, Lifecycle, Release, Status, Support
from tests.knowledge.conftest import Base

DAY = datetime.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("fact", "written", "value"),
    [
        ("os", "linux", "linux"),
        ("os", "Linux", None),
        ("os", "", None),
        ("language", "c++", "cpp"),
        ("language", "typescript", "javascript"),
        ("python", "3.9", "3.9"),
        ("python", "3.13.1", None),
        ("python", 3.13, None),
        ("licence", "permissive", "permissive"),
        ("licence", "Apache-2.0", "Apache-2.0"),
        ("licence", "Apache 2.0", None),
        ("licence", "LicenseRef-Anything", "LicenseRef-Anything"),
        ("training", True, "true"),
        ("training", "true", "true"),
        ("training", False, None),
        ("maintained", False, "false"),
        ("distributed", ["one-device"], None),
        ("native_windows", True, "true"),
        ("native_windows", "cuda", "cuda"),
        ("native_windows", False, None),
        ("native_windows", "wsl", None),
    ],
)
def test_a_value_is_known_or_it_is_none(fact: str, written: object, value: str | None) -> None:
    assert FACTS[fact].value(written) == value


@pytest.mark.parametrize(
    ("fact", "written", "mend"),
    [
        ("accelerator", "coda", "did you mean 'cuda'?"),
        ("python", 3.1, "put it into quotes, as in '3.13'"),
        ("python", "latest", "write it like '3.13'"),
        ("training", False, "known: true"),
        ("maintained", "no", "known: true, false"),
        ("licence", "Apache 2.0", "did you mean 'Apache-2.0'?"),
        ("licence", "own", "write it like 'permissive'"),
    ],
)
def test_the_mend_shows_what_to_write(fact: str, written: object, mend: str) -> None:
    assert FACTS[fact].mend(written) == mend


def test_every_fact_of_the_questionnaire_is_known_and_its_values_are_canonical() -> None:
    for question in load().questions.values():
        for option in question.options:
            for fact, value in [*option.require.items(), *option.fit.items()]:
                assert FACTS[fact].value(value) == value


def test_native_windows_is_stated_for_every_shipped_framework() -> None:
    for framework in load().frameworks.values():
        stated = {value: each.support for each in framework.facts["native_windows"] for value in each.values}
        # Whether a retired one ever drove a CUDA card there may be lost; nobody is advised to find out.
        needed = {"true", "cpu"} if framework.lifecycle.status in CLOSED else {"true", "cpu", "cuda"}
        assert needed <= stated.keys() <= {"true", *ACCELERATORS}, framework.id
        somewhere = any(support is not Support.NONE for value, support in stated.items() if value != "true")
        assert (stated["true"] is not Support.NONE) == somewhere


@pytest.fixture
def alpha(base: Base) -> Framework:
    return load(base.folder).frameworks["alpha"]


def living(framework: Framework, releases: list[str], first: str = "2015", **life: object) -> Framework:
    dated = tuple(Release(version=day, date=datetime.date.fromisoformat(day)) for day in releases)
    changed = msgspec.structs.replace(framework.lifecycle, releases=dated, first_release=first, **life)
    assert isinstance(changed, Lifecycle)
    return msgspec.structs.replace(framework, lifecycle=changed)


@pytest.mark.parametrize(
    ("days_ago", "expected"), [(0, True), (MAINTAINED_DAYS, True), (MAINTAINED_DAYS + 1, False), (3000, False)]
)
def test_a_release_keeps_a_framework_maintained_for_18_months(alpha: Framework, days_ago: int, expected: bool) -> None:
    released = DAY - datetime.timedelta(days=days_ago)
    assert maintained(living(alpha, [released.isoformat()]), DAY) is expected


def test_releases_after_the_day_asked_about_do_not_count(alpha: Framework) -> None:
    assert maintained(living(alpha, ["2026-11-21", "2020-01-01"]), DAY) is False
    assert maintained(living(alpha, ["2026-11-21", "2026-01-01"]), DAY) is True


def test_archiving_ends_it_on_its_day(alpha: Framework) -> None:
    archived = living(alpha, ["2026-10-01"], status=Status.ARCHIVED, archived=DAY)
    assert maintained(archived, DAY) is False
    assert maintained(archived, DAY - datetime.timedelta(days=1)) is True


def test_archiving_at_an_unknown_time_counts_always(alpha: Framework) -> None:
    assert maintained(living(alpha, ["2026-10-01"], status=Status.ARCHIVED), DAY) is False


@pytest.mark.parametrize(
    ("first", "expected"), [("2015", None), ("2026", None), ("2026-11", None), ("2026-12", False), ("unknown", None)]
)
def test_without_a_listed_release_it_is_unknown_once_the_project_has_begun(
    alpha: Framework, first: str, expected: bool | None
) -> None:
    assert maintained(living(alpha, ["2027-01-01"], first), DAY) is expected
    assert maintained(living(alpha, [], first), DAY) is expected


@pytest.mark.parametrize(
    ("partial", "day"),
    [
        ("2016", datetime.date(2016, 1, 1)),
        ("2016-05", datetime.date(2016, 5, 1)),
        ("2016-05-31", datetime.date(2016, 5, 31)),
        ("2016-13", None),
        ("2016-02-30", None),
        ("0000", None),
        ("May 2016", None),
        ("", None),
    ],
)
def test_a_partial_date_starts_on_its_first_day(partial: str, day: datetime.date | None) -> None:
    assert earliest(partial) == day
