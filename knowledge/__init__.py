"""What is known: dated, sourced YAML about deep-learning frameworks, and its typed loader.

The lowest of the three rooms: it reads its own files and imports nothing of `bench` or `advisor`.

    reader   YAML text -> plain values with positions -> records; strict, every fault collected
    model    the records
    loader   folders of files -> `Knowledge` (and `Places`: file and line of every record)
    facts    what a framework can be asked for, and the values that can be asked
    checks   what a schema cannot say
    counts   how much is known, and how well it is borne out
    schema   JSON Schemas of the files, for editors
    faults   how bad input is reported

`template/` is a commented start for a framework of one's own; CONTRIBUTING.md says how.
"""

from knowledge.faults import BadInput, Fault
from knowledge.loader import Place, Places, load, load_with_places
from knowledge.model import Knowledge

__all__ = ["BadInput", "Fault", "Knowledge", "Place", "Places", "load", "load_with_places"]
