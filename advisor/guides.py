"""What the old guides said, set side by side: claims by framework and criterion, and winners then and now. Pure."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from knowledge.loader import walk
from knowledge.model import Claim, Guide, Holds, Knowledge, Winner

TIE_SCORES = 0.5
"""Frameworks rated within half a point of the best share the first place: that is less than the range which nearly
every rating gives itself (95 % of 928 are a point wide or more, 2.5 in the median)."""


class Said(msgspec.Struct, frozen=True):
    """One claim and the guide that made it."""

    guide: Guide
    claim: Claim


class Topic(msgspec.Struct, frozen=True):
    """All that the guides said of one framework on one criterion, in order of date.

    Attributes:
        framework: its id; None where they spoke of something that is none.
        criterion: dotted path of a leaf or node; None where the tree has none.
    """

    framework: str | None
    criterion: str | None
    said: tuple[Said, ...]


class Today(msgspec.Struct, frozen=True):
    """One dimension on which a guide preferred somebody, and the ratings of today.

    Attributes:
        scores: framework id -> its newest score, of those that the guide compared; None where it is not known.
        now: those rated best, best first; several are a tie.
    """

    winner: Winner
    scores: Mapping[str, float | None]
    now: tuple[str, ...]


def holding(guide: Guide) -> dict[Holds, int]:
    """How many of a guide's claims are confirmed, hold partly, are refuted and cannot be tested."""
    counts = Counter(claim.holds for claim in guide.claims)
    return {holds: counts[holds] for holds in Holds}


def topics(
    knowledge: Knowledge, guide: str | None = None, framework: str | None = None, criterion: str | None = None
) -> tuple[Topic, ...]:
    """The claims of all guides by framework and criterion: frameworks by id, criteria in the order of the tree.

    A claim on several frameworks stands under each of them. What speaks of no framework, or bears on no
    criterion, comes last.

    Args:
        guide: only topics that this guide (an id) speaks of; what the others said of them is there all the same.
        framework: only those on this framework (an id).
        criterion: only those on this criterion (a dotted path) and below it.
    """
    found: dict[tuple[str | None, str | None], list[Said]] = {}
    for each in knowledge.guides.values():  # in order of publication
        for claim in each.claims:
            for name in claim.frameworks or (None,):
                found.setdefault((name, claim.criterion), []).append(Said(each, claim))
    order = {path: number for number, (path, _) in enumerate(walk(knowledge.criteria))}

    def place(key: tuple[str | None, str | None]) -> tuple[bool, str, int]:
        return key[0] is None, key[0] or "", order.get(key[1] or "", len(order))

    return tuple(
        Topic(key[0], key[1], tuple(found[key]))
        for key in sorted(found, key=place)
        if guide is None or any(each.guide.id == guide for each in found[key])
        if framework is None or key[0] == framework
        if criterion is None or (key[1] is not None and f"{key[1]}.".startswith(f"{criterion}."))
    )


def today(knowledge: Knowledge, winner: Winner) -> Today:
    """Who is rated best on one dimension of those that a guide compared, by the newest ratings."""
    scores: dict[str, float | None] = {}
    for name in winner.among:
        statements = knowledge.frameworks[name].ratings.get(winner.criterion, ())
        scores[name] = statements[0].score if statements else None
    known = {name: score for name, score in scores.items() if score is not None}
    best = max(known.values(), default=0.0)
    ranked = sorted(known, key=lambda name: -known[name])
    return Today(winner, scores, tuple(name for name in ranked if round(best - known[name], 6) <= TIE_SCORES))
