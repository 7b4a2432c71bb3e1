"""Results, the history and comparisons, printed for people."""

from typing import TYPE_CHECKING

from advisor.cli.output import console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from bench.comparison import Comparison
    from bench.results import Results
    from bench.store import Summary


def show_results(results: "Results") -> None:
    """One result, with all that was measured."""
    from advisor import shown

    _print(shown.of_results(results))


def show_history(kept: "Iterable[Summary]") -> None:
    """Every race kept."""
    from advisor import shown

    _print(shown.of_history(kept))


def show_comparison(found: "Comparison") -> None:
    """Two results side by side."""
    from advisor import shown

    _print(shown.of_comparison(found))


def _print(parts: "Iterable[RenderableType]") -> None:
    out = console()
    for part in parts:
        out.print(part)
