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
from itertools import product
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

_BLOCK, _GROUP = 10_240, 8
"""Draws and leaves worked on at a time: a few megabytes. Threads hand the interpreter on at each call into NumPy, so
calls have to be long: with one leaf at a time two threads were hardly faster than one."""

_KEPT_SAMPLES, _KEPT_FRAMEWORKS = 10_000, 64
"""Up to how many draws, and of how many frameworks, the levels are kept for the next decision: while somebody answers,
only weights change from key to key. A megabyte for each framework at most."""

_KEPT_GAMMAS = 512
"""Of how many nodes of a tree of weights the gamma draws are kept likewise: of all that one answer leaves alone."""

_CELLS_PER_UNIT = np.float32(_CELLS / (2 * _SPAN))


def stream(seed: int, *names: str) -> np.random.Philox:
    """The random bits that belong to `names`: equal seeds and names give equal bits on every machine."""
    return np.random.Philox(key=int.from_bytes(_digest(seed, names), "big"))


class _Bits:
    """A generator that is turned from one stream to the next: making one takes longer than drawing 2,500 words."""

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self._start = self._bits.state

    def of(self, seed: int, *names: str) -> np.random.Philox:
        """What `stream` returns, until the next call."""
        self._start["state"]["key"][:] = np.frombuffer(_digest(seed, names)[::-1], dtype="<u8")
        self._bits.state = self._start
        return self._bits


def _digest(seed: int, names: Sequence[str]) -> bytes:
    key = "\x1f".join((str(seed), *names)).encode()
    return blake2b(key, digest_size=16, person=b"advisor").digest()


def draw_weights(splits: Sequence[Split], person: str, seed: int, samples: int) -> dict[str, Floats]:
    """Draws of every leaf's global weight: leaf -> (samples,), summing to 1 over the leaves of a draw.

    A Dirichlet draw is gamma draws over their sum; each child draws from its own stream, so that giving a node
    one more child leaves the other children's gamma draws as they are.
    """
    shapes = {
        child: split.concentration * share
        for split in splits
        if len(split.shares) > 1
        for child, share in split.shares.items()
    }

    draw = _kept_gamma if samples <= _KEPT_SAMPLES else _draw_gamma
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        drawn_gammas = pool.map(lambda child: draw(shapes[child], samples, seed, person, child), shapes)
        gammas = dict(zip(shapes, drawn_gammas, strict=True))
    drawn: dict[str, Floats] = {ROOT: np.ones(samples, dtype=np.float32)}
    for split in splits:
        parent = drawn.pop(split.parent)
        if len(split.shares) == 1:
            drawn[next(iter(split.shares))] = parent
            continue
        factor = parent / np.sum([gammas[child] for child in split.shares], axis=0, dtype=np.float32)
        for child in split.shares:
            drawn[child] = gammas[child] * factor
    return drawn


def _draw_gamma(shape: float, samples: int, seed: int, person: str, child: str) -> Floats:
    bits = np.random.Generator(stream(seed, "weight", person, child))
    drawn = bits.standard_gamma(shape, samples, dtype=np.float32)
    drawn.flags.writeable = False
    return drawn


_kept_gamma = lru_cache(maxsize=_KEPT_GAMMAS)(_draw_gamma)


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
    return draw_all_scores({framework: values}, weights, seed, correlations)[:, 0]


def draw_all_scores(
    values: Mapping[str, Mapping[str, Value]],
    weights: Mapping[str, Floats],
    seed: int,
    correlations: Sequence[float] = (RATING_CORRELATION, *ROBUSTNESS_CORRELATIONS),
) -> Floats:
    """Draws of all scores, shape (correlations, frameworks, samples), frameworks in the order of `values`."""
    return draw_twice(values, weights, {}, seed, correlations)[0]


