"""What live tests share: real environments, each made once for all of them."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from bench.environments import Environment, Environments, recipe_for
from knowledge.loader import load
from knowledge.model import Knowledge

MakeEnvironment: TypeAlias = Callable[[str, str | None], Awaitable[Environment]]


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Where live tests keep their environments: below ADVISOR_HOME if that is set, so that they are there next time."""
    home = os.environ.get("ADVISOR_HOME")
    return Environments(Path(home) / "environments" if home else tmp_path_factory.mktemp("environments"))


@pytest.fixture(scope="session")
def environment(knowledge: Knowledge, environments: Environments) -> MakeEnvironment:
    """`await environment(framework, backend)`: the framework's CPU environment, made on first use."""

    async def make(framework: str, backend: str | None) -> Environment:
        known = knowledge.frameworks[framework]
        return await environments.create(known, recipe_for(known, backend, "cpu"), lambda _what, _fraction: None)

    return make
