"""The decision: knowledge, preferences and measurements in, one recommendation out. Pure and reproducible.

    screen -> value (ratings, fit, measured) -> weights -> smaa -> verdict -> sensitivity -> explain

Definitions are METHOD.md's, "Decision". Nothing a framework is given (score, draws, P against a rival) depends on
which other frameworks compete.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.metadata import version
from math import fsum

import msgspec

from advisor.decision import explain
from advisor.decision.acceptability import CENTRAL_SAMPLES, central_weights, even_weights, rank_acceptability
from advisor.decision.deciding import deciding
from advisor.decision.measured import count
from advisor.decision.methods import methods
from advisor.decision.people import agreement, draw_in_turn, mean_weights, pulls, together
from advisor.decision.screen import Check, Outcome, check_all, minimal_drops
from advisor.decision.sensitivity import flips
from advisor.decision.smaa import (
    RATING_CORRELATION,
    ROBUSTNESS_CORRELATIONS,
    Floats,
    ahead,
    draw_twice,
    first_probabilities,
    interval,
    pairwise,
)
from advisor.decision.stack import stack
from advisor.decision.value import Value, leaf_values
from advisor.decision.verdict import judge, lead
from advisor.decision.weights import Split, leaf_weights, split_tree
from advisor.questionnaire import Preferences
from advisor.recommendation import (
    SCHEMA,
    Central,
    Current,
    Excluded,
    Person,
    Provenance,
    Ranked,
    Recommendation,
    StackEntry,
    Unknown,
    Verdict,
)
from bench.results import Results
from knowledge.faults import BadInput, Fault
from knowledge.model import Framework, Knowledge

__all__ = ["decide"]

DEFAULT_SAMPLES = 10_000


def decide(
    knowledge: Knowledge,
    preferences: Preferences | Sequence[Preferences],
    results: Results | None,
    as_of: date,
    seed: int,
    samples: int = DEFAULT_SAMPLES,
    created: str | None = None,
) -> Recommendation:
    """The recommendation for one person's preferences, or for those of several who decide together.

    Args:
        knowledge: what is known about frameworks.
        preferences: what the answers ask for; of several people at least one, each with a name of their own.
        results: a race to count, if any.
        as_of: day whose statements hold, and on which a framework has to be maintained.
        seed: of all random draws.
        samples: number of draws of ratings and weights, at least 1.
        created: UTC time to write into the provenance; midnight of `as_of` when None.

    Raises:
        BadInput: the fixed weights leave nothing that can be weighed.
    """
    if isinstance(preferences, Preferences):
        return _decide(knowledge, (preferences,), results, as_of, seed, samples, created)
    people = tuple(preferences)
    recommendation = _decide(knowledge, people, results, as_of, seed, samples, created)
    if len(people) == 1:
        return recommendation
    alone = [_decide(knowledge, (each,), results, as_of, seed, samples, created) for each in people]
    return msgspec.structs.replace(
        recommendation,
        people=tuple(_person(each.respondent, own, recommendation) for each, own in zip(people, alone, strict=True)),
        agreement=agreement([{each.framework: each.score for each in own.ranking} for own in alone]),
    )


def _decide(
    knowledge: Knowledge,
    people: Sequence[Preferences],
    results: Results | None,
    as_of: date,
    seed: int,
    samples: int,
    created: str | None,
) -> Recommendation:
    preferences = together(people)
    measurements = count(results, knowledge.leaves, preferences)
    not_measured = tuple(
        path for path, leaf in knowledge.leaves.items() if leaf.measured and path not in measurements.values
    )
    splits = _split_trees(knowledge, people, not_measured)
    weights = mean_weights([leaf_weights(each, knowledge.leaves) for each in splits])

    alternatives = [each for _id, each in sorted(knowledge.frameworks.items()) if each.role in preferences.roles]
    values = {
        each.id: leaf_values(each, knowledge.leaves, preferences.fit, measurements.values, as_of)
        for each in alternatives
    }
    contributions = {
        framework: {leaf: weight * leaves[leaf].expected for leaf, weight in weights.items()}
        for framework, leaves in values.items()
    }
    scores = {framework: fsum(points.values()) for framework, points in contributions.items()}
    best_first = sorted(scores, key=lambda framework: (-scores[framework], framework))
    checks = {each.id: check_all(each, preferences.requirements, as_of) for each in alternatives}
    failed = {framework: _with(outcome=Outcome.FAIL, checks=found) for framework, found in checks.items()}
    qualified = [framework for framework in best_first if not failed[framework]]

    ours = {each: values[each] for each in qualified}
    unfilled = [*not_measured, *_not_named(knowledge, preferences)]
    drawn = draw_in_turn([each.respondent for each in people], splits, seed, samples)
    anybodys = even_weights(knowledge.criteria, unfilled, seed, min(samples, CENTRAL_SAMPLES))
    simulation = _simulate(ours, drawn, anybodys, seed)
    ranking = tuple(
        Ranked(
            framework=framework,
            name=knowledge.frameworks[framework].name,
            role=knowledge.frameworks[framework].role.value,
            rank=rank,
            score=scores[framework],
            low=low,
            high=high,
            first_probability=first,
            coverage=_coverage(values[framework], weights),
            contributions=contributions[framework],
        )
        for rank, (framework, (low, high), first) in enumerate(
            zip(qualified, simulation.intervals, simulation.first[RATING_CORRELATION], strict=True), start=1
        )
    )
    unknown = tuple(
        Unknown(framework, str(each.requirement))
        for framework in qualified
        for each in _with(outcome=Outcome.UNKNOWN, checks=checks[framework])
    )
    verdict = _verdict(ranking, simulation, unknown, preferences)
    excluded = tuple(
        Excluded(
            framework=framework,
            name=knowledge.frameworks[framework].name,
            would_rank=_would_rank(framework, qualified or best_first, scores),
            failed=tuple(
                explain.failure(each, knowledge.frameworks[framework], knowledge, as_of) for each in failed[framework]
            ),
        )
        for framework in best_first
        if failed[framework]
    )
    draft = Recommendation(
        schema=SCHEMA,
        verdict=verdict,
        winner=qualified[0] if verdict in (Verdict.CLEAR, Verdict.LEANING) else None,
        stack=_stack(knowledge, qualified, preferences, as_of),
        ranking=ranking,
        robustness={
            f"{correlation:g}": dict(zip(qualified, simulation.first[correlation], strict=True))
            for correlation in ROBUSTNESS_CORRELATIONS
        },
        pairwise=_by_name(qualified, simulation.above),
        excluded=excluded,
        unknown=unknown,
        assumptions=explain.assumptions(preferences, counts_speed=results is not None),
        weights=weights,
        flips=flips(qualified, values, weights),
        current=None,
        course=preferences.course,
        measured=measurements.summary,
        not_counted_leaves=not_measured,
        minimal_drops=() if qualified else minimal_drops(_labels(checks) for checks in failed.values()),
        reasoning=explain.NO_REASONING,
        provenance=Provenance(
            advisor_version=version("framework-advisor"),
            knowledge_date=knowledge.date.isoformat(),
            as_of=as_of.isoformat(),
            samples=samples,
            seed=seed,
            created=created or f"{as_of.isoformat()}T00:00:00Z",
        ),
        deciding=deciding(qualified, contributions),
        acceptability=dict(zip(qualified, map(tuple, simulation.ranks), strict=True)),
        central=simulation.central,
        methods=methods(
            qualified, {each: {leaf: value.expected for leaf, value in ours[each].items()} for each in ours}, weights
        ),
    )
    used = dict.fromkeys(person.current for person in people if person.current in knowledge.frameworks)
    currents = tuple(_current(knowledge.frameworks[each], draft, knowledge) for each in used if each is not None)
    draft = msgspec.structs.replace(draft, current=currents[0] if currents else None, currents=currents)
    reasoning = explain.reasoning(draft, knowledge, answered=preferences.answered, provisional=measurements.provisional)
    return msgspec.structs.replace(draft, reasoning=reasoning)


def _split_trees(
    knowledge: Knowledge, people: Sequence[Preferences], not_measured: Sequence[str]
) -> list[tuple[Split, ...]]:
    """Each person's tree of weights, or one error about all who leave nothing to weigh."""
    splits: list[tuple[Split, ...]] = []
    faults: list[Fault] = []
    for each in people:
        try:
            splits.append(split_tree(knowledge.criteria, each, [*not_measured, *_not_named(knowledge, each)]))
        except BadInput as bad:
            faults.extend(bad.faults)
    if faults:
        raise BadInput(faults)
    return splits


