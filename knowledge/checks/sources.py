"""Sources: every one once, dated, with an address, and cited by something; which of them speak for one house."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from knowledge.checks.findings import Finding, error, warning
from knowledge.facts import earliest
from knowledge.loader import Places
from knowledge.model import Evidence, Framework, Knowledge, Stance
from knowledge.reader import Steps

_ADDRESSES: Final = ("https://", "http://", "pkg:", "project:")  # the last: material kept by this project


def check(knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    used = {claim.source for framework in knowledge.frameworks.values() for _, claim in claims(framework)}
    used |= {count.source for framework in knowledge.frameworks.values() for count in framework.popularity}
    for guide in knowledge.guides.values():
        used |= {guide.source, *(evidence.source for claim in guide.claims for evidence in claim.evidence)}
    for id_, source in knowledge.sources.items():
        if not source.url.startswith(_ADDRESSES):
            mend = "write https://..., pkg:TYPE/NAME@VERSION or project:PATH"
            yield error(places.source(id_, "url"), f"{source.url!r} is no address", mend)
        if source.accessed > as_of:
            yield error(places.source(id_, "accessed"), f"{source.accessed} lies after {as_of}")
        if source.published is not None:
            published = earliest(source.published)
            if published is None:
                mend = "write a year, a month or a day, as in 2026-11; null if it has no date"
                yield error(places.source(id_, "published"), f"{source.published!r} is not a date", mend)
            elif published > source.accessed:
                yield error(places.source(id_, "published"), "was published after it was read")
        if id_ not in used:
            yield warning(places.source(id_), f"the source {id_!r} is not used", "remove it")


def claims(framework: Framework) -> Iterator[tuple[Steps, Evidence]]:
    """Everything a framework's file claims with a source, and where in the file."""
    places: list[tuple[Steps, Sequence[Evidence]]] = [(("lifecycle",), framework.lifecycle.evidence)]
    for fact, facts in framework.facts.items():
        places += ((("facts", fact, index), stated.evidence) for index, stated in enumerate(facts))
    for leaf, ratings in framework.ratings.items():
        places += ((("ratings", leaf, index), rating.evidence) for index, rating in enumerate(ratings))
    places += ((("modes", index), mode.evidence) for index, mode in enumerate(framework.modes))
    if framework.leaving is not None:
        places.append((("leaving",), framework.leaving.evidence))
    places += ((("instead", index), part.evidence) for index, part in enumerate(framework.instead))
    if framework.sheet is not None:
        places.append((("sheet",), framework.sheet.evidence))
    for steps, evidence in places:
        for index, claim in enumerate(evidence):
            yield (*steps, "evidence", index), claim


def houses(evidence: Iterable[Evidence], knowledge: Knowledge) -> set[str]:
    """Who supports a score: every house once, under however many names it speaks. Unlisted sources do not count."""
    supporting = [each.source for each in evidence if each.stance is Stance.SUPPORTS]
    return {knowledge.sources[each].behind for each in supporting if each in knowledge.sources}
