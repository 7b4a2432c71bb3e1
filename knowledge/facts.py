"""What a framework can be asked for: fact ids and their values. Knock-outs read facts and nothing else.

A framework's file states, fact by fact, which values it supports and how well. A requirement (of an answer, or of
the `requirements:` of an answer sheet) names a fact and the values it needs.
"""

import datetime
import re
from typing import Annotated, Final

from msgspec import Meta

from knowledge.model import Framework, Record, Status
from knowledge.reader import did_you_mean

MAINTAINED_DAYS: Final = 548
"""A framework counts as maintained for 18 months after a final release (INTERFACE.md): 1.5 x 365.25 days."""


class FactRule(Record, frozen=True):
    """Which values one fact can have.

    Attributes:
        values: the known values; with a `pattern`, the usual ones.
        pattern: a regular expression that further values match.
        aliases: other spellings -> value.
        derived: worked out from the lifecycle, so that no file may state it.
    """

    values: tuple[str, ...]
    pattern: Annotated[str, Meta(description="matched as a whole")] = ""
    aliases: dict[str, str] = {}
    derived: bool = False

    def value(self, written: object) -> str | None:
        """The value that `written` (text, or true / false) names; None if it names none."""
        if isinstance(written, bool):
            written = "true" if written else "false"
        if not isinstance(written, str):
            return None
        value = self.aliases.get(written, written)
        known = value in self.values or (self.pattern and re.fullmatch(self.pattern, value))
        return value if known else None

    def mend(self, written: object) -> str:
        """What to write instead of a value that is not known."""
        if isinstance(written, float | int) and not isinstance(written, bool) and self.pattern:
            return f"put it into quotes, as in {self.values[0]!r}"
        if not isinstance(written, str):
            return f"known: {', '.join(self.values)}"
        return did_you_mean(written, self.values, listed=not self.pattern) or f"write it like {self.values[0]!r}"


_TRUE: Final = FactRule(values=("true",))

ACCELERATORS: Final = ("cpu", "cuda", "rocm", "metal", "tpu", "xpu", "ascend")
"""What one can train on, in the order of QUESTIONS.md."""

FACTS: Final[dict[str, FactRule]] = {
    "os": FactRule(values=("linux", "macos", "windows")),
    "accelerator": FactRule(values=ACCELERATORS),
    "language": FactRule(
        values=(
            *("python", "cpp", "c", "java", "javascript", "r", "julia", "scala", "go", "rust", "swift"),
            *("csharp", "kotlin", "lua", "clojure", "dart", "elixir", "fsharp", "haskell", "matlab"),
            *("objective-c", "ocaml", "perl", "php", "ruby", "brainscript"),
        ),
        aliases={"c++": "cpp", "c#": "csharp", "typescript": "javascript"},
    ),
    "target": FactRule(values=("server", "mobile", "embedded", "microcontroller", "browser")),
    "python": FactRule(values=("3.13",), pattern=r"[23]\.[0-9]{1,2}"),
    # SPDX licence ids, or "permissive": may be used in closed products with attribution alone.
    "licence": FactRule(
        values=(
            *("permissive", "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "Zlib", "0BSD"),
            *("MulanPSL-2.0", "Unlicense", "CC0-1.0", "MPL-2.0", "EPL-1.0", "EPL-2.0"),
            *("LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
            *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"),
            *("AGPL-3.0-only", "AGPL-3.0-or-later", "NCSA"),
        ),
        pattern=r"LicenseRef-[A-Za-z0-9.-]+",
    ),
    "training": _TRUE,
    "distributed": FactRule(values=("one-device", "several-devices", "several-machines")),
    "offline": _TRUE,
    # An accelerator: works with it on Windows itself, without WSL. "true": does so with at least one of them. For
    # engines and high-level frameworks, to work is to train; for runtimes, to run models.
    "native_windows": FactRule(values=("true", *ACCELERATORS)),
    "export_control": _TRUE,
    "maintained": FactRule(values=("true", "false"), derived=True),
    "docs_language": FactRule(values=("en", "zh")),
    "governance": FactRule(values=("foundation", "not-single-company")),
}
"""Fact id -> its rule, in the order of INTERFACE.md."""


def maintained(framework: Framework, as_of: datetime.date) -> bool | None:
    """Whether there was a final release within `MAINTAINED_DAYS` up to `as_of` and no archiving by then.

    Releases after `as_of` do not count. An archived project whose date is not known counts as archived at all times.

    Returns:
        None (unknown) when no release up to then is listed, unless the project had not begun.
    """
    life = framework.lifecycle
    if life.archived is None and life.status is Status.ARCHIVED:
        return False
    if life.archived is not None and life.archived <= as_of:
        return False
    latest = max((release.date for release in life.releases if release.date <= as_of), default=None)
    if latest is not None:
        return (as_of - latest).days <= MAINTAINED_DAYS
    begun = earliest(life.first_release)
    return False if begun is not None and begun > as_of else None


_PARTIAL_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


def earliest(partial: str) -> datetime.date | None:
    """The first day a year ("2016"), month ("2016-05") or day can mean; None if it is none of these."""
    match = _PARTIAL_DATE.fullmatch(partial)
    if match is None:
        return None
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
