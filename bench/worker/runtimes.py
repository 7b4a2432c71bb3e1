"""The engines' runtimes: device, threads, precision, waiting. Shared by adapters of one engine and what is built on it.

`main.py` makes this module importable as `advisor_runtimes`. Each class imports its engine when it is made, sets
threads and full float32 precision and reads them back.
"""

import os

import advisor_kit as kit


class Torch(object):
    """PyTorch. `device` is what tensors are moved to."""

    def __init__(self, device, precision, threads):
        import torch

        kit.require_fp32(precision)
        self.torch = torch
        torch.set_num_threads(threads)
        self._switch_tf32_off()
        self.device = self._find(device)

    def _switch_tf32_off(self):
        """PyTorch 2.9 brought `fp32_precision` and deprecated the older switches; the two must not be mixed."""
        backends = self.torch.backends
        if hasattr(backends, "fp32_precision"):
            parts = (backends, backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
            for part in parts:
                part.fp32_precision = "ieee"
            exact = all(part.fp32_precision == "ieee" for part in parts)
        else:
            backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = False
            exact = not (backends.cuda.matmul.allow_tf32 or backends.cudnn.allow_tf32)
        if not exact:
            raise kit.Refused("precision", "PyTorch does not keep TF32 off")

    def _find(self, name):
        torch, device = self.torch, self.torch.device(name)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise kit.no_device(name, "PyTorch sees %d CUDA devices" % torch.cuda.device_count())
        if device.type == "mps" and not torch.backends.mps.is_available():
            raise kit.no_device(name, "PyTorch sees no Metal device")
        return device

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

        kit.require_fp32(precision)
        self.tf = tf
        tf.config.threading.set_intra_op_parallelism_threads(threads)  # within an operation
        tf.config.threading.set_inter_op_parallelism_threads(threads)  # operations side by side
        tf.config.experimental.enable_tensor_float_32_execution(False)
        if tf.config.experimental.tensor_float_32_execution_enabled():
            raise kit.Refused("precision", "TensorFlow does not keep TF32 off")
        self.device = self._find(device)

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
        kit.require_fp32(precision)
        index = kit.cuda_index(device)
        if index is None and device != "cpu":
            raise kit.no_device(device, "JAX is asked for cpu or cuda")
        os.environ["JAX_PLATFORMS"] = "cpu" if index is None else "cuda"
        import jax

        self.jax = jax
        self._threads = threads  # by NPROC (main.py); JAX has no way to ask
        jax.config.update("jax_default_matmul_precision", "highest")  # products and convolutions, no TF32
        if jax.config.jax_default_matmul_precision != "highest":
            raise kit.Refused("precision", "JAX does not keep TF32 off")
        try:
            devices = jax.devices()
        except RuntimeError as error:
            raise kit.no_device(device, "JAX says: %s" % error) from None
        if (index or 0) >= len(devices):
            raise kit.no_device(device, "JAX sees %d devices" % len(devices))
        self.device = devices[index or 0]
        jax.config.update("jax_default_device", self.device)

    def synchronise(self, results=None):
        self.jax.block_until_ready(results)

    def threads(self):
        return self._threads

    def memory(self):
        statistics = self.device.memory_stats()  # None on the CPU
        return statistics["peak_bytes_in_use"] if statistics else None

    def versions(self):
        import jaxlib

        return {"jax": self.jax.__version__, "jaxlib": jaxlib.__version__}
