"""The knowledge as it was: any revision of it that git still has."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

import knowledge
from advisor.i18n import _
from knowledge.faults import BadInput, Fault
from knowledge.model import Knowledge


class Revision(msgspec.Struct, frozen=True):
    """The knowledge of one commit."""

    commit: str  # full hash
    knowledge: Knowledge


def knowledge_at(revision: str, folder: Path | None = None) -> Revision:
    """The knowledge at a git revision, read by today's loader.

    Args:
        revision: a commit, tag or branch, as git takes them.
        folder: where the knowledge lies in a checkout; the shipped one when None.

    Raises:
        BadInput: there is no git, no checkout, no such revision, or its knowledge cannot be read today.
    """
    place = Path(knowledge.__file__).parent if folder is None else folder
    if _git(place, ["ls-files", "--error-unmatch", "criteria.yaml"]) is None:  # an environment may lie in a checkout
        problem = _("the knowledge does not lie in a git checkout, so that it has no history")
        raise _refused(revision, problem, _("run this in a clone of the project"))
    commit = _git(place, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    if not commit:
        mend = _("name a commit, a tag or a branch")
        if _line(place, ["rev-parse", "--is-shallow-repository"]) == "true":
            mend = _("this clone is shallow: `git fetch --unshallow` gets the rest")
        raise _refused(revision, _("git knows no such revision"), mend)
    name, prefix = commit.decode().strip(), _line(place, ["rev-parse", "--show-prefix"])
    top = Path(_line(place, ["rev-parse", "--show-toplevel"]))  # git archives no tree from inside another
    archive = _git(top, ["archive", "--format=tar", f"{name}:{prefix}"])
    if archive is None:
        raise _refused(revision, _("it holds no knowledge in this place"), _("name a later revision"))
    return Revision(name, _load(archive, revision))


def _load(archive: bytes, revision: str) -> Knowledge:
    """The knowledge in a tar archive, whose files are named by their revision in faults."""
    with tempfile.TemporaryDirectory(prefix="advisor-knowledge-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name.endswith(".yaml") else None
                if content is not None:
                    path = Path(folder, member.name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
        try:
            return knowledge.load(Path(folder))
        except BadInput as bad:
            raise BadInput([_of_revision(fault, folder, revision) for fault in bad.faults]) from None


def _of_revision(fault: Fault, folder: str, revision: str) -> Fault:
    within = fault.file.removeprefix(folder).strip("/\\")
    return msgspec.structs.replace(fault, file=f"{revision}:knowledge/{within}")


def _git(place: Path, words: Sequence[str]) -> bytes | None:
    """What git prints, or None if it fails.

    Raises:
        BadInput: git is not installed.
    """
    try:
        finished = subprocess.run(["git", "-C", str(place), *words], capture_output=True, check=False)
    except FileNotFoundError:
        mend = _("install git")
        raise BadInput([Fault("REV", None, "", _("git is not installed"), mend)]) from None
    return finished.stdout if finished.returncode == 0 else None


def _line(place: Path, words: Sequence[str]) -> str:
    """The one line that git prints; "" if it fails."""
    return (_git(place, words) or b"").decode().strip()


def _refused(revision: str, problem: str, mend: str) -> BadInput:
    return BadInput([Fault("REV", None, revision, problem, mend)])
