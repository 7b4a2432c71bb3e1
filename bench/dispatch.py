"""Dispatch overhead and per-sample cost: t = a + b n over batch sizes n. A pure function of points.

Small steps measure how fast a framework gets work to its kernels, large ones how fast the kernels are; the line tells
the two apart (METHOD, "Fair blocks").
"""

from collections.abc import Sequence

import numpy as np

from bench.results import Dispatch, DispatchPoint

FACTORS = (1, 4, 16, 64)
"""Batch sizes of the sweep, in batches of the workload."""

WORST_RESIDUAL = 0.15
"""Largest relative residual of a line that is shown; beyond, the points say more than the line."""


def fit(points: Sequence[DispatchPoint]) -> Dispatch | None:
    """The line by relative least squares, minimising sum ((a + b n) / t - 1)^2 with a, b >= 0.

    None with fewer than three points, which any line fits well, and where a point lies further than WORST_RESIDUAL
    from it.
    """
    if len({point.batch for point in points}) < 3:
        return None
    n = np.array([point.batch for point in points], float)
    t = np.array([point.seconds for point in points])
    design = np.stack([1 / t, n / t], axis=1)
    (a, b), *_ = np.linalg.lstsq(design, np.ones(len(t)), rcond=None)
    if a < 0:  # no time is less than none: the best line through the origin
        a, b = 0.0, float((n / t).sum() / ((n / t) ** 2).sum())
    if b < 0:
        a, b = float((1 / t).sum() / (1 / t**2).sum()), 0.0
    residuals = (a + b * n) / t - 1
    if np.abs(residuals).max() > WORST_RESIDUAL:
        return None
    return Dispatch(a=float(a), b=float(b))
