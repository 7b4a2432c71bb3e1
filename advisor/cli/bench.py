"""`advisor bench`: what could be measured here, measuring it, and what was measured."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli import bench_results
from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.readiness import Readiness
    from bench.workload import Workload

_GB, _MB = 1e9, 1e6


@click.group(help=_("Measure frameworks on this machine and look at what was measured."))
def bench() -> None:
    pass


for _command in bench_results.COMMANDS:
    bench.add_command(_command)


@bench.command("list", help=_("Candidates, workloads and phases; environments, download and disk they need."))
@json_option
def list_(as_json: bool) -> None:
    import msgspec

    from advisor import known
    from advisor.paths import environments_folder, own_workloads
    from bench import machine
    from bench.environments import Environments
    from bench.planning import PHASES
    from bench.readiness import candidates_of, readiness
    from bench.recording import shipped
    from bench.workload import load_workloads, parameters

    base, environments = known.load(), Environments(environments_folder())
    workloads = load_workloads(own_workloads())
    found = [
        (device, readiness(base, candidate, device, environments))
        for device in machine.device_kinds()
        for framework in base.frameworks.values()
        for candidate in candidates_of(framework)
    ]
    if as_json:
        print_json(
            {
                "schema": "advisor/bench-list/1",
                "candidates": [{"device": device, **msgspec.to_builtins(each)} for device, each in found],
                "workloads": [{"id": name, "parameters": parameters(each)} for name, each in workloads.items()],
                "phases": PHASES,
                "recordings": list(shipped()),
                "free_disk_bytes": environments.free_disk_bytes(),
            }
        )
        return
    _print_readiness(found)
    out = console()
    for name, workload in workloads.items():
        out.print(f"{name}: {workload.stands_for.in_language(_language())}", markup=False)
    out.print(_("phases: {names}").format(names=", ".join(PHASES)))
    if names := ", ".join(shipped()):
        out.print(_("recordings, for `advisor bench replay`: {names}").format(names=names), markup=False)
    out.print(_("free disk: {size}").format(size=f"{environments.free_disk_bytes() / _GB:.1f} GB"))


@bench.command(help=_("Race frameworks on this machine. What was measured is kept, also when it is interrupted."))
@click.option(
    "-f", "--framework", "frameworks", default="", help=_("FRAMEWORK[@BACKEND][,..]; default: all there are.")
)
@click.option("-m", "--mode", "modes", default="default", show_default=True, help=_("MODE[,..], default or all."))
@click.option(
    "-w", "--workload", "workloads", default="", help=_("WORKLOAD[,..] or FILE.yaml[,..]; default: the usual ones.")
)
@click.option(
    "--phase",
    type=click.Choice(["train", "infer", "both"]),
    default="train",
    show_default=True,
    help=_("What to time."),
)
@click.option("--device", default="auto", show_default=True, help=_("auto, cpu, cuda:N or mps."))
@click.option(
    "--precision",
    type=click.Choice(["fp32", "tf32", "bf16"]),
    default="fp32",
    show_default=True,
    help=_("Arithmetic; results of different ones are not compared."),
)
@click.option("--threads", type=int, help=_("Threads of every candidate."))
@click.option("--batch", type=int, help=_("Samples per step; default: the workload's own."))
@click.option(
    "--budget", type=float, default=180.0, show_default=True, help=_("Seconds of measuring, shared by workloads.")
)
@click.option(
    "--goal",
    type=click.Choice(["winner", "order"]),
    default="winner",
    show_default=True,
    help=_("Go on until the fastest is certain, or every pair."),
)
@click.option(
    "--launches", type=int, help=_("Times that all workers are started anew; default: what the budget pays for.")
)
@click.option(
    "--data", "data", multiple=True, metavar="NAME=PATH", help=_("Your own files: mnist=FOLDER, pm25=FILE.csv.")
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help=_("Seed of made data and order.")
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE.jsonl",
    help=_("Write the race down, for `advisor bench replay`."),
)
@click.option("--yes", is_flag=True, help=_("Consent to downloads over 500 MB."))
@json_option
def run(
    frameworks: str,
    modes: str,
    workloads: str,
    phase: str,
    device: str,
    precision: str,
    threads: int | None,
    batch: int | None,
    budget: float,
    goal: str,
    launches: int | None,
    data: tuple[str, ...],
    seed: int,
    record: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    from advisor.cli import race
    from advisor.cli.bench_show import show_results
    from advisor.known import load
    from advisor.paths import store_file
    from bench import machine
    from bench.data import USERS, user_samples
    from bench.plan import Goal
    from bench.planning import Wishes, informed_plan

    base = load()
    known, chosen = _chosen_workloads(_words("--workload", workloads))
    own = _own_data(data, USERS)
    for workload in (known[name] for name in chosen if name in known):
        if workload.data in own:
            user_samples(workload, own[workload.data])  # so that a bad file is told before anything is downloaded
    wishes = Wishes(
        frameworks=_words("--framework", frameworks),
        modes=_words("--mode", modes) or ("default",),
        workloads=chosen,
        phases=("train", "infer") if phase == "both" else (phase,),
        device=device,
        precision=precision,
        threads=threads,
        batch=batch,
        budget_seconds=budget,
        goal=Goal(goal),
        launches=launches,
        seed=seed,
        data={known[name].data: "made" for name in chosen if name in known} | dict.fromkeys(own, "user"),
    )
    plan = informed_plan(wishes, base, tuple(known), machine.devices(), store_file())
    results = race.hold(plan, base, known, own, record=record, yes=yes)
    if as_json:
        print_json(results)
    else:
        show_results(results)
    if status := race.status_of(results):
        raise click.exceptions.Exit(status)


def _words(option: str, text: str) -> tuple[str, ...]:
    """The words of a list with commas between them; none when the option was left out."""
    from knowledge.faults import BadInput, Fault

    words = tuple(word.strip() for word in text.split(","))
    if text and not all(words):
        problem, mend = _("a name is missing before or after a comma"), _("put one comma between two names")
        raise BadInput([Fault(option, None, text, problem, mend)])
    return words if text else ()


def _chosen_workloads(words: tuple[str, ...]) -> "tuple[dict[str, Workload], tuple[str, ...]]":
    """All workloads there are, and the ids of those named, by id or as a file of one's own; the usual ones if none."""
    from advisor.paths import own_workloads
    from bench.workload import load_workloads, read_workload

    known = load_workloads(own_workloads())
    chosen = []
    for word in words:
        if word.endswith(".yaml"):
            workload = read_workload(Path(word))
            known[workload.id] = workload
            word = workload.id
        chosen.append(word)
    return known, tuple(chosen) or tuple(name for name, workload in known.items() if workload.usual)


