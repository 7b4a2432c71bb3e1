"""The knowledge base as this user has it: the shipped one with the user's own frameworks. Nothing else loads it."""

from pathlib import Path

from advisor.clock import today
from advisor.paths import own_knowledge
from knowledge.faults import BadInput
from knowledge.loader import Places
from knowledge.loader import load_with_places as read
from knowledge.model import Knowledge


def load() -> Knowledge:
    """Everything that is known.

    Raises:
        BadInput: a file cannot be read, or one of the user's own names an id that is not there.
    """
    return load_with_places()[0]


def load_with_places() -> tuple[Knowledge, Places]:
    """As `load`, with the file and line of every record."""
    own = own_knowledge()
    base, places = read(extra=own)
    if own:
        from knowledge.checks import check_framework, dangling

        # The shipped files are checked before they are shipped; whether the user's lead somewhere is seen here, since
        # whoever follows an id must be able to rely on it. Everything else about them `knowledge check` tells.
        faults = [
            fault
            for framework in base.frameworks.values()
            if Path(places.framework(framework.id).file).is_relative_to(own[0])
            for fault in dangling(check_framework(framework, base, places, today()))
        ]
        if faults:
            raise BadInput(faults)
    return base, places
