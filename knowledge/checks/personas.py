"""Golden personas: everything that is expected of them exists. Whether it holds is for the decision to show."""

from collections.abc import Collection, Iterator

from knowledge.checks.findings import Finding, error, unknown
from knowledge.facts import FACTS
from knowledge.loader import Place, Places
from knowledge.model import Knowledge, Persona
from knowledge.reader import Steps


def check(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    for persona in knowledge.personas.values():
        yield from _persona(persona, knowledge, places)


def _persona(persona: Persona, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    def place(*steps: str | int) -> Place:
        return places.persona(persona.id, *steps)

    expected = persona.expected
    named: list[tuple[Steps, str, str, Collection[str]]] = []
    for key, ids in (("first", expected.first), ("ranked", expected.ranked)):
        named += ((("expected", key, index), "framework", id_, knowledge.frameworks) for index, id_ in enumerate(ids))
    for id_, fact in expected.excluded.items():
        named.append((("expected", "excluded", id_), "framework", id_, knowledge.frameworks))
        named.append((("expected", "excluded", id_), "fact", fact, FACTS))
    if persona.twin is not None:
        named.append((("twin",), "persona", persona.twin, [id_ for id_ in knowledge.personas if id_ != persona.id]))
    for steps, what, word, known in named:
        if word not in known:
            yield unknown(place(*steps), what, word, known)
    for id_ in expected.excluded:
        if id_ in (*expected.first, *expected.ranked):
            yield error(place("expected", "excluded", id_), f"{id_} cannot be knocked out and rank as well")
    if not expected.first and expected.verdict != ("none-qualifies",):
        mend = "name a framework, or expect the verdict none-qualifies alone"
        yield error(place("expected", "first"), "names nobody", mend)
    if not persona.because.strip():
        yield error(place("because"), "gives no reason", "say why an expert would say so")
