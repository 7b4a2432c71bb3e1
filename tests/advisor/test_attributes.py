"""The sheet of a framework says what is known, keeps unknown apart from no, and counts the code that is there."""

from statistics import median

import msgspec
import pytest

from advisor.attributes import attributes, code_lines, newest_counts
from bench.idioms import FRAMEWORKS
from bench.workload import load_workloads
from knowledge.loader import load
from knowledge.model import Knowledge, Measure, Support


@pytest.fixture(scope="module")
def base() -> Knowledge:
    return load()


def test_unknown_is_not_none(base: Knowledge) -> None:
    mxnet = base.frameworks["mxnet"]
    assert attributes(base, mxnet).facts["os"]["windows"] is Support.NONE
    silent = msgspec.structs.replace(mxnet, facts={})
    assert set(attributes(base, silent).facts["os"].values()) == {None}


def test_the_newest_statement_on_a_value_holds(base: Knowledge) -> None:
    mxnet = base.frameworks["mxnet"]
    newest = msgspec.structs.replace(mxnet.facts["os"][0], values=("windows",), support=Support.NATIVE)
    revived = msgspec.structs.replace(mxnet, facts={"os": (newest, *mxnet.facts["os"])})
    assert attributes(base, revived).facts["os"]["windows"] is Support.NATIVE


def test_coverage_counts_ratings_with_a_score(base: Knowledge) -> None:
    pytorch = base.frameworks["pytorch"]
    whole = attributes(base, pytorch)
    assert (whole.known_ratings, whole.coverage) == (whole.ratings, 1)
    path, (newest, *older) = next(iter(pytorch.ratings.items()))
    unknown = msgspec.structs.replace(newest, score=None, low=None, high=None, reason="nobody has looked")
    doubtful = msgspec.structs.replace(pytorch, ratings=pytorch.ratings | {path: (unknown, newest, *older)})
    found = attributes(base, doubtful)
    assert found.known_ratings == whole.known_ratings - 1
    assert found.coverage == pytest.approx(1 - 1 / whole.ratings)


def test_a_framework_without_releases_has_no_latest_one(base: Knowledge) -> None:
    keras = base.frameworks["keras"]
    begun = msgspec.structs.replace(keras, lifecycle=msgspec.structs.replace(keras.lifecycle, releases=()))
    found = attributes(base, begun)
    assert (found.latest_version, found.latest_date) == (None, None)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_workload_is_written_and_counted_in_the_main_frameworks(framework: str) -> None:
    found = code_lines(framework)
    assert found is not None
    assert list(found.workloads) == list(load_workloads())
    assert found.median == median(lines.total for lines in found.workloads.values())


def test_what_nobody_has_written_is_not_counted() -> None:
    assert code_lines("theano") is None


def test_of_each_figure_of_popularity_the_newest_is_taken(base: Knowledge) -> None:
    mxnet = base.frameworks["mxnet"]
    found = newest_counts(mxnet)
    assert list(found) == [measure for measure in Measure if any(each.measure is measure for each in mxnet.popularity)]
    for measure, count in found.items():
        assert count.as_of == max(each.as_of for each in mxnet.popularity if each.measure is measure)


def test_a_framework_without_a_sheet_has_none(base: Knowledge) -> None:
    bare = msgspec.structs.replace(base.frameworks["mxnet"], sheet=None, popularity=())
    assert (attributes(base, bare).sheet, attributes(base, bare).popularity) == (None, {})
