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
    for vendor in report["telemetry"]:
        out.print(f"GPU, {vendor['vendor']}: " + (", ".join(vendor["gpus"]) or vendor["absent_because"]), markup=False)
    for meter in report["energy"]:
        out.print(_("energy, {device}: {state}").format(device=meter["device"], state=_meter(meter)), markup=False)
    out.print("Python: " + ", ".join(report["interpreters"]))
    out.print(_("free disk: {size}").format(size=f"{report['free_disk_bytes'] / 1e9:.1f} GB"))
    width = max((len(check["candidate"]) for check in report["checks"]), default=0)
    several = len({check["device"] for check in report["checks"]}) > 1
    for check in report["checks"]:
        device = f"{check['device']:<8} " if several else ""
        state = readiness_in_words(check["state"])
        why = f": {check['why']} ({check['mend']})" if check["why"] else ""
        out.print(f"{device}{check['candidate']:<{width}} {state}{why}", markup=False)


def _meter(meter: dict[str, Any]) -> str:
    if meter["absent_because"] is None:
        return f"{meter['scope']}, {meter['basis']}"
    return f"{meter['absent_because']} ({meter['mend']})" if meter["mend"] else str(meter["absent_because"])


def _examine() -> dict[str, Any]:
    import msgspec

    from advisor import known
    from advisor.paths import environments_folder
    from bench import machine
    from bench.environments import Environments, interpreters
    from bench.readiness import candidates_of, readiness
    from bench.telemetry import open_meter, open_vendors

    base = known.load()
    environments = Environments(environments_folder())
    devices = machine.devices()
    vendors = []
    for vendor, sampler in open_vendors().items():
        gpus = [gpu.name for gpu in sampler.sample()]
        vendors.append(
            {"vendor": vendor, "gpus": gpus, "driver": sampler.driver, "absent_because": sampler.absent_because}
        )
        sampler.close()
    meters = []
    for device in devices:
        meter = open_meter(device)
        fields = ("scope", "basis", "absent_because", "mend")
        meters.append({"device": device, **{field: getattr(meter, field) for field in fields}})
        meter.close()
    return {
        "schema": "advisor/doctor/1",
        "machine": msgspec.to_builtins(machine.describe()),
        "devices": list(devices),
        "gpu_absent_because": None if any(each["gpus"] for each in vendors) else vendors[0]["absent_because"],
        "telemetry": vendors,
        "energy": meters,
        "interpreters": sorted(interpreters(), key=lambda minor: tuple(int(part) for part in minor.split("."))),
        "free_memory_bytes": machine.free_memory_bytes(),
        "free_disk_bytes": environments.free_disk_bytes(),
        "checks": [
            {"device": device, **msgspec.to_builtins(readiness(base, candidate, device, environments))}
            for device in machine.device_kinds()
            for framework in base.frameworks.values()
            for candidate in candidates_of(framework)
        ],
    }
