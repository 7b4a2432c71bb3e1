"""The old guides on trial: everything they name exists, and what holds or does not is sourced."""

from collections.abc import Collection, Iterator

from knowledge.checks.findings import Finding, error, unknown
from knowledge.facts import earliest
from knowledge.loader import Place, Places, walk
from knowledge.model import Guide, Holds, Knowledge
from knowledge.reader import Steps


def check(knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    for guide in knowledge.guides.values():
        yield from _guide(guide, knowledge, places, workloads)
    yield from _repeated_claims(knowledge, places)


def _guide(guide: Guide, knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    """Everything a guide's file names exists; what holds or does not is sourced."""

    def place(*steps: str | int) -> Place:
        return places.guide(guide.id, *steps)

    if earliest(guide.published) is None:
        mend = "write a year, a month or a day, as in 2016-05"
        yield error(place("published"), f"{guide.published!r} is not a date", mend)
    paths = [path for path, _ in walk(knowledge.criteria)]
    named: list[tuple[Steps, str, str, Collection[str]]] = [(("source",), "source", guide.source, knowledge.sources)]
    for index, claim in enumerate(guide.claims):
        start: Steps = ("claims", index)
        for number, id_ in enumerate(claim.frameworks):
            named.append(((*start, "frameworks", number), "framework", id_, knowledge.frameworks))
        if claim.criterion is not None:
            named.append(((*start, "criterion"), "criterion", claim.criterion, paths))
        for number, evidence in enumerate(claim.evidence):
            named.append(((*start, "evidence", number, "source"), "source", evidence.source, knowledge.sources))
        if claim.holds is not Holds.UNTESTABLE and not claim.evidence:
            yield error(place(*start), f"is {claim.holds.value} without evidence", "name a claim and its source")
    claims = [claim.id for claim in guide.claims]
    for index, charge in enumerate(guide.charges):
        start = ("charges", index)
        named.append(((*start, "framework"), "framework", charge.framework, knowledge.frameworks))
        for key, ids, what, known in (
            ("claims", charge.claims, "claim", claims),
            ("against", charge.against, "framework", knowledge.frameworks),
            ("workloads", charge.workloads, "workload", charge.workloads if workloads is None else workloads),
        ):
            named += (((*start, key, number), what, id_, known) for number, id_ in enumerate(ids))
    for index, winner in enumerate(guide.winners):
        start = ("winners", index)
        named.append(((*start, "criterion"), "criterion", winner.criterion, paths))
        named += (
            ((*start, "among", number), "framework", id_, knowledge.frameworks)
            for number, id_ in enumerate(winner.among)
        )
        for key, ids in (("then", winner.then), ("now", winner.now)):
            named += (((*start, key, number), "framework", id_, winner.among) for number, id_ in enumerate(ids))
    for steps, what, word, known in named:
        if word not in known:
            yield unknown(place(*steps), what, word, known)


def _repeated_claims(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Claims are cited by id, so that no two of all guides may share one."""
    stands: set[str] = set()
    for guide in knowledge.guides.values():
        for index, claim in enumerate(guide.claims):
            if claim.id in stands:
                yield error(places.guide(guide.id, "claims", index), f"the claim {claim.id!r} stands above already")
            stands.add(claim.id)
