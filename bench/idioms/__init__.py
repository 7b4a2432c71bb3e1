"""The workloads as each framework's own documentation would write them: read by people, counted, trained for parity.

`<framework>/<workload, "-" as "_">.py` has

    build() -> model                                   layers of a kind in the order of the workload's file
    train(model, batches, learning_rate) -> [float]    one plain SGD step and one loss per batch
    predict(model, inputs) -> NumPy array              outputs in inference mode, before any softmax

`batches` is a list of (inputs, targets) NumPy arrays; `inputs` is a dictionary where the workload names several. Where
the length of a recurrence changes, batches are (inputs, targets, steps) and `predict(model, inputs, steps)` takes it
too, a Python int; a constant one is written into the model. Where layers are frozen, `backbone()` makes them alone and
`build(path)` loads their weights from a file of the framework's own kind. Images are in the layout the framework
expects. Adapters (`bench/worker/adapters`) are for timing and share nothing with these files.
"""

from importlib.resources import files
from pathlib import Path

FRAMEWORKS = ("pytorch", "tensorflow", "keras", "mxnet")

FOLDER = Path(str(files("bench") / "idioms"))


def path(framework: str, workload: str) -> Path:
    """Where the idiom of a workload (its id) in a framework (its id) is, or would be."""
    return FOLDER / framework / f"{workload.replace('-', '_')}.py"


def source(framework: str, workload: str) -> str | None:
    """The code of one idiom; None where nobody has written it."""
    try:
        return path(framework, workload).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
