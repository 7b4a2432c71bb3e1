"""A framework made of nothing, for tests of the worker itself: standard library only, Python 3.6 to 3.14.

Its modes are what it does in `train`: "echo" nothing, "exit" raises SystemExit, "hang" sleeps, "nan" has no finite
loss; in "copy" it has something to copy. It prints to standard output wherever it can, as frameworks do.
"""

import os
import subprocess
import sys
import time

import advisor_kit as kit

print("a banner on standard output")
os.write(1, b"a banner past Python\n")
subprocess.call([sys.executable, "-I", "-c", "print('a child of the framework'); input()"], stderr=subprocess.DEVNULL)


class Array:
    """Just enough of a NumPy array to be written: two float32 values."""

    class dtype:
        name = "float32"

    shape = (2,)

    def astype(self, dtype):
        return self

    def tobytes(self):
        return b"\x00\x00\x80\x3f\x00\x00\x00\x40"  # 1 and 2, little-endian


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        kit.require_fp32(precision)
        if kit.cuda_index(device) is not None:
            raise kit.no_device(device, "echo sees 0 GPUs")
        self.thread_count = threads
        self.steps = self.copied = self.products = 0
        self.names = []

    def build(self, network, weights, batches, mode):
        self.mode = mode
        self.steps = 0
        self.rate = network["optimiser"]["learning_rate"]
        self.names = sorted(weights)
        self.feed(batches)

    def feed(self, batches):
        self.names += sorted(batches)

    def trace(self, steps):
        self.steps += steps
        return [float("nan") if self.mode == "nan" else 1.0 / (step + 1) for step in range(steps)]

    def weights(self):
        return {"w": Array()}

    def predict(self):
        return Array()

    def copy(self, steps):
        self.copied += steps
        return self.mode == "copy"

    def gemm(self, size):
        def product():
            self.products += size

        return product

    def train(self, steps):
        print("training")
        self.steps += steps
        if self.mode == "exit":
            sys.exit(3)
        if self.mode == "hang":
            time.sleep(600)

    def infer(self, steps):
        self.steps += steps

    def synchronise(self):
        pass

    def threads(self):
        return self.thread_count

    def notes(self):
        counts = f"{self.steps} steps, {self.copied} copied, {self.products} products"
        return [counts] + self.names + ["path " + entry for entry in sys.path]

    def versions(self):
        return {"echo": "1"}
