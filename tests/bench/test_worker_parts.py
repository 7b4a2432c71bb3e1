"""The worker's own decisions, as plain functions."""

import importlib.util
import mmap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tensors import read_tensors, write_tensors

WORKER = Path(__file__).parent.parent.parent / "bench" / "worker"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tested_{name}", WORKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


main = load("main")
kit = main.kit


def test_a_thread_counts_as_seen_when_it_used_a_hundredth_of_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    after = {"1": 1.5, "2": 0.3, "3": 0.011, "4": 0.009}
    monkeypatch.setattr(main, "thread_seconds", lambda: after)
    assert main.busy_threads({"1": 0.5, "2": 0.3}, 1.0, 1.0) == 2  # 1 worked, 2 slept, 3 is new and worked, 4 is idle


def test_page_faults_are_counted_per_step_and_only_within_blocks() -> None:
    use = main.KernelUse()
    assert (use.faults_per_step(), use.share()) == (None, None)

    def touch(pages: int) -> None:
        with mmap.mmap(-1, pages * mmap.PAGESIZE) as fresh:
            for page in range(pages):
                fresh[page * mmap.PAGESIZE] = 1

    for _ in range(2):
        touch(5_000)  # outside of a block
        use.begin()
        touch(400)
        use.end(4)
    assert 100 <= use.faults_per_step() < 200
    assert 0 <= use.share() <= 1


@pytest.mark.parametrize(("cpu", "threads"), [(0.4, 1), (1.04, 1), (1.2, 2), (3.9, 4)])
def test_without_the_kernel_s_word_the_cpu_time_tells(
    monkeypatch: pytest.MonkeyPatch, cpu: float, threads: int
) -> None:
    monkeypatch.setattr(main, "thread_seconds", lambda: None)
    assert main.busy_threads(None, 1.0, cpu) == threads


@given(st.tuples(*[st.integers(1, 4)] * 3), st.integers(1, 3))
def test_rows_of_a_dense_kernel_follow_the_layout_of_its_input(image: tuple[int, int, int], outputs: int) -> None:
    size = int(np.prod(image))
    layers = [layer("flat", "flatten", ["image"], [*image]), layer("dense", "dense", ["flat"], [size])]
    order = kit.orders_channels_last({"layers": layers})["dense"]
    kernel = np.arange(size * outputs, dtype=np.float32).reshape(size, outputs)
    picture = np.random.default_rng(0).random(image)
    last = kit.in_order(kernel, order)
    np.testing.assert_allclose(picture.reshape(-1) @ kernel, kit.channels_last(picture, image).reshape(-1) @ last)
    np.testing.assert_array_equal(kit.back_in_order(last, order), kernel)


def layer(id_: str, kind: str, sources: list[str], shape: list[int], **more: Any) -> dict[str, Any]:
    return {"id": id_, "kind": kind, "from": sources, "input_shape": shape, "input_shapes": [shape], **more}


# An image and a number: 2 + (1 + n twos) through a shortcut.
BRANCHED = {
    "inputs": {"image": {"shape": [2]}},
    "layers": [
        layer("up", "dense", ["image"], [2]),
        layer("again", "recurrence", ["up"], [2], trained=False),
        layer("both", "add", ["image", "again"], [2]),
    ],
}
CALLS = {
    "up": lambda x: x - 1,
    "again": lambda x, steps: x + 2 * steps,
    "both": lambda x, y: x + y,
}


def test_a_branched_network_is_walked_and_lets_go_of_what_nobody_takes() -> None:
    planned = kit.plan(BRANCHED)
    assert [names for _, names, _ in planned] == [["image"], ["up", "steps.again"], ["image", "again"]]
    assert [finished for _, _, finished in planned] == [[], ["steps.again", "up"], ["again", "image"]]
    steps = [(each["id"], CALLS[each["id"]], names, finished) for each, names, finished in planned]
    values = {"image": 2, "steps.again": 5}
    assert kit.walk(steps, values) == 2 + (1 + 10)
    assert values == {"image": 2, "steps.again": 5}


