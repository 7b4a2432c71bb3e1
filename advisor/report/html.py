"""The report as one HTML file that opens offline: no script, no font, no address is loaded."""

from advisor.report.content import Content
from advisor.report.templates import render


def render_html(content: Content) -> bytes:
    """The report as HTML, UTF-8."""
    return render("report.html.jinja", content, autoescape=True)
