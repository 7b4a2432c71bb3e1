"""The line of keys."""

import pytest
from textual.app import ComposeResult

from advisor.tui.app import AdvisorApp
from advisor.tui.widgets.keys import KeyLine
from tests.advisor.tui.conftest import Settle


def _told(app: AdvisorApp) -> list[str]:
    return [str(key.description) for key in app.screen.query("FooterKey")]  # type: ignore[attr-defined]


async def test_a_screen_that_opens_draws_its_keys_once(
    app: AdvisorApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[KeyLine] = []
    compose = KeyLine.compose

    def counted(line: KeyLine) -> ComposeResult:
        if line._bindings_ready:
            drawn.append(line)
        return compose(line)

    monkeypatch.setattr(KeyLine, "compose", counted)
    async with app.run_test() as pilot:
        await settle(pilot)
        drawn.clear()
        app.action_guides()
        await settle(pilot)
        assert "by framework" in _told(app)
        assert len(drawn) == 1
        app.screen.refresh_bindings()
        await settle(pilot)
        assert len(drawn) == 1


async def test_keys_that_change_are_drawn_anew(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("mxnet")
        await settle(pilot)
        assert "history" not in _told(app)
        entries = app.screen.query_one("#entries")
        entries.highlighted = entries.get_option_index("leaf:ease.ramp_up")  # type: ignore[attr-defined]
        await settle(pilot)
        assert "history" in _told(app)
