"""The runner hands canonical weights to an idiom, runs it and says what went wrong: here with an engine of NumPy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import idioms
from bench.tensors import read_tensors, write_tensors

ENGINE = """
import numpy

CHANNELS_LAST = True
BACKBONE = "backbone.npy"


def parts(model, layers):
    for kind, arrays in model:
        yield kind, {suffix: access(array) for suffix, array in arrays.items()}


def access(array):
    def write(given):
        array[...] = given

    return array.copy, write


def save(model, path):
    numpy.save(path, model[0][1]["weight"])
"""

IDIOM = """
import numpy


def backbone():
    return [("dense", {"weight": numpy.ones((8, 3))})]


def build(path=None):
    body = backbone()
    if path:
        body[0][1]["weight"][...] = numpy.load(path)
    return body + [("dense", {"weight": numpy.ones((3, 2)), "bias": numpy.ones(2)})]


def train(model, batches, learning_rate):
    losses = []
    for inputs, targets in batches:
        losses.append(((predict(model, inputs) - targets) ** 2).mean())
        model[1][1]["bias"] -= learning_rate
    return losses


def predict(model, inputs):
    (_, body), (_, head) = model
    return inputs.reshape(len(inputs), -1) @ body["weight"] @ head["weight"] + head["bias"]
"""

LAYERS: list[dict[str, Any]] = [
    {"kind": "flatten", "id": "flat", "input_shape": [2, 2, 2], "output_shape": [8], "from": ["image"]},
    {"kind": "dense", "id": "body", "input_shape": [8], "output_shape": [3], "from": ["flat"]},
    {"kind": "tanh", "id": "bend", "input_shape": [3], "output_shape": [3], "from": ["body"]},
    {"kind": "dense", "id": "head", "input_shape": [3], "output_shape": [2], "from": ["bend"]},
]
INPUTS = np.random.default_rng(0).random((4, 5, 2, 2, 2), dtype=np.float32)  # batches, batch, channels, height, width
WEIGHTS = {
    "body.weight": np.random.default_rng(1).random((8, 3), dtype=np.float32),
    "head.weight": np.random.default_rng(2).random((3, 2), dtype=np.float32),
    "head.bias": np.random.default_rng(3).random(2, dtype=np.float32),
}


def run(folder: Path, idiom: str = IDIOM, *, frozen: bool = False, layers: list[dict[str, Any]] = LAYERS) -> Any:
    """Its result for one trial."""
    layers = [{**layer, "trained": not (frozen and layer["id"] == "body")} for layer in layers]
    network = {
        "inputs": {"image": {"shape": [2, 2, 2], "dtype": "float32"}},
        "optimiser": {"kind": "sgd", "learning_rate": 0.5},
        "layers": layers,
    }
    (folder / "network.json").write_text(json.dumps(network))
    (folder / "engine.py").write_text(ENGINE)
    (folder / "idiom.py").write_text(idiom)
    write_tensors(folder / "tensors.json", WEIGHTS)
    write_tensors(folder / "batches.json", {"inputs.image": INPUTS, "targets": np.zeros((4, 5, 2), np.float32)})
    trial = {name: str(folder / f"{name}.json") for name in ("network", "tensors", "batches")}
    trial |= {"workload": "small", "idiom": str(folder / "idiom.py"), "folder": str(folder)}
    job = {"weights": str(folder / "engine.py"), "results": str(folder / "results.json"), "trials": [trial]}
    (folder / "job.json").write_text(json.dumps(job))
    runner = idioms.FOLDER / "runner.py"
    subprocess.run([sys.executable, "-I", runner, folder / "job.json"], check=True)
    return json.loads((folder / "results.json").read_text())["small"]


@pytest.mark.parametrize("frozen", [False, True])
def test_an_idiom_starts_from_the_canonical_weights_and_its_first_update_is_written(
    tmp_path: Path, frozen: bool
) -> None:
    result = run(tmp_path, frozen=frozen)
    assert result["error"] is None
    outputs = INPUTS.reshape(4, 5, 8) @ WEIGHTS["body.weight"] @ WEIGHTS["head.weight"] + WEIGHTS["head.bias"]
    falling = outputs - 0.5 * np.arange(4).reshape(4, 1, 1)
    np.testing.assert_allclose(result["losses"], (falling**2).mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(read_tensors(tmp_path / "outputs.json")["outputs"], outputs[0], rtol=1e-5)
    update = read_tensors(tmp_path / "first_update.json")
    np.testing.assert_array_equal(update.pop("head.bias"), WEIGHTS["head.bias"] - np.float32(0.5))
    for name, tensor in update.items():
        np.testing.assert_array_equal(tensor, WEIGHTS[name], err_msg=name)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("numpy.ones((8, 3))", "numpy.ones((8, 4))", "body.weight has shape (8, 4) in the model, not (8, 3)"),
        ("= numpy.load(path)", "= 1", "build has not loaded body.weight from its file"),
        ("return losses", "return losses[1:]", "train gave 3 losses for 4 batches"),
        ('+ [("dense", {"weight"', '+ [("conv2d", {"weight"', "the model has no dense for the layer head"),
    ],
)
def test_what_is_wrong_with_an_idiom_is_said(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in IDIOM
    result = run(tmp_path, IDIOM.replace(old, new), frozen=True)
    assert told in result["error"]


def test_a_part_that_no_layer_takes_is_a_fault(tmp_path: Path) -> None:
    assert "more parts than the workload: dense" in run(tmp_path, layers=LAYERS[:-1])["error"]
