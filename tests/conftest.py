"""What live tests of all rooms share: environments are made once."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def environments_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where live tests keep their environments: below ADVISOR_HOME if that is set, so that they are there next time."""
    home = os.environ.get("ADVISOR_HOME")
    folder = Path(home) / "environments" if home else tmp_path_factory.mktemp("environments")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
