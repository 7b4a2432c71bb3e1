"""The Jinja environment of all reports: strict about names, and how numbers and ranges are written."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import jinja2

from advisor import words
from advisor.decision.smaa import RATING_CORRELATION
from advisor.i18n import _, ngettext
from advisor.quantities import percent, si_seconds
from advisor.questionnaire import Origin
from advisor.recommendation import Failure
from advisor.report.content import Cited, Content, Stated
from bench.results import Range, StepSeconds
from knowledge.model import Stance

_FOLDER = Path(__file__).parent


@cache
def _environment(autoescape: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"per_cent": per_cent, "si_seconds": si_seconds, "spread": spread, "cell": cell}
    environment.filters |= {
        "basis_in_words": words.basis_in_words,
        "independence_in_words": words.independence_in_words,
        "need_in_words": words.need_in_words,
        "requirement_in_words": words.requirement_in_words,
        "run_status_in_words": words.run_status_in_words,
        "sure_in_words": words.sure_in_words,
        "verdict_name": words.verdict_name,
        "stance_in_words": words.stance_in_words,
        "percent": percent,
        "said_by": said_by,
        "joined": joined,
        "asked_by": asked_by,
        "each_source": each_source,
    }
    environment.globals["rating_correlation"] = RATING_CORRELATION
    return environment


def render(template: str, content: Content, *, autoescape: bool) -> bytes:
    """The template filled in with the content."""
    found = _environment(autoescape).get_template(template)
    return found.render(content=content, r=content.recommendation, _=_, ngettext=ngettext).encode()


def per_cent(share: float) -> str:
    """A share of 0-1 as per cent."""
    return f"{share * 100:.1f} %"


def spread(quantity: Range | StepSeconds | None) -> str:
    """A median with its range, in full numbers."""
    if quantity is None:
        return "-"
    values = (quantity.median, quantity.low, quantity.high)
    median, low, high = (f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values)
    return f"{median} [{low}-{high}]"


def said_by(stated: Stated) -> str:
    """Who wrote a rating and who has reviewed it; nothing for a fact."""
    return words.authorship_in_words(stated.author, stated.affiliation, stated.reviewed_by) if stated.author else ""


def asked_by(failure: Failure) -> str:
    """Where a requirement came from, and whose it is where several people decide."""
    if not failure.owners:
        return words.origin_in_words(failure.origin)
    assumed = failure.origin == Origin.ASSUMED
    told = _("assumed for {people}") if assumed else _("asked for by {people}")
    return told.format(people=joined(failure.owners))


def each_source(evidence: Iterable[Cited]) -> list[Cited]:
    """The evidence with each source once for what it supports, and once for what it contradicts."""
    return list({(each.number, each.stance == Stance.CONTRADICTS): each for each in evidence}.values())


def joined(names: Iterable[str]) -> str:
    """Names in one line."""
    return _(", ").join(names)


def cell(text: str) -> str:
    """Text that stays inside its cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())
