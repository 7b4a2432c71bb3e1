"""`advisor env`: the benchmark environments on this machine."""

import click

from advisor.cli.output import console, json_option, print_json, warn
from advisor.i18n import _

_GB = 1e9


@click.group(help=_("List, make and remove benchmark environments."))
def env() -> None:
    pass


@env.command("list", help=_("Which environments are there, and how large they are."))
@json_option
def list_(as_json: bool) -> None:
    from advisor.paths import environments_folder
    from bench.environments import Environments

    environments = Environments(environments_folder())
    found = environments.finished()
    if as_json:
        fields = ("name", "framework", "recipe", "created", "disk_bytes", "stand_ins", "freeze")
        rows = [{field: getattr(environment, field) for field in fields} for environment in found]
        unfinished = [path.name for path in environments.unfinished()]
        print_json({"schema": "advisor/environments/1", "environments": rows, "unfinished": unfinished})
        return
    if not found:
        console().print(_("No environments yet. `advisor env create FRAMEWORK` or a benchmark makes them."))
    for environment in found:
        line = f"{environment.name}  {environment.disk_bytes / _GB:.1f} GB  {environment.created}"
        console().print(line, markup=False)


@env.command(help=_("Make the environments of one or more frameworks (framework or framework@backend)."))
@click.argument("frameworks", nargs=-1, required=True)
@click.option("--device", default="cpu", show_default=True, help=_("The device the environment is for."))
@click.option("--yes", is_flag=True, help=_("Consent to downloads over 500 MB."))
def create(frameworks: tuple[str, ...], device: str, yes: bool) -> None:
    import asyncio

    from advisor.cli.select import ask_consent, recipes_of
    from advisor.paths import environments_folder
    from bench.environments import EnvironmentFailure, Environments

    environments = Environments(environments_folder())
    wanted = recipes_of(frameworks, device)
    ask_consent(sum(environments.estimate(f, r).download_bytes for f, r in wanted), yes)
    failed = False
    for framework, recipe in wanted:
        try:
            made = asyncio.run(environments.create(framework, recipe, _Progress(f"{framework.id} {recipe.id}")))
            console().print(f"{made.name}  {made.disk_bytes / _GB:.1f} GB")
        except EnvironmentFailure as failure:
            warn(f"{framework.id} {recipe.id}: {failure}")
            failed = True
    if failed:
        raise click.exceptions.Exit(1)


@env.command(help=_("Remove the environments of one or more frameworks, or single ones by name."))
@click.argument("names", nargs=-1, required=True)
def remove(names: tuple[str, ...]) -> None:
    from advisor.paths import environments_folder
    from bench.environments import Environments
    from knowledge.faults import BadInput, Fault

    environments = Environments(environments_folder())
    found = environments.finished()
    chosen = [e for e in found if e.name in names or e.framework in names]
    unknown = [name for name in names if not any(name in (e.name, e.framework) for e in found)]
    if unknown:
        mend = _("`advisor env list` shows what is there")
        raise BadInput([Fault("env remove", None, name, _("there is no such environment"), mend) for name in unknown])
    for environment in chosen:
        environments.remove(environment.name)
        console().print(_("Removed {name}.").format(name=environment.name))


@env.command(help=_("Remove unfinished environments and those no recipe asks for any more."))
def prune() -> None:
    import shutil

    from advisor import known
    from advisor.paths import environments_folder
    from bench.environments import Environments

    environments = Environments(environments_folder())
    needed = {
        environment.name
        for framework in known.load().frameworks.values()
        for recipe in framework.recipes
        if (environment := environments.find(framework, recipe)) is not None
    }
    for path in environments.unfinished():
        shutil.rmtree(path)
        console().print(_("Removed {name}.").format(name=path.name))
    for environment in environments.finished():
        if environment.name not in needed:
            environments.remove(environment.name)
            console().print(_("Removed {name}.").format(name=environment.name))


class _Progress:
    """Says on stderr when what is happening changes."""

    def __init__(self, name: str) -> None:
        self._name, self._last = name, ""

    def __call__(self, what: str, fraction: float | None) -> None:
        if what != self._last:
            self._last = what
            warn(f"{self._name}: {what}")