def test_only_one_layer_after_another_is_a_chain() -> None:
    assert not kit.is_chain(BRANCHED)
    assert kit.is_chain({"inputs": {"image": {}}, "layers": BRANCHED["layers"][:1]})
    assert not kit.is_chain({"inputs": {"image": {}, "other": {}}, "layers": BRANCHED["layers"][:1]})


def test_batches_are_taken_apart_by_the_network_s_names() -> None:
    batches = {
        "steps.again": np.array([3, 4], np.int32),
        "targets": np.arange(4).reshape(2, 2),
        "inputs.image": np.arange(8).reshape(2, 2, 2),
    }
    (x,), targets, steps = kit.read_batches(BRANCHED, batches)[1]
    assert x.tolist() == [[4, 5], [6, 7]]
    assert targets.tolist() == [2, 3]
    assert steps == [4]
    assert type(steps[0]) is int


def test_a_frozen_layer_s_tensors_are_not_trained() -> None:
    assert kit.trained(BRANCHED, "up.weight")
    assert not kit.trained(BRANCHED, "again.weight")


def test_orders_follow_a_flattened_image_to_the_layers_that_have_weights() -> None:
    image = [2, 3, 1]
    layers = [
        layer("flat", "flatten", ["image"], image),
        layer("relu", "relu", ["flat"], [6]),
        layer("norm", "layer-norm", ["relu"], [6]),
        layer("words", "dense", ["series"], [4]),
        layer("both", "concat", ["words", "norm"], [2], input_shapes=[[2], [6]]),
        layer("first", "dense", ["both"], [8]),
        layer("second", "dense", ["first"], [5]),
    ]
    orders = kit.orders_channels_last({"layers": layers})
    assert sorted(orders) == ["first", "norm", "relu"]
    picture = np.random.default_rng(0).random(image)
    ours, theirs = picture.reshape(-1), kit.channels_last(picture, image).reshape(-1)
    np.testing.assert_array_equal(kit.in_order(ours, orders["norm"]), theirs)
    both = np.concatenate([[7, 8], ours])
    np.testing.assert_array_equal(kit.in_order(both, orders["first"]), np.concatenate([[7, 8], theirs]))


def test_two_orders_are_not_added() -> None:
    layers = [
        layer("flat", "flatten", ["image"], [2, 3, 1]),
        layer("other", "dense", ["vector"], [6]),
        layer("sum", "add", ["flat", "other"], [6]),
    ]
    with pytest.raises(kit.Refused, match="sum"):
        kit.orders_channels_last({"layers": layers})


@pytest.mark.parametrize(
    ("precision", "device", "mend"),
    [("tf32", "cpu", "fp32"), ("tf32", "mps", "fp32"), ("bf16", "cuda:0", "fp32"), ("int4", "cpu", "fp32")],
)
def test_a_precision_that_is_not_there_is_refused(precision: str, device: str, mend: str) -> None:
    with pytest.raises(kit.Refused) as refused:
        kit.require_precision(precision, device, ("fp32", "tf32"))
    assert refused.value.kind == "precision"
    assert mend in refused.value.mend
    kit.require_precision("tf32", "cuda:1", ("fp32", "tf32"))


def test_both_sides_read_what_the_other_writes(tmp_path: Path) -> None:
    tensors = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, -2], np.int32)}
    write_tensors(tmp_path / "ours.json", tensors)
    theirs = kit.Tensors(str(tmp_path / "ours.json"))
    assert list(theirs) == list(tensors)
    kit.write_tensors(str(tmp_path / "theirs.json"), {name: theirs[name] for name in theirs})
    back = read_tensors(tmp_path / "theirs.json")
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype
        np.testing.assert_array_equal(back[name], tensor)


def test_a_cycle_goes_on_where_it_stopped() -> None:
    cycle = kit.Cycle("abc")
    assert "".join(cycle.take(2)) == "ab"
    assert "".join(cycle.take(5)) == "cabca"


@pytest.mark.parametrize(("device", "index"), [("cpu", None), ("cuda:0", 0), ("cuda:12", 12), ("cuda", None)])
def test_the_number_of_a_cuda_device(device: str, index: int | None) -> None:
    assert kit.cuda_index(device) == index
