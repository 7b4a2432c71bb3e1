"""Where the app keeps what it makes: environments, results, downloads. ADVISOR_HOME moves all of it."""

import os
from pathlib import Path

from platformdirs import user_data_path

from advisor.i18n import _
from knowledge.faults import BadInput, Fault


def home() -> Path:
    """The app's data folder; not necessarily there yet.

    Raises:
        BadInput: ADVISOR_HOME names the home of a user who is not here.
    """
    own = os.environ.get("ADVISOR_HOME")
    if not own:
        return user_data_path("framework-advisor", appauthor=False)
    try:
        return Path(own).expanduser()
    except RuntimeError as error:
        mend = _("name a folder")
        raise BadInput([Fault("ADVISOR_HOME", None, "", _("names the home of nobody here"), mend)]) from error


def environments_folder() -> Path:
    """Where the benchmark environments are."""
    return home() / "environments"


def store_file() -> Path:
    """The SQLite file with every result."""
    return home() / "results.sqlite"


def own_workloads() -> tuple[Path, ...]:
    """The folder of the user's own workload files, where there is one."""
    folder = home() / "workloads"
    return (folder,) if folder.exists() else ()


def own_knowledge() -> tuple[Path, ...]:
    """The folder that holds the user's own `frameworks/*.yaml`, where there are any."""
    return (home(),) if (home() / "frameworks").exists() else ()


def own_adapters() -> tuple[Path, ...]:
    """The folder of the user's own adapters, where there is one."""
    folder = home() / "adapters"
    return (folder,) if folder.exists() else ()