def _own_data(pairs: tuple[str, ...], known: Iterable[str]) -> dict[str, Path]:
    from knowledge.faults import BadInput, Fault

    mend = _("the data sets are {names}; write NAME=PATH").format(names=", ".join(sorted(known)))
    split = {pair: pair.partition("=") for pair in pairs}
    faults = [
        Fault("--data", None, pair, _("is not NAME=PATH"), mend)
        for pair, (_n, equals, _p) in split.items()
        if not equals
    ]
    faults += [
        Fault("--data", None, pair, _("there is no such data set"), mend)
        for pair, (name, equals, _path) in split.items()
        if equals and name not in known
    ]
    if faults:
        raise BadInput(faults)
    return {name: Path(path) for name, _equals, path in split.values()}


def _language() -> str:
    from advisor.i18n import language

    return language()


def _print_readiness(found: "Sequence[tuple[str, Readiness]]") -> None:
    """One table for each kind of device, under its name where there are several."""
    devices = dict.fromkeys(device for device, _each in found)
    for device in devices:
        if len(devices) > 1:
            console().print(f"--device {device}", markup=False)
        _print_table([each for of, each in found if of == device])


def _print_table(found: "Iterable[Readiness]") -> None:
    from rich.table import Table

    from advisor.words import readiness_in_words

    table = Table(box=None, pad_edge=False)
    for heading in (_("candidate"), _("state"), _("download"), _("disk"), _("ready in"), ""):
        table.add_column(heading)
    for each in found:
        table.add_row(
            each.candidate + (" *" if each.default else ""),
            readiness_in_words(each.state),
            f"{each.download_bytes / _MB:,.0f} MB",
            f"{each.disk_bytes / _GB:.1f} GB",
            f"{each.install_seconds:.0f} s",
            each.why or "",
        )
    console().print(table)
