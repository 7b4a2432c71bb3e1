"""A knowledge base of five invented frameworks, rated on the shipped tree."""

import numpy as np
import pytest

from knowledge.model import Framework, Knowledge, Role, Support
from tests.advisor.decision.builders import base, framework, with_frameworks

NAMES = ("alder", "birch", "cedar", "dogwood", "elm")


def rated(name: str, random: np.random.Generator, mean: float) -> Framework:
    """Ratings around `mean` with asymmetric ranges; one leaf in ten unknown."""
    ratings: dict[str, tuple[float, float, float] | None] = {}
    for path, leaf in base().leaves.items():
        if leaf.fit is None and leaf.measured is None:
            score = float(np.clip(random.normal(mean, 2), 1, 9))
            unknown = random.random() < 0.1
            ratings[path] = None if unknown else (max(0, score - 2.5), score, min(10, score + 1))
    facts = {
        "accelerator": {"cpu": Support.NATIVE, "cuda": Support.OFFICIAL_PLUGIN, "metal": Support.NONE},
        "language": {"python": Support.NATIVE, "lua": Support.NONE},
        "target": {"server": Support.COMMUNITY},
    }
    return framework(name, ratings, facts)


@pytest.fixture(scope="session")
def small() -> Knowledge:
    """Five engines, close enough to each other that no verdict is trivial, and one runtime."""
    random = np.random.default_rng(7)
    engines = [rated(name, random, mean) for name, mean in zip(NAMES, (6, 5.9, 5.5, 5, 4), strict=True)]
    runtime = framework("fir", {"ease.install": 9}, {"language": {"python": Support.NATIVE}}, role=Role.RUNTIME)
    return with_frameworks(base(), [*engines, runtime])
