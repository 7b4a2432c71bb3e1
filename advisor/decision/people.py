"""Several people who decide together: what they want in common, and how far they agree.

Every draw takes the weights of one of them in turn, so that the spread between people is part of the spread of the
scores; the centre is the arithmetic mean of their weights. A knock-out of one is a veto for all and names its owner
(METHOD.md, "Decision").
"""

from collections.abc import Mapping, Sequence
from math import fsum

import msgspec
import numpy as np

from advisor.decision.smaa import Floats, draw_weights
from advisor.decision.weights import Split
from advisor.questionnaire import Preferences, Requirement
from advisor.recommendation import Pull, Recommendation

_PULLS = 3
"""Criteria named for one person: more are not remembered."""


def together(people: Sequence[Preferences]) -> Preferences:
    """What people want of a framework in common: everything that any of them named.

    Their weights stay their own: effects, fixed per cents and concentrations are left out. A run is as long as theirs
    are on average. What only one assumes is assumed for all, as a knock-out of one is one for all.
    """
    if len(people) == 1:
        return people[0]
    fit: dict[str, tuple[str, ...]] = {}
    for person in people:
        for fact, values in person.fit.items():
            fit[fact] = tuple(dict.fromkeys((*fit.get(fact, ()), *values)))
    return Preferences(
        respondent=", ".join(person.respondent for person in people),
        roles=tuple(dict.fromkeys(role for person in people for role in person.roles)),
        requirements=_vetoes(people),
        fit=fit,
        devices=_union([person.devices for person in people]),
        workloads=_union([person.workloads for person in people]),
        run_length_seconds=fsum(person.run_length_seconds for person in people) / len(people),
        targets=tuple(dict.fromkeys(target for person in people for target in person.targets)),
        deploys=any(person.deploys for person in people),
        assumptions=tuple(dict.fromkeys(each for person in people for each in person.assumptions)),
        current=next((person.current for person in people if person.current is not None), None),
        course=next((person.course for person in people if person.course is not None), None),
        answered=min(person.answered for person in people),
    )


def _vetoes(people: Sequence[Preferences]) -> tuple[Requirement, ...]:
    """All knock-outs, each with those who ask for it; what somebody answered outranks what was assumed of others."""
    owners: dict[tuple[str, frozenset[str]], list[str]] = {}
    asked: dict[tuple[str, frozenset[str]], Requirement] = {}
    for person in people:
        for requirement in person.requirements:
            key = (requirement.fact, frozenset(requirement.values))
            owners.setdefault(key, []).append(person.respondent)
            if key not in asked or asked[key].is_assumed:
                asked[key] = requirement
    return tuple(msgspec.structs.replace(each, owners=tuple(owners[key])) for key, each in asked.items())


def _union(named: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """Everything that is named; None (which stands for everything) as soon as one did not say."""
    said = [each for each in named if each is not None]
    if len(said) < len(named):
        return None
    return tuple(dict.fromkeys(value for each in said for value in each))


def mean_weights(weights: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The arithmetic mean of several people's central weights, leaf by leaf."""
    return {leaf: fsum(each[leaf] for each in weights) / len(weights) for leaf in weights[0]}


def draw_in_turn(
    people: Sequence[str], splits: Sequence[Sequence[Split]], seed: int, samples: int
) -> dict[str, Floats]:
    """Draws of every leaf's weight, shape (samples,): draw i is the i-th draw of person i modulo their number.

    Args:
        people: what each person's draws are keyed by.
        splits: each person's tree of weights.
        seed: of the whole simulation.
        samples: number of draws in all.
    """
    drawn = [draw_weights(each, person, seed, samples) for person, each in zip(people, splits, strict=True)]
    if len(drawn) == 1:
        return drawn[0]
    leaves = dict.fromkeys(leaf for weights in drawn for leaf in weights)
    turns = np.arange(samples) % len(drawn)
    joined: dict[str, Floats] = {}
    for leaf in leaves:
        joined[leaf] = np.zeros(samples, dtype=np.float32)
        for number, weights in enumerate(drawn):
            if leaf in weights:
                joined[leaf][turns == number] = weights[leaf][turns == number]
    return joined


def pulls(own: Recommendation, joint: Recommendation) -> tuple[Pull, ...]:
    """The criteria that pull one person from everybody's first framework to their own, the strongest first.

    On a leaf that this person weighs more (or less) than the mean, their first gains on everybody's by the difference
    of weights times the difference of values. Nothing where the two are the same, or either does not qualify for all.
    """
    if not own.ranking or not joint.ranking:
        return ()
    alone = {each.framework: each.contributions for each in own.ranking}
    for_all = {each.framework: each.contributions for each in joint.ranking}
    ours, theirs = own.ranking[0].framework, joint.ranking[0].framework
    if ours == theirs or theirs not in alone or ours not in for_all:
        return ()
    found = []
    for leaf, mean in joint.weights.items():
        weight = own.weights[leaf]
        # What counts for nothing alone has no points there that would tell its value.
        scored, counted = (alone, weight) if weight > 0 else (for_all, mean)
        if counted > 0:
            value_lead = (scored[ours][leaf] - scored[theirs][leaf]) / counted
            points = (weight - mean) * value_lead
            if points > 0:
                found.append(Pull(leaf, weight, mean, points))
    return tuple(sorted(found, key=lambda pull: -pull.points)[:_PULLS])


def agreement(scores: Sequence[Mapping[str, float]]) -> float | None:
    """Kendall's W of several people's rankings of the same frameworks: 1 is the same order, 0 no agreement at all.

    Ties share their mean rank and W is corrected for them. None for fewer than two people or frameworks.

    Kendall, M. G. & Babington Smith, B. (1939), The problem of m rankings.
    """
    frameworks = [each for each in scores[0] if all(each in other for other in scores)] if scores else []
    judges, count = len(scores), len(frameworks)
    if judges < 2 or count < 2:
        return None
    sums = np.zeros(count)
    ties = 0.0
    for person in scores:
        values = np.array([person[each] for each in frameworks])
        below = (values[:, None] > values[None, :]).sum(axis=1)
        equal = (values[:, None] == values[None, :]).sum(axis=1)
        sums += below + (equal + 1) / 2
        ties += float(((equal**2) - 1).sum())  # the sum of t^3 - t over groups of t equals
    spread = float(((sums - sums.mean()) ** 2).sum())
    most = judges**2 * (count**3 - count) - judges * ties
    return 12 * spread / most if most > 0 else None
