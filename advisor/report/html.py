"""The report as one HTML file that opens offline: no script, no font, no address is loaded."""

import re

from advisor.report.content import Content
from advisor.report.templates import render


def render_html(content: Content) -> bytes:
    """The report as HTML, UTF-8. No line breaks between a number and its per cent sign."""
    page = render("report.html.jinja", content, autoescape=True).decode()
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", page).encode()
