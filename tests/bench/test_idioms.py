"""Idioms are complete, self-contained and short-lined, and their lines are counted as the measurements say."""

import ast
from pathlib import Path

import pytest

from bench import idioms
from bench.idioms import lines
from bench.workload import load_workloads

PAGE = Path(__file__).parent.parent.parent / "knowledge" / "measurements" / "2026-11-25-idioms.md"
WORKLOADS = load_workloads()
MAY_IMPORT = {"pytorch": "torch", "tensorflow": "tensorflow", "keras": "keras", "mxnet": "mxnet"}
WIDTH = 100  # of a line; one width for all, or the counts would not compare

EACH = pytest.mark.parametrize(
    ("framework", "workload"), [(framework, workload) for framework in idioms.FRAMEWORKS for workload in WORKLOADS]
)

SMALL = '''"""What it is,
in two lines."""

import engine  # a comment


class Net:
    """A docstring."""

    layers = [
        "dense",

        "dense",
    ]


@engine.compiled
def train(model, batches):
    """A docstring after nothing."""

    # a comment
    text = """two
    lines"""
    return [model(batch) for batch in batches]


def predict(model, inputs):
    return model(inputs)
'''


def test_lines_of_code_are_counted_without_blanks_comments_docstrings_and_predict() -> None:
    assert lines.count(SMALL) == lines.Lines(model=6, training=5)
    assert lines.count(SMALL).total == 11


@EACH
def test_every_workload_has_an_idiom_in_every_main_framework(framework: str, workload: str) -> None:
    source = idioms.source(framework, workload)
    assert source is not None
    module = ast.parse(source)
    assert ast.get_docstring(module)
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    frozen = any(not layer.trained for layer in WORKLOADS[workload].layers)
    assert {"build", "train", "predict"} | ({"backbone"} if frozen else set()) <= set(functions)
    assert [argument.arg for argument in functions["build"].args.args] == (["path"] if frozen else [])


@EACH
def test_an_idiom_imports_its_framework_and_nothing_of_ours(framework: str, workload: str) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(idioms.source(framework, workload) or ""))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert MAY_IMPORT[framework] in imported
    assert imported <= {MAY_IMPORT[framework], "numpy", "math"}


@EACH
def test_an_idiom_keeps_to_one_width_and_one_statement_a_line(framework: str, workload: str) -> None:
    source = idioms.source(framework, workload) or ""
    assert [line for line in source.splitlines() if len(line) > WIDTH] == []
    starts = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    assert len(starts) == len(set(starts))


def test_folders_of_idioms_hold_one_file_per_workload() -> None:
    for framework in idioms.FRAMEWORKS:
        found = {path for path in (idioms.FOLDER / framework).iterdir() if path.suffix == ".py"}
        assert found == {idioms.path(framework, workload) for workload in WORKLOADS}


def test_nobody_wrote_an_idiom_for_a_workload_that_is_not_there() -> None:
    assert idioms.source("pytorch", "no-such-workload") is None


def test_the_measurements_hold_the_counts_of_today() -> None:
    assert lines.table() in PAGE.read_text(encoding="utf-8"), "put what `python -m bench.idioms.lines` prints there"
