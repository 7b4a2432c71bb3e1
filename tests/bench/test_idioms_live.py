"""Every idiom, in its framework's real environment, computes what the reference computes.

Live: makes up to six environments (a few gigabytes together) and trains up to 13 workloads in each; minutes.
"""

import asyncio
import json
import subprocess
from typing import Any

import msgspec
import pytest

from bench import idioms, parity
from bench.session import worker_variables
from bench.tensors import read_tensors
from bench.workload import load_workloads
from knowledge.loader import load
from tests.bench.candidates import honest
from tests.bench.conftest import MakeEnvironment, MakeMaterial

DEADLINE = 900  # seconds for all workloads of a framework; a machine with other work takes its time
WORKLOADS = load_workloads()
CANDIDATES = [
    (framework, backend)
    for framework in idioms.FRAMEWORKS
    for backend in load().frameworks[framework].backends or (None,)
]
SEVERAL = ("mnist-cnn", "pm25-lstm", "dynamic-rnn", "transformer-lm")  # what one file is tried on with further backends
TRIALS = [
    pytest.param(candidate, workload, id=f"{'@'.join(filter(None, candidate))}-{workload}")
    for candidate in CANDIDATES
    for workload in WORKLOADS
    if workload in SEVERAL or candidate[1] in (None, "tensorflow")
]

LOSSES_WIDENED = {"mxnet": 10}
"""Framework -> by how much its losses' tolerance is wider here: Gluon's SoftmaxCrossEntropyLoss takes oneDNN's
log_softmax, which is off by up to 4e-6; 20 steps of mlp-tabular make 3.1e-5 of that. Adapters ask for MXNet's own
kernel, but this is how its documentation writes a loss."""

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest,
    environment: MakeEnvironment,
    prepared: MakeMaterial,
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


@pytest.mark.parametrize(("trials", "workload"), TRIALS, indirect=["trials"], scope="module")  # one process each
def test_an_idiom_computes_what_the_reference_does(
    trials: dict[str, Any], workload: str, prepared: MakeMaterial
) -> None:
    trial = trials[workload]
    assert trial["error"] is None, trial["error"]
    first_update = read_tensors(trial["folder"] / "first_update.json")
    outputs = read_tensors(trial["folder"] / "outputs.json")["outputs"]
    reference = prepared(workload).reference
    found = parity.compare(reference, trial["losses"], first_update, outputs, framework=trial["framework"])
    wider = found.tolerance * LOSSES_WIDENED.get(trial["framework"], 1)
    assert honest(msgspec.structs.replace(found, tolerance=wider)), found
