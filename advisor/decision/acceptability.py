"""What the draws say beyond who is first: the chance of each rank, and the weights that put each framework first.

Rank acceptability and central weight vectors are those of SMAA-2 (Lahdelma & Salminen 2001).
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from advisor.decision.smaa import Floats, draw_weights
from advisor.decision.weights import split_tree
from advisor.questionnaire import Preferences
from advisor.recommendation import Central
from knowledge.model import Criterion

CENTRAL_SAMPLES = 10_000
"""Draws for central weights: a share of 1 % is then known to a tenth of its size, enough for a sentence."""

_NOBODY = "\x1fanybody"
"""Keys the draws of weights that are nobody's; no respondent can be called so, since names hold no control codes."""

_LEAST_DRAWS = 20
"""Draws in which a framework must come first before the mean of their weights is spoken of."""

_BLOCK = 8_192
"""Draws ranked at a time: some thirty rows of ranks then fit the processor's cache."""


def rank_acceptability(scores: Floats) -> list[list[float]]:
    """The share of draws in which each row of (frameworks, samples) takes rank 1, 2, ...; each row sums to 1.

    Ties are broken by the order of rows: exact ones happen where nothing is uncertain, and rank by id there too.
    """
    count, samples = scores.shape
    hits = np.zeros((count, count), dtype=np.int64)
    for start in range(0, samples, _BLOCK):
        part = scores[:, start : start + _BLOCK]
        # Each row's number of rows ahead of it, pair by pair: several times as fast as sorting every draw.
        rank = np.zeros(part.shape, dtype=np.uint16)
        for row in range(count):
            behind = part[row + 1 :] > part[row]
            rank[row] += np.add.reduce(behind, axis=0, dtype=np.uint16)
            rank[row + 1 :] += ~behind
            hits[row] += np.bincount(rank[row], minlength=count)
    return [[int(each) / samples for each in row] for row in hits]


def even_weights(
    criteria: Sequence[Criterion], unfilled: Collection[str], seed: int, samples: int = CENTRAL_SAMPLES
) -> dict[str, Floats]:
    """Draws of every leaf's weight, spread evenly over everything a person could care about, the answers left aside.

    Each node's weight is uniform on the simplex of those of its children that can be filled.

    Args:
        criteria: the tree.
        unfilled: leaves that nothing can fill.
        seed: of the whole simulation.
        samples: number of draws.
    """
    splits = [
        msgspec.structs.replace(each, concentration=float(len(each.shares)))
        for each in split_tree(criteria, Preferences(), unfilled)
    ]
    return draw_weights(splits, _NOBODY, seed, samples)


def central_weights(frameworks: Sequence[str], scores: Floats, weights: Mapping[str, Floats]) -> dict[str, Central]:
    """What one would have to care about for each framework to come first.

    The central weights of a framework are the mean of those in which it comes first (ties go to the first row);
    without enough of them there are none.

    Args:
        frameworks: ids.
        scores: draws of their scores under `weights`, shape (frameworks, samples).
        weights: leaf -> draws of its weight, shape (samples,), as from `even_weights`.
    """
    if not frameworks:
        return {}
    first = np.argmax(scores, axis=0)
    table = np.stack(list(weights.values()))
    even = dict(zip(weights, table.mean(axis=1, dtype=np.float64).tolist(), strict=True))
    found = {}
    for number, framework in enumerate(frameworks):
        wins = np.flatnonzero(first == number)
        spoken_of = len(wins) >= _LEAST_DRAWS
        means = table[:, wins].mean(axis=1, dtype=np.float64).tolist() if spoken_of else []
        found[framework] = Central(
            share=len(wins) / scores.shape[1],
            weights=dict(zip(weights, means, strict=spoken_of)),
            even=even,
        )
    return found