def draw_twice(
    values: Mapping[str, Mapping[str, Value]],
    weights: Mapping[str, Floats],
    others: Mapping[str, Floats],
    seed: int,
    correlations: Sequence[float] = (RATING_CORRELATION, *ROBUSTNESS_CORRELATIONS),
) -> tuple[Floats, Floats]:
    """Draws of all scores under two sets of weights, for which the ratings are drawn but once.

    Frameworks are drawn in parallel; each has streams of its own, so the result depends on neither order nor timing.

    Args:
        values: framework -> leaf -> value.
        weights: leaf -> draws of its global weight, as from `draw_weights`.
        others: the same of the other weights, of which there are no more draws; may be empty.
        seed: of the whole simulation.
        correlations: rho of the copula, each in 0-1.

    Returns:
        Scores under `weights`, shape (correlations, frameworks, samples), and under `others` at the first of the
        correlations, shape (frameworks, samples of the others), frameworks in the order of `values`.
    """
    leaves = tuple(dict.fromkeys((*weights, *others)))
    tables = _table(leaves, weights), _table(leaves, others)

    def draw(framework: str) -> tuple[Floats, Floats]:
        return _draw_scores(framework, [values[framework][leaf] for leaf in leaves], leaves, tables, seed, correlations)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        rows = list(pool.map(draw, values))
    return np.stack([scores for scores, _other in rows], axis=1), np.stack([other for _scores, other in rows])


def _table(leaves: Sequence[str], weights: Mapping[str, Floats]) -> Floats:
    """Draws of weights, shape (leaves, samples); leaves that have none weigh nothing."""
    table = np.zeros((len(leaves), len(next(iter(weights.values()), ()))), dtype=np.float32)
    for row, leaf in zip(table, leaves, strict=True):
        row[:] = weights.get(leaf, 0)
    return table


def _draw_scores(
    framework: str,
    values: Sequence[Value],
    leaves: Sequence[str],
    tables: tuple[Floats, Floats],
    seed: int,
    correlations: Sequence[float],
) -> tuple[Floats, Floats]:
    """One framework's part of `draw_twice`: shapes (correlations, samples) and (samples of the others,).

    Args:
        values, leaves: a value for each leaf.
        tables: draws of the weights and of the others, shapes (leaves, samples of each).
    """
    weights, others = tables
    samples, fewer = weights.shape[1], others.shape[1]
    uncertain = [row for row, value in enumerate(values) if not value.is_certain]
    draw_levels = _kept_levels if samples <= _KEPT_SAMPLES else _draw_levels
    levels = draw_levels(framework, tuple(leaves[row] for row in uncertain), seed, samples)
    normal = _normal_quantiles()
    # z in cells of a table: the offset puts z = 0 at its middle, and rounding down picks the cell.
    rho = np.array(correlations)[:, np.newaxis]
    shared: Floats = np.sqrt(rho).astype(np.float32) * _CELLS_PER_UNIT * normal.take(levels[0], mode="clip")
    shared += np.float32(_CELLS / 2)
    scale = np.sqrt(1 - rho).astype(np.float32) * _CELLS_PER_UNIT
    scores: Floats = np.zeros_like(shared)
    other: Floats = np.zeros(fewer, dtype=np.float32)
    for row, value in enumerate(values):
        if value.is_certain:
            scores += weights[row] * np.float32(value.mode)
            other += others[row] * np.float32(value.mode)
    # All arrays are made once, since new memory costs more than what is computed in it. Processors convert to whole
    # numbers of 32 bits several at a time, to 64 one by one.
    most = min(_GROUP, len(uncertain)) * min(_BLOCK, samples)
    drawn = np.empty(most, dtype=np.float32)
    buffers = [np.empty(most * len(correlations), dtype=kind) for kind in (np.float32, np.int32, np.intp)]
    for start, first in product(range(0, samples, _BLOCK), range(0, len(uncertain), _GROUP)):
        block = slice(start, min(start + _BLOCK, samples))
        rows = uncertain[first : first + _GROUP]
        # Rows that follow each other are taken where they stand, any others copied.
        chosen = slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] < len(rows) else rows
        shape = (len(rows), len(correlations), block.stop - block.start)
        own = drawn[: len(rows) * shape[-1]].reshape(len(rows), 1, -1)
        cell, narrow, index = (buffer[: math.prod(shape)].reshape(shape) for buffer in buffers)
        normal.take(levels[1 + first :][: len(rows), np.newaxis, block], out=own, mode="clip")
        np.multiply(own, scale, out=cell)
        cell += shared[:, block]
        narrow[...] = cell
        index[...] = narrow
        for value, places, row in zip((values[row] for row in rows), index, cell, strict=True):
            _quantiles(value).take(places, out=row, mode="clip")
        if start < fewer:
            some = slice(start, min(block.stop, fewer))
            other[some] += (cell[:, 0, : some.stop - start] * others[chosen, some]).sum(axis=0)
        cell *= weights[chosen, block][:, np.newaxis]
        scores[:, block] += cell.sum(axis=0)
    return scores, other


