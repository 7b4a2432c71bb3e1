"""The worker's own decisions, as plain functions."""

import importlib.util
from pathlib import Path
from types import ModuleType

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


@pytest.mark.parametrize(("cpu", "threads"), [(0.4, 1), (1.04, 1), (1.2, 2), (3.9, 4)])
def test_without_the_kernel_s_word_the_cpu_time_tells(
    monkeypatch: pytest.MonkeyPatch, cpu: float, threads: int
) -> None:
    monkeypatch.setattr(main, "thread_seconds", lambda: None)
    assert main.busy_threads(None, 1.0, cpu) == threads


def test_dense_layers_behind_an_image_are_found() -> None:
    layers = [
        {"id": "pool", "kind": "max-pool2d", "input_shape": [2, 6, 6]},
        {"id": "flat", "kind": "flatten", "input_shape": [2, 3, 3]},
        {"id": "relu", "kind": "relu", "input_shape": [18]},
        {"id": "first", "kind": "dense", "input_shape": [18]},
        {"id": "second", "kind": "dense", "input_shape": [5]},
    ]
    assert kit.dense_inputs({"layers": layers}) == {"first": (2, 3, 3)}


@given(st.tuples(*[st.integers(1, 4)] * 3), st.integers(1, 3))
def test_rows_of_a_dense_kernel_follow_the_layout_of_its_input(image: tuple[int, int, int], outputs: int) -> None:
    size = int(np.prod(image))
    kernel = np.arange(size * outputs, dtype=np.float32).reshape(size, outputs)
    picture = np.random.default_rng(0).random(image)
    last = kit.rows_channels_last(kernel, image)
    np.testing.assert_allclose(picture.reshape(-1) @ kernel, picture.transpose(1, 2, 0).reshape(-1) @ last)
    np.testing.assert_array_equal(kit.rows_channels_first(last, image), kernel)


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
