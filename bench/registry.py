"""Live facts of a package index: which releases there are, from when, and for which Pythons on this machine.

The index is the user's own, as pip and uv are configured here (`pip_config`). What was seen is kept with the day on
which it was seen, so that it can be shown without a network. Only PyPI's kind of index is asked.

`ask` fetches through unearth, the client of PDM; everything else here is pure.
"""

import datetime
import itertools
import os
import re
import ssl
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from bench.pip_config import read_pip_config, uv_variables
from bench.records import Record
from knowledge.faults import BadInput, Fault

if TYPE_CHECKING:
    from packaging.version import Version
    from unearth import Link
    from unearth.fetchers import PyPIClient

REGISTRY_SCHEMA: Final = "advisor/registry/1"

PYPI: Final = "pkg:pypi/"
"""How the package URLs of the packages begin that can be asked for."""

CADENCE_MONTHS: Final = 24
CADENCE_DAYS: Final = 730
"""The span over which releases are counted, as in the evidence of the lifecycles."""

_SECONDS: Final = 15.0
"""Patience with an index that has no time limit configured; answers take tenths of a second."""

_ACCEPT: Final = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1"


class Release(Record, frozen=True):
    """One version on an index.

    Attributes:
        date: of its first file; None where the index gives no dates (PEP 700).
        pre: a pre-release or development release.
        yanked: every file of it was withdrawn (PEP 592).
        requires_python: as the package states it; "" where it states nothing.
        pythons: minor versions found on this machine for which it has a wheel.
        source: whether it can be built from source.
    """

    version: str
    date: datetime.date | None = None
    pre: bool = False
    yanked: bool = False
    requires_python: str = ""
    pythons: tuple[str, ...] = ()
    source: bool = False


class Package(Record, frozen=True):
    """What an index said of one package on the day `asked`. No release: it is not there.

    Attributes:
        releases: the newest version first.
        status: "archived", "deprecated" or "quarantined" where the index says so (PEP 792); "" for an active project
            and where it says nothing.
    """

    asked: datetime.date
    releases: tuple[Release, ...]
    status: str = ""

    @property
    def latest(self) -> Release | None:
        """The newest final release that was not withdrawn."""
        return next((release for release in self.releases if not (release.pre or release.yanked)), None)


class Registry(Record, frozen=True):
    """What was seen, by package URL."""

    schema: str = REGISTRY_SCHEMA
    packages: dict[str, Package] = {}


class Cadence(Record, frozen=True):
    """How often final releases came in the `CADENCE_MONTHS` before a day.

    Attributes:
        median_gap_days: between one and the next; None with fewer than two.
    """

    releases: int
    median_gap_days: float | None


def cadence(package: Package, as_of: datetime.date) -> Cadence | None:
    """How often a package is released; None where its index gives no dates."""
    dates = sorted(release.date for release in package.releases if release.date is not None and not release.pre)
    if not dates:
        return None
    recent = [date for date in dates if 0 <= (as_of - date).days <= CADENCE_DAYS]
    gaps = [(later - earlier).days for earlier, later in itertools.pairwise(recent)]
    return Cadence(releases=len(recent), median_gap_days=statistics.median(gaps) if gaps else None)


# --- where to ask ----------------------------------------------------------------------------------------------------


class Unreachable(Exception):
    """The index gave no usable answer: why. It never holds an address, which may hold a password."""


class Settings(Record, frozen=True):
    """Where packages come from on this machine, and how to get there."""

    indexes: tuple[str, ...]
    trusted_hosts: tuple[str, ...] = ()
    certificate: str | None = None
    proxy: str | None = None
    seconds: float = _SECONDS


