"""Workloads: what ships counts as it does by hand, a user's own files work the same, what is wrong is named."""

from pathlib import Path

import pytest

from bench.workload import (
    Conv2d,
    flops_per_sample,
    load_workloads,
    network,
    parameters,
    shapes,
    weight_shapes,
)
from knowledge.faults import BadInput

SHIPPED = load_workloads()
FOLDER = Path(__file__).parent.parent.parent / "bench" / "workloads"


def test_every_shipped_file_is_a_workload_named_after_its_file() -> None:
    assert set(SHIPPED) == {path.stem for path in FOLDER.iterdir()}
    assert {"mnist-cnn", "pm25-lstm"} <= set(SHIPPED)
    assert all(workload.id == name for name, workload in SHIPPED.items())


def test_mnist_cnn_has_the_shapes_parameters_and_operations_counted_by_hand() -> None:
    workload = SHIPPED["mnist-cnn"]
    assert shapes(workload) == {
        "input": (1, 28, 28),
        "conv1": (32, 26, 26),
        "relu1": (32, 26, 26),
        "pool1": (32, 13, 13),
        "conv2": (64, 11, 11),
        "relu2": (64, 11, 11),
        "pool2": (64, 5, 5),
        "flatten": (1600,),
        "dense": (10,),
    }
    assert parameters(workload) == (32 * 9 + 32) + (64 * 32 * 9 + 64) + (1600 * 10 + 10) == 34_826
    convolutions = 26 * 26 * 32 * (1 * 9) + 11 * 11 * 64 * (32 * 9)
    assert flops_per_sample(workload) == 2 * (convolutions + 1600 * 10) == 4_881_920


def test_pm25_lstm_has_the_shapes_parameters_and_operations_counted_by_hand() -> None:
    workload = SHIPPED["pm25-lstm"]
    assert shapes(workload) == {"input": (24, 8), "lstm": (50,), "dense": (1,)}
    assert weight_shapes(workload) == {
        "lstm.kernel": (8, 200),
        "lstm.recurrent": (50, 200),
        "lstm.bias": (200,),
        "dense.weight": (50, 1),
        "dense.bias": (1,),
    }
    assert parameters(workload) == 4 * (8 * 50 + 50 * 50 + 50) + 51 == 11_851
    assert flops_per_sample(workload) == 2 * (24 * 4 * 50 * (8 + 50) + 50) == 556_900


def test_workers_are_told_every_layer_with_its_shapes() -> None:
    told = network(SHIPPED["mnist-cnn"])
    assert told["layers"][0] == {
        "kind": "conv2d",
        "id": "conv1",
        "from": ["input"],
        "trained": True,
        "channels": 32,
        "kernel": 3,
        "stride": 1,
        "padding": 0,
        "bias": True,
        "input_shapes": [[1, 28, 28]],
        "input_shape": [1, 28, 28],
        "output_shape": [32, 26, 26],
    }
    assert told["inputs"] == {"input": {"shape": [1, 28, 28], "dtype": "float32"}}
    assert told["optimiser"] == {"kind": "sgd", "learning_rate": 0.01}
    assert (told["batch"], told["loss"]) == (128, "softmax-cross-entropy")


def test_a_user_s_own_folder_adds_workloads_and_replaces_shipped_ones(tmp_path: Path) -> None:
    text = (FOLDER / "mnist-cnn.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("channels: 32", "channels: 8"), encoding="utf-8")
    (tmp_path / "pm25-lstm.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a workload")
    workloads = load_workloads([tmp_path])
    first = workloads["mine"].layers[0]
    assert isinstance(first, Conv2d)
    assert first.channels == 8
    assert workloads["pm25-lstm"].data == "mnist"
    assert workloads["mnist-cnn"] == SHIPPED["mnist-cnn"]


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("id: relu1", "id: conv1", "layers[1].id", "'conv1' is used twice"),
        ("kernel: 3", "kernel: 30", "layers[0]", "conv2d cannot take an input of shape 1 x 28 x 28"),
        ("size: 2", "size: 27", "layers[2]", "max-pool2d cannot take an input of shape 32 x 26 x 26"),
        ("  - {kind: flatten, id: flatten}\n", "", "layers[6]", "dense cannot take an input of shape 64 x 5 x 5"),
        ("  - {kind: dense, id: dense, units: 10}\n", "", "layers", "nothing in this network"),
    ],
)
def test_layers_that_do_not_fit_are_named_with_their_line(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    text = (FOLDER / "mnist-cnn.yaml").read_text(encoding="utf-8")
    if key == "layers":
        head, _, tail = text.partition("layers:")
        text = head + "layers:\n  - {kind: flatten, id: flatten}\n"
        assert tail
    else:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_workloads([tmp_path])
    (fault,) = caught.value.faults
    assert fault.file == str(path)
    assert fault.line is not None
    assert fault.key == key
    assert fault.problem.startswith(problem)
    assert fault.mend


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    text = (FOLDER / "mnist-cnn.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("batch: 128", "batch: 0"), encoding="utf-8")
    unknown = text.replace("kind: conv2d", "kind: conv4d").replace("learning_rate: 0.01", "learning_rate: -1")
    (tmp_path / "b.yaml").write_text(unknown, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_workloads([tmp_path, tmp_path / "nowhere"])
    keys = {(Path(fault.file).name, fault.key) for fault in caught.value.faults}
    assert {("a.yaml", "batch"), ("b.yaml", "optimiser.learning_rate"), ("nowhere", "")} <= keys
    assert any(name == "b.yaml" and key.startswith("layers") for name, key in keys)
