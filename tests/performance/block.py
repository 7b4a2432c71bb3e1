"""What the harness adds to a block: per step (an adapter that does nothing but take batches), and once per block."""

import asyncio
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import protocol
from bench.engine import WORKER
from bench.session import Session, worker_variables
from tests.performance import clocks
from tests.performance.bounds import told
from tests.performance.options import Options

STEPS = 500_000
BLOCKS = 30
SHORT_BLOCKS = 50
"""Blocks of one step that make one reading of what a block costs."""


async def _session(folder: Path) -> Session:
    manifest, network = folder / "none.json", folder / "network.json"
    manifest.write_text(json.dumps({"schema": "advisor/tensors/1", "file": "none.bin", "tensors": []}))
    network.write_text("{}")
    session = await Session.start(
        "empty", Path(sys.executable), WORKER, worker_variables({}), None, ("--parent", str(os.getpid()))
    )
    adapter = str(Path(__file__).with_name("empty_adapter.py"))
    load = protocol.Load(id=0, adapter=adapter, backend=None, device="cpu", precision="fp32", threads=1)
    await session.request(load, protocol.Loaded, "import", 60)
    paths = {"network": str(network), "weights": str(manifest), "batches": str(manifest)}
    await session.request(protocol.Build(id=0, mode="none", **paths), protocol.Built, "build", 60)
    return session


async def _measure(folder: Path) -> tuple[list[float], list[float]]:
    """CPU seconds per step of long blocks, and per block of one step; blocks of both kinds take turns."""
    session = await _session(folder)
    try:
        steps, blocks = [], []
        for _ in range(BLOCKS):
            before = clocks.of(session.pid)
            await session.request(protocol.Train(id=0, steps=STEPS), protocol.Block, "a block", 60)
            between = clocks.of(session.pid)
            for _ in range(SHORT_BLOCKS):
                await session.request(protocol.Train(id=0, steps=1), protocol.Block, "a block", 60)
            steps.append((between - before) / STEPS)
            blocks.append((clocks.of(session.pid) - between) / SHORT_BLOCKS)
        return steps, blocks
    finally:
        await session.kill()


def inside(options: Options) -> None:
    """Target: <= 1 us per step."""
    with TemporaryDirectory() as folder:
        steps, blocks = asyncio.run(_measure(Path(folder)))
    print(f"harness inside a block, CPU per step; target 1 us: {told(steps, 4, 1e6, ' us')}")
    print(f"harness around a block, CPU per block: {told(blocks, 0, 1e6, ' us')}")


EXPERIMENTS = {"inside a block": inside}
