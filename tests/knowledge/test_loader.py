"""knowledge.loader: folders of files become knowledge with places, or one message with every fault."""

import datetime
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import knowledge
from knowledge.faults import BadInput, Fault
from knowledge.loader import Places, load, load_with_places, walk
from knowledge.model import Choose, Role, Support
from tests.knowledge.conftest import Base


def faults_of(folder: Path, *extra: Path) -> list[Fault]:
    with pytest.raises(BadInput) as caught:
        load(folder, extra)
    return list(caught.value.faults)


def test_a_folder_becomes_knowledge(base: Base) -> None:
    known = load(base.folder)
    assert list(known.leaves) == ["ease.ramp_up", "ease.install", "fit.accelerator", "performance.time_to_finish"]
    assert list(known.questions) == ["goal", "train_on", "must", "current"]
    assert known.questions["train_on"].choose is Choose.ANY
    assert list(known.frameworks) == ["alpha", "beta"]
    assert known.frameworks["alpha"].role is Role.ENGINE
    assert known.frameworks["alpha"].facts["accelerator"][1].support is Support.NONE
    assert known.frameworks["alpha"].ratings["ease.ramp_up"][0].score == 7
    assert known.date == datetime.date(2026, 11, 20)


def test_the_tree_is_walked_parents_first(base: Base) -> None:
    assert [path for path, _ in walk(load(base.folder).criteria)] == [
        *("ease", "ease.ramp_up", "ease.install"),
        *("fit", "fit.accelerator"),
        *("performance", "performance.time_to_finish"),
    ]


def test_every_record_has_a_place(base: Base) -> None:
    _, places = load_with_places(base.folder)
    alpha = base.folder / "frameworks" / "alpha.yaml"
    rating = places.framework("alpha", "ratings", "ease.ramp_up", 1)
    assert str(rating) == f"{alpha}:{base.line('frameworks/alpha.yaml', 'as_of: 2025-11-20')}"
    assert rating.key == "ratings.ease.ramp_up[1]"
    assert places.source("registry").line == base.line("sources.yaml", "id: registry")
    assert places.question("goal", "options", 1).line == base.line("questions.yaml", "id: keep")
    assert places.criterion("ease.install", "anchors").line == base.line("criteria.yaml", "never")


def test_the_sheet_of_a_persona_is_a_document_of_its_own_with_the_lines_of_the_file(base: Base) -> None:
    known, places = load_with_places(base.folder)
    assert list(known.personas) == ["keeper", "learner"]
    sheet = places.sheet("learner")
    assert sheet.value == {"schema": "advisor/answers/1", "answers": {"goal": "learn"}}
    assert sheet.value == known.personas["learner"].sheet
    fault = sheet.fault(("answers", "goal"), "is wrong")
    line = base.line("personas/learner.yaml", "goal")
    assert fault == Fault(str(base.folder / "personas/learner.yaml"), line, "sheet.answers.goal", "is wrong")


def test_a_record_that_was_not_read_has_a_place_without_a_line() -> None:
    place = Places().framework("made", "ratings", "ease.install", 0)
    assert (str(place), place.key) == ("made", "ratings.ease.install[0]")


def test_faults_of_all_files_come_in_one_message(base: Base) -> None:
    base.spoil("criteria.yaml", "max_age_days: 730", "max_age_days: never")
    base.spoil("questions.yaml", "choose: any", "choose: most")
    base.spoil("sources.yaml", "kind: registry", "kind: registry\n    kind: news")
    base.spoil("frameworks/alpha.yaml", "role: engine", "role: motor")
    base.spoil("frameworks/beta.yaml", "ratings: {}", "ratings: {ease.install: [{as_of: today, author: A, score: 11}]}")
    faults = faults_of(base.folder)
    assert [(Path(fault.file).name, fault.key) for fault in faults] == [
        ("criteria.yaml", "criteria[0].children[0].max_age_days"),
        ("questions.yaml", "questions[1].choose"),
        ("sources.yaml", "sources[1].kind"),
        ("alpha.yaml", "role"),
        ("beta.yaml", "ratings.ease.install[0].as_of"),
        ("beta.yaml", "ratings.ease.install[0].score"),
    ]
    assert faults[3].line == 3


