"""`advisor guides`: claims side by side, charges on trial by results that are recorded or kept, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from bench import recording
from tests.advisor.cli.test_commands import Run, advisor  # noqa: F401  # a fixture
from tests.advisor.cli.test_life_of_a_result import flat

CALLED_OFF = "keras-or-pytorch-2018"  # all of its charges are on lines of code


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_guides_are_listed_with_what_holds_within_eighty_columns(advisor: Run, language: str) -> None:  # noqa: F811
    shown = advisor("guides", "--lang", language)
    assert shown.returncode == 0, shown.stderr
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80
    words = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines() if line.strip()}
    assert words["pytorch-or-tensorflow-2017"][:2] == ["2017-08", "59"]
    assert sum(map(int, words["pytorch-or-tensorflow-2017"][2:])) == 59
    assert "389" in shown.stdout


def test_programs_get_everything(advisor: Run) -> None:  # noqa: F811
    document = json.loads(advisor("guides", "--json").stdout)
    assert document["schema"] == "advisor/guides/1"
    assert [guide["published"] for guide in document["guides"]] == [
        "2016",
        "2017-08",
        "2018-06",
        "2018-06",
        "2020-09-02",
    ]
    claims = [claim for guide in document["guides"] for claim in guide["claims"]]
    assert len(claims) == 389
    assert all(claim["evidence"] for claim in claims if claim["holds"] != "untestable")
    assert all(item["title"] and item["url"] and item["accessed"] for claim in claims for item in claim["evidence"])
    for guide in document["guides"]:
        assert sum(guide["holds"].values()) == len(guide["claims"])
        assert guide["trial"] is None
        for winner in guide["winners"]:
            assert set(winner["rated_best"]) == set(winner["now"])
    assert {claim["id"] for topic in document["topics"] for claim in topic["said"]} == {claim["id"] for claim in claims}


def test_a_guide_is_shown_then_and_now_and_beside_the_others(advisor: Run) -> None:  # noqa: F811
    shown = advisor("guides", "keras-or-pytorch-2018")
    assert shown.returncode == 0, shown.stderr
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80
    text = flat(shown.stdout)
    assert "56 claims: 37 confirmed, 10 partly, 8 refuted, 1 untestable" in text
    assert "Popularity Keras PyTorch PyTorch 10, Keras 9.2" in text
    assert "twenty-lines-against-one: Training takes about twenty lines" in text
    assert (
        "2018-06: Training takes one line in Keras. [s1-034, keras-or-pytorch-2018] today: confirmed. One call" in text
    )
    assert "supports: The network that the guide shows takes 12 lines of training in PyTorch and 8 in Keras" in text
    assert ", quick-read-2020]" in text


def test_claims_are_chosen_by_framework_and_by_criterion(advisor: Run) -> None:  # noqa: F811
    document = json.loads(advisor("guides", "--framework", "theano", "--criterion", "ease", "--json").stdout)
    assert {topic["framework"] for topic in document["topics"]} == {"theano"}
    assert all(topic["criterion"].startswith("ease.") for topic in document["topics"])
    text = flat(advisor("guides", "--framework", "theano", "--criterion", "ease.install").stdout)
    assert text.startswith("Theano · Installing (ease.install) 2016: Theano runs cross-platform.")
    assert "quick read" not in text
    nothing = advisor("guides", "--framework", "litert", "--criterion", "ease.install")
    assert (nothing.returncode, nothing.stdout) == (0, "The guides said nothing of that.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("keras-or-pytorch", "GUIDE: keras-or-pytorch: there is no such guide (did you mean keras-or-pytorch-2018?)"),
        ("zzz", "GUIDE: zzz: there is no such guide (`advisor guides` lists them)"),
        ("--framework kers", "--framework: kers: there is no such framework (did you mean keras?)"),
        (
            "--criterion ease.instal",
            "--criterion: ease.instal: there is no such criterion (did you mean ease.install?)",
        ),
        ("--run", "--run: needs a guide to try (`advisor guides` lists them)"),
        ("quick-read-2020 --run --replay", "--run: cannot go with --replay (give one)"),
        ("quick-read-2020 --replay --results latest", "--replay: cannot go with --results (give one)"),
        ("quick-read-2020 --results latest", "nothing has been measured on this machine yet"),
        ("quick-read-2020 --replay --yes", "--yes: says how to race, and nothing is raced (--run)"),
        ("quick-read-2020 --run --budget 0", "--budget: 0 is no usable number of seconds"),
        ("quick-read-2020 --run --record nowhere", "'nowhere' does not exist"),
    ],
)
def test_what_cannot_be_shown_or_tried_is_named(advisor: Run, tmp_path: Path, words: str, said: str) -> None:  # noqa: F811
    refused = advisor("guides", *words.split(), "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr
    assert not (tmp_path / "home").exists()


def test_nobody_downloads_what_nobody_consented_to(advisor: Run, tmp_path: Path) -> None:  # noqa: F811
    refused = advisor("guides", "quick-read-2020", "--run", "--record", ".")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "this downloads about" in refused.stderr
    assert [path.name for path in tmp_path.rglob("*")] == []


def test_counting_is_tried_with_nothing_raced_and_nothing_kept(advisor: Run, tmp_path: Path) -> None:  # noqa: F811
    tried = advisor("guides", CALLED_OFF, "--run", "--json")
    assert tried.returncode == 0, tried.stderr
    (guide,) = json.loads(tried.stdout)["guides"]
    assert {charge["charge"]: charge["ruling"] for charge in guide["trial"]["charges"]} == {
        "twenty-lines-against-one": "partly",
        "keras-more-concise": "confirmed",
    }
    assert not any(charge["needs_race"] for charge in guide["charges"])
    assert not (tmp_path / "home").exists()
    replayed = json.loads(advisor("guides", CALLED_OFF, "--replay", "--json").stdout)
    assert replayed["guides"][0]["trial"] == guide["trial"]


# --- recorded trials -------------------------------------------------------------------------------------------------


def test_a_recorded_trial_shows_the_guides_words_the_figures_their_versions_and_the_device(
    advisor: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    shown = advisor("guides", "quick-read-2020", "--replay")
    assert shown.returncode == 0, shown.stderr
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80
    text = flat(shown.stdout)
    for said in (
        "keras-slow: Keras runs rather slowly because of its wrapping: slower than TensorFlow, PyTorch and MXNet.",
        "2020-09-02: Many bugs hide in the wrapping, and Keras runs rather slowly.",
        "on trial: refuted, on cpu",
        "tensorflow:function is faster than keras@tensorflow:fit: 1.30-1.66x",
        "keras 3.15.1",
        "pm25-lstm: confirmed mxnet:hybrid: peak RSS 165 MB; mxnet 1.9.1, numpy 1.23.5",
        "Keras: 14 lines of model, 8 of training",
        "Apache MXNet takes 1.14x the lines of Keras: confirmed",
    ):
        assert said in text
    assert not (tmp_path / "home").exists()


def test_all_recorded_trials_are_told_at_once(advisor: Run) -> None:  # noqa: F811
    document = json.loads(advisor("guides", "--replay", "--json").stdout)
    trials = {guide["id"]: guide["trial"] for guide in document["guides"] if guide["trial"] is not None}
    assert set(recording.trials()) | {CALLED_OFF, "quick-read-2020"} <= set(trials)
    for trial in trials.values():
        used = {id_ for charge in trial["charges"] for id_ in charge["results"]}
        assert used == {venue["results"] for venue in trial["venues"]}


def test_a_verdict_is_worked_out_from_the_results_and_not_stored(advisor: Run, tmp_path: Path) -> None:  # noqa: F811
    document: dict[str, Any] = json.loads(advisor("bench", "replay", "pm25-lstm", "--json").stdout)

    def ruling() -> str:
        (tmp_path / "results.json").write_text(json.dumps(document), encoding="utf-8")
        tried = advisor("guides", "quick-read-2020", "--results", "results.json", "--json")
        assert tried.returncode == 0, tried.stderr
        (guide,) = json.loads(tried.stdout)["guides"]
        hearings = {each["workload"]: each["ruling"] for each in guide["trial"]["charges"][0]["hearings"]}
        return str(hearings["pm25-lstm"])

    assert ruling() == "refuted"  # MXNet is slower than Keras
    for verdict in document["verdicts"]:
        if {verdict["a"], verdict["b"]} == {"keras@tensorflow:fit", "mxnet:hybrid"}:
            verdict["a"], verdict["b"] = verdict["b"], verdict["a"]
    assert ruling() == "confirmed"
