"""Hold candidates against the reference: `python -m tests.bench.parity_matrix [--device D] [--precision P] [name ...]`.

A name is a candidate ("keras@jax:fit"), a framework with its backend ("keras@jax"), or a workload; without any, all of
them. For every pair it prints the worst relative differences of losses, first update and inference outputs over the
seeds, after which both phases ran; it ends with 1 unless all keep to a third of their tolerance (METHOD.md, "Fair
blocks"). The environments are below ADVISOR_HOME, made on first use. Minutes to hours.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from advisor.paths import home
from bench import machine, parity, protocol
from bench.data import PreparedData, prepare
from bench.environments import Environment, Environments, recipe_for
from bench.results import Parity
from bench.session import Refusal, Session, WorkerFailure
from tests.bench.candidates import (
    CANDIDATES,
    DEADLINE,
    KNOWLEDGE,
    WORKLOADS,
    certify,
    honest,
    load_request,
    started,
)

STEPS = 4  # of each phase after the comparison: that it runs


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.parity_matrix")
    parser.add_argument("names", nargs="*", metavar="name", help="a candidate, a framework or a workload")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds of weights and data")
    parser.add_argument("--precision", choices=parity.TOLERANCES, default="fp32")
    parser.add_argument("--device", choices=machine.devices(), default="cpu")
    options = parser.parse_args(arguments)
    backends = {candidate: candidate.partition(":")[0] for candidate in CANDIDATES}
    for name in options.names:
        if name not in {*backends, *backends.values(), *WORKLOADS}:
            parser.error(f"{name!r} is no candidate, framework or workload")
    wanted = set(options.names)
    candidates = [name for name, backend in backends.items() if wanted & {name, backend}] or list(CANDIDATES)
    workloads = [name for name in WORKLOADS if name in wanted] or list(WORKLOADS)
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"device": options.device, "precision": options.precision}
        return asyncio.run(matrix(candidates, workloads, options.seeds, chosen, Path(folder)))


async def matrix(
    candidates: Sequence[str], workloads: Sequence[str], seeds: int, chosen: dict[str, str], folder: Path
) -> int:
    @cache
    def material(seed: int, workload: str) -> PreparedData:
        place = folder / str(seed)
        place.mkdir(exist_ok=True)
        return prepare(WORKLOADS[workload], seed, place)

    print(f"{'candidate':26}{'workload':22}{'losses':>9}{'update':>9}{'outputs':>9}")
    well = True
    for candidate in candidates:
        well &= await row(candidate, workloads, [partial(material, seed) for seed in range(seeds)], chosen, folder)
    print("all keep to a third of their tolerance" if well else "not all keep to a third of their tolerance")
    return 0 if well else 1


async def row(
    candidate: str,
    workloads: Sequence[str],
    materials: Sequence[Callable[[str], PreparedData]],
    chosen: dict[str, str],
    folder: Path,
) -> bool:
    """One candidate on all workloads, in one worker as long as that lives; whether all is well.

    `materials` gives a workload's material, for each seed; `chosen` are the device and the precision.
    """
    all_well = True
    left = list(workloads)
    while left:
        async with started(candidate, partial(make_environment, device=chosen["device"])) as session:
            load = load_request(candidate, **chosen)
            await session.request(load, protocol.Loaded, "import", DEADLINE)
            while left and not session.lost.done():
                workload = left.pop(0)
                try:
                    found = [
                        await both_phases(session, candidate, material(workload), chosen["precision"], folder)
                        for material in materials
                    ]
                except WorkerFailure as failure:
                    told = f"  {failure}"
                    all_well &= isinstance(failure, Refusal) and failure.kind == "precision"  # skipped, with the reason
                else:
                    well = all(honest(one) for one in found)
                    all_well, told = all_well and well, summary(found) + ("" if well else "  <-- more than a third")
                print(f"{candidate:26}{workload:22}{told}", flush=True)
    return all_well


async def both_phases(session: Session, candidate: str, material: PreparedData, precision: str, folder: Path) -> Parity:
    found = await certify(session, candidate, material, folder, precision)
    for request in (protocol.Train(id=0, steps=STEPS), protocol.Infer(id=0, steps=STEPS)):
        await session.request(request, protocol.Block, "block", DEADLINE)
    return found


def summary(found: Sequence[Parity]) -> str:
    losses = max(one.max_relative_difference for one in found)
    update = max(one.first_update_difference for one in found)
    tensors = sorted({str(one.worst_tensor) for one in found})
    return f"{losses:9.1e}{update:9.1e}{max(one.output_difference or 0 for one in found):9.1e}  {', '.join(tensors)}"


async def make_environment(framework: str, backend: str | None, device: str) -> Environment:
    known = KNOWLEDGE.frameworks[framework]
    environments = Environments(home() / "environments")
    return await environments.create(known, recipe_for(known, backend, device), lambda _what, _done: None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
