"""The report as Markdown (CommonMark with tables)."""

from advisor.report.content import Content
from advisor.report.templates import render


def render_markdown(content: Content) -> bytes:
    """The report as Markdown, UTF-8."""
    return render("report.md.jinja", content, autoescape=False)
