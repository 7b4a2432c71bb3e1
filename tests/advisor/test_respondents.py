"""Those who decide together have names of their own, and no sheet counts twice."""

from pathlib import Path

import pytest

from advisor.answers import Answers
from advisor.respondents import distinct, named


def test_a_sheet_without_a_respondent_is_called_after_its_file() -> None:
    sheets, faults = named({"some/anna.yaml": Answers(), "ben.yaml": Answers(respondent="Ben")})
    assert [sheet.respondent for sheet in sheets] == ["anna", "Ben"]
    assert faults == []


def test_a_single_sheet_stays_as_it_is() -> None:
    assert named({"anna.yaml": Answers()}) == ((Answers(),), [])


def test_one_person_has_one_sheet() -> None:
    _sheets, faults = named(
        {"a.yaml": Answers(respondent="Anna"), "b/Anna.yaml": Answers(), "c.yaml": Answers(respondent="Anna")}
    )
    assert [str(fault) for fault in faults] == [
        "b/Anna.yaml: respondent: 'Anna' is the respondent of a.yaml too (give each sheet a respondent of its own)",
        "c.yaml: respondent: 'Anna' is the respondent of a.yaml too (give each sheet a respondent of its own)",
    ]


def test_a_file_given_again_is_found_under_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anna.yaml").write_text("")
    (tmp_path / "linked.yaml").symlink_to("anna.yaml")
    files, faults = distinct(["anna.yaml", "ben.yaml", "linked.yaml", "ben.yaml"])
    assert files == ["anna.yaml", "ben.yaml"]
    assert [str(fault) for fault in faults] == [
        "linked.yaml: is given twice (anna.yaml) (give each sheet once)",
        "ben.yaml: is given twice (give each sheet once)",
    ]
