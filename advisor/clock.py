"""The clock, in one place: SOURCE_DATE_EPOCH makes every output reproducible (reproducible-builds.org)."""

import os
from datetime import UTC, date, datetime

from advisor.i18n import _
from knowledge.faults import BadInput, Fault


def now() -> datetime:
    """The current moment, UTC, or the one SOURCE_DATE_EPOCH names.

    Raises:
        BadInput: SOURCE_DATE_EPOCH names none.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        mend = _("give seconds since 1970, or unset it")
        raise BadInput([Fault("SOURCE_DATE_EPOCH", None, "", _("is no moment"), mend)]) from error


def today() -> date:
    """The current day, UTC."""
    return now().date()


def timestamp() -> str:
    """The current moment as results and reports write it: "2026-11-20T21:55:00Z"."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")
