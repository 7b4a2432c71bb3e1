"""Raw tensors with a manifest: what is written comes back, what is broken is named."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.tensors import Array, read_tensors, write_tensors

ARRAYS = st.sampled_from([np.float32, np.int32]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), ARRAYS, max_size=4))
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, Array]) -> None:
    manifest = tmp_path_factory.mktemp("tensors") / "x.json"
    write_tensors(manifest, tensors)
    back = read_tensors(manifest)
    assert list(back) == list(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype
        np.testing.assert_array_equal(back[name], tensor)


def test_the_bytes_are_little_endian_whatever_the_array_s_own_order(tmp_path: Path) -> None:
    write_tensors(tmp_path / "x.json", {"a": np.array([1], ">i4"), "b": np.arange(4, dtype=np.int32)[::2]})
    assert (tmp_path / "x.bin").read_bytes() == bytes([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0])


def test_another_type_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="b is float64"):
        write_tensors(tmp_path / "x.json", {"a": np.zeros(1, np.float32), "b": np.zeros(1)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        "{}",
        json.dumps({"schema": "advisor/tensors/2"}),
        json.dumps({"schema": "advisor/tensors/1", "file": "x.bin", "tensors": [{"name": "a"}]}),
        json.dumps(
            {
                "schema": "advisor/tensors/1",
                "file": "x.bin",
                "tensors": [{"name": "a", "dtype": "float32", "shape": [3], "offset": 0}],
            }
        ),
    ],
)
def test_a_broken_manifest_or_a_short_file_is_named(tmp_path: Path, document: str) -> None:
    (tmp_path / "x.json").write_text(document)
    (tmp_path / "x.bin").write_bytes(b"\0" * 8)
    with pytest.raises(ValueError):
        read_tensors(tmp_path / "x.json")
