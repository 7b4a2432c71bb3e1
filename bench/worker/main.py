"""One worker: a framework behind JSON lines, in the interpreter of its own environment (see `bench.protocol`).

Started as `python -I main.py [--parent PID]`. Standard library only until an adapter is loaded; Python 3.6 to 3.14.
What a framework prints cannot reach the replies, what it leaves running ends with the parent.
"""

import ctypes
import importlib.util
import json
import math
import os
import platform
import queue
import re
import signal
import sys
import threading
import time

NO_REQUEST = -1  # the id of a reply to a line whose id could not be read
LONGEST_LINE = 1 << 20  # bytes; the longest request is a few hundred
BUSY_SHARE = 0.01  # of a block's wall time: a thread that used less was not computing
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# A missing shared library, as glibc, musl and macOS word it.
_LIBRARY = re.compile(
    r"([\w./+-]+\.so[\w.]*): cannot open shared object file"
    r"|Error loading shared library ([\w./+-]+)"
    r"|Library not loaded: ([\w@./+-]+)"
)
_DEBIAN_PACKAGES = {
    "libgomp": "libgomp1",
    "libquadmath": "libquadmath0",
    "libgfortran": "libgfortran5",
    "libstdc++": "libstdc++6",
    "libGL": "libgl1",
    "libmpi": "libopenmpi3",
}

# Set before NumPy or a framework is imported: libraries read these once. Idle threads must not spin, they would slow
# the other workers down (300 ms instead of 40 for one step of PyTorch on a busy two-core machine); accelerators'
# memory must not be reserved beyond need, several workers share it.
FIXED_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "KMP_BLOCKTIME": "0",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # cuda:N is the N-th as NVML counts them, and not the N-th fastest
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Inductor compiles in this process instead of keeping children that would outlive a killed worker.
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "MXNET_STORAGE_FALLBACK_LOG_VERBOSE": "0",
}
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # XLA's CPU client takes its thread count from here
)


