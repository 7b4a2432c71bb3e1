"""The engines' runtimes: device, threads, precision, waiting. Shared by adapters of one engine and what is built on it.

`main.py` makes this module importable as `advisor_runtimes`. Each class imports its engine when it is made, sets
threads and precision and reads them back. "bf16" is set here as far as the engine has a switch for it: TF32 stays off,
what is computed in bfloat16 says the adapter.
"""

import os

import advisor_kit as kit

AMPERE = (8, 0)
"""The first compute capability whose tensor cores take TF32 (NVIDIA, "CUDA C++ Programming Guide")."""


def require_tensor_cores(*capability):
    if capability < AMPERE:
        raise kit.Refused("precision", "this GPU has no TF32 (compute capability %d.%d)" % capability, "use fp32")


class Torch(object):
    """PyTorch. `device` is what tensors are moved to."""

    def __init__(self, device, precision, threads):
        import torch

        kit.require_precision(precision, device, ("fp32", "tf32", "bf16"))
        self.torch = torch
        self.precision = precision
        torch.set_num_threads(threads)
        self.device = self._find(device)
        self._set_tf32(precision == "tf32")
        if precision == "tf32":
            require_tensor_cores(*torch.cuda.get_device_capability(self.device))

    def _set_tf32(self, on):
        """PyTorch 2.9 brought `fp32_precision` and deprecated the older switches, which torch.compile goes on reading.

        Those raise when they are read while the two disagree (pytorch/pytorch#166387), so both are set, the older last:
        set alone, they leave a part of the newer at "none".
        """
        backends = self.torch.backends
        found = []
        if hasattr(backends, "fp32_precision"):
            wanted = "tf32" if on else "ieee"
            parts = (backends, backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
            for part in parts:
                part.fp32_precision = wanted
            found = [part.fp32_precision == wanted for part in parts]
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = on
        found += [part.allow_tf32 == on for part in (backends.cuda.matmul, backends.cudnn)]
        if not all(found):
            raise kit.Refused("precision", "PyTorch does not keep TF32 %s" % ("on" if on else "off"))

    def _find(self, name):
        torch, device = self.torch, self.torch.device(name)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise kit.no_device(name, "PyTorch sees %d CUDA devices" % torch.cuda.device_count())
        if device.type == "mps" and not torch.backends.mps.is_available():
            raise kit.no_device(name, "PyTorch sees no Metal device")
        return device

    def product(self, size):
        """A call that multiplies two size x size matrices in this precision."""
        torch = self.torch
        kind = torch.bfloat16 if self.precision == "bf16" else torch.float32
        one, other = (torch.rand(size, size, device=self.device).to(kind) for _ in range(2))

        def multiply():
            with torch.inference_mode():
                return one @ other

        return multiply

    def synchronise(self, results=None):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            self.torch.mps.synchronize()

    def threads(self):
        return self.torch.get_num_threads()

    def memory(self):
        return self.torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None

    def versions(self):
        return {"torch": self.torch.__version__}


class Tensorflow(object):
    """TensorFlow, shown the one device asked for. `device` is its name in `tf.device`."""

    def __init__(self, device, precision, threads):
        import tensorflow as tf

        kit.require_precision(precision, device, ("fp32", "tf32", "bf16"))
        self.tf = tf
        self.precision = precision
        tf.config.threading.set_intra_op_parallelism_threads(threads)  # within an operation
        tf.config.threading.set_inter_op_parallelism_threads(threads)  # operations side by side
        on = precision == "tf32"
        tf.config.experimental.enable_tensor_float_32_execution(on)
        if tf.config.experimental.tensor_float_32_execution_enabled() != on:
            raise kit.Refused("precision", "TensorFlow does not keep TF32 %s" % ("on" if on else "off"))
        self.device = self._find(device)
        if on:
            gpu = tf.config.get_visible_devices("GPU")[0]
            require_tensor_cores(*tf.config.experimental.get_device_details(gpu)["compute_capability"])

    def _find(self, name):
        config = self.tf.config
        gpus = config.list_physical_devices("GPU")
        index = kit.cuda_index(name)
        if name == "cpu":
            config.set_visible_devices([], "GPU")
            return "/CPU:0"
        if index is None or index >= len(gpus):
            raise kit.no_device(name, "TensorFlow sees %d GPUs" % len(gpus))
        config.set_visible_devices(gpus[index], "GPU")
        config.experimental.set_memory_growth(gpus[index], True)
        return "/GPU:0"

    def product(self, size):
        """A call that multiplies two size x size matrices in this precision."""
        tf = self.tf
        kind = tf.bfloat16 if self.precision == "bf16" else tf.float32
        with tf.device(self.device):
            one, other = (tf.cast(tf.random.uniform([size, size]), kind) for _ in range(2))
            multiply = tf.function(tf.matmul)

        def call():
            with tf.device(self.device):
                return multiply(one, other)

        return call

    def synchronise(self, results=None):
        if self.device != "/CPU:0":  # on the CPU a call returns when its result is there
            self.tf.test.experimental.sync_devices()

    def threads(self):
        return self.tf.config.threading.get_intra_op_parallelism_threads()

    def memory(self):
        if self.device == "/CPU:0":
            return None
        return self.tf.config.experimental.get_memory_info("GPU:0")["peak"]

    def versions(self):
        return {"tensorflow": self.tf.__version__}


class Jax(object):
    """JAX. `device` is a jax.Device, made the default."""

    def __init__(self, device, precision, threads):
        kit.require_precision(precision, device, ("fp32", "tf32", "bf16"))
        index = kit.cuda_index(device)
        if index is None and device != "cpu":
            raise kit.no_device(device, "JAX is asked for cpu or cuda")
        platforms = "cpu" if index is None else "cuda"
        os.environ["JAX_PLATFORMS"] = platforms
        import jax

        jax.config.update("jax_platforms", platforms)  # the variable is read once, by the first import
        self.jax = jax
        self._threads = threads  # by NPROC (main.py); JAX has no way to ask
        self.precision = precision
        self._product = None
        wanted = "tensorfloat32" if precision == "tf32" else "highest"  # of products and convolutions in float32
        jax.config.update("jax_default_matmul_precision", wanted)
        if jax.config.jax_default_matmul_precision != wanted:
            raise kit.Refused("precision", "JAX does not keep to %s products" % wanted)
        try:
            devices = jax.devices()
        except (RuntimeError, AssertionError) as error:  # JAX 0.10 asserts, without a word, that there is a plug-in
            raise kit.no_device(device, "JAX says: %s" % (str(error) or "no plug-in for it")) from None
        if (index or 0) >= len(devices):
            raise kit.no_device(device, "JAX sees %d devices" % len(devices))
        self.device = devices[index or 0]
        jax.config.update("jax_default_device", self.device)
        if precision == "tf32":
            require_tensor_cores(*map(int, self.device.compute_capability.split(".")))

    def product(self, size):
        """A call that multiplies two size x size matrices in this precision."""
        jax = self.jax
        kind = jax.numpy.bfloat16 if self.precision == "bf16" else jax.numpy.float32
        one, other = (jax.random.uniform(jax.random.key(seed), (size, size)).astype(kind) for seed in range(2))
        multiply = jax.jit(jax.numpy.matmul)

        def call():
            self._product = multiply(one, other)

        return call

    def synchronise(self, results=None):
        self.jax.block_until_ready((results, self._product))

    def threads(self):
        return self._threads

    def memory(self):
        statistics = self.device.memory_stats()  # None on the CPU
        return statistics["peak_bytes_in_use"] if statistics else None

    def versions(self):
        import jaxlib

        return {"jax": self.jax.__version__, "jaxlib": jaxlib.__version__}
