"""The old guides and their trials as Rich renderables: what a terminal prints and the screens show is the same."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor import trial_findings
from advisor.guides import Said, Topic, holding, today
from advisor.i18n import _, language
from advisor.trial import Trial
from advisor.words import ruling_in_words, stance_in_words
from knowledge.loader import walk
from knowledge.model import Evidence, Guide, Holds, Knowledge

_STYLES = {"confirmed": "green", "partly": "yellow", "refuted": "red", "undecided": "cyan", "untestable": "dim"}


def of_guides(knowledge: Knowledge) -> Iterator[RenderableType]:
    """Every guide: date, claims, and how many of them hold."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    counts = [holding(guide) for guide in knowledge.guides.values()]
    claims = sum(len(guide.claims) for guide in knowledge.guides.values())
    table.add_column(_("guide"), footer=_("all"), no_wrap=True)
    table.add_column(_("date"), no_wrap=True)
    table.add_column(_("claims"), footer=str(claims), justify="right")
    for holds in Holds:
        total = sum(each[holds] for each in counts)
        table.add_column(ruling_in_words(holds), footer=str(total), justify="right")
    for guide, count in zip(knowledge.guides.values(), counts, strict=True):
        table.add_row(guide.id, guide.published, str(len(guide.claims)), *(str(count[holds]) for holds in Holds))
    yield table
    yield Text()
    for guide in knowledge.guides.values():
        yield Text(f"{guide.id}: {guide.title.in_language(language())}")
    yield Text()
    yield Text(
        _("`advisor guides GUIDE` shows one, with --run tried on this machine; --framework and --criterion choose.")
    )


def heading(guide: Guide, knowledge: Knowledge) -> Iterator[RenderableType]:
    """A guide's title, date and source, and what it concluded."""
    yield Text(f"{guide.title.in_language(language())} ({guide.published})", style="bold")
    source = knowledge.sources[guide.source]
    yield Text(f"{guide.id} · {source.title} · {source.url}", style="dim")
    yield Text(guide.conclusion.in_language(language()))


def of_guide(guide: Guide, knowledge: Knowledge) -> Iterator[RenderableType]:
    """A guide's conclusion, what holds of it, whom it preferred and who is rated best today, and its charges."""
    yield from heading(guide, knowledge)
    counts = ", ".join(f"{count} {ruling_in_words(holds)}" for holds, count in holding(guide).items())
    yield Text(_("{n} claims: {counts}").format(n=len(guide.claims), counts=counts))
    if guide.winners:
        yield Text()
        table = Table(box=None, pad_edge=False)
        for name in (_("dimension"), _("then"), _("today"), _("ratings of today")):
            table.add_column(name, overflow="fold")
        for winner in guide.winners:
            found = today(knowledge, winner)
            ranked = sorted(found.scores.items(), key=lambda item: -(item[1] or 0))
            table.add_row(
                winner.dimension.in_language(language()),
                _names(winner.then, knowledge),
                _names(found.now, knowledge),
                ", ".join(
                    f"{_names([name], knowledge)} {'?' if score is None else f'{score:g}'}" for name, score in ranked
                ),
            )
        yield table
    if guide.charges:
        yield Text()
        yield Text(_("What can be tried: --run races on this machine, --replay shows a recorded trial."), style="bold")
        for charge in guide.charges:
            yield _indented(Text(f"{charge.id}: {charge.text.in_language(language())}"), 1)


def of_topics(topics: Iterable[Topic], knowledge: Knowledge) -> Iterator[RenderableType]:
    """What the guides said of one thing after the other, in order of date, with what holds now and the evidence."""
    names = {path: criterion.name for path, criterion in walk(knowledge.criteria)}
    empty = True
    for topic in topics:
        empty = False
        yield Text()
        about = _names([topic.framework], knowledge) if topic.framework else _("of no framework")
        if topic.criterion is not None:
            about += f" · {names[topic.criterion].in_language(language())} ({topic.criterion})"
        yield Text(about, style="bold")
        for said in topic.said:
            yield from _said(said, knowledge)
    if empty:
        yield Text(_("The guides said nothing of that."))


def _said(said: Said, knowledge: Knowledge) -> Iterator[RenderableType]:
    claim = said.claim
    yield _indented(Text(f"{said.guide.published}: {claim.said}  [{claim.id}, {said.guide.id}]"), 1)
    now = Text(_("today") + ": ")
    now.append(ruling_in_words(claim.holds), style=_STYLES[claim.holds])
    now.append(f". {claim.now}")
    yield _indented(now, 2)
    for item in claim.evidence:
        yield _indented(_evidence(item, knowledge), 3)


def _evidence(item: Evidence, knowledge: Knowledge) -> Text:
    source = knowledge.sources[item.source]
    dated = source.published or _("undated, read {date}").format(date=source.accessed)
    return Text(f"{stance_in_words(item.stance)}: {item.claim} ({source.title}, {dated})", style="dim")


def of_trial(trial: Trial, guide: Guide, knowledge: Knowledge) -> Iterator[RenderableType]:
    """A verdict per charge, with the guide's words, the figures it rests on, their versions and device."""
    yield Text(trial_findings.tally(trial))
    for venue in trial.venues:
        yield Text(trial_findings.venue_sentence(venue), style="dim")
    for charge, tried in zip(guide.charges, trial.charges, strict=True):
        yield Text()
        yield Text(f"{charge.id}: {charge.text.in_language(language())}", style="bold")
        for words in tried.said:
            yield _indented(Text(f"{guide.published}: {words}"), 1)
        verdict = Text(_("on trial") + ": ")
        verdict.append(trial_findings.ruling_sentence(tried), style=_STYLES[tried.ruling])
        yield _indented(verdict, 1)
        for hearing in tried.hearings:
            yield _indented(Text(f"{hearing.workload}: {ruling_in_words(hearing.ruling)}"), 2)
            for line in trial_findings.hearing_lines(charge, hearing, knowledge):
                yield _indented(Text(line), 3)


def _names(frameworks: Iterable[str], knowledge: Knowledge) -> str:
    return ", ".join(knowledge.frameworks[name].name for name in frameworks)


def _indented(text: Text, steps: int) -> Padding:
    return Padding(text, (0, 0, 0, 2 * steps))