def load_module(name, path):
    """Import the file at `path` as `name`, whatever sys.path holds."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ImportError("%s is not a Python file" % path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


HERE = os.path.dirname(os.path.abspath(__file__))
kit = load_module("advisor_kit", os.path.join(HERE, "kit.py"))
load_module("advisor_runtimes", os.path.join(HERE, "runtimes.py"))


class Worker(object):
    """Serves requests in the order of `bench.protocol`."""

    def __init__(self):
        self.adapter = None
        self.built = False
        self.python = platform.python_version()
        self.threads_seen = 0
        self.kernel = KernelUse()

    def serve(self, request):
        """The reply's own fields for one request.

        Raises:
            Refused: it cannot be served.
        """
        serve = getattr(self, "do_" + str(request.get("do")), None)
        if serve is None:
            raise kit.Refused("protocol", "there is no request %r" % (request.get("do"),))
        return serve(request)

    def do_load(self, request):
        if self.adapter is not None:
            raise kit.Refused("protocol", "load came twice")
        path = field(request, "adapter", str)
        threads = field(request, "threads", int)
        if threads < 1:
            raise kit.Refused("protocol", "threads is %d" % threads)
        os.environ.update(FIXED_ENVIRONMENT)
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        precision = field(request, "precision", str)
        if precision != "tf32":
            os.environ["NVIDIA_TF32_OVERRIDE"] = "0"  # cuBLAS and cuDNN, beneath what a framework sets
        name = "advisor_adapter_" + os.path.splitext(os.path.basename(path))[0]
        start = time.perf_counter()
        try:
            adapter = load_module(name, path).Adapter(
                request.get("backend"), field(request, "device", str), precision, threads
            )
        except (ImportError, OSError, AttributeError) as error:
            # AttributeError: an old framework that meets a NumPy it does not know (module 'numpy' has no 'bool').
            raise cannot_import(error) from error
        seconds = time.perf_counter() - start
        versions = dict(adapter.versions(), python=self.python)
        if "numpy" in sys.modules:
            versions["numpy"] = sys.modules["numpy"].__version__
        self.adapter = adapter
        return {"import_seconds": seconds, "versions": versions}

    def do_build(self, request):
        adapter = self.loaded()
        with open(field(request, "network", str), encoding="utf-8") as file:
            network = json.load(file)
        weights = kit.Tensors(field(request, "weights", str))
        batches = kit.Tensors(field(request, "batches", str))
        mode = field(request, "mode", str)
        self.built = False
        self.threads_seen = 0
        self.kernel = KernelUse()
        start = time.perf_counter()
        adapter.build(network, weights, batches, mode)
        adapter.synchronise()
        self.built = True
        return {"build_seconds": time.perf_counter() - start}

    def do_predict(self, request):
        path = field(request, "outputs", str)
        adapter = self.ready()
        start = time.perf_counter()
        outputs = adapter.predict()
        first_step_seconds = time.perf_counter() - start
        kit.write_tensors(path, {"outputs": outputs})
        return {"first_step_seconds": first_step_seconds}

    def do_trace(self, request):
        adapter = self.ready()
        steps = field(request, "steps", int)
        if steps < 1:
            raise kit.Refused("protocol", "steps is %d" % steps)
        start = time.perf_counter()
        losses = adapter.trace(1)
        adapter.synchronise()
        first_step_seconds = time.perf_counter() - start
        kit.write_tensors(field(request, "first_update", str), adapter.weights())
        losses = [float(loss) for loss in losses]
        if steps > 1:
            losses.extend(float(loss) for loss in adapter.trace(steps - 1))
        for step, loss in enumerate(losses):
            if not math.isfinite(loss):
                raise kit.Refused("run", "the loss of step %d is %r" % (step + 1, loss))
        return {"losses": losses, "first_step_seconds": first_step_seconds}

    def do_train(self, request):
        return self.block(request, self.ready().train)

    def do_infer(self, request):
        return self.block(request, self.ready().infer)

    def block(self, request, run):
        """`rewarm` untimed steps, then `steps` timed ones; one synchronisation at the end of each."""
        steps = field(request, "steps", int)
        rewarm = field(request, "rewarm", int) if "rewarm" in request else 1
        if steps < 1 or rewarm < 0:
            raise kit.Refused("protocol", "steps is %d, rewarm is %d" % (steps, rewarm))
        synchronise = self.adapter.synchronise
        if rewarm:
            run(rewarm)
        synchronise()
        threads_before = thread_seconds()
        self.kernel.begin()
        cpu_before = time.process_time()
        start = time.perf_counter()
        run(steps)
        synchronise()
        wall = time.perf_counter() - start
        cpu = time.process_time() - cpu_before
        self.kernel.end(steps)
        self.threads_seen = max(self.threads_seen, busy_threads(threads_before, wall, cpu))
        return {"wall_seconds": wall, "cpu_seconds": cpu, "steps": steps}

    def do_batches(self, request):
        adapter = self.ready()
        adapter.feed(kit.Tensors(field(request, "batches", str)))
        adapter.synchronise()
        return {}

    def do_latency(self, request):
        adapter = self.ready()
        calls = field(request, "calls", int)
        if calls < 1:
            raise kit.Refused("protocol", "calls is %d" % calls)
        return {"seconds": seconds_of(lambda: adapter.infer(1), calls, adapter.synchronise)}

    def do_copy(self, request):
        adapter = self.ready()
        steps = field(request, "steps", int)
        if steps < 1:
            raise kit.Refused("protocol", "steps is %d" % steps)
        if not adapter.copy(1):
            return {"seconds": None}
        adapter.synchronise()
        start = time.perf_counter()
        adapter.copy(steps)
        adapter.synchronise()
        return {"seconds": (time.perf_counter() - start) / steps}

    def do_gemm(self, request):
        adapter = self.loaded()
        size, repeats = field(request, "size", int), field(request, "repeats", int)
        if size < 1 or repeats < 1:
            raise kit.Refused("protocol", "size is %d, repeats is %d" % (size, repeats))
        return {"seconds": min(seconds_of(adapter.gemm(size), repeats, adapter.synchronise))}

    def do_status(self, request):
        adapter = self.loaded()
        return {
            "threads": adapter.threads(),
            "threads_seen": self.threads_seen,
            "peak_rss_bytes": peak_rss_bytes(),
            "gpu_memory_bytes": adapter.memory(),
            "recompilations": adapter.recompilations(),
            "graph_breaks": adapter.graph_breaks(),
            "page_faults_per_step": self.kernel.faults_per_step(),
            "kernel_share": self.kernel.share(),
            "copy_included": adapter.copy_included,
            "notes": list(adapter.notes()),
        }

    def do_close(self, request):
        if self.adapter is not None:
            self.adapter.close()
        return {}

    def loaded(self):
        if self.adapter is None:
            raise kit.Refused("protocol", "load has to come first")
        return self.adapter

    def ready(self):
        if not self.built:
            raise kit.Refused("protocol", "build has to come first")
        return self.adapter


def seconds_of(call, repeats, synchronise):
    """One untimed call, then the wall seconds of each of `repeats`; a synchronisation at the end of every one."""
    call()
    synchronise()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        synchronise()
        seconds.append(time.perf_counter() - start)
    return seconds


# --- requests and replies --------------------------------------------------------------------------------------------


def field(request, name, type_):
    """A field of a request, of the type it has to have."""
    value = request.get(name)
    if not isinstance(value, type_) or isinstance(value, bool):
        raise kit.Refused("protocol", "%s needs %s of type %s" % (request.get("do"), name, type_.__name__))
    return value


def parse(line):
    """The request on one line.

    Raises:
        Refused: the line is no request.
    """
    try:
        request = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise kit.Refused("protocol", "not a line of JSON") from None
    if not isinstance(request, dict):
        raise kit.Refused("protocol", "not a JSON object")
    return request


def answer(worker, line):
    """(reply, whether the worker goes on) for one line."""
    identity = NO_REQUEST
    go_on = True
    try:
        request = parse(line)
        identity = field(request, "id", int)
        reply = worker.serve(request)
        go_on = request["do"] != "close"
    except kit.Refused as refused:
        return dict(failure(refused.kind, str(refused), refused.mend), id=identity), True
    except MemoryError as error:
        reply = failure("run", "out of memory: %s" % one_line(error), "use a smaller batch")
        return dict(reply, id=identity), True
    except BaseException as error:  # a framework may raise anything, SystemExit too; the parent decides what follows
        kind = "build" if request.get("do") == "build" else "run"
        problem = "%s: %s" % (type(error).__name__, one_line(error))
        return dict(failure(kind, problem, None), id=identity), True
    return dict(reply, id=identity, ok=True), go_on


def failure(kind, problem, mend):
    return {"ok": False, "kind": kind, "error": one_line(problem), "mend": mend}


def one_line(error, longest=500):
    text = " ".join(str(error).split())
    return text if len(text) <= longest else text[: longest - 3] + "..."


def cannot_import(error):
    """The refusal for a framework that does not import: what is missing, and where it comes from."""
    text = one_line(error)
    library = _LIBRARY.search(text)
    if library:
        name = os.path.basename(library.group(library.lastindex))
        package = _DEBIAN_PACKAGES.get(name.split(".")[0].split("-")[0])
        mend = "install the system library %s" % name
        if package:
            mend += " (Debian, Ubuntu: apt install %s)" % package
        return kit.Refused("library", "the shared library %s is missing" % name, mend)
    if isinstance(error, ImportError) and getattr(error, "name", None) and "No module named" in text:
        return kit.Refused(
            "import", "the module %s is missing" % error.name, "remove the environment and create it again"
        )
    problem = "the import failed: %s: %s" % (type(error).__name__, text)
    return kit.Refused("import", problem, "remove the environment and create it again")


# --- the process -----------------------------------------------------------------------------------------------------


def peak_rss_bytes():
    """Peak resident memory of this process.

    On Linux from VmHWM: ru_maxrss there starts at what the parent had resident when it started this process.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class KernelUse(object):
    """What the kernel did for this process in timed blocks: page faults without disk reads, and its CPU seconds."""

    def __init__(self):
        self.steps = self.faults = 0
        self.kernel_seconds = self.seconds = 0.0
        self.before = None

    def begin(self):
        self.before = usage()

    def end(self, steps):
        after = usage()
        if self.before is not None and after is not None:
            kernel_seconds = after[1] - self.before[1]
            self.steps += steps
            self.faults += after[0] - self.before[0]
            self.kernel_seconds += kernel_seconds
            self.seconds += kernel_seconds + after[2] - self.before[2]

    def faults_per_step(self):
        return self.faults / float(self.steps) if self.steps else None

    def share(self):
        return self.kernel_seconds / self.seconds if self.seconds else None


