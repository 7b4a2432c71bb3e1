"""What live tests share: real environments, each made once for all of them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from bench.data import PreparedData, prepare
from bench.environments import Environment, Environments, recipe_for
from bench.workload import load_workloads
from knowledge.loader import load
from knowledge.model import Knowledge

MakeEnvironment: TypeAlias = Callable[[str, str | None], Awaitable[Environment]]
MakeMaterial: TypeAlias = Callable[[str], PreparedData]


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture(scope="session")
def environments(environments_folder: Path) -> Environments:
    """The environments of live tests."""
    return Environments(environments_folder)


@pytest.fixture(scope="session")
def environment(knowledge: Knowledge, environments: Environments) -> MakeEnvironment:
    """`await environment(framework, backend)`: the framework's CPU environment, made on first use."""

    async def make(framework: str, backend: str | None) -> Environment:
        known = knowledge.frameworks[framework]
        return await environments.create(known, recipe_for(known, backend, "cpu"), lambda _what, _fraction: None)

    return make


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> MakeMaterial:
    """`prepared(workload)`: its weights, batches and reference, made on first use; they take up to ten seconds."""
    folder = tmp_path_factory.mktemp("prepared")
    workloads = load_workloads()
    made: dict[str, PreparedData] = {}

    def make(workload: str) -> PreparedData:
        if workload not in made:
            made[workload] = prepare(workloads[workload], 0, folder)
        return made[workload]

    return make
