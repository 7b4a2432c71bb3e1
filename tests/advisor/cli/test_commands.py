"""The command line keeps INTERFACE.md's contract: exit statuses, JSON alone on stdout, one message with every fault."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def advisor(tmp_path: Path) -> Run:
    """Runs the command line in a process of its own, with a home of its own."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ADVISOR_HOME": str(tmp_path / "home"), "LANG": "C.UTF-8", "COLUMNS": "80"}
        environment |= {"SOURCE_DATE_EPOCH": "1795000000", **variables}
        return subprocess.run(
            [sys.executable, "-m", "advisor", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    return run


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_answered_and_equal_inputs_give_equal_bytes(advisor: Run, example: Path) -> None:
    first = advisor("recommend", "--answers", str(example), "--json", "--as-of", "2026-11-20")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert document["schema"] == "advisor/recommendation/1"
    assert document["provenance"]["created"] == "2026-11-18T11:06:40Z"
    for ranked in document["ranking"]:
        assert sum(ranked["contributions"].values()) == pytest.approx(ranked["score"], abs=1e-9)
    assert sum(document["weights"].values()) == pytest.approx(1)
    again = advisor("recommend", "--answers", str(example), "--json", "--as-of", "2026-11-20")
    assert again.stdout == first.stdout


def test_weights_that_leave_nothing_name_the_sheet(advisor: Run, tmp_path: Path) -> None:
    nodes = ("ease", "flexibility", "deployment", "docs", "community")
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text("schema: advisor/answers/1\nweights:\n" + "".join(f"  {node}: 0\n" for node in nodes))
    refused = advisor("recommend", "--answers", str(sheet), "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{sheet}: weights: nothing is left to weigh" in refused.stderr


def test_everything_wrong_with_several_sheets_is_told_in_one_message(advisor: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.yaml").write_text("schema: advisor/answers/1\nrespondent: Anna\n", encoding="utf-8")
    (tmp_path / "too.yaml").write_text("schema: advisor/answers/1\nrespondent: Anna\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("schema: advisor/answers/1\nanswers:\n  goal: conquer\n", encoding="utf-8")
    sheets = [f"--answers={name}.yaml" for name in ("anna", "absent", "too", "bad", "anna")]
    for words in (["recommend", "--json"], ["explain", "keras"], ["report", "--output", "report.md"]):
        refused = advisor(*words, *sheets)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert [line.partition(" (")[0] for line in refused.stderr.splitlines()] == [
            "advisor: anna.yaml: is given twice",
            "advisor: absent.yaml: there is no such file",
            "advisor: bad.yaml:3: answers.goal: there is no option 'conquer'",
            "advisor: too.yaml: respondent: 'Anna' is the respondent of anna.yaml too",
        ]
    assert not (tmp_path / "report.md").exists()


def test_everybody_whose_weights_leave_nothing_is_named(advisor: Run, tmp_path: Path) -> None:
    nodes = ("ease", "flexibility", "deployment", "docs", "community")
    for name in ("anna", "ben"):
        text = "schema: advisor/answers/1\nweights:\n" + "".join(f"  {node}: 0\n" for node in nodes)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    refused = advisor("recommend", "--answers", "anna.yaml", "--answers", "ben.yaml")
    assert refused.returncode == 2
    for name in ("anna", "ben"):
        assert f"advisor: {name}.yaml: weights: nothing is left to weigh" in refused.stderr


def test_a_name_is_shown_as_it_is_written(advisor: Run, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text('schema: advisor/answers/1\nrespondent: "a[/b]|c"\n', encoding="utf-8")
    (tmp_path / "[bold]two.yaml").write_text("schema: advisor/answers/1\n", encoding="utf-8")
    shown = advisor("recommend", "--answers", "one.yaml", "--answers", "[bold]two.yaml")
    assert shown.returncode == 0, shown.stderr
    head = next(line for line in shown.stdout.splitlines() if line.startswith("alone"))
    assert head.split() == ["alone", "a[/b]|c", "[bold]two", "together"]


def test_people_who_disagree_stand_side_by_side_and_so_does_what_one_of_them_uses(advisor: Run) -> None:
    team = [f"--answers={ROOT / 'examples' / name}" for name in ("team-anna.yaml", "team-ben.yaml")]
    document = json.loads(advisor("recommend", *team, "--json", "--as-of", "2026-11-26").stdout)
    anna, ben = document["people"]
    assert (anna["respondent"], ben["respondent"]) == ("Anna", "Ben")
    assert anna["first"] != ben["first"]
    said = advisor("recommend", *team, "--as-of", "2026-11-26").stdout
    head = next(line for line in said.splitlines() if line.startswith("alone"))
    assert head.split() == ["alone", "Anna", "Ben", "together"]
    for ranked in document["ranking"]:
        row = next(line for line in said[said.index(head) :].splitlines() if line.startswith(f"{ranked['name']}  "))
        own = [f"{person['scores'][ranked['framework']]:.1f}" for person in document["people"]]
        assert row.removeprefix(ranked["name"]).replace("*", "").split() == [*own, f"{ranked['score']:.1f}"]
    joined = " ".join(said.split())
    assert f"Their rankings agree to {document['agreement']:.2f}" in joined
    assert "Stay with Keras or switch - In use by Ben. - It ranks" in joined
    assert f"Leaving it: {document['current']['leaving_cost']}" in joined
    for owner, requirement in (("Anna", "where models run: mobile"),):
        assert f"{requirement}, asked for by {owner} only, rules out" in joined


def test_people_get_text_within_eighty_columns_in_both_languages(advisor: Run) -> None:
    from rich.cells import cell_len

    for language in ("en", "zh"):
        sheets = [f"--answers={example}" for example in EXAMPLES]
        shown = advisor("recommend", *sheets, "--lang", language)
        assert shown.returncode == 0, shown.stderr
        assert "…" not in shown.stdout  # nothing is cut off, however many sheets stand side by side
        assert max(cell_len(line) for line in shown.stdout.splitlines()) <= 80
        assert "\x1b[" not in shown.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
def test_compared_frameworks_stand_side_by_side_within_eighty_columns(advisor: Run, language: str) -> None:
    from rich.cells import cell_len

    four, six = "pytorch keras tensorflow mxnet", "pytorch theano litert jax onnx_runtime mxnet"
    for words in (four, six):
        shown = advisor("compare", *words.split(), "--lang", language)
        assert shown.returncode == 0, shown.stderr
        assert max(cell_len(line) for line in shown.stdout.splitlines()) <= 80
        assert "…" not in shown.stdout  # nothing is cut off


@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_frameworks_are_listed_once_by_role_and_status_within_eighty_columns(advisor: Run, language: str) -> None:
    from rich.cells import cell_len

    import knowledge
    from advisor import i18n, words

    shown = advisor("frameworks", "--lang", language).stdout
    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    assert "…" not in shown
    rows = [line.split()[0] for line in shown.splitlines() if re.match("  [a-z]", line)]
    base = knowledge.load().frameworks
    assert sorted(rows) == sorted(base)
    if language == "en":
        i18n.set_language("en")
        groups = [
            (words.role_in_words(base[id_].role), words.status_in_words(base[id_].lifecycle.status)) for id_ in rows
        ]
        headings = [tuple(line.rpartition(" (")[0].split(" · ")) for line in shown.splitlines() if " · " in line]
        assert list(dict.fromkeys(groups)) == headings
        assert headings[0] == ("engine", "active")


def test_a_comparison_shows_the_attribute_sheet_and_dated_popularity(advisor: Run) -> None:
    shown = advisor("compare", "mxnet", "keras", COLUMNS="200").stdout
    rows = {line[:22].strip(): line[22:] for line in shown.splitlines()}
    assert "Apache Software Foundation" in rows["developer"]
    assert "cpp, python, scala, r, julia" in rows["written in"]
    assert "eager, stated graph" in rows["execution"]
    assert rows["autodiff"].split() == ["yes", "yes"]
    assert "convolution, recurrent" in rows["layers"]
    assert "20,826" in rows["GitHub stars"]
    below = shown[shown.index("GitHub stars") :].splitlines()[1]
    assert "(2025-10-30)" in below


def test_a_page_shows_what_a_framework_is_where_each_rating_is_written_and_by_whom(advisor: Run) -> None:
    said = " ".join(advisor("show", "mxnet").stdout.split())
    for part in (
        "Instead of Apache MXNet, PyTorch: Closest to Gluon",
        "Leaving it: Weights leave through ONNX",
        "developer: Apache Software Foundation until 2023",
        "written in: cpp, python, scala, r, julia",
        "GitHub stars: 20,826 (2025-10-30, Best-of Machine Learning with Python",
        "Framework Advisor (no affiliation), reviewed by nobody",
        ", vendor)",
        "supports: AutoGluon listed the removal of MXNet in October 2021 and merged the last of it in July 2023. "
        "(AutoGluon pull request 3396, Remove all references to MXNet, 2023-07-13, independent)",
    ):
        assert part in said
    assert "20,644" not in said
    places = re.findall(r"knowledge/frameworks/mxnet\.yaml:(\d+): Framework", said)
    lines = (ROOT / "knowledge" / "frameworks" / "mxnet.yaml").read_text(encoding="utf-8").splitlines()
    page = json.loads(advisor("show", "mxnet", "--json").stdout)
    assert len(places) == len(page["ratings"])
    for place in places:
        assert lines[int(place) - 1].startswith("    - as_of: ")
    assert [rated[0]["place"].rpartition(":")[2] for rated in page["ratings"].values()] == places
    assert page["sheet"]["execution"] == ["eager", "graph"]
    assert [each["framework"] for each in page["instead"]] == ["pytorch", "keras", "jax"]
    for stated in (page["leaving"], *page["instead"]):
        assert all(set(each) >= {"claim", "source", "title", "url", "published"} for each in stated["evidence"])
    assert page["leaving"]["evidence"]


def test_history_shows_superseded_ratings_and_older_figures(advisor: Run) -> None:
    newest = json.loads(advisor("show", "mxnet", "--json").stdout)
    everything = json.loads(advisor("show", "mxnet", "--history", "--json").stdout)
    assert (
        len(everything["popularity"])
        > len(newest["popularity"])
        == len({each["measure"] for each in everything["popularity"]})
    )
    said = " ".join(advisor("show", "mxnet", "--history").stdout.split())
    assert "20,644 (2023-11-16" in said
    older = sum(len(rated) - 1 for rated in everything["ratings"].values())
    assert said.count("superseded, ") == older


def test_a_comparison_has_a_sheet_and_the_ratings_of_each_framework_once(advisor: Run) -> None:
    document = json.loads(advisor("compare", "pytorch", "mxnet", "torch", "pytorch", "--json").stdout)
    assert document["schema"] == "advisor/comparison/1"
    assert document["frameworks"] == list(document["attributes"]) == ["pytorch", "mxnet"]
    sheet = document["attributes"]["mxnet"]
    assert (sheet["role"], sheet["status"], sheet["latest_version"]) == ("engine", "archived", "1.9.1")
    assert sheet["sheet"]["layers"] == ["convolution", "recurrent"]
    assert sheet["popularity"]["github-stars"]["as_of"] == "2025-10-30"
    assert sheet["facts"]["accelerator"]["cuda"] == "native"
    assert sheet["code_lines"]["workloads"]["mnist-cnn"]["training"] > 0
    assert set(document["leaves"]["ease.boilerplate"]) == {"pytorch", "mxnet"}


FAULTY = """\
schema: advisor/answers/1
respondnt: me
answers:
  goal: conquer
  build: [images, text, audio]
  train_on: [nowhere, cuda]
weights:
  easy: 10
  docs: -1
"""


def test_bad_answers_get_every_fault_with_its_line_and_status_2(advisor: Run, tmp_path: Path) -> None:
    (tmp_path / "sheet.yaml").write_text(FAULTY, encoding="utf-8")
    finished = advisor("recommend", "--answers", "sheet.yaml", "--json")
    assert (finished.returncode, finished.stdout) == (2, "")
    for place in ("sheet.yaml:2", "sheet.yaml:4", "sheet.yaml:5", "sheet.yaml:6", "sheet.yaml:8", "sheet.yaml:9"):
        assert place in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["recommend", "--answers", "absent.yaml"], "absent.yaml"),
        (["recommend", "--answers", str(EXAMPLES[0]), "--results", "latest"], "nothing has been measured"),
        (["recommend", "--answers", str(EXAMPLES[0]), "--answers", str(EXAMPLES[0])], "given twice"),
        (["show", "pytorhc"], "did you mean pytorch?"),
        (["compare", "pytorch"], "name two or more"),
        (["bench", "run", "-f", "pytorhc"], "pytorch"),
        (["bench", "run", "-f", "pytorch", "-m", "egaer"], "eager"),
        (["bench", "run", "-w", "mnist"], "mnist-cnn"),
        (["bench", "run", "--device", "cuda:7"], "cuda:7"),
        (["bench", "run", "--budget", "-5"], "budget"),
        (["bench", "run", "--data", "mnist"], "NAME=PATH"),
        (["bench", "run", "--data", "imagenet=."], "imagenet"),
        (["bench", "show", "20260101"], "nothing has been measured"),
        (["bench", "import", "absent.json"], "absent.json"),
        (["env", "remove", "pytorch"], "no such environment"),
        (["report", "--answers", str(EXAMPLES[0]), "--output", "report.docx"], "--format"),
        (["report", "--answers", str(EXAMPLES[0]), "--output", "no/such/folder/report.md"], "folder"),
        (["serve"], "No such command"),
        (["recommend", "--lang", "fr"], "fr"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, list) else None,
)
def test_bad_words_get_one_clear_error_and_status_2(advisor: Run, words: list[str], complaint: str) -> None:
    finished = advisor(*words)
    assert finished.returncode == 2
    assert complaint in finished.stderr
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr


def test_a_workload_of_one_s_own_is_raced_from_a_file_and_from_the_data_folder(advisor: Run, tmp_path: Path) -> None:
    text = (ROOT / "bench" / "workloads" / "mnist-cnn.yaml").read_text(encoding="utf-8")
    own = tmp_path / "home" / "workloads"
    own.mkdir(parents=True)
    (own / "kept.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "once.yaml").write_text(text, encoding="utf-8")
    listed = json.loads(advisor("bench", "list", "--json").stdout)
    assert {"kept", "mnist-cnn"} <= {workload["id"] for workload in listed["workloads"]}
    # Refused for its budget alone: both workloads are known.
    refused = advisor("bench", "run", "-w", "once.yaml,kept", "--budget", "-5")
    assert refused.returncode == 2
    assert "budget" in refused.stderr
    assert "workload" not in refused.stderr


def test_a_broken_workload_file_is_named_with_its_line(advisor: Run, tmp_path: Path) -> None:
    text = (ROOT / "bench" / "workloads" / "mnist-cnn.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("kernel: 3", "kernel: 30", 1), encoding="utf-8")
    line = 1 + text[: text.index("kernel: 3")].count("\n")
    refused = advisor("bench", "run", "-w", "mine.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"mine.yaml:{line}: layers[0]: conv2d cannot take an input of shape 1 x 28 x 28" in refused.stderr


def test_a_results_file_of_another_schema_is_refused_by_name(advisor: Run, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"schema": "advisor/bench/0"}', encoding="utf-8")
    finished = advisor("recommend", "--answers", str(EXAMPLES[0]), "--results", "old.json")
    assert finished.returncode == 2
    assert "advisor/bench/1" in finished.stderr


def test_reports_are_written_whole_and_equal_bytes_for_equal_inputs(advisor: Run, tmp_path: Path) -> None:
    for suffix in ("md", "html", "json"):
        path = tmp_path / f"report.{suffix}"
        words = ["report", "--answers", str(EXAMPLES[0]), "--as-of", "2026-11-20", "--output", path.name]
        assert advisor(*words).returncode == 0
        first = path.read_bytes()
        assert advisor(*words).returncode == 0
        assert path.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "report.html",
        "report.json",
        "report.md",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["frameworks"],
        ["show", "mxnet"],
        ["show", "mxnet", "--history"],
        ["compare", "pytorch", "keras", "jax"],
        ["explain", "jax", "--answers", str(EXAMPLES[0])],
        ["bench", "list"],
        ["bench", "results"],
        ["env", "list"],
        ["knowledge", "check", "--as-of", "2026-11-26"],
        ["knowledge", "counts", "--as-of", "2026-11-26"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_every_reading_command_speaks_to_people_and_to_programs(advisor: Run, words: list[str]) -> None:
    for_people = advisor(*words)
    assert for_people.returncode == 0, for_people.stderr
    for_programs = advisor(*words, "--json")
    assert for_programs.returncode == 0, for_programs.stderr
    assert json.loads(for_programs.stdout)["schema"].startswith("advisor/")


def test_doctor_says_of_every_vendor_and_counter_what_is_there_or_why_not(advisor: Run) -> None:
    report = json.loads(advisor("doctor", "--json").stdout)
    assert {each["vendor"] for each in report["telemetry"]} == {"nvidia", "amd", "intel", "apple"}
    assert all(each["gpus"] or each["absent_because"] for each in report["telemetry"])
    assert [each["device"] for each in report["energy"]] == report["devices"]
    assert all(each["basis"] != "unavailable" or each["absent_because"] for each in report["energy"])
    kinds = dict.fromkeys(device.partition(":")[0] for device in report["devices"])
    assert list(dict.fromkeys(each["device"].partition(":")[0] for each in report["checks"])) == list(kinds)
    said = " ".join(advisor("doctor").stdout.split())
    assert all(f"GPU, {each['vendor']}: " in said for each in report["telemetry"])


def test_explaining_covers_the_first_the_others_and_the_knocked_out(advisor: Run) -> None:
    said = {
        name: advisor("explain", name, "--answers", str(ROOT / "examples/beginner-images.yaml")).stdout
        for name in ("keras", "jax", "mxnet")
    }
    assert all(said.values())
    assert "archived" in said["mxnet"]