def usage():
    """(page faults without disk reads, CPU seconds in the kernel, CPU seconds outside); None on systems without."""
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_minflt, used.ru_stime, used.ru_utime


def thread_seconds():
    """Kernel thread id -> CPU seconds so far, of this process; None where the kernel does not tell."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return None
    seconds = {}
    for thread in threads:
        try:
            with open("/proc/self/task/%s/schedstat" % thread, encoding="ascii") as file:
                seconds[thread] = int(file.read().split()[0]) * 1e-9
        except (OSError, IndexError, ValueError):
            continue  # the thread has ended meanwhile, or this kernel keeps no schedstat
    return seconds or None


def busy_threads(before, wall, cpu):
    """How many threads computed in a block: each used at least `BUSY_SHARE` of its wall time.

    Where the kernel does not tell, the least number that could have used that much CPU time.
    """
    after = thread_seconds()
    if before is None or after is None:
        return max(1, int(math.ceil(cpu / wall - 0.05)))
    return sum(seconds - before.get(thread, 0) >= BUSY_SHARE * wall for thread, seconds in after.items())


def die_with(parent):
    """Have Linux kill this process when the thread that started it ends; `parent` closes the gap before this call."""
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        except (OSError, AttributeError):
            pass  # no prctl in this libc: the closing pipe ends the process all the same
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def read_lines(descriptor, lines):
    """Hand on the lines of the request pipe; when it closes, end the process, whatever it is doing."""
    with os.fdopen(descriptor, "rb") as stream:
        while True:
            line = piece = stream.readline(LONGEST_LINE)
            while piece and not piece.endswith(b"\n"):  # too long to be a request: forget it up to its end
                line = b""
                piece = stream.readline(LONGEST_LINE)
            if not piece:
                os._exit(0)
            lines.put(line)


def take_over_descriptors():
    """(requests, replies): private copies of the pipes; the framework gets /dev/null to read, stderr to print to."""
    requests = os.dup(0)
    replies = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def send(descriptor, reply):
    """Write one reply, whole; a parent that is gone ends the process."""
    data = (json.dumps(reply, allow_nan=False) + "\n").encode("utf-8")
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os._exit(1)


def main(arguments):
    parent = int(arguments[1]) if len(arguments) == 2 and arguments[0] == "--parent" else None
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    requests, replies = take_over_descriptors()
    lines = queue.Queue()
    threading.Thread(target=read_lines, args=(requests, lines), daemon=True).start()
    worker = Worker()
    go_on = True
    while go_on:
        reply, go_on = answer(worker, lines.get())
        send(replies, reply)
    os._exit(0)  # without the framework's own exit handlers, some of which crash


if __name__ == "__main__":
    main(sys.argv[1:])
