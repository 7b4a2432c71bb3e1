"""The recommendation as a decision record in the MADR form (adr.github.io/madr), for a repository's docs."""

from advisor.report.content import Content
from advisor.report.templates import render


def render_adr(content: Content) -> bytes:
    """The decision record as Markdown, UTF-8."""
    return render("adr.md.jinja", content, autoescape=False)
