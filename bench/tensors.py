"""Tensors between parent and worker: one raw little-endian file and a JSON manifest beside it (`bench.protocol`).

`bench/worker/kit.py` is the worker's side of the same format.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

SCHEMA = "advisor/tensors/1"
_DTYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}

Array: TypeAlias = npt.NDArray[Any]


def write_tensors(manifest: Path, tensors: Mapping[str, Array]) -> None:
    """Write `tensors` (float32 or int32) as `manifest` and a .bin file beside it; the manifest comes last.

    Raises:
        ValueError: a tensor is of another type; nothing is written then.
        OSError: the files cannot be written.
    """
    entries = []
    chunks = []
    offset = 0
    for name, tensor in tensors.items():
        if tensor.dtype.name not in _DTYPES:
            raise ValueError(f"{name} is {tensor.dtype.name}; only {' and '.join(_DTYPES)} cross to a worker")
        chunk = np.ascontiguousarray(tensor, dtype=_DTYPES[tensor.dtype.name]).tobytes()
        entries.append({"name": name, "dtype": tensor.dtype.name, "shape": list(tensor.shape), "offset": offset})
        chunks.append(chunk)
        offset += len(chunk)
    raw = manifest.with_suffix(".bin")
    with raw.open("wb") as file:
        file.writelines(chunks)
    manifest.write_text(json.dumps({"schema": SCHEMA, "file": raw.name, "tensors": entries}), encoding="utf-8")


def read_tensors(manifest: Path) -> dict[str, Array]:
    """The tensors that `manifest` lists, by name, in its order.

    Raises:
        ValueError: the manifest is not one, or its file is too short for what it lists.
        OSError: a file cannot be read.
    """
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"{manifest.name}: schema {document['schema']!r} is not {SCHEMA!r}")
        raw = (manifest.parent / document["file"]).read_bytes()
        return {entry["name"]: _tensor(raw, entry) for entry in document["tensors"]}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{manifest.name}: not a tensor manifest ({error!r})") from error


def _tensor(raw: bytes, entry: Mapping[str, Any]) -> Array:
    shape = tuple(entry["shape"])
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(raw, _DTYPES[entry["dtype"]], count, entry["offset"]).reshape(shape)
