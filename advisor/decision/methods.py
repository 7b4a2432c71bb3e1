"""Other ways of ranking from the same values and weights: does the answer depend on the weighted sum?

A report shows them beside the score; nothing else reads them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.recommendation import Method

Matrix = NDArray[np.float64]

INDIFFERENCE, PREFERENCE = 0.5, 2.0
"""PROMETHEE II, criterion of type V: points on 0-10 below which a difference says nothing (ratings are given in steps
of half a point and less), and from which on it is a full preference (about half the usual range of a rating)."""


def methods(
    ranking: Sequence[str], values: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]
) -> tuple[Method, ...]:
    """TOPSIS and PROMETHEE II on the frameworks of `ranking`.

    Args:
        ranking: framework ids, best first by score; ties of a method keep this order.
        values: framework -> leaf -> expected value on 0-10.
        weights: leaf -> global central weight.
    """
    leaves = [leaf for leaf, weight in weights.items() if weight > 0]
    matrix = np.array([[values[framework][leaf] for leaf in leaves] for framework in ranking], dtype=np.float64)
    shares = np.array([weights[leaf] for leaf in leaves])
    if not len(ranking):
        return ()
    return (
        _method("TOPSIS", ranking, topsis(matrix, shares)),
        _method("PROMETHEE II", ranking, promethee(matrix, shares)),
    )


def _method(name: str, ranking: Sequence[str], scores: Matrix) -> Method:
    order = np.argsort(-scores, kind="stable")
    return Method(
        name=name,
        ranking=tuple(ranking[number] for number in order),
        scores={framework: float(score) for framework, score in zip(ranking, scores, strict=True)},
    )


def topsis(matrix: Matrix, weights: Matrix) -> Matrix:
    """Closeness to the ideal, 0-1, shape (frameworks,); vector normalisation, every column a benefit.

    Hwang, C.-L. & Yoon, K. (1981), Multiple Attribute Decision Making. A column of zeros stays one. Where the ideal
    and its opposite are the same point, everybody is at 1.

    Args:
        matrix: values, shape (frameworks, leaves).
        weights: shape (leaves,).
    """
    length = np.sqrt((matrix**2).sum(axis=0))
    weighted = matrix / np.where(length > 0, length, 1) * weights
    to_best = np.sqrt(((weighted - weighted.max(axis=0)) ** 2).sum(axis=1))
    to_worst = np.sqrt(((weighted - weighted.min(axis=0)) ** 2).sum(axis=1))
    apart = to_best + to_worst
    return np.where(apart > 0, to_worst / np.where(apart > 0, apart, 1), 1.0)


def promethee(
    matrix: Matrix, weights: Matrix, indifference: float = INDIFFERENCE, preference: float = PREFERENCE
) -> Matrix:
    """Net outranking flow of PROMETHEE II, from -1 to 1, shape (frameworks,); linear preference with indifference.

    Brans, J. P. & Vincke, P. (1985), A preference ranking organisation method.

    Args:
        matrix: values, shape (frameworks, leaves).
        weights: shape (leaves,), summing to 1.
        indifference, preference: bounds of the criterion of type V, in units of the values.
    """
    count = len(matrix)
    if count < 2:
        return np.zeros(count)
    ahead = matrix[:, np.newaxis, :] - matrix[np.newaxis, :, :]
    degree = np.clip((ahead - indifference) / (preference - indifference), 0, 1)
    preferred = degree @ weights
    flows: Matrix = (preferred.sum(axis=1) - preferred.sum(axis=0)) / (count - 1)
    return flows
