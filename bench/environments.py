"""Isolated environments, one per recipe and interpreter, made by uv and kept for the next run.

An environment lives in one folder named after what is in it: `<framework>-<recipe>-py<minor>-<hash>`. The record
`environment.json` is written last, so a folder without it is unfinished and is made afresh. Files there may be hard
links into uv's cache, so nothing edits one in place; byte code and links are new files.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from bench import machine
from bench.pip_config import read_pip_config, uv_variables
from bench.records import Record
from knowledge.model import Framework, Recipe

_RECORD = "environment.json"
_LOCK = "requirements.lock"
# The CUDA build of a wheel drags these in; a recipe for the CPU must not (several gigabytes).
_CUDA_PACKAGES = re.compile(r"^(nvidia-|triton==|cuda-)", re.MULTILINE)
# Room beyond the environment itself: unpacked wheels in uv's cache on another file system, byte code, caches.
_DISK_MARGIN = 1.3
_MEGABYTE = 1_000_000

Report = Callable[[str, float | None], None]


class EnvironmentFailure(Exception):
    """An environment that could not be made: why, and what the user can do about it."""

    def __init__(self, reason: str, mend: str) -> None:
        self.reason, self.mend = reason, mend
        super().__init__(f"{reason}: {mend}")


class Environment(Record, frozen=True):
    """A finished environment.

    Attributes:
        name: its folder's name and key; framework and recipe say what it holds.
        python: the interpreter to start workers with.
        variables: what the recipe sets for its workers, with caches and HOME inside the environment.
        stand_ins: what stood in for a missing library.
        freeze: package -> version, everything installed.
    """

    name: str
    framework: str
    recipe: str
    path: Path
    python: Path
    created: str
    variables: dict[str, str]
    stand_ins: tuple[str, ...]
    freeze: dict[str, str]
    disk_bytes: int


class Estimate(Record, frozen=True):
    """What making an environment will take, announced beforehand."""

    download_bytes: int
    disk_bytes: int
    seconds: float


def recipe_for(framework: Framework, backend: str | None, device: str) -> Recipe:
    """The framework's recipe for a backend and device family on this platform.

    Raises:
        EnvironmentFailure: the knowledge base has none.
    """
    family, platform = device.split(":")[0], machine.platform_tag()
    fitting = [r for r in framework.recipes if r.backend == backend and family in r.devices]
    for recipe in fitting:
        if platform in recipe.platforms:
            return recipe
    on = f" on {backend}" if backend else ""
    if fitting:
        raise EnvironmentFailure(
            f"{framework.name}{on} has no recipe for {platform}",
            "run it on one of " + ", ".join(sorted({p for r in fitting for p in r.platforms})),
        )
    families = sorted({d for r in framework.recipes for d in r.devices})
    raise EnvironmentFailure(
        f"{framework.name}{on} has no recipe for the device {family}",
        f"choose --device {' or '.join(families)}" if families else "choose another framework",
    )


def interpreters() -> dict[str, Path]:
    """CPython interpreters found here, minor version ("3.11") -> absolute path, version managers' shims left out."""
    found: dict[str, Path] = {}
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    found[f"{sys.version_info.major}.{sys.version_info.minor}"] = own
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted((folder / "bin" for folder in (pyenv / "versions").glob("3.*")), reverse=True)
    for folder in folders:
        if folder.name == "shims":
            continue
        for candidate in sorted(folder.glob("python3.*")):
            if (match := re.fullmatch(r"python(3\.\d+)", candidate.name)) and os.access(candidate, os.X_OK):
                found.setdefault(match[1], candidate.resolve())
    return found


def _uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


