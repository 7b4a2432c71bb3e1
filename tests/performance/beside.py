"""An adapter and, in the same process, a bare loop that trains the same network: `infer` runs the bare loop.

It runs in a framework's environment. ADVISOR_BESIDE names the adapter, the bare loop's program and its material.
"""

import importlib.util
import os
import sys


def load(name, path):
    """Import the file at `path` as `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Adapter:
    def __init__(self, backend, device, precision, threads):
        adapter, self.program, self.material = os.environ["ADVISOR_BESIDE"].split(os.pathsep)
        self.threads_given = threads
        self.adapter = load("measured_adapter", adapter).Adapter(backend, device, precision, threads)

    def build(self, network, weights, batches, mode):
        self.adapter.build(network, weights, batches, mode)
        sys.argv = [self.program, self.material, str(self.threads_given)]
        self.bare = load("bare_loop", self.program)
        self.first_loss = float(self.bare.train(1))

    def infer(self, steps):
        self.bare.train(steps)

    def notes(self):
        return [repr(self.first_loss)]

    def __getattr__(self, name):
        return getattr(self.adapter, name)
