"""From preferences to the weights of the criteria tree: central ones, and what they are drawn from.

A weight among siblings is 1 times the effects of the answers, normalised; on the top level kept within 5-45 %. A
node that nothing can fill weighs nothing, and its share goes to its siblings (QUESTIONS.md, METHOD.md "Decision").
"""

from collections.abc import Collection, Mapping, Sequence
from math import fsum

import msgspec

from advisor.i18n import _
from advisor.questionnaire import Preferences
from knowledge.faults import BadInput, Fault
from knowledge.model import Criterion

ROOT = ""
"""Path of the root, whose children are the top-level nodes."""

LEAST_TOP_LEVEL, MOST_TOP_LEVEL = 0.05, 0.45
"""Bounds on a top-level weight that no `weights:` entry fixes (QUESTIONS.md)."""


class Split(msgspec.Struct, frozen=True):
    """How one node's weight is shared between its children.

    Attributes:
        parent: path of the node, ROOT for the root.
        shares: child path -> mean share, summing to 1; children that weigh nothing are left out.
        concentration: c of the Dirichlet distribution with parameters c x share.
    """

    parent: str
    shares: dict[str, float]
    concentration: float


def split_tree(criteria: Sequence[Criterion], preferences: Preferences, unfilled: Collection[str]) -> tuple[Split, ...]:
    """Every node's split, parents before children.

    Args:
        criteria: the top-level nodes of the tree.
        preferences: effects, fixed per cents and concentrations.
        unfilled: dotted paths of the leaves nothing can fill; they get no weight.

    Raises:
        BadInput: the fixed weights leave nothing that can be weighed.
    """
    splits = _splits(ROOT, criteria, preferences, frozenset(unfilled))
    if not splits:
        fault = Fault(
            file=preferences.respondent or "answers",
            line=None,
            key="weights",
            problem=_("nothing is left to weigh: what has a weight above 0 cannot be filled"),
            mend=_("measure it first, name what should fit, or give another criterion a weight"),
        )
        raise BadInput([fault])
    return splits


def leaf_weights(splits: Sequence[Split], leaves: Collection[str]) -> dict[str, float]:
    """Global central weight of every leaf, in the order of `leaves`; they sum to 1."""
    weight = {ROOT: 1.0}
    for split in splits:
        for child, share in split.shares.items():
            weight[child] = weight[split.parent] * share
    return {leaf: weight.get(leaf, 0.0) for leaf in leaves}


def _splits(
    parent: str, children: Sequence[Criterion], preferences: Preferences, unfilled: frozenset[str]
) -> tuple[Split, ...]:
    """The split of `parent` and of all below it; empty when nothing below it can be weighed."""
    below: dict[str, tuple[Split, ...]] = {}
    for child in children:
        path = f"{parent}.{child.id}" if parent else child.id
        if not child.children:
            if path not in unfilled:
                below[path] = ()
        elif splits := _splits(path, child.children, preferences, unfilled):
            below[path] = splits
    effects = {path: preferences.effects.get(path, 1.0) for path in below}
    shares = _fix(_shares(effects, clamp=parent == ROOT), preferences.fixed)
    if not shares:
        return ()
    split = Split(
        parent=parent,
        shares=shares,
        concentration=preferences.concentrations.get(parent, float(len(children))),
    )
    return (split, *(each for path in shares for each in below[path]))


def _shares(effects: Mapping[str, float], *, clamp: bool) -> dict[str, float]:
    total = fsum(effects.values())
    shares = {path: effect / total for path, effect in effects.items()}
    if not clamp:
        return shares
    kept = {path: min(max(share, LEAST_TOP_LEVEL), MOST_TOP_LEVEL) for path, share in shares.items()}
    total = fsum(kept.values())
    return {path: share / total for path, share in kept.items()}


def _fix(shares: Mapping[str, float], per_cents: Mapping[str, float]) -> dict[str, float]:
    """`shares` with the fixed ones put in; the others share the rest in proportion.

    Where every sibling is fixed their per cents count as proportions, whatever their sum. Zero shares are left out.
    """
    fixed = {path: per_cents[path] / 100 for path in shares if path in per_cents}
    free = {path: share for path, share in shares.items() if path not in fixed}
    rest = max(0.0, 1 - fsum(fixed.values()))
    total_free = fsum(free.values())
    joined = {path: fixed[path] if path in fixed else free[path] / total_free * rest for path in shares}
    total = fsum(joined.values())
    return {path: share / total for path, share in joined.items() if share > 0}