class Environments:
    """The environments below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # -- what there is ------------------------------------------------------------------------------------------------

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None:
        """The finished environment for a recipe, on the best interpreter that has one."""
        for minor in recipe.python:
            path = self.folder / self._name(framework, recipe, minor)
            if (environment := self._read(path)) is not None:
                return msgspec.structs.replace(environment, variables=_variables(recipe, path))
        return None

    def finished(self) -> tuple[Environment, ...]:
        """Every finished environment, by name."""
        return tuple(found for path in self._folders() if (found := self._read(path)) is not None)

    def unfinished(self) -> tuple[Path, ...]:
        """Folders that were begun and never finished, except those that some process is making right now."""
        return tuple(path for path in self._folders() if self._read(path) is None and not self._being_made(path))

    def estimate(self, framework: Framework, recipe: Recipe) -> Estimate:
        """What `create` would download and take; nothing when the environment is there."""
        if self.find(framework, recipe) is not None:
            return Estimate(download_bytes=0, disk_bytes=0, seconds=0.0)
        return Estimate(
            download_bytes=int(recipe.download_mb * _MEGABYTE),
            disk_bytes=int(recipe.disk_mb * _MEGABYTE),
            seconds=recipe.install_seconds,
        )

    def free_disk_bytes(self) -> int:
        """Free bytes where environments are kept."""
        existing = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        return shutil.disk_usage(existing).free

    def remove(self, name: str) -> None:
        """Delete one environment.

        Raises:
            KeyError: there is none of that name.
        """
        path = self.folder / name
        if path.parent != self.folder or not path.is_dir():
            raise KeyError(name)
        (path / _RECORD).unlink(missing_ok=True)  # first, so that an interruption leaves it unfinished, not broken
        shutil.rmtree(path)

    # -- making one ---------------------------------------------------------------------------------------------------

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment:
        """Make the environment of a recipe, or return the one that is there.

        Args:
            framework: whose recipe it is.
            recipe: what to install.
            report: called with what is happening and the fraction done (None when unknown).

        Raises:
            EnvironmentFailure: with the reason and the mend; nothing half-made stays behind.
        """
        if (ready := self.find(framework, recipe)) is not None:
            return ready
        minor, interpreter = self._interpreter(framework, recipe)
        needed = int(recipe.disk_mb * _MEGABYTE * _DISK_MARGIN)
        if (free := self.free_disk_bytes()) < needed:
            raise EnvironmentFailure(
                f"{needed / 1e9:.1f} GB of disk are needed, {free / 1e9:.1f} GB are free",
                "free some space, or set ADVISOR_HOME to a folder on a larger disk",
            )
        path = self.folder / self._name(framework, recipe, minor)
        started = time.monotonic()

        def tell(what: str) -> None:
            report(what, min(0.95, (time.monotonic() - started) / recipe.install_seconds))

        async with self._exclusive(path, tell):
            if (ready := self._read(path)) is not None:  # another process made it while this one waited
                return ready
            try:
                return await self._make(framework, recipe, path, interpreter, tell)
            except BaseException as failure:
                shutil.rmtree(path, ignore_errors=True)
                if isinstance(failure, OSError):
                    raise _unwritable(failure) from failure
                raise

    async def _make(
        self, framework: Framework, recipe: Recipe, path: Path, interpreter: Path, tell: Callable[[str], None]
    ) -> Environment:
        shutil.rmtree(path, ignore_errors=True)
        for folder in ("home", "tmp"):
            (path / folder).mkdir(parents=True)
        venv = path / "venv"
        tell("finding versions")
        backend = await self._lock(recipe, path, interpreter)
        tell("making the environment")
        await _run_uv("venv", "--python", str(interpreter), "--no-project", str(venv))
        python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        tell("downloading and installing")
        install = ["--only-binary", ":all:", "--compile-bytecode", *backend]
        installing = asyncio.ensure_future(
            _run_uv("pip", "install", "--python", str(python), "--no-deps", *install, "-r", str(path / _LOCK))
        )
        try:
            while not (await asyncio.wait({installing}, timeout=1.0))[0]:
                tell("downloading and installing")
        finally:
            installing.cancel()
            with contextlib.suppress(asyncio.CancelledError, EnvironmentFailure):
                await installing
        installing.result()
        stand_ins = tuple(_link(venv, recipe))
        environment = Environment(
            name=path.name,
            framework=framework.id,
            recipe=recipe.id,
            path=path,
            python=python,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            variables=_variables(recipe, path),
            stand_ins=stand_ins,
            freeze=_versions((path / _LOCK).read_text(encoding="utf-8")),
            disk_bytes=sum(f.lstat().st_size for f in venv.rglob("*") if f.is_file()),
        )
        temporary = path / (_RECORD + ".part")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(environment, enc_hook=str)))
        temporary.replace(path / _RECORD)
        return environment

    async def _lock(self, recipe: Recipe, path: Path, interpreter: Path) -> list[str]:
        """Resolve the recipe into a lock file; returns the arguments an install of it needs besides.

        The user's own indexes are asked first. When they hold only the CUDA build of a package and the recipe is for
        the CPU, uv's index of CPU builds is asked.
        """
        requirements = path / "requirements.in"
        requirements.write_text("\n".join(recipe.requirements) + "\n", encoding="utf-8")
        compile_ = ["pip", "compile", "--no-header", "--no-annotate", "--python", str(interpreter)]
        compile_ += ["--only-binary", ":all:", "--output-file", str(path / _LOCK), str(requirements)]
        backend = ["--torch-backend", recipe.torch_backend] if recipe.torch_backend else []
        try:
            await _run_uv(*compile_)
        except EnvironmentFailure:
            if not backend:
                raise
        else:
            if recipe.devices != ("cpu",) or not _CUDA_PACKAGES.search((path / _LOCK).read_text(encoding="utf-8")):
                return []
            if not backend:
                return []
            (path / _LOCK).unlink()
        await _run_uv(*compile_, *backend)
        return backend

    def _interpreter(self, framework: Framework, recipe: Recipe) -> tuple[str, Path]:
        here = interpreters()
        for minor in recipe.python:
            if minor in here:
                return minor, here[minor]
        raise EnvironmentFailure(
            f"{framework.name} needs Python {' or '.join(recipe.python)}; found {', '.join(sorted(here, key=_minor))}",
            f"install Python {recipe.python[0]} (for example with `uv python install {recipe.python[0]}`)",
        )

    # -- folders ------------------------------------------------------------------------------------------------------

    def _name(self, framework: Framework, recipe: Recipe, minor: str) -> str:
        links = [(link.target, link.name) for link in recipe.links]
        content = json.dumps([minor, recipe.requirements, recipe.torch_backend, links]).encode()
        return f"{framework.id}-{recipe.id}-py{minor}-{hashlib.blake2b(content, digest_size=5).hexdigest()}"

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from sorted(path for path in self.folder.iterdir() if path.is_dir() and not path.is_symlink())

    def _read(self, path: Path) -> Environment | None:
        try:
            environment = msgspec.json.decode(
                (path / _RECORD).read_bytes(), type=Environment, dec_hook=lambda _type, text: Path(text)
            )
        except (OSError, msgspec.MsgspecError):
            return None
        return environment if environment.python.exists() else None

    def _lock_file(self, path: Path) -> Path:
        return self.folder / f".{path.name}.lock"

    def _being_made(self, path: Path) -> bool:
        """Whether a process holds the lock of this environment."""
        import fcntl  # environments are made on Linux and macOS only

        try:
            with self._lock_file(path).open() as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    @contextlib.asynccontextmanager
    async def _exclusive(self, path: Path, tell: Callable[[str], None]) -> AsyncIterator[None]:
        """Hold the environment's lock, so that two runs never make the same one at once."""
        import fcntl  # environments are made on Linux and macOS only

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = self._lock_file(path).open("w")
        except OSError as error:
            raise _unwritable(error) from error
        with lock as stream:
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    tell("waiting for another run that makes the same environment")
                    await asyncio.sleep(0.5)
            yield


