"""A real process that speaks the worker's protocol and misbehaves on request. Standard library only.

FAKE_WORKER holds JSON: {"step_seconds": 0.001, "call_seconds": 0, "cpu_share": 1, "loss": 1.0, "output": 1.0,
"idle_spin": false, "children": 0, "speed": 100, "spread": 0 (of processes, log sd), "infer_spread": 0,
"noise": 0.02 (of a step), "crowded": 1 (times as long in rounds), "dearer": 1 (after 5 of them), "per_sample": false,
"flops": 1e10, "rss": 50000000, "kernel": 0.01, "page_faults": 3, "adapter": the only one it takes,
"faults": {"block": {"after": 3, "do": "sigkill"}}}.
A fault strikes the request of that name after so many requests of that kind; a "block" is a train or infer request of
a round, which re-warms, unlike one of the warm-up.
Faults: exit, sigkill, sigstop, silence, garbage, half, long, twice, wrong-id, refuse-once, refuse,
wrong-shape.

Steps are pretended: the reply states what they would have taken, and a block sleeps for a hundredth ("speed") of that.
"""

import array
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SPEED = 100  # pretended seconds per real one
FLOPS = 1e10  # pretended, of a matrix product
OWN_BATCH = 8  # samples of the batches that a pretended workload has


def main() -> None:
    settings: dict[str, Any] = {
        "step_seconds": 0.001,
        "call_seconds": 0.0,
        "cpu_share": 1.0,
        "faults": {},
        "noise": 0.02,
    }
    settings.update(json.loads(os.environ.get("FAKE_WORKER", "{}")))
    settings["batch"], settings["rounds"] = OWN_BATCH, 0
    settings["luck"] = math.exp(random.gauss(0, settings.get("spread", 0.0)))  # of this process
    settings["infer_luck"] = math.exp(random.gauss(0, settings.get("infer_spread", 0.0)))
    counts: dict[str, int] = {}
    noise = random.Random(os.getpid())
    for _ in range(settings.get("children", 0)):
        subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(600)"])
    if settings.get("idle_spin"):
        threading.Thread(target=spin, daemon=True).start()
    print("a framework's banner", file=sys.stderr, flush=True)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        kind = "block" if request.get("rewarm") else request["do"]
        counts[kind] = counts.get(kind, 0) + 1
        fault = settings["faults"].get(kind)
        reply = {"id": request["id"], "ok": True, **answer(request, settings, noise)}
        if fault and counts[kind] > fault.get("after", 0):
            reply = strike(fault["do"], reply, first=counts[kind] == fault.get("after", 0) + 1)
        send(json.dumps(reply))
        if kind == "close":
            return


def answer(request: dict[str, Any], settings: dict[str, Any], noise: random.Random) -> dict[str, Any]:
    match request["do"]:
        case "load":
            wanted = settings.get("adapter", request["adapter"])
            if request["adapter"] != wanted:
                return {"ok": False, "kind": "import", "error": f"another adapter than {wanted}"}
            return {"import_seconds": 0.5, "versions": {"fake": "1.0"}}
        case "build":
            return {"build_seconds": 0.1}
        case "trace":
            write_tensor(Path(request["first_update"]), "dense.weight", [1], 1.0)  # as it was: there is no learning
            return {"losses": [settings.get("loss", 1.0)] * request["steps"], "first_step_seconds": 0.2}
        case "train" | "infer":
            spread = settings["noise"]
            step = settings["step_seconds"] * noise.uniform(1 - spread, 1 + spread)
            if settings.get("per_sample"):
                step *= settings["batch"] / OWN_BATCH
            wall = settings["call_seconds"] + request["steps"] * step
            wall *= settings["luck"] * (settings["infer_luck"] if request["do"] == "infer" else 1.0)
            if request.get("rewarm"):  # in a round, with the others there
                wall *= settings.get("crowded", 1.0)
                wall *= settings.get("dearer", 1.0) if settings["rounds"] >= 5 else 1.0
                settings["rounds"] += 1
            time.sleep(wall / settings.get("speed", SPEED))
            return {"wall_seconds": wall, "cpu_seconds": wall * settings["cpu_share"], "steps": request["steps"]}
        case "batches":
            settings["batch"] = batch_of(Path(request["batches"]))
        case "predict":
            write_tensor(Path(request["outputs"]), "outputs", [OWN_BATCH, 1], settings.get("output", 1.0))
            return {"first_step_seconds": 0.05}
        case "latency":
            seconds = settings["call_seconds"] + settings["step_seconds"]
            return {"seconds": [seconds * noise.uniform(0.98, 1.02) for _ in range(request["calls"])]}
        case "copy":
            return {"seconds": None}
        case "gemm":
            return {"seconds": 2 * request["size"] ** 3 / settings.get("flops", FLOPS)}
        case "status":
            return {
                "threads": 1,
                "threads_seen": 1,
                "peak_rss_bytes": settings.get("rss", 50_000_000),
                "gpu_memory_bytes": None,
                "recompilations": None,
                "graph_breaks": None,
                "page_faults_per_step": settings.get("page_faults", 3.0),
                "kernel_share": settings.get("kernel", 0.01),
                "copy_included": False,
                "notes": [],
            }
    return {}


def batch_of(manifest: Path) -> int:
    """Samples of one batch."""
    return int(json.loads(manifest.read_text(encoding="utf-8"))["tensors"][0]["shape"][1])


def write_tensor(manifest: Path, name: str, shape: list[int], value: float) -> None:
    """Write one tensor, all of it `value`."""
    manifest.with_suffix(".bin").write_bytes(array.array("f", [value] * math.prod(shape)).tobytes())
    tensor = {"name": name, "dtype": "float32", "shape": shape, "offset": 0}
    document = {"schema": "advisor/tensors/1", "file": manifest.with_suffix(".bin").name, "tensors": [tensor]}
    manifest.write_text(json.dumps(document), encoding="utf-8")


def strike(fault: str, reply: dict[str, Any], first: bool) -> dict[str, Any]:
    match fault:
        case "exit":
            print("the framework gave up", file=sys.stderr, flush=True)
            os._exit(3)
        case "exit-with-path":
            print("cannot open /home/somebody/cache/model.bin", file=sys.stderr, flush=True)
            os._exit(1)
        case "sigkill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sigstop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "silence":
            time.sleep(600)
        case "garbage":
            send("loss: 0.3, all is well")
            time.sleep(600)
        case "half":
            sys.stdout.write(json.dumps(reply)[:10])
            sys.stdout.flush()
            os._exit(0)
        case "long":
            send("x" * (1 << 21))
        case "twice":
            send(json.dumps(reply))
        case "wrong-id":
            return {**reply, "id": 999}
        case "wrong-shape":
            return {"id": reply["id"], "ok": True, "wall_seconds": "soon"}
        case "refuse" | "refuse-once" if fault == "refuse" or first:
            return {
                "id": reply["id"],
                "ok": False,
                "kind": "run",
                "error": "out of memory",
                "mend": "use a smaller batch",
            }
        case "no-compiler":
            return {
                "id": reply["id"],
                "ok": False,
                "kind": "compiler",
                "error": "no C++ compiler",
                "mend": "install g++",
            }
    return reply


def send(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
