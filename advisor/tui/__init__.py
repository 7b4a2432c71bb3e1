"""The terminal app. Importing this package costs nothing; Textual is imported when the app runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.recording import Recording


def run_app(recording: "Recording | None" = None, speed: float = 1.0) -> None:
    """Run the app on this machine until it is closed; with a recording, on the screen that plays it.

    Args:
        speed: how many times as fast as it was recorded.

    Raises:
        BadInput: the knowledge base has faults.
    """
    from advisor.known import load_with_places
    from advisor.tui.app import AdvisorApp
    from advisor.tui.house import House

    knowledge, places = load_with_places()
    AdvisorApp(knowledge, House(knowledge, places), recording=recording, speed=speed).run()