def _unwritable(error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the environment could not be written: {error.strerror or error}",
        "free some space or check the rights of the folder ADVISOR_HOME names",
    )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _variables(recipe: Recipe, path: Path) -> dict[str, str]:
    """What workers get: the recipe's variables, and caches inside the environment instead of the user's home."""
    home = str(path / "home")
    private = {"HOME": home, "XDG_CACHE_HOME": f"{home}/.cache", "TMPDIR": str(path / "tmp"), "KERAS_HOME": home}
    return {**recipe.environment, **private}


def _versions(lock: str) -> dict[str, str]:
    pairs = (line.partition("==")[::2] for line in lock.splitlines())
    return {name.strip(): version.split(";")[0].strip() for name, version in pairs if version}


def _link(venv: Path, recipe: Recipe) -> Iterator[str]:
    """Make the recipe's links; yields what each stands in for."""
    site = next(venv.glob("lib/python3.*/site-packages"))
    for link in recipe.links:
        target = next(iter(sorted(site.glob(link.target))), None)
        if target is None:
            raise EnvironmentFailure(f"the package carries no {link.target}", "report the recipe as out of date")
        name = site / link.name
        name.unlink(missing_ok=True)
        name.symlink_to(os.path.relpath(target, name.parent))
        yield f"{link.name} -> {link.target}"


async def _run_uv(*arguments: str) -> str:
    """Run uv to its end; its standard output.

    Raises:
        EnvironmentFailure: it failed; the reason is the gist of what it said.
    """
    if find_spec("uv") is None:
        raise EnvironmentFailure("the package uv is not installed", "install the app again with its dependencies")
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    variables |= {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    variables |= uv_variables(await asyncio.to_thread(read_pip_config), variables)
    process = await asyncio.create_subprocess_exec(
        _uv(),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=variables,
    )
    try:
        output, complaints = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        raise _failure(complaints.decode(errors="replace"))
    return output.decode(errors="replace")


_NETWORK = re.compile(
    r"error sending request|dns error|failed to fetch|connect(ion)? (error|refused|reset)|timed? ?out"
    r"|network (was|is) disabled|failed to read `--find-links`",
    re.I,
)
_NO_SPACE = re.compile(r"no space left|disk quota|os error 28", re.I)
_NO_VERSION = re.compile(
    r"no solution found|there (is|are) no version|no matching|not found in the package registry", re.I
)
_URL = re.compile(r"[a-z]+://[^\s`)]+")


def _failure(complaints: str) -> EnvironmentFailure:
    """What uv's complaint means for the user; addresses in it are left out."""
    text = _URL.sub("<index>", complaints)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("warning")]
    gist = " ".join(lines)[:400] or "uv gave no reason"
    if _NO_SPACE.search(complaints):
        return EnvironmentFailure("the disk is full", "free some space, or set ADVISOR_HOME to a larger disk")
    if _NETWORK.search(complaints):
        return EnvironmentFailure(
            f"the package index cannot be reached ({gist})",
            "check the network, the proxy and pip's index settings",
        )
    if _NO_VERSION.search(complaints):
        return EnvironmentFailure(
            f"the package index has no fitting version ({gist})",
            "check pip's index settings, or try another Python",
        )
    return EnvironmentFailure(gist, "run the same command again; `advisor doctor` shows what this machine has")
