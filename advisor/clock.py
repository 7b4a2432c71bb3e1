"""The clock, in one place: SOURCE_DATE_EPOCH makes every output reproducible (reproducible-builds.org)."""

import os
from datetime import UTC, date, datetime


def now() -> datetime:
    """The current moment, UTC, or the one SOURCE_DATE_EPOCH names."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime.now(UTC)


def today() -> date:
    """The current day, UTC."""
    return now().date()


def timestamp() -> str:
    """The current moment as results and reports write it: "2026-11-20T21:55:00Z"."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")
