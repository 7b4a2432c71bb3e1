"""What the draws say beyond who is first: the chance of each rank, and the weights that put each framework first.

Rank acceptability and central weight vectors are those of SMAA-2 (Lahdelma & Salminen 2001).
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from advisor.decision.smaa import RATING_CORRELATION, Floats, draw_all_scores, draw_weights
from advisor.decision.value import Value
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


def rank_acceptability(scores: Floats) -> list[list[float]]:
    """The share of draws in which each row of (frameworks, samples) takes rank 1, 2, ...; each row sums to 1.

    Ties are broken by the order of rows: exact ones happen where nothing is uncertain, and rank by id there too.
    """
    count, samples = scores.shape
    order = np.argsort(-scores, axis=0, kind="stable")
    return [
        [int(hits) / samples for hits in np.count_nonzero(order == framework, axis=1)] for framework in range(count)
    ]


def central_weights(
    values: Mapping[str, Mapping[str, Value]],
    criteria: Sequence[Criterion],
    unfilled: Collection[str],
    seed: int,
    samples: int = CENTRAL_SAMPLES,
) -> dict[str, Central]:
    """What one would have to care about for each framework to come first.

    Weights are drawn evenly over everything a person could care about (each node's weight uniform on the simplex of
    its children), the answers left aside. The central weights of a framework are the mean of those in which it comes
    first; without enough of them there are none.

    Args:
        values: framework -> leaf -> value, of those that qualify.
        criteria: the tree.
        unfilled: leaves that nothing can fill.
        seed: of the whole simulation; ratings are drawn as they are elsewhere.
        samples: number of draws.
    """
    if not values:
        return {}
    splits = split_tree(criteria, Preferences(), unfilled)
    weights = draw_weights(splits, _NOBODY, seed, samples)
    (scores,) = draw_all_scores(values, weights, seed, (RATING_CORRELATION,))
    first = np.argmax(scores, axis=0)
    table = np.stack(list(weights.values()))
    found = {}
    for number, framework in enumerate(values):
        wins = first == number
        count = int(np.count_nonzero(wins))
        means = table[:, wins].mean(axis=1, dtype=np.float64) if count >= _LEAST_DRAWS else []
        found[framework] = Central(
            share=count / samples,
            weights={leaf: float(mean) for leaf, mean in zip(weights, means, strict=False)},
            even={leaf: float(mean) for leaf, mean in zip(weights, table.mean(axis=1, dtype=np.float64), strict=True)},
        )
    return found
