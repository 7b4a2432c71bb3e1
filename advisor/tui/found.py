"""What this machine suggests as answers. A suggestion is pointed at on screen and written only when confirmed."""

from bench.results import Machine


def found_here(machine: Machine | None) -> dict[str, frozenset[str]]:
    """Question id -> option ids that describe this machine."""
    if machine is None:
        return {}
    train_on = {"cpu"}
    if machine.gpus and machine.gpu_driver is not None:  # a driver version is only known from NVML
        train_on.add("cuda")
    if machine.system.startswith("Darwin") and machine.architecture == "arm64":
        train_on.add("metal")
    return {
        "train_on": frozenset(train_on),
        "requirements.python": frozenset({".".join(machine.python.split(".")[:2])}),
    }