class _Simulation(msgspec.Struct, frozen=True):
    """What the draws say, frameworks in the order of ranks.

    Attributes:
        intervals, ranks: of each framework.
        first: correlation -> P(first) of each.
        above: P(row scores above column).
        elsewhere: at each of the other correlations P(rank 1 scores above each).
        central: what one would have to care about for each to come first.
    """

    intervals: list[tuple[float, float]]
    ranks: list[list[float]]
    first: dict[float, list[float]]
    above: list[list[float]]
    elsewhere: list[list[float]]
    central: dict[str, Central]


def _simulate(
    values: Mapping[str, Mapping[str, Value]], weights: Mapping[str, Floats], even: Mapping[str, Floats], seed: int
) -> _Simulation:
    correlations = (RATING_CORRELATION, *ROBUSTNESS_CORRELATIONS)
    if not values:
        return _Simulation([], [], {each: [] for each in correlations}, [], [], {})
    scores, evenly = draw_twice(values, weights, even, seed, correlations)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        ranks = pool.submit(rank_acceptability, scores[0])
        above = pool.submit(pairwise, scores[0])
        central = pool.submit(central_weights, list(values), evenly, even)
        first = pool.map(first_probabilities, scores)
        intervals = pool.map(interval, scores[0])
        return _Simulation(
            intervals=list(intervals),
            ranks=ranks.result(),
            first=dict(zip(correlations, first, strict=True)),
            above=above.result(),
            elsewhere=[ahead(rows[0], rows) for rows in scores[1:]],
            central=central.result(),
        )


