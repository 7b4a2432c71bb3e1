"""Every idiom, in its framework's real environment, computes what the reference computes.

Live: makes up to six environments (a few gigabytes together) and trains up to 13 workloads in each; minutes.
"""

import asyncio
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from bench import idioms, parity
from bench.data import PreparedData, prepare
from bench.session import worker_variables
from bench.tensors import read_tensors
from bench.workload import load_workloads
from knowledge.loader import load
from tests.bench.candidates import honest
from tests.bench.conftest import MakeEnvironment

DEADLINE = 900  # seconds for all workloads of a framework; a machine with other work takes its time
WORKLOADS = load_workloads()
CANDIDATES = [
    (framework, backend)
    for framework in idioms.FRAMEWORKS
    for backend in load().frameworks[framework].backends or (None,)
]

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], PreparedData]:
    """`prepared(workload)`: its weights, batches and reference, made on first use."""
    folder = tmp_path_factory.mktemp("prepared")
    made: dict[str, PreparedData] = {}

    def make(workload: str) -> PreparedData:
        if workload not in made:
            made[workload] = prepare(WORKLOADS[workload], 0, folder)
        return made[workload]

    return make


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest,
    environment: MakeEnvironment,
    prepared: Callable[[str], PreparedData],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What one process of a framework found, for all workloads that were asked for: {workload: {folder, ...}}."""
    framework, backend = request.param
    wanted = [
        item.callspec.params["workload"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.module is request.module
        and item.callspec.params.get("trials") == request.param
    ]
    made = asyncio.run(environment(framework, backend))
    folder = tmp_path_factory.mktemp(f"{framework}-{backend}")
    for workload in wanted:
        (folder / workload).mkdir()
    job = {
        "weights": str(idioms.FOLDER / "weights" / f"{framework}.py"),
        "results": str(folder / "results.json"),
        "trials": [
            {
                "workload": workload,
                "idiom": str(idioms.path(framework, workload)),
                "network": str(prepared(workload).network_json),
                "tensors": str(prepared(workload).weights_manifest),
                "batches": str(prepared(workload).batches_manifest),
                "folder": str(folder / workload),
            }
            for workload in wanted
        ],
    }
    (folder / "job.json").write_text(json.dumps(job))
    finished = subprocess.run(
        [made.python, "-I", idioms.FOLDER / "runner.py", folder / "job.json"],
        env=worker_variables(made.variables) | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    results = json.loads((folder / "results.json").read_text())
    return {
        workload: {"framework": framework, "folder": folder / workload, **result}
        for workload, result in results.items()
    }


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("trials", CANDIDATES, indirect=True, ids=lambda pair: "@".join(filter(None, pair)))
def test_an_idiom_computes_what_the_reference_does(
    trials: dict[str, Any], workload: str, prepared: Callable[[str], PreparedData]
) -> None:
    trial = trials[workload]
    assert trial["error"] is None, trial["error"]
    first_update = read_tensors(trial["folder"] / "first_update.json")
    outputs = read_tensors(trial["folder"] / "outputs.json")["outputs"]
    reference = prepared(workload).reference
    found = parity.compare(reference, trial["losses"], first_update, outputs, framework=trial["framework"])
    assert found.passed, found
    assert honest(found), found
