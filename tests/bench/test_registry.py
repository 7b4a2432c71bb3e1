"""bench.registry: what a package index says, asked over real HTTP and read from files."""

import datetime
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bench.registry import (
    Cadence,
    Package,
    Registry,
    Release,
    Settings,
    ask,
    cadence,
    decoded,
    encoded,
    settings,
)
from knowledge.faults import BadInput
from tests.bench.package_index import Index, file, serve

TODAY = datetime.date(2026, 11, 26)
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ALPHA = "pkg:pypi/alpha"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with serve(tmp_path / "index") as served:
        yield served


def of(index: Index, *more: str) -> Settings:
    return Settings(indexes=(index.address, *more), seconds=5)


def alpha(index: Index, *more: str, pythons: tuple[str, ...] = (HERE,)) -> Package:
    found, problem = ask([ALPHA], of(index, *more), pythons, TODAY)
    assert problem == ""
    return found[ALPHA]


def test_releases_come_newest_first_with_dates_and_what_they_are(index: Index) -> None:
    index.lists(
        "alpha",
        file("alpha-1.9.0-py3-none-any.whl", "2026-01-05"),
        file("alpha-1.9.0.tar.gz", "2026-01-04"),
        file("alpha-1.10.0-py3-none-any.whl", "2026-03-01", yanked="wrong file"),
        file("alpha-2.0.0rc1-py3-none-any.whl", "2026-11-01"),
    )
    package = alpha(index)
    assert package.asked == TODAY
    assert [(each.version, str(each.date)) for each in package.releases] == [
        ("2.0.0rc1", "2026-11-01"),
        ("1.10.0", "2026-03-01"),
        ("1.9.0", "2026-01-04"),
    ]
    candidate, withdrawn, latest = package.releases
    assert (candidate.pre, withdrawn.pre) == (True, False)
    assert (withdrawn.yanked, latest.yanked) == (True, False)
    assert (withdrawn.source, latest.source) == (False, True)
    assert package.latest == latest


def test_a_release_is_withdrawn_only_when_all_its_files_are(index: Index) -> None:
    wheel, source = "alpha-1.0-py3-none-any.whl", "alpha-1.0.tar.gz"
    index.lists("alpha", file(wheel, yanked=True), file(source, yanked=False))
    assert not alpha(index).releases[0].yanked
    index.lists("alpha", file(wheel, yanked=True), file(source, yanked=True))
    assert alpha(index).latest is None


@pytest.mark.parametrize(("status", "told"), [(None, ""), ("active", ""), ("archived", "archived")])
def test_the_status_of_a_project_is_told(index: Index, status: str | None, told: str) -> None:
    index.lists("alpha", file("alpha-1.0.tar.gz"), status=status)
    assert alpha(index).status == told


