"""Workloads: what ships counts as it does by hand, a user's own files work the same, what is wrong is named."""

from itertools import pairwise
from pathlib import Path

import pytest

from bench.workload import (
    Conv2d,
    flops_per_sample,
    load_workloads,
    network,
    output_shape,
    parameters,
    read_workload,
    shapes,
    state_shapes,
    steps_of,
    trained_parameters,
    trained_weights,
    training_flops_per_sample,
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


def dense(rows: int, units: int) -> int:
    return rows * units + units


def attention(width: int) -> int:
    return dense(width, 3 * width) + dense(width, width)


def block(width: int, wide: int) -> int:
    """Of a transformer: two normalisations, attention, two dense layers."""
    return 2 * 2 * width + attention(width) + dense(width, wide) + dense(wide, width)


def block_operations(time: int, width: int, wide: int) -> int:
    """Multiplications with an addition each: q, k, v and out, scores and mixing, two dense layers."""
    return time * width * 4 * width + 2 * time * time * width + 2 * time * width * wide


BY_HAND = {  # parameters, and operations of a forward pass: twice the multiplications
    "lenet-mnist": (
        (20 * 25 + 20) + (50 * 20 * 25 + 50) + dense(50 * 4 * 4, 500) + dense(500, 10),
        2 * (24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10),
    ),
    "conv-32": (896 + 4_624 + 5_770, 2 * (30 * 30 * 32 * 27 + 13 * 13 * 16 * 32 * 9 + 5_760)),
    "vqa-50": (
        (16 * 75 + 16) + (32 * 144 + 32) + dense(3200, 64) + 1000 * 32 + 4 * (96 * 64 + 64) + dense(128, 894),
        2 * (46 * 46 * 16 * 75 + 21 * 21 * 32 * 144 + 3200 * 64 + 20 * 96 * 4 * 64 + 128 * 894),
    ),
    "vqa-224": (
        (16 * 363 + 16) + (32 * 144 + 32) + dense(4608, 64) + 1000 * 32 + 4 * (96 * 64 + 64) + dense(128, 894),
        2 * (54 * 54 * 16 * 363 + 25 * 25 * 32 * 144 + 4608 * 64 + 20 * 96 * 4 * 64 + 128 * 894),
    ),
    "dynamic-rnn": (dense(128, 128) + dense(128, 10), 2 * (20 * 128 * 128 + 1280)),
    "dynamic-rnn-constant": (dense(128, 128) + dense(128, 10), 2 * (20 * 128 * 128 + 1280)),
    "finetune": (
        (32 * 27 + 32) + (64 * 32 * 9 + 64) + dense(4096, 64) + dense(64, 5),
        2 * (32 * 32 * 32 * 27 + 16 * 16 * 64 * 32 * 9 + 4096 * 64 + 64 * 5),
    ),
    "mlp-tabular": (dense(28, 300) + 3 * dense(300, 300) + dense(300, 2), 2 * (28 * 300 + 3 * 90_000 + 600)),
    "resnet-mini": (
        16 * 27 + 2 * 16 * 144 + 32 * 144 + 32 * 288 + 32 * 16 + 2 * (3 * 16 + 3 * 32) + dense(32, 10),
        2 * (32 * 32 * 16 * (27 + 2 * 144) + 16 * 16 * 32 * (144 + 288 + 16) + 320),
    ),
    "transformer-lm": (
        65 * 64 + 64 * 64 + 2 * block(64, 256) + 2 * 64 + dense(64, 65),
        2 * (2 * block_operations(64, 64, 256) + 64 * 64 * 65),
    ),
    "vit-mini": (
        (64 * 48 + 64) + 64 * 64 + 2 * block(64, 256) + 2 * 64 + dense(64, 10),
        2 * (64 * 64 * 48 + 2 * block_operations(64, 64, 256) + 640),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_others_have_the_parameters_and_operations_counted_by_hand(name: str) -> None:
    assert (parameters(SHIPPED[name]), flops_per_sample(SHIPPED[name])) == BY_HAND[name]


def test_every_workload_is_counted() -> None:
    assert BY_HAND.keys() | {"mnist-cnn", "pm25-lstm"} == SHIPPED.keys()
    assert BY_HAND["conv-32"][0] == 11_290  # as the guide's own network has
    assert BY_HAND["lenet-mnist"][0] == 431_080


@pytest.mark.parametrize("name", SHIPPED)
def test_every_workload_says_what_it_stands_for_and_where_it_is_from(name: str) -> None:
    workload = SHIPPED[name]
    for text in (workload.name, workload.stands_for):
        assert text.en
        assert text.zh
        assert text.en != text.zh
    assert any(year in workload.source for year in ("19", "20"))


def test_the_guides_experiments_state_their_runs() -> None:
    epochs = {name: workload.epochs for name, workload in SHIPPED.items() if workload.epochs}
    assert epochs == {"pm25-lstm": 50, "mnist-cnn": 10, "vqa-50": 5}
    assert {name for name, workload in SHIPPED.items() if workload.usual} == {"mnist-cnn", "pm25-lstm"}


def test_a_frozen_body_is_counted_but_not_trained() -> None:
    workload = SHIPPED["finetune"]
    head = dense(4096, 64) + dense(64, 5)
    assert trained_weights(workload) == {"head1.weight", "head1.bias", "head2.weight", "head2.bias"}
    assert trained_parameters(workload) == head
    body = 2 * (32 * 32 * 32 * 27 + 16 * 16 * 64 * 32 * 9)
    # The body runs forward only; nothing below the first dense layer wants a gradient.
    assert training_flops_per_sample(workload) == body + 2 * (2 * 4096 * 64) + 3 * (2 * 64 * 5)


def test_training_takes_three_times_as_many_operations_but_for_the_first_layer() -> None:
    first = 2 * 26 * 26 * 32 * 9
    workload = SHIPPED["mnist-cnn"]
    assert training_flops_per_sample(workload) == 3 * flops_per_sample(workload) - first
    assert training_flops_per_sample(SHIPPED["pm25-lstm"]) == 3 * flops_per_sample(SHIPPED["pm25-lstm"])


def test_batch_norm_s_state_is_handed_over_and_not_trained() -> None:
    workload = SHIPPED["resnet-mini"]
    state = state_shapes(workload)
    assert state["norm1.mean"] == state["norm1.variance"] == (16,)
    assert len(state) == 12
    assert not state.keys() & weight_shapes(workload).keys()


def test_lengths_change_batch_by_batch_or_never() -> None:
    lengths = [steps_of(SHIPPED["dynamic-rnn"], batch)["loop"] for batch in range(20)]
    assert lengths[:8] == lengths[8:16]
    assert all(one != next_one for one, next_one in pairwise(lengths))
    assert (min(lengths), max(lengths), sum(lengths[:8])) == (5, 40, 8 * 20)
    assert {steps_of(SHIPPED["dynamic-rnn-constant"], batch)["loop"] for batch in range(20)} == {20}
    assert steps_of(SHIPPED["mnist-cnn"], 3) == {}


def test_workers_are_told_what_feeds_each_layer_and_the_type_of_each_input() -> None:
    told = network(SHIPPED["vqa-50"])
    assert told["inputs"] == {
        "image": {"shape": [3, 50, 50], "dtype": "float32"},
        "question": {"shape": [20], "dtype": "int32"},
    }
    layers = {layer["id"]: layer for layer in told["layers"]}
    assert layers["relu1"]["from"] == ["conv1"]
    assert layers["words"]["from"] == ["question"]
    assert layers["both"]["input_shapes"] == [[64], [64]]
    assert layers["both"]["input_shape"] == [64]
    assert layers["both"]["output_shape"] == [128]
    assert output_shape(SHIPPED["transformer-lm"]) == (64, 65)
    assert not {layer["id"]: layer for layer in network(SHIPPED["finetune"])["layers"]}["conv1"]["trained"]


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
    assert told["optimiser"] == {"kind": "sgd", "learning_rate": 0.1}
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


GRAPH = """
schema: advisor/workload/1
name: {en: "mine", zh: "我的"}
stands_for: {en: "nothing", zh: "无"}
source: "me, 2026"
data: made
epoch_samples: 100
batch: 4
inputs:
  image: {shape: [3, 8, 8]}
  words: {shape: [5], tokens: 10}
loss: softmax-cross-entropy
optimiser: {kind: sgd, learning_rate: 0.1}
layers:
  - {kind: conv2d, id: conv, from: [image], channels: 4, kernel: 3, padding: 1}
  - {kind: batch-norm, id: norm}
  - {kind: mean, id: seen}
  - {kind: embedding, id: table, from: [words], tokens: 10, units: 4}
  - {kind: attention, id: attention, heads: 2}
  - {kind: mean, id: read}
  - {kind: concat, id: both, from: [seen, read]}
  - {kind: dense, id: dense, units: 3}
"""


def test_a_graph_of_one_s_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GRAPH, encoding="utf-8")
    workload = read_workload(path)
    assert workload.id == "mine"
    assert shapes(workload)["both"] == (8,)


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("from: [image], ", "", "layers[0]", "does not say which of the inputs it takes"),
        ("from: [image]", "from: [picture]", "layers[0].from[0]", "'picture' is no input and no layer before this one"),
        ("from: [image]", "from: [dense]", "layers[0].from[0]", "'dense' is no input and no layer before this one"),
        ("from: [image]", "from: [image, image]", "layers[0]", "conv2d takes 1, not 2, of the layers before it"),
        ("from: [seen, read]", "from: [seen]", "layers[6]", "concat takes 2, not 1, of the layers before it"),
        ("from: [seen, read]", "from: [read, table]", "layers[6]", "concat cannot take inputs of shape 4 and 5 x 4"),
        ("kind: concat, id: both", "kind: add, id: words", "layers[6].id", "'words' is used twice"),
        ("from: [words], tokens: 10", "from: [words], tokens: 9", "layers[3].tokens", "knows 9 tokens; words has 10"),
        ("from: [words], tokens", "from: [image], tokens", "layers[3]", "embedding takes token numbers"),
        ("from: [image]", "from: [words]", "layers[0]", "conv2d cannot take token numbers (words)"),
        ("heads: 2", "heads: 3", "layers[4]", "attention cannot split 4 features into 3 heads"),
        ("id: norm}", "id: norm, trained: false}", "layers[1].trained", "frameworks disagree about what a frozen"),
        ("loss: soft", "input: [3, 8, 8]\nloss: soft", "inputs", "stands beside `input`"),
        (", from: [seen, read]", ", from: [seen, seen]", "layers[5]", "nothing takes what it hands on"),
        ("tokens: 10}\n", "tokens: 10}\n  more: {shape: [2]}\n", "inputs.more", "no layer takes it"),
        ("  - {kind: dense, id: dense, units: 3}\n", "  - {kind: lstm, id: l, units: 3}\n", "layers[7]", "lstm cannot"),
    ],
)
def test_what_does_not_fit_in_a_graph_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    assert old in GRAPH
    path = tmp_path / "broken.yaml"
    path.write_text(GRAPH.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_workload(path)
    faults = {fault.key: fault for fault in caught.value.faults}
    assert key in faults, caught.value.faults
    assert faults[key].problem.startswith(problem)
    assert faults[key].line is not None
    assert faults[key].mend


def test_a_network_without_an_input_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    head, rest = GRAPH.split("inputs:")
    path.write_text(head + rest[rest.index("loss:") :], encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_workload(path)
    assert [(fault.key, fault.problem) for fault in caught.value.faults] == [("input", "is missing")]


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    text = (FOLDER / "mnist-cnn.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("batch: 128", "batch: 0"), encoding="utf-8")
    unknown = text.replace("kind: conv2d", "kind: conv4d").replace("learning_rate: 0.1", "learning_rate: -1")
    (tmp_path / "b.yaml").write_text(unknown, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_workloads([tmp_path, tmp_path / "nowhere"])
    keys = {(Path(fault.file).name, fault.key) for fault in caught.value.faults}
    assert {("a.yaml", "batch"), ("b.yaml", "optimiser.learning_rate"), ("nowhere", "")} <= keys
    assert any(name == "b.yaml" and key.startswith("layers") for name, key in keys)
