"""The services on the real knowledge base; nothing is installed or raced here."""

from pathlib import Path

import pytest

from advisor.answers import Answer, Answers, Wanted
from advisor.tui.house import House
from advisor.tui.services import Choice
from knowledge.faults import BadInput
from knowledge.loader import load_with_places


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    return House(*load_with_places())


def why(house: House, answers: Answers) -> dict[str, str | None]:
    return {offer.readiness.candidate: offer.why_not_counted for offer in house.offers((answers,), "cpu")}


def test_the_plan_has_exactly_the_candidates_chosen(house: House) -> None:
    chosen = ("keras@jax:fit", "pytorch:compile", "tensorflow:eager")
    choice = Choice(candidates=chosen, workloads=("mnist-cnn",), device="cpu", budget_seconds=60)
    plan = house.plan(choice)
    assert set(plan.candidates) == set(chosen)
    assert (plan.K, plan.M, plan.budget_seconds) == (3, 3, 60)
    assert plan.defaults == ()


def test_a_plan_for_a_device_that_is_not_here_is_refused(house: House) -> None:
    choice = Choice(candidates=("pytorch:eager",), workloads=("mnist-cnn",), device="cuda:99", budget_seconds=60)
    with pytest.raises(BadInput, match="cuda:99"):
        house.plan(choice)


def test_documented_default_modes_count_and_others_are_shown(house: House) -> None:
    offered = why(house, Answers())
    assert offered["pytorch:eager"] is None
    assert offered["pytorch:compile"] is not None


def test_what_is_knocked_out_does_not_count_until_the_assumption_is_taken_back(house: House) -> None:
    assert why(house, Answers())["mxnet:hybrid"] is not None
    kept = Answers(requirements={"maintained": Wanted(("false",))})
    assert why(house, kept)["mxnet:hybrid"] is None


def test_a_device_the_user_does_not_train_on_counts_for_nobody(house: House) -> None:
    offered = why(house, Answers(answers={"train_on": Answer(("cuda",))}))
    assert None not in offered.values()


def test_answers_choose_the_workloads(house: House) -> None:
    assert house.wanted_workloads((Answers(answers={"build": Answer(("series",))}),)) == ("pm25-lstm",)
    assert house.wanted_workloads((Answers(),)) == ("mnist-cnn", "pm25-lstm")  # the usual ones


def test_without_a_store_there_are_no_results(house: House) -> None:
    assert house.latest_results() is None


@pytest.mark.parametrize(("form", "start"), [("md", b"#"), ("html", b"<!"), ("json", b"{")])
def test_every_form_of_the_report_can_be_written(house: House, form: str, start: bytes) -> None:
    assert house.report((Answers(),), None, form).lstrip().startswith(start)


def test_a_statement_has_its_file_and_line(house: House) -> None:
    place = house.place("pytorch", "ratings")
    assert place.file.endswith("pytorch.yaml")
    assert place.line is not None


def test_several_sheets_are_decided_on_together(house: House) -> None:
    sheets = (
        Answers(respondent="Ada", answers={"goal": Answer(("learn",))}),
        Answers(respondent="Bo", answers={"goal": Answer(("product",))}),
    )
    assert [person.respondent for person in house.decide(sheets, None).people] == ["Ada", "Bo"]
    assert house.decide(sheets[:1], None).people == ()


def test_a_claim_and_a_source_have_their_line_and_a_framework_its_sheet(house: House) -> None:
    claim = house.guide_place("four-frameworks-2018", "claims", 0)
    assert claim.file.endswith("guides/four-frameworks-2018.yaml")
    assert claim.line is not None
    assert house.source_place("guide-four-frameworks-2018").line is not None
    assert house.attributes("pytorch").code_lines is not None


def test_a_guide_is_tried_by_what_was_recorded(house: House) -> None:
    guide = "four-frameworks-2018"
    recorded = house.trial_recordings(guide)
    assert {"mnist-cnn", "pm25-lstm"} <= recorded.keys()
    results = [house.recording(path).results for path in recorded.values()]
    raced = [charge.charge for charge in house.trial(guide, results).charges if charge.results]
    assert "keras-slowest" in raced
    assert [charge.charge for charge in house.trial(guide, ()).charges if charge.results] == []


def test_the_races_that_try_a_guide_here_run_what_its_charges_name(house: House) -> None:
    (wishes, *_others) = house.trial_races("four-frameworks-2018")
    assert wishes.device == "cpu"
    assert {"keras", "tensorflow", "mxnet", "pytorch"} <= set(wishes.frameworks)
    assert set(wishes.workloads) <= house.workloads().keys()
