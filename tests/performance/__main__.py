"""Runs the experiments whose name holds one of the words given, or all of them.

Things that are compared take turns, A B A B, so that a drifting machine moves both. Medians come with a one-sided upper
bound of 95 % by order statistics, which holds whatever the distribution (`tests.performance.bounds`).
"""

import argparse

import msgspec

from tests.performance import advice, block, decision, epochs, events, harness, screen
from tests.performance.options import Options

EXPERIMENTS = {
    **advice.EXPERIMENTS,
    **block.EXPERIMENTS,
    **decision.EXPERIMENTS,
    **events.EXPERIMENTS,
    **harness.EXPERIMENTS,
    **screen.EXPERIMENTS,
    **epochs.EXPERIMENTS,
}


def main() -> None:
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m tests.performance",
        description="Print ratios and their bounds.",
        epilog="Experiments: " + "; ".join(EXPERIMENTS),
    )
    parser.add_argument("words", nargs="*", help="run the experiments whose name holds one of these words")
    parser.add_argument("--launches", type=int, default=usual.launches, help="harness: processes started anew")
    parser.add_argument("--pairs", type=int, default=usual.pairs, help="harness: pairs of blocks in each launch")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="shares of a core: of each stretch")
    parser.add_argument("--candidates", type=lambda text: tuple(text.split(",")), default=usual.candidates)
    parser.add_argument("--budget", type=float, default=usual.budget, help="epochs: seconds of measuring of the race")
    parser.add_argument("--results", help="epochs: a results file (JSON) instead of a fresh race")
    parser.add_argument("--really", metavar="CANDIDATE", help="epochs: also run this candidate's ten epochs")
    given = vars(parser.parse_args())
    words = given.pop("words")
    options = msgspec.convert(given, Options)
    for name, experiment in EXPERIMENTS.items():
        if not words or any(word in name for word in words):
            experiment(options)


if __name__ == "__main__":
    main()