@pytest.mark.parametrize("name", ["criteria.yaml", "questions.yaml", "sources.yaml", "frameworks/alpha.yaml"])
def test_an_unknown_schema_is_refused(base: Base, name: str) -> None:
    schema = f"schema: advisor/{Path(name).stem if '/' not in name else 'framework'}/"
    base.spoil(name, f"{schema}1\n", f"{schema}2\n")
    (fault,) = faults_of(base.folder)
    assert (Path(fault.file).name, fault.line, fault.key) == (Path(name).name, 1, "schema")
    assert fault.problem == f"expected {schema[8:]}1, found {schema[8:]}2"


def test_a_missing_schema_is_refused(base: Base) -> None:
    base.spoil("sources.yaml", "schema: advisor/sources/1\n", "")
    (fault,) = faults_of(base.folder)
    assert (fault.key, fault.mend) == ("schema", "add the line 'schema: advisor/sources/1'")


def test_the_file_name_alone_gives_a_framework_its_id(base: Base) -> None:
    base.spoil("frameworks/beta.yaml", "name: Beta", "name: Beta\nid: beta")
    (fault,) = faults_of(base.folder)
    assert (fault.line, fault.key, fault.problem) == (3, "id", "is given by the file's name")


def test_a_file_name_that_would_break_candidate_names_is_refused(base: Base) -> None:
    shutil.move(base.folder / "frameworks" / "beta.yaml", base.folder / "frameworks" / "be@ta.yaml")
    (fault,) = faults_of(base.folder)
    assert fault.problem == "'be@ta' cannot be a framework's id"


@pytest.mark.parametrize(
    ("name", "old", "new", "taken"),
    [
        ("criteria.yaml", "id: install", "id: ramp_up", "ease.ramp_up"),
        ("questions.yaml", "id: train_on\n", "id: goal\n", "goal"),
        ("sources.yaml", "id: registry", "id: manual", "manual"),
    ],
)
def test_an_id_that_is_taken_is_refused(base: Base, name: str, old: str, new: str, taken: str) -> None:
    line = base.line(name, old.strip())
    base.spoil(name, old, new)
    (fault,) = faults_of(base.folder)
    assert fault.line == line
    assert fault.problem.startswith(f"the id {taken!r} is taken, see {base.folder / name}:")


def test_a_folder_of_the_users_own_adds_frameworks_and_sources(base: Base, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "frameworks").mkdir(parents=True)
    text = (base.folder / "frameworks" / "beta.yaml").read_text(encoding="utf-8")
    (own / "frameworks" / "gamma.yaml").write_text(text.replace("source: manual", "source: mine"), encoding="utf-8")
    sources = (base.folder / "sources.yaml").read_text(encoding="utf-8").partition("  - id: registry")[0]
    (own / "sources.yaml").write_text(sources.replace("id: manual", "id: mine"), encoding="utf-8")
    known, places = load_with_places(base.folder, [own])
    assert list(known.frameworks) == ["alpha", "beta", "gamma"]
    assert "mine" in known.sources
    assert places.framework("gamma").file == str(own / "frameworks" / "gamma.yaml")


def test_a_framework_that_is_there_already_cannot_be_added(base: Base, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(base.folder / "frameworks", own / "frameworks")
    assert [fault.problem.split(",")[0] for fault in faults_of(base.folder, own)] == [
        "the id 'alpha' is taken",
        "the id 'beta' is taken",
    ]


def test_a_missing_folder_is_named(base: Base, tmp_path: Path) -> None:
    assert [fault.problem for fault in faults_of(tmp_path / "no")] == ["there is no such folder"]
    assert [fault.file for fault in faults_of(base.folder, tmp_path / "own")] == [str(tmp_path / "own")]


def test_a_missing_file_is_named(base: Base) -> None:
    (base.folder / "questions.yaml").unlink()
    (fault,) = faults_of(base.folder)
    assert (Path(fault.file).name, fault.problem) == ("questions.yaml", "there is no such file")


def test_what_editors_leave_behind_is_passed_over(base: Base) -> None:
    (base.folder / "frameworks" / ".beta.yaml").write_text("half a line: [", encoding="utf-8")
    (base.folder / "frameworks" / "beta.yaml~").write_text("half a line: [", encoding="utf-8")
    assert list(load(base.folder).frameworks) == ["alpha", "beta"]


def test_the_shipped_base_is_read_once() -> None:
    assert knowledge.load() is knowledge.load()


def test_the_room_can_be_entered_without_the_ones_above_it_and_without_heavy_libraries() -> None:
    code = (
        "import sys, knowledge.checks, knowledge.schema; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"advisor", "bench", "numpy", "textual", "rich"} & set(loaded)
