"""Where the app keeps what it makes: environments, results, downloads. ADVISOR_HOME moves all of it."""

import os
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The app's data folder; not necessarily there yet."""
    own = os.environ.get("ADVISOR_HOME")
    return Path(own).expanduser() if own else user_data_path("framework-advisor", appauthor=False)


def environments_folder() -> Path:
    """Where the benchmark environments are."""
    return home() / "environments"


def store_file() -> Path:
    """The SQLite file with every result."""
    return home() / "results.sqlite"
