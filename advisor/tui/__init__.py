"""The terminal app. Importing this package costs nothing; Textual is imported when the app runs."""


def run_app() -> None:
    """Run the app on this machine until it is closed.

    Raises:
        BadInput: the knowledge base has faults.
    """
    from advisor.tui.app import AdvisorApp
    from advisor.tui.house import House
    from knowledge.loader import load_with_places

    knowledge, places = load_with_places()
    AdvisorApp(knowledge, House(knowledge, places)).run()
