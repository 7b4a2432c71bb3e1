"""The user's own package indexes, handed on to uv, which does not read pip's configuration.

People behind a mirror have told pip where packages are and whose certificate to trust. `uv_variables` asks pip what it
would use and returns the same as uv's environment variables. What the user has already told uv itself always wins.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping

_LINE = re.compile(r"^(?P<section>[^.]+)\.(?P<option>[^=]+)=(?P<value>.*)$")
# pip's own order: a file's [install] section beats [global], an environment variable beats both.
_SECTIONS = ("global", "install", ":env:")
_PIP_SECONDS = 20.0


def parse_pip_config(listing: str) -> dict[str, str]:
    """The options that hold after `pip config list`, which prints `section.option='value'` line by line.

    Args:
        listing: the command's standard output.

    Returns:
        option -> value, without leading dots, the section that wins for `pip install`.
    """
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        match = _LINE.match(line.strip())
        if match is None or match["section"] not in _SECTIONS:
            continue
        try:
            value = str(ast.literal_eval(match["value"]))
        except (SyntaxError, ValueError):
            continue
        option, rank = match["option"].lstrip("."), _SECTIONS.index(match["section"])
        if rank >= found.get(option, (-1, ""))[0]:
            found[option] = (rank, value)
    return {option: value for option, (_, value) in found.items()}


def read_pip_config() -> dict[str, str]:
    """What the user's pip is configured to do; empty when there is no pip to ask."""
    pips = [[sys.executable, "-m", "pip"]]
    if (beside := shutil.which("pip")) is not None:
        pips.append([beside])
    for pip in pips:
        try:
            finished = subprocess.run(
                [*pip, "config", "list"], capture_output=True, text=True, timeout=_PIP_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if finished.returncode == 0:
            return parse_pip_config(finished.stdout)
    return {}


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """uv's environment variables that make it look where the user's pip looks.

    Args:
        pip: options from `parse_pip_config`.
        environ: the environment uv will inherit; a variable set there is left alone.

    Returns:
        Variables to add to uv's environment.
    """
    wanted: dict[str, str] = {}
    if index := pip.get("index-url"):
        wanted["UV_DEFAULT_INDEX"] = index
    if extra := pip.get("extra-index-url"):
        wanted["UV_EXTRA_INDEX_URL"] = " ".join(extra.split())
        # pip takes the best version of all indexes; uv's default would stop at the first that knows the name.
        wanted["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := pip.get("find-links"):
        wanted["UV_FIND_LINKS"] = ",".join(links.split())
    if certificate := pip.get("cert"):
        wanted["SSL_CERT_FILE"] = certificate
    if hosts := pip.get("trusted-host"):
        wanted["UV_INSECURE_HOST"] = " ".join(hosts.split())
    if proxy := pip.get("proxy"):
        wanted["ALL_PROXY"] = proxy
    if re.fullmatch(r"\d{1,6}(\.\d*)?", seconds := pip.get("timeout") or pip.get("default-timeout", "")):
        wanted["UV_HTTP_TIMEOUT"] = str(int(float(seconds)))
    if pip.get("no-index", "").lower() in ("1", "true", "yes"):
        wanted["UV_NO_INDEX"] = "1"
    own_index = {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environ.keys()
    if own_index:
        wanted.pop("UV_DEFAULT_INDEX", None)
    return {name: value for name, value in wanted.items() if name not in environ}
