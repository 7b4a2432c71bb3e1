"""The command line as a user runs it, for live tests: a process of its own, with a home of its own."""

import os
import subprocess
import sys
from pathlib import Path


def advisor(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`advisor WORDS` with ADVISOR_HOME at `home`; output is kept, failure is the caller's to see."""
    environment = {**os.environ, "ADVISOR_HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "advisor", *words], capture_output=True, text=True, env=environment, check=False
    )
