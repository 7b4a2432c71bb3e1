"""Which code measured: a version and a hash of the sources of this package, stored with every result."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code() -> str:
    """ "0.1.0+<12 hex digits>": the app's version and the hash of bench/'s Python sources and workloads, by path."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".yaml"):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    try:
        number = version("framework-advisor")
    except PackageNotFoundError:  # run from a source tree that was never installed
        number = "0"
    return f"{number}+{digest.hexdigest()[:12]}"
