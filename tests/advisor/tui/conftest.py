"""What every test of the screens starts from: English, a fixed world, and a way to let everything settle."""

from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.pilot import Pilot

from advisor import i18n
from advisor.tui.app import AdvisorApp
from tests.advisor.tui.scene import KNOWLEDGE, Scene

Settle = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    i18n.set_language("en")
    yield
    i18n.set_language("en")


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def app(scene: Scene) -> AdvisorApp:
    return AdvisorApp(KNOWLEDGE, scene)


@pytest.fixture
def settle() -> Settle:
    async def settled(pilot: Pilot[None]) -> None:
        """Wait for the decision under way and let the screens take it in."""
        for _attempt in range(3):
            await pilot.app.workers.wait_for_complete()
            await pilot.pause()

    return settled
