"""Whether a candidate computes what the reference computes: its losses and its first weight update. Pure.

The losses alone miss small faults (weight decay of 1e-4 stays within 1e-5 over 20 steps), so the first update is
compared as well, tensor by tensor (METHOD.md, "Fair blocks").
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bench.reference import Reference
from bench.results import Parity
from bench.tensors import Array

STEPS = 20
"""Steps that are compared (METHOD.md, "Fair blocks")."""

LOSS_TOLERANCE = 1e-5
"""Largest relative difference of a loss: honest float32 candidates stay within 3.7e-6 over 20 steps (METHOD.md)."""

FIRST_UPDATE_TOLERANCE = 3e-4
"""Largest ||dw - dw_ref|| / ||dw_ref|| of a tensor; the weakest known fault changes 3.2e-3 (METHOD.md).

On batches with margins nearly all of an honest difference is the rounding of the updated weights to float32: 5e-5 for
mnist-cnn and 7e-5 for pm25-lstm (medians over seeds), 1.6e-4 at most in 225 seeds."""

OUTPUT_TOLERANCE = 1e-5
"""Largest ||y - y_ref|| / ||y_ref|| of inference on one batch: as for the losses, which are made of such outputs."""


def compare(
    reference: Reference,
    losses: Sequence[float],
    first_update: Mapping[str, Array],
    *,
    outputs: Array | None = None,
    tolerance: float = LOSS_TOLERANCE,
    first_update_tolerance: float = FIRST_UPDATE_TOLERANCE,
    output_tolerance: float = OUTPUT_TOLERANCE,
) -> Parity:
    """Compare a trace with the reference.

    Args:
        reference: from `bench.reference.train`.
        losses: one per step; as many as the reference's.
        first_update: weights after the first update, canonical layout.
        outputs: of inference on the first batch with the initial weights; None where only training is raced.
        tolerance: for the losses, relative.
        first_update_tolerance: for each tensor's update, relative in the Euclidean norm.
        output_tolerance: for the outputs, relative in the Euclidean norm.

    What is missing, misshapen or not finite counts as zero, so that its relative difference is 1.
    """
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
        passed=loss_difference <= tolerance
        and updates[worst] <= first_update_tolerance
        and (output_difference is None or output_difference <= output_tolerance),
        max_relative_difference=loss_difference,
        first_update_difference=updates[worst],
        tolerance=tolerance,
        first_update_tolerance=first_update_tolerance,
        steps=len(expected),
        worst_tensor=worst,
        output_difference=output_difference,
        output_tolerance=None if outputs is None else output_tolerance,
    )


def _output_difference(expected: Array, found: Array) -> float:
    """||y - y_ref|| / ||y_ref|| over a batch; 1 for what is misshapen or not finite."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return 1.0
    return float(np.linalg.norm(found.astype(np.float64) - expected) / np.linalg.norm(expected))


def _update_difference(start: Array, expected: Array, found: Array | None) -> float:
    """||dw - dw_ref|| / ||dw_ref|| of one tensor; where the reference leaves it alone, 0 if the candidate does too."""
    update = expected - start
    if found is None or found.shape != start.shape or not np.isfinite(found).all():
        found = start
    norm = float(np.linalg.norm(update))
    difference = float(np.linalg.norm(found.astype(np.float64) - expected))
    if norm == 0:
        return float(difference > 0)
    return difference / norm
