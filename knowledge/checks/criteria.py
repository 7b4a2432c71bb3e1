"""The criteria tree and the questionnaire: their ids resolve, and every criterion and fact is documented and used."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from knowledge.checks.findings import Finding, error, note, repeated, unknown, warning
from knowledge.facts import FACTS
from knowledge.loader import Place, Places, walk
from knowledge.model import Criterion, Knowledge, Option, Role, Status, Text
from knowledge.reader import Steps

RATED_ROLES: Final = frozenset({Role.ENGINE, Role.HIGH_LEVEL})
"""Roles of frameworks one trains with: they are rated on every leaf."""

CLOSED: Final = frozenset({Status.ARCHIVED, Status.ABANDONED})
"""Of a framework that nobody should choose any more only what says why not is rated."""

MIN_RATED_SHARE: Final = 0.5
"""Share of the frameworks that have to be rated whose score on a leaf is known. Below it, fewer than a quarter of
their pairs are told apart by the leaf (both known: .5 x .5), and it mostly compares guesses."""

_PHASES: Final = ("train", "infer")
_SCALES: Final = ("log2_ratio",)
_SHEET_KEYS: Final = ("course", "current")  # what a question can ask for besides questions and requirements


def check(knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    yield from _criteria(knowledge, places)
    yield from _documented(knowledge, places)
    yield from _questions(knowledge, places, workloads)
    yield from _leaves_used(knowledge, places)
    yield from _facts_used(knowledge, places)


def rated_leaves(knowledge: Knowledge) -> dict[str, Criterion]:
    """What people rate, leaves and their special cases: not what fits, which follows from facts, nor the measured."""
    nodes = walk(knowledge.criteria, special=True)
    return {path: leaf for path, leaf in nodes if not leaf.children and leaf.fit is None and leaf.measured is None}


def has_to_be_rated(role: Role, status: Status) -> bool:
    """Whether a framework of that role and state is one that a person could choose to train with today."""
    return role in RATED_ROLES and status not in CLOSED


def _criteria(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    for path, node in walk(knowledge.criteria, special=True):
        place = places.criterion(path)
        if "." in node.id:
            yield error(place, f"the id {node.id!r} holds a dot", "dots separate the ids of a path")
        if node.special and (node.children or node.measured or node.fit):
            yield error(place, "has special cases, and nobody rates it", "only rated leaves have some")
        for special in node.special:
            yield from _case(special, places.criterion(f"{path}.{special.id}"))
        if node.children:
            if node.anchors or node.measured or node.fit:
                yield error(place, "has children and a scale of its own", "only leaves are scored")
        elif node.measured is not None:
            if node.measured.phase not in _PHASES:
                where = places.criterion(path, "measured", "phase")
                yield unknown(where, "phase", node.measured.phase, _PHASES)
            if node.measured.scale not in _SCALES:
                where = places.criterion(path, "measured", "scale")
                yield unknown(where, "scale", node.measured.scale, _SCALES)
        elif node.fit is not None:
            if node.fit not in FACTS:
                yield unknown(places.criterion(path, "fit"), "fact", node.fit, FACTS)
        elif node.anchors is None or node.max_age_days is None:
            yield error(place, "is rated, but has no anchors or no max_age_days", "say what 0, 5 and 10 mean")


def _case(special: Criterion, place: Place) -> Iterator[Finding]:
    """A special case is one of some fact's values, and is the last of its kind."""
    if not special.when:
        yield error(place, "does not say when it counts", "add 'when', as in {target: microcontroller}")
    if special.special or special.children:
        yield error(place, "has cases or leaves of its own", "a special case is rated as it is")
    for fact, value in special.when.items():
        if fact not in FACTS:
            yield unknown(place, "fact", fact, FACTS)
        elif FACTS[fact].value(value) is None:
            yield error(place, f"{fact} is never {value!r}", FACTS[fact].mend(value))


