"""Quantiles of the studentised range, for simultaneous intervals over all pairs of candidates (Tukey 1953).

Computed by quadrature instead of read from a printed table, because the error rates that `race` asks for are
fractions of .05 which no table carries. The tests hold it against SciPy's own implementation.
"""

import math
from functools import lru_cache

import numpy as np

_NORMAL_LIMIT = 8.5  # standard deviations; the normal mass beyond is under 1e-16
_NORMAL_NODES = 128
_SCALE_NODES = 96
_TOLERANCE = 1e-9


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    """Phi of every element of `z`."""
    values = [0.5 * math.erfc(-value / math.sqrt(2)) for value in z.ravel().tolist()]
    return np.array(values).reshape(z.shape)


@lru_cache(maxsize=2)
def _gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Legendre's rule on -1 to 1; they take longer than the integrals."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


@lru_cache(maxsize=64)
def _scales(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights that integrate over s / sigma, a chi variable over the root of its degrees of freedom."""
    spread = 9 / math.sqrt(2 * freedom)
    low, high = max(1e-12, 1 - spread), 1 + spread + 2 / freedom
    nodes, weights = _gauss(_SCALE_NODES)
    u = (nodes + 1) / 2 * (high - low) + low
    log_density = (
        math.log(2)
        + freedom / 2 * math.log(freedom / 2)
        - math.lgamma(freedom / 2)
        + (freedom - 1) * np.log(u)
        - freedom * u**2 / 2
    )
    return u, weights * (high - low) / 2 * np.exp(log_density)


def probability(q: float, groups: int, freedom: int) -> float:
    """P(studentised range <= q) of `groups` independent normal means with `freedom` degrees of freedom.

    The range of k normals has P(W <= w) = k * integral of phi(z) (Phi(z) - Phi(z - w))^(k-1) dz; it is averaged over
    the independent scale estimate (Lund & Lund 1983, algorithm AS 190).

    Args:
        q: the range over its standard error, > 0.
        groups: number of means, >= 2.
        freedom: degrees of freedom of the scale estimate, >= 2.
    """
    u, scale_weights = _scales(freedom)
    nodes, weights = _gauss(_NORMAL_NODES)
    z = nodes * _NORMAL_LIMIT
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * weights * _NORMAL_LIMIT
    inside = _normal_cdf(z)[None, :] - _normal_cdf(z[None, :] - q * u[:, None])
    of_range = groups * (np.clip(inside, 0, 1) ** (groups - 1)) @ density
    return float(min(1.0, of_range @ scale_weights))


@lru_cache(maxsize=4096)
def quantile(level: float, groups: int, freedom: int) -> float:
    """The q with P(studentised range <= q) = `level`.

    Args:
        level: confidence, 0 < level < 1.
        groups: number of means, >= 2.
        freedom: degrees of freedom of the scale estimate, >= 2.

    Raises:
        ValueError: an argument lies outside its range.
    """
    if not (0 < level < 1 and groups >= 2 and freedom >= 2):
        raise ValueError(f"no studentised range for level {level}, {groups} groups, {freedom} degrees of freedom")
    low, high = 0.0, 8.0
    while probability(high, groups, freedom) < level:
        low, high = high, high * 2
    while high - low > _TOLERANCE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if probability(middle, groups, freedom) < level else (low, middle)
    return (low + high) / 2
