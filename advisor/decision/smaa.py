"""Stochastic multicriteria acceptability analysis: how often each framework scores best when ratings and weights vary.

Ratings vary over their triangular ranges, weights over Dirichlet distributions, both by simulation (Lahdelma &
Salminen 2001, SMAA-2). The ratings of one framework are tied together by a one-factor Gaussian copula, since whoever
rates one leaf too kindly tends to rate the next one too kindly: z = sqrt(rho) common + sqrt(1 - rho) own, the same for
any two leaves. Independent ratings would average each other out and make every verdict look certain.

Every stream of random numbers is keyed by what it belongs to, never by its place in a list, so adding or hiding a
framework changes no other framework's draws.

Fast because nothing is computed twice: a standard normal draw is one of 65,536 equally likely quantiles, and a leaf's
quantile function is a table over z, shared by all leaves with the same range.
"""

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.decision.value import Value
from advisor.decision.weights import ROOT, Split

Floats = NDArray[np.float32]

RATING_CORRELATION = 0.5
"""Correlation of the normal scores behind any two ratings of one framework (METHOD.md, "Decision")."""

ROBUSTNESS_CORRELATIONS = (0.0, 0.8)
"""Correlations at which the verdict is tried again."""

_QUANTILES = 65_536
"""Levels of a normal draw: all values of 16 random bits. The largest is 4.2, the variance 1 - 3e-5."""

_SPAN = 6.0
"""Largest |z| a table covers; 4.2 (sqrt(rho) + sqrt(1 - rho)) <= 5.95 for every rho."""

_CELLS = 4_096
"""Cells of a quantile table: an error of at most .006 on 0-10 in one draw and below 1e-5 in the mean."""

_BLOCK = 32_768
"""Draws worked on at a time: small enough for the processor's cache, large enough to hide the cost of a call."""

_CELLS_PER_UNIT = np.float32(_CELLS / (2 * _SPAN))


def stream(seed: int, *names: str) -> np.random.Philox:
    """The random bits that belong to `names`: equal seeds and names give equal bits on every machine."""
    key = "\x1f".join((str(seed), *names)).encode()
    digest = blake2b(key, digest_size=16, person=b"advisor").digest()
    return np.random.Philox(key=int.from_bytes(digest, "big"))


def draw_weights(splits: Sequence[Split], person: str, seed: int, samples: int) -> dict[str, Floats]:
    """Draws of every leaf's global weight: leaf -> (samples,), summing to 1 over the leaves of a draw.

    A Dirichlet draw is gamma draws over their sum; each child draws from its own stream, so that giving a node
    one more child leaves the other children's gamma draws as they are.
    """
    drawn: dict[str, Floats] = {ROOT: np.ones(samples, dtype=np.float32)}
    for split in splits:
        parent = drawn.pop(split.parent)
        if len(split.shares) == 1:
            drawn[next(iter(split.shares))] = parent
            continue
        gammas = {
            child: np.random.Generator(stream(seed, "weight", person, child)).standard_gamma(
                split.concentration * share, samples, dtype=np.float32
            )
            for child, share in split.shares.items()
        }
        factor = parent / np.sum(list(gammas.values()), axis=0, dtype=np.float32)
        for child, gamma in gammas.items():
            drawn[child] = gamma * factor
    return drawn


def draw_scores(
    framework: str,
    values: Mapping[str, Value],
    weights: Mapping[str, Floats],
    seed: int,
    correlations: Sequence[float] = (RATING_CORRELATION,),
) -> Floats:
    """Draws of one framework's score on 0-10, shape (correlations, samples), from the same normal draws for each.

    Args:
        framework: id, which keys the draws.
        values: leaf -> value.
        weights: leaf -> draws of its global weight, as from `draw_weights`.
        seed: of the whole simulation.
        correlations: rho of the copula, each in 0-1.
    """
    samples = len(next(iter(weights.values())))
    rho = np.array(correlations)[:, np.newaxis]
    common = _normal_draws(stream(seed, "rating", framework), samples)
    # z in cells of the table: the offset puts z = 0 at its middle, and rounding down picks the cell.
    shared = np.sqrt(rho).astype(np.float32) * _CELLS_PER_UNIT * common + np.float32(_CELLS / 2)
    scale = np.sqrt(1 - rho).astype(np.float32) * _CELLS_PER_UNIT
    scores: Floats = np.zeros_like(shared)
    index = np.empty((len(correlations), _BLOCK), dtype=np.intp)
    for leaf, weight in weights.items():
        value = values[leaf]
        if value.is_certain:
            scores += weight * np.float32(value.mode)
            continue
        table = _quantile_table(value.low, value.mode, value.high, value.known > 0)
        own = _normal_draws(stream(seed, "rating", framework, leaf), samples)
        for start in range(0, samples, _BLOCK):
            block = slice(start, start + _BLOCK)
            cell = own[block] * scale
            cell += shared[:, block]
            cells = index[:, : cell.shape[1]]
            cells[...] = cell
            np.take(table, cells, out=cell, mode="clip")
            cell *= weight[block]
            scores[:, block] += cell
    return scores


