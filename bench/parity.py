"""Whether a candidate computes what the reference computes: its losses, its first update, its outputs. Pure.

The losses alone miss small faults (weight decay of 1e-4 stays within 1e-5 over 20 steps), so the first update is
compared as well, tensor by tensor (METHOD.md, "Fair blocks"). Training does not show what inference computes: the
outputs do, of the first batch with the initial weights.

A tolerance is at least three times the worst honest candidate and at most a third of the weakest known fault
(METHOD.md): `python -m tests.bench.mutants` prints both.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from bench.reference import Reference
from bench.results import Parity
from bench.tensors import Array

STEPS = 20
"""Steps that are compared (METHOD.md, "Fair blocks")."""


class Tolerance(msgspec.Struct, frozen=True):
    """What may differ at most.

    Attributes:
        losses: |found - expected| / |expected| of a loss.
        first_update: ||dw - dw_ref|| / ||dw_ref|| of a tensor, the reference's updated weights rounded to float32.
        outputs: the largest |found - expected|, in root mean squares of what is expected.
    """

    losses: float
    first_update: float
    outputs: float


LOSS_TOLERANCE = 1e-5
"""Honest float32 candidates stay within 3.7e-6 over 20 steps (METHOD.md)."""

FIRST_UPDATE_TOLERANCE = 1e-4
"""Honest float32 candidates stay within 2.1e-5 over five seeds, but for MXNet's batch normalisation: 3.1e-5 in
resnet-mini. Weight decay of 1e-4 changes only 2.7e-4 in dynamic-rnn, whose gradients are large; there the losses show
it first, at 6.5 times their tolerance or more.

METHOD.md has 3e-4, for a comparison with float64: there the rounding of the updated weights to float32 is nearly all of
the difference (1.6e-4 at most in 225 seeds). The reference's updated weights are now rounded as a candidate has to
round its own."""

OUTPUT_TOLERANCE = 1e-4
"""Honest float32 outputs stay within 5e-6 on CPUs; cuDNN's LSTM is 2.7e-5 off on an H100, however it is reached. The
weakest fault that only inference shows changes them by 9e-4 (gelu approximated by tanh)."""

TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "fp32": Tolerance(LOSS_TOLERANCE, FIRST_UPDATE_TOLERANCE, OUTPUT_TOLERANCE),
    "tf32": Tolerance(1e-2, 0.2, 0.05),
    "bf16": Tolerance(5e-2, 0.8, 0.3),
}
"""By precision. Those of reduced precision catch gross faults only, a wrong layout or a layer that is not trained."""

WIDENED: Final[Mapping[str, float]] = {}
"""Framework id -> by how much its fp32 tolerances are wider, in the open: older engines reach 4e-5 late (METHOD.md).
Each with its worst honest figure."""

WIDENED_UPDATES: Final[Mapping[tuple[str, str], float]] = {("cuda", "lenet-mnist"): 12.0}
"""(Kind of device, workload id) -> by how much the first update's fp32 tolerance is wider in the open. cuDNN is 3.8e-4
off on an H100 in the gradient of a kernel of 5 by 5; the weakest fault is 100 x the losses' tolerance there."""


def tolerance(precision: str, framework: str = "", device: str = "cpu", workload: str = "") -> Tolerance:
    """What a candidate may differ by.

    Raises:
        KeyError: there is no such precision.
    """
    usual = TOLERANCES[precision]
    factor = WIDENED.get(framework, 1.0)
    of_updates = WIDENED_UPDATES.get((device.partition(":")[0], workload), 1.0) if precision == "fp32" else 1.0
    return Tolerance(usual.losses * factor, usual.first_update * factor * of_updates, usual.outputs * factor)


def compare(
    reference: Reference,
    losses: Sequence[float],
    first_update: Mapping[str, Array],
    outputs: Array | None = None,
    *,
    precision: str = "fp32",
    framework: str = "",
    device: str = "cpu",
    workload: str = "",
) -> Parity:
    """Compare a trace with the reference.

    Args:
        reference: from `bench.reference.train`.
        losses: one per step; as many as the reference's.
        first_update: weights after the first update, canonical layout.
        outputs: of the first batch in inference mode, with the initial weights; None where they were not asked for.
        precision: of the arithmetic.
        framework: the candidate's, for `WIDENED`.
        device, workload: "cpu", "cuda:N" or "mps", and an id, for `WIDENED_UPDATES`.

    What is missing, misshapen or not finite counts as zero, so that its relative difference is 1.

    Raises:
        KeyError: there is no such precision.
    """
    allowed = tolerance(precision, framework, device, workload)
    expected = np.asarray(reference.losses)
    found = np.zeros_like(expected)
    found[: len(losses)] = losses[: len(expected)]
    found[~np.isfinite(found)] = 0
    loss_difference = float(np.max(np.abs(found - expected) / np.abs(expected)))
    updates = {
        name: _update_difference(reference.weights[name].astype(np.float64), expected_update, first_update.get(name))
        for name, expected_update in reference.first_update.items()
    }
    worst = max(updates, key=updates.__getitem__)
    output_difference = None if outputs is None else _output_difference(reference.outputs, outputs)
    return Parity(
        passed=loss_difference <= allowed.losses
        and updates[worst] <= allowed.first_update
        and (output_difference is None or output_difference <= allowed.outputs),
        max_relative_difference=loss_difference,
        first_update_difference=updates[worst],
        tolerance=allowed.losses,
        first_update_tolerance=allowed.first_update,
        steps=len(expected),
        worst_tensor=worst,
        output_difference=output_difference,
        output_tolerance=None if outputs is None else allowed.outputs,
        margin=reference.margin,
    )


def _update_difference(start: Array, expected: Array, found: Array | None) -> float:
    """||dw - dw_ref|| / ||dw_ref|| of one tensor; where the reference leaves it alone, 0 if the candidate does too."""
    expected = expected.astype(np.float32).astype(np.float64)
    update = expected - start
    if found is None or found.shape != start.shape or not np.isfinite(found).all():
        found = start
        if not update.any():  # a frozen tensor that was not handed back as it was
            return 1.0
    norm = float(np.linalg.norm(update))
    difference = float(np.linalg.norm(found.astype(np.float64) - expected))
    if norm == 0:
        return float(difference > 0)
    return difference / norm


def _output_difference(expected: Array, found: Array) -> float:
    if found.shape != expected.shape or not np.isfinite(found).all():
        found = np.zeros_like(expected)
    scale = float(np.sqrt(np.mean(expected**2)))
    return float(np.max(np.abs(found - expected))) / scale
