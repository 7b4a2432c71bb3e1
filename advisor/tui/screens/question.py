"""One question at a time, with the ranking moving beside it."""

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from advisor.answers import Sure
from advisor.i18n import N_, _, language
from advisor.tui.found import found_here
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Reading
from advisor.tui.sheet import Reply, options, question, reply_to, taken_back, toggled
from advisor.tui.widgets.choices import Choices
from advisor.tui.widgets.ranking import Ranking
from advisor.tui.widgets.title import Title
from knowledge.model import Choose, Option, Question


class QuestionScreen(AdvisorScreen):
    """The questions of the chosen path. Every mark goes into the sheet at once, so that the ranking moves with it."""

    CSS_PATH = "question.tcss"
    BINDINGS: ClassVar = [
        Binding("m", "maybe", N_("perhaps")),
        Binding("1", "sure('low')", show=False),
        Binding("2", "sure('medium')", show=False),
        Binding("3", "sure('high')", show=False),
        Binding("z", "previous", N_("back")),
        Binding("s", "skip", N_("skip")),
        Binding("question_mark", "why", N_("why"), key_display="?"),
        Binding("x", "drop", N_("drop assumption"), show=False),
        Binding("n", "answer", N_("answer"), show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._step: str | None = None
        self._marked = False  # whether anything was marked since this question was opened

    # -- what it shows ------------------------------------------------------------------------------------------------

    def heading(self) -> str:
        return _("Question")

    def compose_body(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="asking"):
                yield Static(id="text", markup=False)
                yield Static(id="how", markup=False)
                yield Choices(id="choices")
                yield Static(id="help", markup=False)
                yield Static(id="sure", markup=False)
            with VerticalScroll(id="so-far", classes="panel", can_focus=False):
                yield Ranking()

    def on_mount(self) -> None:
        super().on_mount()
        self.follow("recommendation", self._see_ranking)
        self.follow("fault", self._see_ranking)
        self.follow("deciding", self._see_ranking)
        self.follow("answers", self._see_answers)
        self.follow("machine", self.fill)

    def fill(self) -> None:
        if self._step is None:
            steps = self.advisor.steps
            self._step = next((step for step in steps if not self.advisor.is_answered(step)), steps[0])
        asked = self._asked()
        found = found_here(self.advisor.machine).get(asked.id, ())
        self.query_one("#text", Static).update(asked.text.in_language(language()))
        self.query_one("#how", Static).update(_how(asked))
        choices = self.query_one(Choices)
        choices.show(asked.choose, options(self.advisor.knowledge, asked), self._reply(), found)
        choices.focus()
        self.query_one("#so-far").border_title = _("By score · chance to be first")
        self._marked = False
        self._see_ranking()
        self._see_answers()
        self.refresh_bindings()

    def _see_ranking(self) -> None:
        ranking = self.query_one(Ranking)
        ranking.working = self.advisor.deciding
        ranking.fault = self.advisor.fault
        ranking.recommendation = self.advisor.recommendation
        if ranking.baseline is None:
            ranking.baseline = self.advisor.recommendation
        self.query_one("#so-far").border_subtitle = "…" if self.advisor.deciding else ""

    def _see_answers(self) -> None:
        reply = self._reply()
        self.query_one(Choices).reply = reply
        grades = {"low": _("guess"), "medium": _("fairly"), "high": _("certain")}
        sure = [
            (f" {number} {grades[grade]} ", "reverse" if grade == reply.sure else "dim")
            for number, grade in enumerate(Sure, 1)
        ]
        self.query_one("#sure", Static).update(Content.assemble((_("How sure?"), "dim"), *sure))
        steps = self.advisor.steps
        dots = "".join("◉" if step == self._step else "●" if self.advisor.is_answered(step) else "○" for step in steps)
        position = steps.index(self._step) + 1 if self._step in steps else 0
        self.query_one(Title).progress = f"{position}/{len(steps)} {dots}"

    def _see_help(self) -> None:
        option = self.query_one(Choices).pointed
        told = "" if option is None or option.help is None else option.help.in_language(language())
        if not told:
            told = self._asked().why.in_language(language())
        self.query_one("#help", Static).update(told)

    def _asked(self) -> Question:
        return question(self.advisor.knowledge, self._step or self.advisor.steps[0])

    def _reply(self) -> Reply:
        return reply_to(self.advisor.answers, self._asked())

    # -- what is done to it -------------------------------------------------------------------------------------------

    def on_option_list_option_highlighted(self) -> None:
        self._see_help()

    def on_choices_marked(self, marked: Choices.Marked) -> None:
        self._mark(marked.option, maybe=False)

    def on_choices_taken(self, taken: Choices.Taken) -> None:
        asked, reply = self._asked(), self._reply()
        if not reply or (asked.choose is Choose.ONE and reply.values != (taken.option.id,)):
            self._mark(taken.option, maybe=False)
        self._go(+1)

    def _mark(self, option: Option, maybe: bool) -> None:
        if not self._marked:  # arrows show what this question moves, and go on showing it beside the next one
            self._marked = True
            self.query_one(Ranking).baseline = self.advisor.recommendation
        asked = self._asked()
        chosen = options(self.advisor.knowledge, asked)
        self.advisor.answer(asked.id, toggled(asked, chosen, self._reply(), option, maybe))

    def _go(self, steps: int) -> None:
        path = self.advisor.steps
        position = (path.index(self._step) if self._step in path else 0) + steps
        if position >= len(path):
            self.advisor.back()
            self.advisor.action_answer()
        elif position < 0:
            self.advisor.back()
        else:
            self._step = path[position]
            self.fill()

    def action_maybe(self) -> None:
        """Mark what is under the cursor as perhaps: it counts, and rules nothing out."""
        if (option := self.query_one(Choices).pointed) is not None:
            self._mark(option, maybe=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only questions that know a "perhaps" show its key."""
        if action == "maybe" and self._step is not None:
            return self._asked().maybe is not None
        return True

    def action_sure(self, grade: str) -> None:
        """Say how sure the answer is."""
        reply = self._reply()
        if reply:
            self.advisor.answer(self._asked().id, msgspec.structs.replace(reply, sure=Sure(grade)))
        else:
            self.notify(_("Mark an option first; then say how sure you are."))

    def action_previous(self) -> None:
        """To the question before."""
        self._go(-1)

    def action_skip(self) -> None:
        """Leave this one open: nothing is assumed from it but what is shown."""
        self.advisor.answer(self._asked().id, Reply())
        self._go(+1)

    def action_why(self) -> None:
        """Why this is asked, and what every option means."""
        asked = self._asked()
        parts: list[str | tuple[str, str]] = [asked.why.in_language(language()), "\n"]
        if asked.maybe_text is not None:
            parts += ["\n", ("m  ", "bold $text-accent"), asked.maybe_text.in_language(language()), "\n"]
        for option in options(self.advisor.knowledge, asked):
            if option.help is not None:
                parts += [
                    "\n",
                    (option.text.in_language(language()), "bold"),
                    "\n  " + option.help.in_language(language()),
                ]
        self.app.push_screen(Reading(asked.text.in_language(language()), Content.assemble(*parts)))

    def action_drop(self) -> None:
        """Take back the first assumption that knocks somebody out, or take it up again."""
        now = self.advisor.recommendation
        removable = [a.id for a in now.assumptions if a.knocks_out] if now is not None else []
        if candidates := [*removable, *taken_back(self.advisor.answers)]:
            self.advisor.drop(candidates[0])

    def action_answer(self) -> None:
        """To the answer, with what is answered so far."""
        self.advisor.back()
        self.advisor.action_answer()


def _how(asked: Question) -> str:
    if asked.maybe is not None:
        which = _("any of them is enough") if asked.choose is Choose.ANY else _("all you mark must hold")
        return _("Several may be marked; {which}.").format(which=which)
    return {
        Choose.ONE: _("Choose one."),
        Choose.UP_TO_TWO: _("Choose one or two."),
        Choose.ANY: _("Several may be marked; any of them is enough."),
        Choose.ALL: _("Several may be marked; all must hold."),
    }[asked.choose]
