"""Writing a report: whole or not at all."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from advisor.i18n import _
from knowledge.faults import BadInput, Fault


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it.

    Raises:
        BadInput: it cannot be written there; what was there before is untouched.
    """
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
            temporary = Path(stream.name)
            try:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        mend = _("choose a folder that is there and that you may write to")
        raise BadInput([Fault(str(path), None, "", error.strerror or str(error), mend)]) from error
