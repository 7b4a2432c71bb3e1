"""The terminal app. Importing this package costs nothing; Textual is imported when the app runs."""

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp
    from bench.recording import Recording


def run_app(recording: "Recording | None" = None, speed: float = 1.0) -> None:
    """Run the app on this machine until it is closed; with a recording, on the screen that plays it.

    Args:
        speed: how many times as fast as it was recorded.

    Raises:
        BadInput: the knowledge base has faults.
    """
    make_app(recording, speed).run()


def make_app(recording: "Recording | None" = None, speed: float = 1.0) -> "AdvisorApp":
    """The app as `run_app` runs it.

    Raises:
        BadInput: the knowledge base has faults.
    """
    from advisor.known import load_with_places
    from advisor.tui.app import AdvisorApp
    from advisor.tui.house import House

    knowledge, places = load_with_places()
    # What is known stays as long as the app does. Looking it through for garbage takes 100 ms of a key's time.
    gc.freeze()
    return AdvisorApp(knowledge, House(knowledge, places), recording=recording, speed=speed)