def draw_all_scores(
    values: Mapping[str, Mapping[str, Value]],
    weights: Mapping[str, Floats],
    seed: int,
    correlations: Sequence[float] = (RATING_CORRELATION, *ROBUSTNESS_CORRELATIONS),
) -> Floats:
    """Draws of all scores, shape (correlations, frameworks, samples), frameworks in the order of `values`.

    Frameworks are drawn in parallel; each has streams of its own, so the result depends on neither order nor timing.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        rows = pool.map(lambda item: draw_scores(item[0], item[1], weights, seed, correlations), values.items())
        scores: Floats = np.stack(list(rows), axis=1)
    return scores


def first_probabilities(scores: Floats) -> list[float]:
    """Share of draws in which each row of (frameworks, samples) is highest; rows that tie share the draw."""
    highest = scores == scores.max(axis=0)
    shares = highest / highest.sum(axis=0)
    return [float(share) for share in shares.mean(axis=1)]


def pairwise(scores: Floats) -> list[list[float]]:
    """P(row a scores above row b) for all pairs of (frameworks, samples). A pair's numbers depend on no other row."""
    samples = scores.shape[1]
    return [[int(np.count_nonzero(a > b)) / samples for b in scores] for a in scores]


def interval(scores: Floats) -> tuple[float, float]:
    """5th and 95th percentile of one framework's draws, shape (samples,).

    Drawn weights sum to 1 in single precision only, so that a score of 10 may be drawn as 10.000001.
    """
    low, high = np.clip(np.quantile(scores, (0.05, 0.95)), 0, 10)
    return float(low), float(high)


def _normal_draws(bits: np.random.Philox, samples: int) -> Floats:
    """Standard normal draws, shape (samples,): four of 16 bits from each 64."""
    words: NDArray[np.uint64] = bits.random_raw((samples + 3) // 4)
    levels = words.view(np.uint16)[:samples]
    return np.take(_normal_quantiles(), levels, mode="clip")


@lru_cache(maxsize=1)
def _normal_quantiles() -> Floats:
    """Standard normal quantiles at the middles of 65,536 equal cells of probability."""
    normal = NormalDist()
    upper = np.array([normal.inv_cdf(0.5 + (k + 0.5) / _QUANTILES) for k in range(_QUANTILES // 2)], dtype=np.float32)
    return np.concatenate((-upper[::-1], upper))


@lru_cache(maxsize=1)
def _normal_tails() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Phi(z) and 1 - Phi(z) at the middles of the cells between -_SPAN and _SPAN."""
    middles = (np.arange(_CELLS) + 0.5) / _CELLS * 2 * _SPAN - _SPAN
    below = np.array([math.erfc(-z / math.sqrt(2)) / 2 for z in middles])
    return below, below[::-1]


@lru_cache(maxsize=4096)
def _quantile_table(low: float, mode: float, high: float, triangular: bool) -> Floats:
    """The value at each cell's z: quantile function of Triangular(low, mode, high) or Uniform(low, high) at Phi(z)."""
    below, above = _normal_tails()
    if triangular:
        rising = low + np.sqrt(below * (high - low) * (mode - low))
        falling = high - np.sqrt(above * (high - low) * (high - mode))
        table = np.where(below * (high - low) < mode - low, rising, falling)
    else:
        table = low + below * (high - low)
    return table.astype(np.float32)