def _not_named(knowledge: Knowledge, preferences: Preferences) -> list[str]:
    """The leaves of the fit of which the answers name nothing."""
    return [path for path, leaf in knowledge.leaves.items() if leaf.fit and not preferences.fit.get(leaf.fit)]


def _person(respondent: str, own: Recommendation, joint: Recommendation) -> Person:
    """What one of several people would be told alone, and what pulls them away from what all are told."""
    return Person(
        respondent=respondent,
        verdict=own.verdict,
        first=own.ranking[0].framework if own.ranking else None,
        ranking=tuple(each.framework for each in own.ranking),
        scores={each.framework: each.score for each in own.ranking},
        first_probabilities={each.framework: each.first_probability for each in own.ranking},
        weights=own.weights,
        current=own.current,
        pulls=pulls(own, joint),
    )


def _verdict(
    ranking: Sequence[Ranked], simulation: _Simulation, unknown: Sequence[Unknown], preferences: Preferences
) -> Verdict:
    if not ranking:
        return Verdict.NONE_QUALIFIES
    first = lead(simulation.above[0][1:], [above[1:] for above in simulation.elsewhere])
    conditional = any(each.framework == ranking[0].framework for each in unknown)
    return judge(first, ranking[0].coverage, preferences.answered, conditional=conditional)


def _coverage(values: Mapping[str, Value], weights: Mapping[str, float]) -> float:
    """Share of the weight whose values are known."""
    return fsum(weight * values[leaf].known for leaf, weight in weights.items())


def _would_rank(framework: str, others: Sequence[str], scores: Mapping[str, float]) -> int:
    """The rank among `others` by score, ties by id."""
    place = (-scores[framework], framework)
    return 1 + sum((-scores[other], other) < place for other in others if other != framework)


def _stack(
    knowledge: Knowledge, qualified: Sequence[str], preferences: Preferences, as_of: date
) -> tuple[StackEntry, ...]:
    if not qualified:
        return ()
    return stack(knowledge.frameworks[qualified[0]], knowledge, preferences, as_of)


def _current(framework: Framework, draft: Recommendation, knowledge: Knowledge) -> Current:
    """Where a framework that is in use today stands among all."""
    ranked = next((each for each in draft.ranking if each.framework == framework.id), None)
    return Current(
        framework=framework.id,
        name=framework.name,
        rank=None if ranked is None else ranked.rank,
        gap=None if ranked is None else draft.ranking[0].score - ranked.score,
        leaving_cost=framework.leaving.cost if framework.leaving else None,
        what_would_justify=explain.what_would_justify(framework, draft, knowledge),
    )


def _with(outcome: Outcome, checks: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(each for each in checks if each.outcome is outcome)


def _labels(checks: Sequence[Check]) -> frozenset[str]:
    return frozenset(str(each.requirement) for each in checks)


def _by_name(frameworks: Sequence[str], table: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
    """A square table without its diagonal, by framework ids."""
    return {
        row: {column: number for column, number in zip(frameworks, numbers, strict=True) if column != row}
        for row, numbers in zip(frameworks, table, strict=True)
    }