def settings(pip: Mapping[str, str] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """What pip and uv are configured to use here.

    Args:
        pip: options from `parse_pip_config`; asks the user's pip when None.
        environ: variables, of which uv's own win.

    Raises:
        BadInput: the time limit that uv was told is none.
    """
    wanted = uv_variables(read_pip_config() if pip is None else pip, environ) | dict(environ)
    first = wanted.get("UV_DEFAULT_INDEX") or wanted.get("UV_INDEX_URL") or _public_index()
    named = f"{wanted.get('UV_INDEX', '')} {wanted.get('UV_EXTRA_INDEX_URL', '')}".split()
    # uv lets an index carry a name: "internal=https://..."
    indexes = [each.partition("=")[2] if "=" in each.partition("://")[0] else each for each in (first, *named)]
    return Settings(
        indexes=() if wanted.get("UV_NO_INDEX") == "1" else tuple(dict.fromkeys(indexes)),
        trusted_hosts=tuple(wanted.get("UV_INSECURE_HOST", "").split()),
        certificate=wanted.get("SSL_CERT_FILE"),
        proxy=wanted.get("ALL_PROXY"),
        seconds=_patience(wanted.get("UV_HTTP_TIMEOUT", "")),
    )


def _patience(seconds: str) -> float:
    if not seconds:
        return _SECONDS
    if not re.fullmatch(r"\d{1,6}(\.\d*)?", seconds):
        problem = f"{seconds!r} is no number of seconds"
        raise BadInput([Fault("UV_HTTP_TIMEOUT", None, "", problem, "write a number, or unset it")])
    return float(seconds)


def _public_index() -> str:
    """What pip and uv ask without any configuration."""
    from unearth import PackageFinder

    return str(PackageFinder().sources[0]["url"])


# --- asking ----------------------------------------------------------------------------------------------------------


def ask(
    names: Sequence[str], where: Settings, pythons: Iterable[str], asked: datetime.date
) -> tuple[dict[str, Package], str]:
    """Ask the indexes for packages, one after the other, until one of them cannot be reached.

    Args:
        names: package URLs, "pkg:pypi/torch"; others are passed over.
        pythons: minor versions to look for wheels for, "3.11".
        asked: the day, to be kept with the answers.

    Returns:
        The answers, and why the asking ended early ("" if it did not).
    """
    if not where.indexes:
        return {}, "no index is configured"
    found: dict[str, Package] = {}
    try:
        with _client(where) as client:
            for name in names:
                if name.startswith(PYPI):
                    pages = [_page(client, index, name) for index in where.indexes]
                    files = [file for listed, _status in pages for file in listed]
                    found[name] = Package(
                        asked=asked,
                        releases=releases(name.removeprefix(PYPI), files, pythons),
                        status=next((status for _listed, status in pages if status), ""),
                    )
    except Unreachable as error:
        return found, str(error)
    return found, ""


def _client(where: Settings) -> "PyPIClient":
    """A client that goes where the user's pip and uv go.

    Raises:
        Unreachable: with these settings nothing can be reached.
    """
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers import PyPIClient

    try:
        certificates = ssl.create_default_context(cafile=where.certificate)
    except OSError as error:  # not there, or none; ssl.SSLError is one too
        raise Unreachable("the certificates that pip or uv is configured to trust cannot be read") from error
    try:
        client = PyPIClient(
            trusted_hosts=where.trusted_hosts,
            verify=certificates,
            proxy=where.proxy,
            timeout=where.seconds,
            follow_redirects=True,
        )
    except (ValueError, ImportError) as error:  # the latter: a SOCKS proxy, whose library is not here
        raise Unreachable("the proxy that pip or uv is configured for cannot be used") from error
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=where.indexes)
    return client