def _documented(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Names, questions and anchors say something in both languages; a leaf says which themes led to it."""
    for path, node in walk(knowledge.criteria, special=True):
        texts: list[tuple[Steps, Text]] = [(("name",), node.name), (("question",), node.question)]
        if node.anchors is not None:
            anchors = node.anchors
            texts += [(("anchors", "0"), anchors.worst), (("anchors", "5"), anchors.middle)]
            texts += [(("anchors", "10"), anchors.best)]
        for steps, text in texts:
            if not (text.en.strip() and text.zh.strip()):
                yield error(places.criterion(path, *steps), "says nothing in one of the languages", "write it")
        if not node.children and node.fit is None and not node.covers:
            yield note(places.criterion(path), f"no theme of a guide led to {path}", "list some in 'covers'")


def _questions(knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    paths = [path for path, _ in walk(knowledge.criteria)]
    fits = {leaf.fit for leaf in knowledge.leaves.values()}
    for id_, question in knowledge.questions.items():
        if question.maybe in knowledge.questions:
            yield error(places.question(id_, "maybe"), f"{question.maybe!r} is a question's id", "choose another id")
        if question.asks is not None and question.asks != "framework":
            yield unknown(places.question(id_, "asks"), "kind of answer", question.asks, ("framework",))
        if not question.options and question.asks is None:
            yield error(places.question(id_), "has no options", "list some")
        for index in repeated(option.id for option in question.options):
            option_id = question.options[index].id
            yield error(places.question(id_, "options", index), f"the option {option_id!r} stands here twice")
        for index, option in enumerate(question.options):
            for steps, what, word, known in _option_words(option, knowledge, paths, workloads):
                if word not in known:
                    yield unknown(places.question(id_, "options", index, *steps), what, word, known)
            for effect, facts in (("require", option.require), ("fit", option.fit)):
                for fact, value in facts.items():
                    place = places.question(id_, "options", index, effect, fact)
                    if fact not in FACTS:
                        yield unknown(place, "fact", fact, FACTS)
                    elif FACTS[fact].value(value) is None:
                        yield error(place, f"{fact} is never {value!r}", FACTS[fact].mend(value))
                    elif effect == "fit" and fact not in fits:
                        yield error(place, f"no leaf of the tree is about the fit of {fact!r}", "add one, or remove it")


def _option_words(
    option: Option, knowledge: Knowledge, paths: Sequence[str], workloads: Collection[str] | None
) -> Iterator[tuple[Steps, str, str, Collection[str]]]:
    """The ids an option names: where, what it is called, the id, and the ids that exist."""
    derived = [fact for fact, rule in FACTS.items() if rule.derived]
    asked = [*knowledge.questions, *_SHEET_KEYS, *(f"requirements.{fact}" for fact in FACTS)]
    for path in option.multiply:
        yield ("multiply", path), "criterion", path, paths
    for index, word in enumerate(option.asks):
        yield ("asks", index), "question or key", word, asked
    for index, word in enumerate(option.drops):
        yield ("drops", index), "assumption", word, derived
    for index, word in enumerate(option.confirms):
        yield ("confirms", index), "assumption", word, derived
    if option.role is not None:
        yield ("role",), "role", option.role, list(Role)
    if workloads is not None:
        for index, word in enumerate(option.workloads):
            yield ("workloads", index), "workload", word, workloads


def _leaves_used(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Some answer moves every leaf, and enough frameworks are rated on it to compare them."""
    options = [option for question in knowledge.questions.values() for option in question.options]
    multiplied = {path for option in options for path in option.multiply}
    fitted = {fact for option in options for fact in option.fit}
    chosen = [
        framework
        for framework in knowledge.frameworks.values()
        if framework.ratings and has_to_be_rated(framework.role, framework.lifecycle.status)
    ]
    rated = rated_leaves(knowledge)
    for path, leaf in knowledge.leaves.items():
        by_weight = any(path == above or path.startswith(f"{above}.") for above in multiplied)
        if not (leaf.fit in fitted or by_weight):
            mend = "let an option multiply it or a node above it, or remove it"
            yield warning(places.criterion(path), f"no answer moves {path}", mend)
        known = [each for each in chosen if each.ratings.get(path) and each.ratings[path][0].score is not None]
        if path in rated and len(known) < MIN_RATED_SHARE * len(chosen):
            problem = f"{len(known)} of {len(chosen)} frameworks have a score on {path}"
            yield warning(places.criterion(path), problem, f"rate at least {MIN_RATED_SHARE:.0%} of them")


def _facts_used(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Some option asks for every fact; which only a requirement of an answer sheet can ask for is noted."""
    asked: set[str] = set()
    for question in knowledge.questions.values():
        for option in question.options:
            asked |= {*option.require, *option.fit, *option.drops, *option.confirms}
            asked |= {word.removeprefix("requirements.") for word in option.asks}
    for fact in FACTS:
        if fact not in asked:
            place = places.question(next(iter(knowledge.questions), ""))
            yield note(place, f"no option asks for the fact {fact!r}: only 'requirements' of an answer sheet can")