def first_probabilities(scores: Floats) -> list[float]:
    """Share of draws in which each row of (frameworks, samples) is highest; rows that tie share the draw."""
    highest = scores == scores.max(axis=0)
    hits: NDArray[np.float64] = highest @ (1 / highest.sum(axis=0))
    return [float(share) / scores.shape[1] for share in hits]


def pairwise(scores: Floats) -> list[list[float]]:
    """P(row a scores above row b) for all pairs of (frameworks, samples). A pair's numbers depend on no other row."""
    return [ahead(row, scores) for row in scores]


def ahead(row: Floats, scores: Floats) -> list[float]:
    """P(the draws of `row`, shape (samples,), score above each row of (frameworks, samples))."""
    return [int(np.count_nonzero(row > other)) / len(row) for other in scores]


def interval(scores: Floats) -> tuple[float, float]:
    """5th and 95th percentile of one framework's draws, shape (samples,).

    Drawn weights sum to 1 in single precision only, so that a score of 10 may be drawn as 10.000001.
    """
    ordered = np.sort(scores)  # NumPy sorts with vector instructions, and is faster at it than at its own quantiles
    low, high = (_at(ordered, (len(ordered) - 1) * share) for share in (0.05, 0.95))
    return min(max(low, 0.0), 10.0), min(max(high, 0.0), 10.0)


def _at(ordered: Floats, place: float) -> float:
    """The number at a place between two of `ordered`, on the line through both."""
    below = math.floor(place)
    low, high = float(ordered[below]), float(ordered[math.ceil(place)])
    return low + (high - low) * (place - below)


def _draw_levels(framework: str, leaves: tuple[str, ...], seed: int, samples: int) -> NDArray[np.uint16]:
    """The levels of one framework's normal draws, shape (1 + leaves, samples): what is common to all, then each leaf's.

    A level is a number of 16 bits; `_normal_quantiles` says which z it stands for.
    """
    bits = _Bits()
    levels = np.empty((1 + len(leaves), samples), dtype=np.uint16)
    for row, names in zip(levels, ((), *((leaf,) for leaf in leaves)), strict=True):
        words = bits.of(seed, "rating", framework, *names).random_raw((samples + 3) // 4)
        row[:] = words.view(np.uint16)[:samples]
    levels.flags.writeable = False
    return levels


_kept_levels = lru_cache(maxsize=_KEPT_FRAMEWORKS)(_draw_levels)


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


def _quantiles(value: Value) -> Floats:
    return _quantile_table(value.low, value.mode, value.high, value.known > 0)


@lru_cache(maxsize=4096)
def _quantile_table(low: float, mode: float, high: float, triangular: bool) -> Floats:
    """The value at each cell's z: quantile function of Triangular(low, mode, high) or Uniform(low, high) at Phi(z)."""
    below, above = _normal_tails()
    width = high - low
    if triangular:
        rises = int(np.searchsorted(below, (mode - low) / width))
        rising = low + np.sqrt(below[:rises] * (width * (mode - low)))
        falling = high - np.sqrt(above[rises:] * (width * (high - mode)))
        table = np.concatenate((rising, falling))
    else:
        table = low + below * width
    return table.astype(np.float32)
