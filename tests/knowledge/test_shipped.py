"""The shipped knowledge base: it loads, and no check has an error to report."""

from pathlib import Path

import pytest

import knowledge
from knowledge.checks import check, errors
from knowledge.schema import schemas, text

# The ids that answer sheets and weights may use (QUESTIONS.md); renaming one would break people's files.
LEAVES = {
    "ease": "ramp_up api_clarity boilerplate debugging data_loading device_management prototyping install "
    "visualisation",
    "flexibility": "control_flow low_level_ops custom_ops paradigms distributed bindings beyond_nn",
    "deployment": "serialisation serving edge browser footprint hardware_reach",
    "docs": "completeness organisation tutorials api_stability principles",
    "community": "adoption.size adoption.industry adoption.research adoption.momentum "
    "pretrained finetuning backing longevity supply_risk exit_cost",
    "fit": "accelerator target language",
    "performance": "time_to_finish latency memory gpu_memory energy",
}
OPTIONS = {
    "goal": "learn teach research product keep-alive",
    "experience": "nothing tutorials own-models own-layers",
    "build": "tabular series images text audio science mixed",
    "start": "standard-layers published-weights course existing-code",
    "train_on": "cpu cuda rocm metal tpu xpu ascend nowhere",
    "run_on": "here server mobile embedded microcontroller browser",
    "language": "python cpp c java javascript r julia scala go rust swift csharp kotlin lua",
    "freedom": "standard own-layers dynamic own-kernels",
    "scale": "one-device several-devices several-machines",
    "rhythm": "minutes hours days",
    "tight": "nothing time gpu-memory ram disk battery",
    "life": "weeks a-year years",
    "people": "alone few team hiring",
    "must": "permissive-licence native-windows python-version offline chinese-docs not-single-company "
    "export-control-safe",
    "current": "",
}


def test_no_check_finds_an_error() -> None:
    base, places = knowledge.load_with_places()
    assert errors(check(base, places, as_of=base.date)) == []


def test_the_leaves_are_the_promised_ones() -> None:
    promised = [f"{node}.{leaf}" for node, leaves in LEAVES.items() for leaf in leaves.split()]
    assert list(knowledge.load().leaves) == promised


def test_the_questions_and_options_are_the_promised_ones() -> None:
    questions = knowledge.load().questions
    assert {id_: [option.id for option in question.options] for id_, question in questions.items()} == {
        id_: options.split() for id_, options in OPTIONS.items()
    }


def test_the_quick_path_has_the_promised_questions() -> None:
    quick = [question.id for question in knowledge.load().questions.values() if question.quick]
    assert quick == ["goal", "experience", "build", "start", "train_on", "run_on"]


def test_the_shipped_schemas_are_those_of_the_records() -> None:
    """`advisor knowledge schema --write knowledge` writes them anew after a change of a record."""
    folder = Path(knowledge.__file__).parent
    for name, schema in schemas().items():
        assert (folder / f"{name}.schema.json").read_text(encoding="utf-8") == text(schema), name


FOLDER = Path(knowledge.__file__).parent
HEADER = "# yaml-language-server: $schema="
WRITTEN = sorted(FOLDER.rglob("*.yaml")) + sorted((FOLDER.parent / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(FOLDER.parent).as_posix())
def test_every_file_tells_editors_the_schema_it_is_written_to(path: Path) -> None:
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith(HEADER)
    kind = next(line for line in lines if line.startswith("schema: ")).split("/")[1]
    told = (path.parent / first.removeprefix(HEADER)).resolve()
    assert told == FOLDER / f"{kind}.schema.json"
    assert told.is_file()


def test_every_schema_has_files_of_its_kind() -> None:
    kinds = {path.read_text(encoding="utf-8").split("schema: advisor/", 1)[1].split("/")[0] for path in WRITTEN}
    assert kinds == {path.name.removesuffix(".schema.json") for path in FOLDER.glob("*.schema.json")}
