"""How much code an idiom is: lines of the model and of its training. Evidence for the criterion `ease.boilerplate`.

`python -m bench.idioms.lines` prints the table that `knowledge/measurements/2026-11-25-idioms.md` holds.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from statistics import median

import msgspec

from bench import idioms
from bench.workload import load_workloads
from knowledge.loader import load

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


class Lines(msgspec.Struct, frozen=True):
    """Lines that hold code: no blank lines, comments or docstrings.

    Attributes:
        model: imports and everything that `build` needs.
        training: the function `train`.
    """

    model: int
    training: int

    @property
    def total(self) -> int:
        return self.model + self.training


def count(source: str) -> Lines:
    """The lines of one idiom; the function `predict` is left out.

    Raises:
        SyntaxError: `source` is not Python.
    """
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    code = _code_lines(source)
    training = code & _span(functions.get("train"))
    return Lines(model=len(code - training - _span(functions.get("predict"))), training=len(training))


def _code_lines(source: str) -> set[int]:
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return lines - {line for docstring in _docstrings(source) for line in _span(docstring)}


def _docstrings(source: str) -> Iterator[ast.stmt]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.body[0]


def _span(node: ast.stmt | None) -> set[int]:
    """The lines of a statement, decorators included."""
    if node is None or node.end_lineno is None:
        return set()
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return set(range(first, node.end_lineno + 1))


def table() -> str:
    """Every idiom's lines, in Markdown: a row per workload, then the medians."""
    frameworks = load().frameworks
    columns = {
        frameworks[framework].name: [_lines(framework, workload) for workload in load_workloads()]
        for framework in idioms.FRAMEWORKS
    }
    rows = {
        workload: [f"{found.model} + {found.training} = {found.total}" if found else "-" for found in counts]
        for workload, *counts in zip(load_workloads(), *columns.values(), strict=True)
    }
    rows["median"] = [f"{median(found.total for found in column if found):g}" for column in columns.values()]
    head = [f"| workload | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    return "\n".join([*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


def _lines(framework: str, workload: str) -> Lines | None:
    code = idioms.source(framework, workload)
    return None if code is None else count(code)


if __name__ == "__main__":
    print(table())
