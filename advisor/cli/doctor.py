"""`advisor doctor`: what this machine has, and what would not work on it."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.output import console, json_bytes, json_option, print_json
from advisor.files import write_atomically
from advisor.i18n import _


@click.command(help=_("Show what this machine has, and what would not work on it. Nothing is sent anywhere."))
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), help=_("Write the same into a JSON file."))
@json_option
def doctor(bundle: Path | None, as_json: bool) -> None:
    report = _examine()
    if bundle is not None:
        write_atomically(bundle, json_bytes(report))
    if as_json:
        print_json(report)
        return
    from advisor.words import readiness_in_words

    out = console()
    machine = report["machine"]
    out.print(f"{machine['cpu']} · {machine['cores_logical']} CPU · {machine['memory_bytes'] / 2**30:.1f} GiB")
    out.print("GPU: " + (", ".join(machine["gpus"]) or report["gpu_absent_because"] or _("none")))
    out.print("Python: " + ", ".join(report["interpreters"]))
    out.print(_("free disk: {size}").format(size=f"{report['free_disk_bytes'] / 1e9:.1f} GB"))
    for check in report["checks"]:
        state = readiness_in_words(check["state"])
        why = f": {check['why']} ({check['mend']})" if check["why"] else ""
        out.print(f"{check['candidate']:<22} {state}{why}", markup=False)


def _examine() -> dict[str, Any]:
    import msgspec

    import knowledge
    from advisor.paths import environments_folder
    from bench import machine
    from bench.environments import Environments, interpreters
    from bench.readiness import candidates_of, readiness
    from bench.telemetry import open_nvml

    base = knowledge.load()
    environments = Environments(environments_folder())
    gpu = open_nvml()
    absent = gpu.absent_because
    gpu.close()
    return {
        "schema": "advisor/doctor/1",
        "machine": msgspec.to_builtins(machine.describe()),
        "devices": list(machine.devices()),
        "gpu_absent_because": absent,
        "interpreters": sorted(interpreters(), key=lambda minor: tuple(int(part) for part in minor.split("."))),
        "free_memory_bytes": machine.free_memory_bytes(),
        "free_disk_bytes": environments.free_disk_bytes(),
        "checks": [
            msgspec.to_builtins(readiness(base, candidate, "cpu", environments))
            for framework in base.frameworks.values()
            for candidate in candidates_of(framework)
        ],
    }
