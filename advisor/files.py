"""Writing a file that the user named: whole or not at all."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from advisor.i18n import _
from bench.files import is_special
from knowledge.faults import BadInput, Fault


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it.

    Raises:
        BadInput: it cannot be written there, or a device is there; what was there before is untouched.
    """
    if is_special(path):  # replacing it would remove a device such as /dev/null
        raise BadInput([Fault(str(path), None, "", _("is no ordinary file"), _("choose another place"))])
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
