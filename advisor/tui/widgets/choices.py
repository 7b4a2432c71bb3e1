"""The options of one question with their marks. Enter takes and goes on; space and the mouse only mark."""

from collections.abc import Collection
from typing import ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option as Row

from advisor.i18n import N_, _, language
from advisor.tui.sheet import Reply
from knowledge.model import Choose, Option


class Choices(OptionList):
    """Options as `(•)` for one, `[x]` for several, `[~]` for perhaps. What was found on this machine says so."""

    BINDINGS: ClassVar = [
        Binding("enter", "take", N_("next"), key_display="⏎"),
        Binding("space", "select", N_("mark"), key_display="space"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    reply: reactive[Reply] = reactive(Reply())

    class Marked(Message):
        """An option was marked or its mark was changed."""

        def __init__(self, option: Option) -> None:
            super().__init__()
            self.option = option

    class Taken(Message):
        """Enter was pressed on an option."""

        def __init__(self, option: Option) -> None:
            super().__init__()
            self.option = option

    def __init__(self, id: str) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._choose = Choose.ONE
        self._chosen_from: tuple[Option, ...] = ()
        self._found: frozenset[str] = frozenset()

    def show(self, choose: Choose, options: tuple[Option, ...], reply: Reply, found: Collection[str]) -> None:
        """Show other options. `found` are those this machine suggests; they are only pointed at."""
        self._choose, self._chosen_from, self._found = choose, options, frozenset(found)
        self.set_reactive(Choices.reply, reply)
        self.set_options(Row(self._prompt(option), id=option.id) for option in options)
        ticked = (*reply.values, *reply.maybe)
        aim = next((i for i, o in enumerate(options) if o.id in ticked), None)
        if aim is None:
            aim = next((i for i, o in enumerate(options) if o.id in self._found), 0)
        self.highlighted = aim if options else None

    def watch_reply(self) -> None:
        for index, option in enumerate(self._chosen_from):
            self.replace_option_prompt_at_index(index, self._prompt(option))

    @property
    def pointed(self) -> Option | None:
        """The option under the cursor."""
        return None if self.highlighted is None else self._chosen_from[self.highlighted]

    def action_take(self) -> None:
        """Take the option under the cursor and go on."""
        if (option := self.pointed) is not None:
            self.post_message(self.Taken(option))

    def action_select(self) -> None:
        if (option := self.pointed) is not None:
            self.post_message(self.Marked(option))

    def _prompt(self, option: Option) -> Content:
        ticked, perhaps = option.id in self.reply.values, option.id in self.reply.maybe
        if self._choose is Choose.ONE:
            mark = "(•)" if ticked else "( )"
        else:
            mark = "[x]" if ticked else "[~]" if perhaps else "[ ]"
        note = "  " + _("perhaps") if perhaps else ""
        if option.id in self._found and not ticked and not perhaps:
            note = "  " + _("found here: enter confirms")
        return Content.assemble(
            (mark, "bold" if ticked or perhaps else "dim"),
            " " + option.text.in_language(language()),
            (note, "$text-success italic"),
        )
