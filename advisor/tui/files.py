"""Writing a file where the user says: never over another one without asking, and never half of one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.files import write_atomically
from advisor.i18n import _
from advisor.tui.screens.dialogs import AskPath, Confirm
from knowledge.faults import BadInput

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp


async def save(
    app: "AdvisorApp",
    title: str,
    name: str,
    content: Callable[[Path], bytes],
    check: Callable[[Path], str | None] = lambda path: None,
) -> Path | None:
    """Ask for a path, ask again before overwriting, write, and say so.

    Args:
        app: whose screens ask.
        title: what is being saved.
        name: the file name offered.
        content: the file's content for the path chosen; runs in a thread.
        check: what is wrong with a path, or None.

    Returns:
        Where it was written, or None.
    """

    def fault(path: Path) -> str | None:
        if path.is_dir():
            return _("{path} is a folder; add a file name.").format(path=path)
        if not path.parent.is_dir():
            return _("The folder {path} does not exist.").format(path=path.parent)
        return check(path)

    path = await app.push_screen_wait(AskPath(title, _("File:"), name, fault))
    if path is None:
        return None
    if path.exists():
        question = _("{path} exists. Replace it?").format(path=path)
        if not await app.push_screen_wait(Confirm(title, question, _("Replace"), _("Keep"))):
            return None
    try:
        await asyncio.to_thread(lambda: write_atomically(path, content(path)))
    except BadInput as bad:
        app.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
        return None
    app.notify(_("Written to {path}").format(path=path), markup=False)
    return path
