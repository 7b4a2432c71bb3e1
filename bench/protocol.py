"""The messages between the parent and one worker: JSON lines, one reply per request, nothing unasked.

The worker (`bench/worker/main.py`) is started as `python -I <path>/main.py` by the interpreter of a framework's
environment. It duplicates its stdout for replies and points descriptor 1 at stderr before anything of the framework is
imported, so whatever a framework prints cannot break the stream. Requests are read by a thread that ends the process
when the pipe closes; on Linux the kernel also kills it when its parent dies. The worker side is plain dictionaries
(it runs on Python 3.6 to 3.14); these records are the parent's typed view of the same lines.

Order: load -> build -> predict? -> trace -> (train | infer | batches | latency | copy | gemm | status)* -> close.
`build` may come again, for another network or mode: the worker then starts afresh with it. A request that fails
answers `ok: false` with `error` (one line), `kind` and `mend`, and the worker stays alive unless the framework is
beyond saving.

Tensors cross as raw little-endian arrays in one file with a JSON manifest beside it:
{"schema": "advisor/tensors/1", "file": "x.bin", "tensors": [{"name", "dtype": "float32"|"int32", "shape", "offset"}]}.
Canonical layouts: images NCHW, series (batch, time, features); convolution kernels OIHW; dense (in, out) on an input
flattened in NCHW order; LSTM "<id>.kernel" (features, 4 units), "<id>.recurrent" (units, 4 units), "<id>.bias"
(4 units), gates in order i, f, g, o, one bias vector; attention "<id>.qkv.weight" (D, 3 D), "<id>.qkv.bias" (q, k, v in
that order, each split in heads), "<id>.out.weight", "<id>.out.bias"; batch normalisation hands over its state too,
"<id>.mean" and "<id>.variance"; every other tensor "<layer id>.weight" / "<layer id>.bias".
"""

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="load"):
    """Import the framework. `adapter` is the path of the adapter file, `threads` what it may use.

    `precision` is "fp32", "tf32" (CUDA only) or "bf16" (mixed precision, weights stay float32).
    """

    id: int
    adapter: str
    backend: str | None
    device: str
    precision: str
    threads: int


class Build(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="build"):
    """Build the network with the given weights. Paths: network JSON, weights manifest, batches manifest.

    The batches manifest holds "inputs.<name>" (batches, batch, ...), "targets" (batches, batch, ...) and, for each
    recurrence, "steps.<layer id>" (batches,); workers cycle through them.
    """

    id: int
    network: str
    weights: str
    batches: str
    mode: str


class Trace(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="trace"):
    """Train `steps` steps, one loss each, and write the weights after the first update to `first_update`."""

    id: int
    steps: int
    first_update: str


class Train(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="train"):
    """One block: `rewarm` untimed steps, then `steps` timed ones with a single synchronisation at the end."""

    id: int
    steps: int
    rewarm: int = 1


class Infer(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="infer"):
    id: int
    steps: int
    rewarm: int = 1


class Predict(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="predict"):
    """One inference pass over the first batch, weights as they are; "outputs" (batch, ...) goes to that manifest."""

    id: int
    outputs: str


class Batches(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="batches"):
    """From now on cycle through the batches of another manifest, of any batch size. Weights and mode stay."""

    id: int
    batches: str


class Latency(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="latency"):
    """One untimed inference call, then `calls` of one batch each, every one synchronised and timed alone."""

    id: int
    calls: int


class Copy(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="copy"):
    """Copy the inputs and targets of `steps` batches from the host's memory to the device's."""

    id: int
    steps: int


class Gemm(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="gemm"):
    """Multiply two size x size matrices (2 size^3 FLOPs) in the run's precision, `repeats` times, each timed alone."""

    id: int
    size: int
    repeats: int


class Status(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="status"):
    id: int


class Close(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="close"):
    id: int


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What every reply has."""

    id: int
    ok: bool
    error: str | None = None
    kind: str | None = None  # import | device | precision | compiler | library | build | run | protocol
    mend: str | None = None


class Loaded(Reply, frozen=True, kw_only=True):
    import_seconds: float
    versions: dict[str, str]


class Built(Reply, frozen=True, kw_only=True):
    build_seconds: float


class Predicted(Reply, frozen=True, kw_only=True):
    first_step_seconds: float


class Traced(Reply, frozen=True, kw_only=True):
    losses: tuple[float, ...]
    first_step_seconds: float


class Block(Reply, frozen=True, kw_only=True):
    wall_seconds: float
    cpu_seconds: float
    steps: int


class Latencies(Reply, frozen=True, kw_only=True):
    seconds: tuple[float, ...]


class Copied(Reply, frozen=True, kw_only=True):
    seconds: float | None  # per batch; null where the device computes in the host's memory


class Multiplied(Reply, frozen=True, kw_only=True):
    seconds: float  # the least of the repeats


class StatusReply(Reply, frozen=True, kw_only=True):
    threads: int  # threads the framework says it uses
    threads_seen: int  # threads of the process that used CPU time, from the kernel
    peak_rss_bytes: int
    gpu_memory_bytes: int | None
    recompilations: int | None  # compilations since build beyond each function's first; null: nothing is compiled
    graph_breaks: int | None  # null where the framework has no such thing
    page_faults_per_step: float | None = None  # in timed blocks, without those that read a disk
    kernel_share: float | None = None  # of the CPU seconds of timed blocks, those spent in the kernel
    copy_included: bool  # every step copies its batch from the host's memory to the device's
    notes: tuple[str, ...] = ()
