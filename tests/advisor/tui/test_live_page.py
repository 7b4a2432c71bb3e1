"""What a package index said stands on a framework's page, as the command line tells it."""

import datetime
from pathlib import Path

import pytest

from advisor import live
from advisor.tui.app import AdvisorApp
from advisor.tui.house import House
from bench.registry import Package, Registry, Release, encoded
from knowledge.faults import BadInput, Fault
from knowledge.loader import load_with_places
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import Scene, shown

ASKED = datetime.date(2026, 11, 26)


def test_the_page_and_the_command_line_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795651200")  # 2026-11-26
    base, places = load_with_places()
    house = House(base, places)
    assert house.live("pytorch") == ()
    registry = Registry(packages={"pkg:pypi/torch": Package(asked=ASKED, releases=(Release(version="99.0"),))})
    (tmp_path / "registry.json").write_bytes(encoded(registry))
    page = live.about(base.frameworks["pytorch"], registry, ASKED)
    assert page is not None
    assert house.live("pytorch") == tuple(live.lines(page))
    assert any("99.0 is newer than" in line for line in house.live("pytorch"))
    assert house.live("caffe") == ()


async def test_what_was_kept_stands_on_the_page_with_its_date(
    app: AdvisorApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scene, "live", lambda _self, framework: (f"{framework}, as its index said on 2026-11-26",))
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        assert "On the package index\npytorch, as its index said on 2026-11-26" in shown(app, "#detail")


async def test_without_anything_kept_the_page_is_silent_about_it(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        assert "On the package index" not in shown(app, "#detail")


async def test_a_file_that_cannot_be_used_is_told_on_the_page(
    app: AdvisorApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Scene, _framework: str) -> tuple[str, ...]:
        raise BadInput([Fault("registry.json", None, "", "holds no answers of a package index", "remove it")])

    monkeypatch.setattr(Scene, "live", broken)
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        assert "registry.json: holds no answers of a package index (remove it)" in shown(app, "#detail")