def _page(client: "PyPIClient", index: str, name: str) -> "tuple[list[Link], str]":
    """The files that one index lists for a package, none where it does not know it, and the project's status.

    Raises:
        Unreachable: it gave no usable answer.
    """
    import httpx2
    from packaging.utils import canonicalize_name
    from unearth import Link
    from unearth.collector import IndexPage, parse_html_page, parse_json_response

    url = f"{index.rstrip('/')}/{canonicalize_name(name.removeprefix(PYPI))}/"
    if url.startswith("file:"):
        url += "index.html"
    try:
        answer = client.get(url, headers={"Accept": _ACCEPT})
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError) as error:
        raise Unreachable("the address of an index that pip or uv is configured for is none") from error
    except (httpx2.HTTPError, OSError) as error:
        raise Unreachable(f"the index cannot be reached: {type(error).__name__}") from error
    if answer.status_code in (404, 410):
        return [], ""
    if answer.status_code >= 400:
        raise Unreachable(f"the index answered with {answer.status_code} {answer.reason_phrase}".rstrip())
    kind = answer.headers.get("Content-Type", "")
    page = IndexPage(Link(str(answer.url)), answer.content, answer.encoding, kind)
    try:
        if "+json" not in kind:
            links = list(parse_html_page(page))
            if not any(_named(link.filename, name.removeprefix(PYPI)) for link in links):
                raise ValueError("a page without a file of the package, such as the sign-in page of a network")
            return links, ""
        status = answer.json().get("project-status", {}).get("status", "active")
        return list(parse_json_response(page)), "" if status == "active" else str(status)
    except (ValueError, AttributeError, LookupError) as error:  # what the parsers make of something else than an index
        raise Unreachable("the index answered with something that is no list of files") from error


def releases(name: str, files: "Iterable[Link]", pythons: Iterable[str]) -> tuple[Release, ...]:
    """The versions among files of one package, the newest first; files that are none of its releases are left out."""
    from packaging.version import Version

    by_version: dict[Version, list[tuple[Link, frozenset[str] | None]]] = {}
    for link in files:
        if (named := _named(link.filename, name)) is not None:
            by_version.setdefault(named[0], []).append((link, named[1]))
    here = {python: _tags(python) for python in sorted(pythons, key=_minor)}
    found: list[Release] = []
    for version in sorted(by_version, reverse=True):
        links = by_version[version]
        dates = [link.upload_time.date() for link, _tags_of in links if link.upload_time is not None]
        needed = next((link.requires_python for link, _tags_of in links if link.requires_python), "")
        fitting = [
            python
            for python, supported in here.items()
            if _allows(needed, python) and any(tags is not None and tags & supported for _link, tags in links)
        ]
        found.append(
            Release(
                version=str(version),
                date=min(dates, default=None),
                pre=version.is_prerelease,
                yanked=all(link.yank_reason is not None for link, _tags_of in links),
                requires_python=needed,
                pythons=tuple(fitting),
                source=any(tags is None for _link, tags in links),
            )
        )
    return tuple(found)


def _named(filename: str, name: str) -> "tuple[Version, frozenset[str] | None] | None":
    """The version and the tags of a wheel, or a version and None of a source archive; None for anything else."""
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    tags: frozenset[str] | None = None
    try:
        if filename.endswith(".whl"):
            own, version, _build, stated = parse_wheel_filename(filename)
            tags = frozenset(str(tag) for tag in stated)
        else:
            own, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):  # eggs, installers, signatures
        return None
    return (version, tags) if own == canonicalize_name(name) else None


def _tags(python: str) -> frozenset[str]:
    """The wheel tags that an interpreter of that minor version accepts on this machine."""
    from packaging.tags import compatible_tags, cpython_tags

    version = _minor(python)
    own = (*cpython_tags(version), *compatible_tags(version, "cp" + "".join(str(part) for part in version)))
    return frozenset(str(tag) for tag in own)


def _minor(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def _allows(requires_python: str, python: str) -> bool:
    """Whether some patch release of a minor version satisfies the requirement."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifier = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return True
    return specifier.contains(f"{python}.0") or specifier.contains(f"{python}.99")


# --- keeping ---------------------------------------------------------------------------------------------------------


def encoded(registry: Registry) -> bytes:
    """A registry as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n"


def decoded(content: bytes) -> Registry:
    """The registry that a file holds.

    Raises:
        ValueError: it holds none, or one of another version of the app.
    """
    try:
        registry = msgspec.json.decode(content, type=Registry)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    if registry.schema != REGISTRY_SCHEMA:
        raise ValueError(f"expected {REGISTRY_SCHEMA}, found {registry.schema}")
    return registry
