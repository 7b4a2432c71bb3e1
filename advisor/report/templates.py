"""The Jinja environment of all reports: strict about names, and how numbers and ranges are written."""

from functools import cache
from pathlib import Path

import jinja2

from advisor import words
from advisor.i18n import _, ngettext
from advisor.quantities import si_seconds
from advisor.report.content import Content
from bench.results import Range, StepSeconds

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
        "origin_in_words": words.origin_in_words,
        "run_status_in_words": words.run_status_in_words,
        "sure_in_words": words.sure_in_words,
    }
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


def cell(text: str) -> str:
    """Text that stays inside its cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())
