"""Pages made of lines: evidence with its source, where something is written, and how to object to it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from textual.content import Content

from advisor.i18n import _
from advisor.words import kind_in_words, stance_in_words
from knowledge.loader import Place
from knowledge.model import Evidence, Independence, Knowledge, Source, Stance

Part: TypeAlias = str | tuple[str, str] | Content
"""One line: plain, in one style, or in several."""

_HEADING = "bold $text-accent"


def page(lines: Iterable[Part]) -> Content:
    """Lines below each other."""
    return Content("\n").join(line if isinstance(line, Content) else Content.assemble(line) for line in lines)


def heading(text: str) -> Part:
    """The title of what follows."""
    return (text, _HEADING)


def evidence_lines(evidence: Sequence[Evidence], knowledge: Knowledge) -> Iterator[Part]:
    """Each claim with its stance, and its source with date and whose word it is; what contradicts stands out."""
    for piece in evidence:
        contradicts = piece.stance is Stance.CONTRADICTS
        mark, style = ("≠", "$text-error") if contradicts else ("•", "")
        yield Content.assemble((f"{mark} ", style), piece.claim)
        source = knowledge.sources.get(piece.source)
        if source is None:
            yield (f"  {piece.source}", "dim")
            continue
        published = source.published or _("undated")
        vendor = source.independence is Independence.VENDOR
        yield Content.assemble(
            ("  " + stance_in_words(piece.stance), style or "dim"),
            (f": {source.title}, {source.publisher}, {published} (", "dim"),
            (_whose_word(source), "$text-warning" if vendor else "dim"),
            (")", "dim"),
        )
        yield (f"  {source.url}", "dim")


def source_lines(source: Source, place: Place) -> Iterator[Part]:
    """All that is written down of one source."""
    yield (source.title, "bold")
    yield f"{source.publisher} · {kind_in_words(source.kind)} · {_whose_word(source)}"
    yield source.url
    dated = source.published or _("undated")
    yield _("published {date}, read {day}").format(date=dated, day=source.accessed)
    yield (f"{source.id}  {place}", "dim")


def written(place: Place) -> Part:
    """Where something is written."""
    return (_("written in {place}").format(place=place), "dim")


def _whose_word(source: Source) -> str:
    return {
        Independence.INDEPENDENT: _("independent"),
        Independence.VENDOR: _("its own people"),
        Independence.COMPETITOR: _("a competitor"),
        Independence.PROJECT: _("this project"),
    }[source.independence]


# --- how to object ---------------------------------------------------------------------------------------------------

_STATEMENT = """\
- as_of: {day}
  author: "…"
  affiliation: "…"
  score: 6
  low: 5
  high: 7
  rationale: "…"
  evidence:
    - {{claim: "…", source: …, stance: supports}}"""

_VERDICT = """\
holds: confirmed | partly | refuted | untestable
now: "…"
evidence:
  - {{claim: "…", source: …, stance: contradicts}}"""


def objection_to_rating(place: Place, day: str) -> Content:
    """How to object to a rating. `day` is the date to write."""
    steps = [
        _("Put a statement of your own above the one there; it stays below, as what was said before:"),
        _STATEMENT.format(day=day),
        _("Or leave the score and add evidence with `stance: contradicts`: it is shown beside it."),
        _("A score of 0 to 2 or 8 to 10 rests on two independent pieces of evidence, any other on one."),
        _("Who works for a maker says so under `affiliation`; who has checked a statement signs `reviewed_by`."),
    ]
    return _objection([place], steps)


def objection_to_claims(places: Sequence[Place]) -> Content:
    """How to object to what is said of guides' claims."""
    steps = [
        _("Change what is said of the claim there, and back it with evidence:"),
        _VERDICT.format(),
        _("What the guide said stays as it is."),
    ]
    return _objection(places, steps)


def objection_to_fact(place: Place) -> Content:
    """How to object to anything else that a file states."""
    return _objection([place], [_("Change what is stated there, with its date (`as_of`) and its evidence.")])


def _objection(places: Sequence[Place], steps: Sequence[str]) -> Content:
    lines: list[Part] = [
        _("This is written in"),
        *((f"  {place}", "bold") for place in places),
        "",
        _("To object, change that file and send the change to the project."),
    ]
    for step in steps:
        lines += ["", (step, "dim") if "\n" in step else step]
    lines += [
        "",
        _("A new source goes into knowledge/sources.yaml, with its date and whose word it is."),
        _("`advisor knowledge check` then names every fault with file and line."),
    ]
    return page(lines)
