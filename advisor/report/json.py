"""The report as JSON: the recommendation, and each number's source in a form a program can follow."""

import msgspec

from advisor.report.content import Content

SCHEMA = "advisor/report/1"


def render_json(content: Content) -> bytes:
    """The report as one JSON document, UTF-8."""
    document = {"schema": SCHEMA, **msgspec.to_builtins(content)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