def test_wheels_count_for_the_pythons_and_the_machine_they_are_for(index: Index) -> None:
    index.lists(
        "alpha",
        file("alpha-1.0-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        file("alpha-1.0-cp311-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"),
        file("alpha-1.0-cp311-abi3-macosx_11_0_arm64.whl"),
        file("alpha-1.0-cp311-abi3-macosx_10_12_x86_64.whl"),
        file("alpha-1.0-cp311-abi3-win_amd64.whl"),
    )
    assert alpha(index, pythons=("3.13", "3.9", "3.11")).releases[0].pythons == ("3.11", "3.13")
    index.lists("alpha", file("alpha-1.0-cp311-abi3-manylinux_2_17_s390x.whl"))
    assert alpha(index, pythons=("3.11",)).releases[0].pythons == ()


def test_what_a_package_requires_of_python_counts(index: Index) -> None:
    index.lists("alpha", file("alpha-1.0-py3-none-any.whl", **{"requires-python": ">=3.9.2,<3.13"}))
    release = alpha(index, pythons=("3.8", "3.9", "3.12", "3.13")).releases[0]
    assert (release.requires_python, release.pythons) == (">=3.9.2,<3.13", ("3.9", "3.12"))


def test_an_index_of_the_old_kind_has_no_dates(index: Index) -> None:
    index.lists_as_html(
        "alpha",
        '<a href="alpha-1.0-py3-none-any.whl" data-requires-python="&gt;=3.8">alpha-1.0</a>'
        '<a href="alpha-1.1-py3-none-any.whl" data-yanked="">alpha-1.1</a>'
        '<a href="alpha-1.1.egg">egg</a><a href="beta-3.0-py3-none-any.whl">of another</a><a>nothing</a>',
    )
    package = alpha(index)
    assert [(each.version, each.date, each.yanked) for each in package.releases] == [
        ("1.1", None, True),
        ("1.0", None, False),
    ]
    assert package.releases[1].requires_python == ">=3.8"
    assert cadence(package, TODAY) is None


def test_several_indexes_are_taken_together_and_one_may_be_a_folder(index: Index, tmp_path: Path) -> None:
    index.lists("alpha", file("alpha-1.0-py3-none-any.whl", "2026-01-01"))
    folder = tmp_path / "more" / "alpha"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text('<a href="alpha-2.0-py3-none-any.whl">2.0</a>')
    package = alpha(index, (tmp_path / "more").as_uri(), (tmp_path / "nowhere").as_uri())
    assert [each.version for each in package.releases] == ["2.0", "1.0"]


def test_a_name_is_asked_for_in_its_normal_form(index: Index) -> None:
    index.lists("alpha-beta", file("Alpha_Beta-1.0-py3-none-any.whl"))
    found, _ = ask(["pkg:pypi/Alpha_Beta"], of(index), (HERE,), TODAY)
    assert [each.version for each in found["pkg:pypi/Alpha_Beta"].releases] == ["1.0"]


def test_what_is_not_there_is_known_not_to_be_there(index: Index) -> None:
    assert alpha(index) == Package(asked=TODAY, releases=())


def test_packages_of_other_registries_are_passed_over(index: Index) -> None:
    assert ask(["pkg:npm/alpha", "pkg:cargo/alpha"], of(index), (HERE,), TODAY) == ({}, "")


def test_a_failing_index_ends_the_asking_and_what_was_said_before_is_kept(index: Index) -> None:
    index.lists("alpha", file("alpha-1.0-py3-none-any.whl"))
    index.fails("beta", 503)
    found, problem = ask([ALPHA, "pkg:pypi/beta", "pkg:pypi/gamma"], of(index), (HERE,), TODAY)
    assert list(found) == [ALPHA]
    assert problem == "the index answered with 503 Service Unavailable"


def test_an_index_that_is_not_there_is_told_without_its_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = Settings(indexes=(f"http://me:secret@127.0.0.1:{port}/simple",), seconds=5)
    found, problem = ask([ALPHA], where, (HERE,), TODAY)
    assert found == {}
    assert problem.startswith("the index cannot be reached")
    assert "secret" not in problem
    assert "127.0.0.1" not in problem


def test_something_else_than_an_index_is_told(index: Index) -> None:
    (index.folder / "simple" / "alpha").mkdir()
    (index.folder / "simple" / "alpha" / "index.json").write_text("<p>Sign in to the hotel's network</p>")
    found, problem = ask([ALPHA], of(index), (HERE,), TODAY)
    assert (found, problem) == ({}, "the index answered with something that is no list of files")


def test_the_sign_in_page_of_a_network_is_no_word_that_a_package_is_gone(index: Index) -> None:
    index.lists_as_html("alpha", '<h1>Welcome</h1><a href="https://hotel.example/login">Sign in</a>')
    found, problem = ask([ALPHA], of(index), (HERE,), TODAY)
    assert (found, problem) == ({}, "the index answered with something that is no list of files")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"indexes": ("not an address",)}, "the address of an index that pip or uv is configured for is none"),
        ({"indexes": ("https://[half",)}, "the address of an index that pip or uv is configured for is none"),
        ({"proxy": "junk"}, "the proxy that pip or uv is configured for cannot be used"),
        ({"certificate": "not-there.pem"}, "the certificates that pip or uv is configured to trust cannot be read"),
        ({"certificate": __file__}, "the certificates that pip or uv is configured to trust cannot be read"),
    ],
    ids=["no address", "half an address", "no proxy", "no file", "no certificate"],
)
def test_settings_that_lead_nowhere_are_told(index: Index, wrong: dict[str, Any], problem: str) -> None:
    assert ask([ALPHA], structs.replace(of(index), **wrong), (HERE,), TODAY) == ({}, problem)


