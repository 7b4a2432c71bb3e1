"""The old guides' claims set side by side, and their winners then and now."""

import pytest

import knowledge
from advisor.guides import holding, today, topics
from knowledge.model import Knowledge

BASE = knowledge.load()
WINNERS = [(guide.id, winner) for guide in BASE.guides.values() for winner in guide.winners]


@pytest.mark.parametrize(("guide", "winner"), WINNERS, ids=[f"{guide}-{winner.criterion}" for guide, winner in WINNERS])
def test_who_a_guide_says_wins_today_is_rated_best_today(guide: str, winner: object) -> None:
    """The regression test of the ratings: whoever moves one on these dimensions looks at what the guides' files say."""
    found = today(BASE, winner)  # type: ignore[arg-type]
    assert set(found.now) == set(found.winner.now), f"{guide}: {found.scores}"
    assert None not in found.scores.values()


def test_frameworks_within_half_a_point_of_the_best_tie_and_no_more() -> None:
    winner = BASE.guides["symbolic-frameworks-2016"].winners[0]
    assert rated(winner.criterion, theano=6.0, tensorflow=5.5, mxnet=6.0) == ("theano", "mxnet", "tensorflow")
    assert rated(winner.criterion, theano=6.0, tensorflow=5.4, mxnet=8.8) == ("mxnet",)
    assert rated(winner.criterion, theano=9.3, tensorflow=8.8, mxnet=None) == ("theano", "tensorflow")
    assert rated(winner.criterion, theano=None, tensorflow=None, mxnet=None) == ()


def rated(criterion: str, **scores: float | None) -> tuple[str, ...]:
    """Who wins today on the first dimension of the guide of 2016, with these ratings as the newest."""
    from msgspec.structs import replace

    frameworks = dict(BASE.frameworks)
    for name, score in scores.items():
        older = frameworks[name].ratings[criterion]
        newest = replace(older[0], score=score)
        frameworks[name] = replace(frameworks[name], ratings={criterion: (newest, *older)})
    return today(replace(BASE, frameworks=frameworks), BASE.guides["symbolic-frameworks-2016"].winners[0]).now


def test_the_claims_of_all_guides_on_one_thing_stand_side_by_side_in_order_of_date() -> None:
    (topic,) = topics(BASE, framework="keras", criterion="ease.ramp_up")
    dates = [said.guide.published for said in topic.said]
    assert dates == sorted(dates)
    assert len(set(dates)) > 1
    assert {(name, topic.criterion) for said in topic.said for name in said.claim.frameworks} >= {
        ("keras", "ease.ramp_up")
    }


def test_a_guide_shows_its_topics_with_what_the_others_said_of_them() -> None:
    found = topics(BASE, guide="keras-or-pytorch-2018")
    assert all(any(said.guide.id == "keras-or-pytorch-2018" for said in topic.said) for topic in found)
    assert any(said.guide.id == "quick-read-2020" for topic in found for said in topic.said)
    own = {said.claim.id for topic in found for said in topic.said if said.guide.id == "keras-or-pytorch-2018"}
    assert own == {claim.id for claim in BASE.guides["keras-or-pytorch-2018"].claims}


def test_every_claim_of_every_guide_stands_under_each_of_its_frameworks_once() -> None:
    stands = [(topic.framework, said.claim.id) for topic in topics(BASE) for said in topic.said]
    wanted = [
        (name, claim.id)
        for guide in BASE.guides.values()
        for claim in guide.claims
        for name in claim.frameworks or (None,)
    ]
    assert sorted(stands, key=str) == sorted(wanted, key=str)


def test_a_node_takes_in_what_is_below_it_and_nothing_that_only_begins_alike() -> None:
    below = {topic.criterion for topic in topics(BASE, criterion="community.adoption")}
    assert {"community.adoption.size", "community.adoption.research"} <= below
    assert all(path is not None and path.startswith("community.adoption") for path in below)
    assert topics(BASE, criterion="communi") == ()


def test_topics_follow_the_tree_and_end_with_what_bears_on_none() -> None:
    paths = [topic.criterion for topic in topics(BASE, framework="pytorch")]
    order = list(_paths(BASE))
    assert paths == sorted(paths, key=lambda path: order.index(path) if path else len(order))


def _paths(base: Knowledge) -> list[str]:
    from knowledge.loader import walk

    return [path for path, _ in walk(base.criteria)]


def test_every_claim_counts_once_in_what_holds() -> None:
    counts = [holding(guide) for guide in BASE.guides.values()]
    assert sum(sum(each.values()) for each in counts) == sum(len(guide.claims) for guide in BASE.guides.values())
    assert [holds.value for holds in counts[0]] == ["confirmed", "partly", "refuted", "untestable"]
