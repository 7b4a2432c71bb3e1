"""TensorFlow's adapter, but for 13 steps where 10 are asked for: a candidate that a race has to find slower.

Runs in TensorFlow's environment, as adapters do (`bench/worker/main.py`).
"""

from pathlib import Path

import advisor_kit as kit


def _load_original():
    import importlib.util

    path = Path(kit.__file__).resolve().parent / "adapters" / "tensorflow.py"
    spec = importlib.util.spec_from_file_location("advisor_adapter_tensorflow", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Adapter(_load_original().Adapter):
    owed = 0  # tenths of a step

    def _more(self, steps):
        extra, self.owed = divmod(self.owed + 3 * steps, 10)
        return steps + extra

    def train(self, steps):
        super().train(self._more(steps))

    def infer(self, steps):
        super().infer(self._more(steps))