def test_without_any_index_nothing_is_asked() -> None:
    assert ask([ALPHA], Settings(indexes=()), (HERE,), TODAY) == ({}, "no index is configured")


def test_a_password_in_the_address_is_given(tmp_path: Path) -> None:
    with serve(tmp_path, "me", "secret") as index:
        index.lists("alpha", file("alpha-1.0-py3-none-any.whl"))
        refused, problem = ask([ALPHA], of(index), (HERE,), TODAY)
        assert (refused, problem) == ({}, "the index answered with 401 Unauthorized")
        address = index.address.replace("http://", "http://me:secret@")
        found, problem = ask([ALPHA], Settings(indexes=(address,), seconds=5), (HERE,), TODAY)
        assert problem == ""
        assert [each.version for each in found[ALPHA].releases] == ["1.0"]


# --- where to ask ----------------------------------------------------------------------------------------------------


def test_the_indexes_are_those_of_pip() -> None:
    pip = {
        "index-url": "https://m.example/simple",
        "extra-index-url": "https://a.example\nhttps://b.example",
        "cert": "ca.pem",
        "proxy": "http://proxy.example:3128",
        "trusted-host": "m.example a.example",
        "timeout": "60",
    }
    assert settings(pip, {}) == Settings(
        indexes=("https://m.example/simple", "https://a.example", "https://b.example"),
        trusted_hosts=("m.example", "a.example"),
        certificate="ca.pem",
        proxy="http://proxy.example:3128",
        seconds=60,
    )


def test_what_uv_was_told_wins() -> None:
    pip = {"index-url": "https://m.example/simple"}
    own = {"UV_INDEX": "internal=https://own.example/simple?a=b", "UV_DEFAULT_INDEX": "https://d.example"}
    assert settings(pip, own).indexes == ("https://d.example", "https://own.example/simple?a=b")


@pytest.mark.parametrize("seconds", ["abc", "nan", "-1", "1e9"])
def test_a_time_limit_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(BadInput, match=r"UV_HTTP_TIMEOUT: .* is no number of seconds"):
        settings({}, {"UV_HTTP_TIMEOUT": seconds})


def test_without_a_configuration_the_public_index_is_asked_unless_none_may_be() -> None:
    (public,) = settings({}, {}).indexes
    assert public.startswith("https://")
    assert settings({"no-index": "true"}, {}).indexes == ()


# --- reckoning and keeping -------------------------------------------------------------------------------------------


def dated(*days: str, pre: bool = False) -> tuple[Release, ...]:
    return tuple(Release(version=day, date=datetime.date.fromisoformat(day), pre=pre) for day in days)


def test_cadence_counts_final_releases_of_24_months() -> None:
    releases = dated("2026-11-26", "2026-11-16", "2026-10-27", "2024-11-26", "2024-11-25", "2026-12-01")
    package = Package(asked=TODAY, releases=releases + dated("2026-11-20", pre=True))
    assert cadence(package, TODAY) == Cadence(releases=4, median_gap_days=20)


def test_cadence_of_few_releases_has_no_gap() -> None:
    assert cadence(Package(asked=TODAY, releases=dated("2020-01-01")), TODAY) == Cadence(
        releases=0, median_gap_days=None
    )
    assert cadence(Package(asked=TODAY, releases=()), TODAY) is None


def test_what_is_kept_comes_back() -> None:
    registry = Registry(packages={ALPHA: Package(asked=TODAY, releases=dated("2026-11-26"))})
    assert decoded(encoded(registry)) == registry


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": "advisor/registry/2"}', b'{"packages": 3}'])
def test_what_was_not_kept_by_this_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        decoded(content)
