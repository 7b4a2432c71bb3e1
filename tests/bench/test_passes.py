"""What passes make of batches; the passes themselves run in `test_engine`."""

from pathlib import Path

import numpy as np

from bench import passes, tensors


def write(folder: Path) -> Path:
    manifest = folder / "own.json"
    inputs = np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2)
    targets = np.arange(12, dtype=np.int32).reshape(3, 4)
    steps = np.array([5, 6, 7], np.int32)
    tensors.write_tensors(manifest, {"inputs.series": inputs, "targets": targets, "steps.rnn": steps})
    return manifest


def test_batches_of_another_size_hold_the_same_samples_in_their_order(tmp_path: Path) -> None:
    own = write(tmp_path)
    passes.resize(own, tmp_path / "other.json", 8)
    other = tensors.read_tensors(tmp_path / "other.json")
    assert other["targets"].tolist() == [list(range(8)), [8, 9, 10, 11, 0, 1, 2, 3]]
    assert other["inputs.series"].shape == (2, 8, 2)
    assert other["inputs.series"][1, 4].tolist() == [0, 1]
    assert other["steps.rnn"].tolist() == [5, 6]  # one per batch, whatever its size


def test_a_batch_can_be_one_sample(tmp_path: Path) -> None:
    passes.resize(write(tmp_path), tmp_path / "one.json", 1)
    one = tensors.read_tensors(tmp_path / "one.json")
    assert one["targets"].tolist() == [[0], [1]]
    assert one["inputs.series"].shape == (2, 1, 2)


def test_a_sample_is_its_inputs_and_its_target(tmp_path: Path) -> None:
    assert passes._sample_bytes(write(tmp_path)) == 2 * 4 + 4
