"""Reports: one recommendation rendered as Markdown, HTML, JSON or a decision record. Nothing is decided here.

Every format renders the same `Content` (content.py), in which each number carries the source it comes from.
"""

from collections.abc import Callable
from pathlib import Path

from advisor.report.adr import render_adr
from advisor.report.content import Content, build
from advisor.report.html import render_html
from advisor.report.json import render_json
from advisor.report.markdown import render_markdown

FORMATS: dict[str, Callable[[Content], bytes]] = {
    "md": render_markdown,
    "html": render_html,
    "json": render_json,
    "adr": render_adr,
}


def format_of(path: Path) -> str | None:
    """The format a file's suffix asks for ("md", "html", "json"), or None."""
    suffix = {".markdown": "md", ".htm": "html"}.get(path.suffix.lower(), path.suffix.lower().removeprefix("."))
    return suffix if suffix in ("md", "html", "json") else None


__all__ = ["FORMATS", "Content", "build", "format_of"]
