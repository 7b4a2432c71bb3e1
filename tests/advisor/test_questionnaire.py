"""The answer sheet and what it asks for."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.answers import Answer, Answers, FixedWeight, Sure, Wanted, dump_answers, parse_answers
from advisor.decision.weights import leaf_weights, split_tree
from advisor.questionnaire import Origin, Preferences, Requirement, preferences, read_answers
from knowledge.faults import BadInput
from knowledge.loader import walk
from knowledge.model import Choose, Knowledge, Role
from knowledge.reader import MAX_FAULTS
from tests.advisor.decision.builders import base, framework, with_frameworks

HEAD = "schema: advisor/answers/1\n"
EXAMPLES = Path(__file__).parents[2] / "examples"


def known() -> Knowledge:
    mxnet = msgspec.structs.replace(framework("mxnet"), aliases=("apache-mxnet",))
    return with_frameworks(base(), [mxnet, framework("keras", role=Role.HIGH_LEVEL)])


KNOWN = known()


def sheet(text: str) -> Answers:
    return parse_answers((HEAD + text).encode(), "sheet.yaml", KNOWN)


def asked(text: str) -> Preferences:
    return preferences(sheet(text), KNOWN)


FAULTS = {
    # what is written: (line, key, part of the problem, part of the mend)
    "unknown key": ("answer: {}", 2, "answer", "no such key", "'answers'"),
    "unknown question": ("answers: {goals: learn}", 2, "answers.goals", "no such question", "'goal'"),
    "unknown option": ("answers:\n  goal: lern", 3, "answers.goal", "no option 'lern'", "'learn'"),
    "option in a list": ("answers:\n  build: [images, txt]", 3, "answers.build[1]", "no option 'txt'", "'text'"),
    "option with sure": ("answers: {goal: {value: lern}}", 2, "answers.goal.value", "no option", "'learn'"),
    "option of another type": ("answers: {goal: 3}", 2, "answers.goal", "found the number 3", "known: learn"),
    "unknown sureness": ("answers: {goal: {value: learn, sure: very}}", 2, "answers.goal.sure", "'very'", "low"),
    "no value": ("answers: {goal: {sure: low}}", 2, "answers.goal", "value is missing", "{value:"),
    "misspelt value": ("answers: {goal: {value: learn, shure: low}}", 2, "answers.goal.shure", "no such key", "sure"),
    "two of one": ("answers: {goal: [learn, teach]}", 2, "answers.goal", "2 options", "1 at most"),
    "three of two": ("answers: {build: [tabular, series, text]}", 2, "answers.build", "3 options", "2 at most"),
    "twice": ("answers: {run_on: [server, server]}", 2, "answers.run_on[1]", "twice", "once"),
    "none": ("answers: {run_on: []}", 2, "answers.run_on", "empty", "at least one"),
    "nowhere and cpu": ("answers: {train_on: [nowhere, cpu]}", 2, "answers.train_on", "stands alone", "leave"),
    "here and server": ("answers: {run_on: [here, server]}", 2, "answers.run_on", "stands alone", "leave"),
    "perhaps nowhere": ("answers: {train_on_maybe: [nowhere]}", 2, "answers.train_on_maybe", "perhaps", "leave"),
    "wrong Python": (
        "answers: {must: python-version}\nrequirements: {python: 3.1}",
        3,
        "requirements.python",
        "number",
        "",
    ),
    "which Python": ("answers: {must: python-version}", 2, "answers.must", "does not say which", "python: "),
    "unknown framework": ("current: mxnets", 2, "current", "no framework 'mxnets'", "'mxnet'"),
    "unknown course": ("course: keraz", 2, "course", "no framework 'keraz'", "'keras'"),
    "two currents": ("current: mxnet\nanswers: {current: keras}", 3, "answers.current", "not the same", "one of"),
    "unknown criterion": ("weights: {ease.ramp: 3}", 2, "weights.ease.ramp", "no such criterion", "'ease.ramp_up'"),
    "not a number": ("weights: {ease: lots}", 2, "weights.ease", "expected a number", "0 to 100"),
    "true for a number": ("weights: {ease: true}", 2, "weights.ease", "expected a number", "0 to 100"),
    "negative": ("weights: {ease: -1}", 2, "weights.ease", "-1 is not a per cent", "0 to 100"),
    "too much": ("weights: {ease: 101}", 2, "weights.ease", "101 is not a per cent", "0 to 100"),
    "too much together": ("weights:\n  ease: 60\n  docs: 60", 4, "weights.docs", "sum to 120", "100 at most"),
    "all zero": (
        "weights: {fit.accelerator: 0, fit.target: 0, fit.language: 0}",
        2,
        "weights.fit.language",
        "are all 0",
        "one of them",
    ),
    "unknown fact": ("requirements: {oss: linux}", 2, "requirements.oss", "no such fact", "'os'"),
    "unknown value": ("requirements: {os: [linx]}", 2, "requirements.os[0]", "cannot be 'linx'", "'linux'"),
    "unquoted version": (
        "requirements: {python: 3.10}",
        2,
        "requirements.python",
        "cannot be the number 3.1",
        "quotes",
    ),
    "other mapping": ("requirements: {os: {all: [linux]}}", 2, "requirements.os", "{any: [...]}", "any:"),
    "true and false": ("requirements: {maintained: [true, false]}", 2, "requirements.maintained", "exclude", "one"),
    "answers is a list": ("answers: [learn]", 2, "answers", "expected a mapping", "key: value"),
    "respondent of two lines": ('respondent: "a\\nb"', 2, "respondent", "control codes", "one line"),
    "respondent is a number": ("respondent: 3", 2, "respondent", "expected text", "quotes"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_names_line_key_and_mend(case: str) -> None:
    text, line, key, problem, mend = FAULTS[case]
    with pytest.raises(BadInput) as raised:
        sheet(text)
    (fault,) = raised.value.faults
    assert (fault.file, fault.line, fault.key) == ("sheet.yaml", line, key)
    assert problem in fault.problem
    assert mend in fault.mend


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e999"])
def test_weights_that_are_not_finite_are_refused(number: str) -> None:
    with pytest.raises(BadInput):
        sheet(f"weights: {{ease: {number}}}")


@pytest.mark.parametrize("text", ["", "answers: {}\n", "schema: advisor/answers/2\n"])
def test_a_sheet_of_no_or_another_schema_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"schema|empty"):
        parse_answers(text.encode(), "sheet.yaml", KNOWN)


def test_every_fault_is_reported_in_the_order_of_lines() -> None:
    with pytest.raises(BadInput) as raised:
        sheet("requirements: {oss: linux}\nweights: {ease: -1}\nanswers: {goal: lern, biuld: text}")
    assert [fault.line for fault in raised.value.faults] == [2, 3, 4, 4]


def test_many_faults_are_told_up_to_a_limit() -> None:
    with pytest.raises(BadInput) as caught:
        sheet("answers:\n" + "".join(f"  nothing{number}: x\n" for number in range(100)))
    assert len(caught.value.faults) == MAX_FAULTS + 1
    assert "and 75 faults more" in str(caught.value)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_answers(tmp_path / "nothing.yaml", KNOWN)


def test_an_alias_stands_for_the_framework() -> None:
    assert sheet("current: apache-mxnet").current == "mxnet"
    assert sheet("answers: {current: mxnet}").current == "mxnet"
    assert sheet("answers: {current: {value: mxnet, sure: high}}").current == "mxnet"


def test_every_answer_may_be_bare_a_list_or_carry_how_sure() -> None:
    answers = sheet("answers: {goal: learn, build: [images, text], train_on: {value: [cuda], sure: high}}")
    assert answers.answers == {
        "goal": Answer(("learn",)),
        "build": Answer(("images", "text")),
        "train_on": Answer(("cuda",), Sure.HIGH),
    }


def test_other_spellings_of_a_value_are_understood() -> None:
    assert sheet("requirements: {language: [c++, typescript]}").requirements == {
        "language": Wanted(("cpp", "javascript"))
    }


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_ask_for_something(path: Path) -> None:
    answers = read_answers(path, KNOWN)
    assert preferences(answers, KNOWN).answered >= 3
    assert parse_answers(dump_answers(answers).encode(), "again", KNOWN) == answers


def _a_reply(choose: Choose, options: list[str]) -> st.SearchStrategy[Answer]:
    most = {Choose.ONE: 1, Choose.UP_TO_TWO: 2}.get(choose, 4)
    values = st.lists(st.sampled_from(options), min_size=1, max_size=most, unique=True).map(tuple)
    return st.builds(Answer, values, st.sampled_from(Sure))


@st.composite
def sheets(draw: st.DrawFn) -> Answers:
    """Any sheet that can be read."""
    answers = {}
    for question in KNOWN.questions.values():
        options = [option.id for option in question.options if not option.alone and not option.asks]
        if options and draw(st.booleans()):
            answers[question.id] = draw(_a_reply(question.choose, options))
        if question.maybe and draw(st.booleans()):
            answers[question.maybe] = draw(_a_reply(Choose.ANY, options))
    paths = [path for path, _criterion in walk(KNOWN.criteria)]
    weight = st.builds(FixedWeight, st.integers(1, 10).map(float) | st.just(0.5), st.sampled_from(Sure))
    return Answers(
        respondent=draw(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20)),
        current=draw(st.sampled_from([None, "mxnet"])),
        course=draw(st.sampled_from([None, "keras"])),
        answers=answers,
        weights=draw(st.dictionaries(st.sampled_from(paths), weight, max_size=4)),
        requirements=draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "os": st.just(Wanted(("linux", "macos"))),
                    "accelerator": st.just(Wanted(("cuda", "rocm"), any=True)),
                    "python": st.just(Wanted(("3.13",))),
                    "maintained": st.sampled_from([Wanted(("false",)), Wanted(("true",))]),
                },
            )
        ),
    )


@given(sheets())
def test_a_sheet_reads_back_as_it_was_written(answers: Answers) -> None:
    assert parse_answers(dump_answers(answers).encode(), "sheet.yaml", KNOWN) == answers


@pytest.mark.parametrize("name", ["0E0", "1e5", "1.0e5", "+.5", "7.", "2026", "true"])
def test_a_name_that_looks_like_a_number_stays_a_name(name: str) -> None:
    answers = Answers(respondent=name)
    assert parse_answers(dump_answers(answers).encode(), "sheet.yaml", KNOWN) == answers


# --- preferences -----------------------------------------------------------------------------------------------------


def test_an_empty_sheet_assumes_maintained_and_nothing_else_that_counts() -> None:
    wants = asked("answers: {}")
    assert wants.requirements == (Requirement("maintained", ("true",), Origin.ASSUMED),)
    assert wants.assumptions == ("maintained", "run-length")
    assert (wants.fit, wants.devices, wants.workloads, wants.answered) == ({}, None, None, 0)
    assert wants.run_length_seconds == 14_400


def test_effects_multiply_across_questions() -> None:
    assert asked("answers: {goal: learn, experience: nothing}").effects == {
        "ease": 3 * 2,
        "ease.ramp_up": 2,
        "docs": 2,
        "docs.tutorials": 2,
        "flexibility": 0.5 * 0.5,
        "ease.boilerplate": 2,
    }


def test_one_question_counts_its_strongest_effect_once() -> None:
    effects = asked("answers: {run_on: [mobile, embedded, microcontroller]}").effects
    halved = {"deployment.serving": 0.5, "deployment.browser": 0.5}
    assert effects == {"deployment": 1.5, "deployment.edge": 12, "deployment.footprint": 2, **halved}


@pytest.mark.parametrize("place", ["mobile", "embedded", "microcontroller", "browser"])
def test_a_place_that_is_named_gets_about_two_thirds_of_deployment(place: str) -> None:
    weights = leaf_weights(split_tree(KNOWN.criteria, asked(f"answers: {{run_on: {place}}}"), ()), KNOWN.leaves)
    deployment = sum(weight for path, weight in weights.items() if path.startswith("deployment."))
    leaf = "deployment.browser" if place == "browser" else "deployment.edge"
    assert weights[leaf] / deployment == pytest.approx(2 / 3, abs=0.05)


def test_what_one_place_needs_is_not_halved_by_another() -> None:
    effects = asked("answers: {run_on: [server, mobile, browser]}").effects
    leaves = {"deployment.serving": 3, "deployment.edge": 12, "deployment.browser": 10}
    assert {path: effects[path] for path in leaves} == leaves


def test_the_least_sure_answer_sets_the_concentration_of_what_it_touches() -> None:
    wants = asked(
        "answers:\n  goal: {value: learn, sure: high}\n  experience: {value: nothing, sure: low}\n"
        "  freedom: {value: dynamic, sure: high}\nweights: {community.adoption: {value: 9, sure: high}, fit: 3}"
    )
    assert wants.concentrations == {"": 20, "ease": 20, "docs": 200, "flexibility": 200, "community": 200}


def test_where_it_trains_is_one_of_and_where_it_runs_is_all_of() -> None:
    wants = asked("answers: {train_on: [cuda, rocm], run_on: [server, mobile]}")
    assert wants.requirements[:3] == (
        Requirement("accelerator", ("cuda", "rocm"), Origin.ANSWER),
        Requirement("target", ("server",), Origin.ANSWER),
        Requirement("target", ("mobile",), Origin.ANSWER),
    )
    assert wants.devices == ("cuda", "rocm")
    assert wants.targets == ("server", "mobile")


def test_perhaps_and_unsure_answers_count_in_the_fit_and_knock_nothing_out() -> None:
    wants = asked("answers:\n  train_on: {value: cuda, sure: low}\n  train_on_maybe: tpu\n  language_maybe: [java]")
    assert wants.requirements == (Requirement("maintained", ("true",), Origin.ASSUMED),)
    assert wants.fit == {"accelerator": ("cuda", "tpu"), "language": ("java", "python")}


def test_python_is_assumed_only_beside_something_named() -> None:
    assert asked("answers: {goal: learn}").fit == {}
    assert "python-in-fit" not in asked("answers: {goal: learn}").assumptions
    assert asked("answers: {train_on: cpu}").fit == {"accelerator": ("cpu",), "language": ("python",)}
    assert "python-in-fit" in asked("answers: {train_on: cpu}").assumptions
    assert asked("answers: {language: r}").fit == {"language": ("r",)}


def test_maintained_is_assumed_unless_kept_alive_or_not_required() -> None:
    def origins(text: str) -> list[Origin]:
        return [each.origin for each in asked(text).requirements if each.fact == "maintained"]

    assert origins("answers: {goal: learn}") == [Origin.ASSUMED]
    assert origins("answers: {goal: keep-alive}") == []
    assert origins("requirements: {maintained: false}") == []
    assert origins("requirements: {maintained: true}") == [Origin.REQUIREMENTS]
    assert origins("answers: {life: years}") == [Origin.ANSWER]
    assert origins("answers: {goal: keep-alive, life: years}") == [Origin.ANSWER]
    assert origins("answers: {goal: keep-alive, life: {value: years, sure: low}}") == []


def test_requirements_of_the_sheet_mean_all_or_any() -> None:
    wants = asked("requirements: {os: [linux, macos], accelerator: {any: [cuda, rocm]}, offline: true}")
    assert [str(each) for each in wants.requirements if each.origin is Origin.REQUIREMENTS] == [
        "os: linux",
        "os: macos",
        "accelerator: cuda | rocm",
        "offline",
    ]


def test_what_is_asked_twice_is_required_once() -> None:
    wants = asked("answers: {run_on: server}\nrequirements: {target: server}")
    assert [each.origin for each in wants.requirements if each.fact == "target"] == [Origin.ANSWER]
    either = asked("answers: {train_on: [cuda, rocm]}\nrequirements: {accelerator: {any: [rocm, cuda]}}")
    assert [str(each) for each in either.requirements if each.fact == "accelerator"] == ["accelerator: cuda | rocm"]


def test_who_trains_nowhere_compares_runtimes() -> None:
    wants = asked("answers: {train_on: nowhere}")
    assert wants.roles == (Role.RUNTIME,)
    assert not wants.trains
    assert asked("answers: {train_on: cpu}").roles == (Role.ENGINE, Role.HIGH_LEVEL)


def test_what_the_model_works_on_picks_the_workloads() -> None:
    assert asked("answers: {build: [tabular, science]}").workloads == ("mlp-tabular", "dynamic-rnn")
    assert asked("answers: {goal: learn}").workloads is None


def test_what_only_runs_where_it_is_trained_is_not_deployed() -> None:
    assert not asked("answers: {run_on: here}").deploys
    assert asked("answers: {run_on: server}").deploys
    assert asked("answers: {goal: learn}").deploys


def test_an_unfinished_follow_up_asks_for_nothing_more() -> None:
    half = Answers(answers={"must": Answer(("python-version",)), "start": Answer(("course",))})
    assert preferences(half, KNOWN).requirements == (Requirement("maintained", ("true",), Origin.ASSUMED),)


def test_run_length_follows_the_rhythm() -> None:
    assert asked("answers: {rhythm: days}").run_length_seconds == 259_200
    assert "run-length" not in asked("answers: {rhythm: days}").assumptions


def test_native_windows_means_on_one_of_the_accelerators_asked_for() -> None:
    windows = [each for each in asked("answers: {must: native-windows}").requirements if each.fact == "native_windows"]
    assert windows == [Requirement("native_windows", ("true",), Origin.ANSWER)]
    on_cuda = asked("answers: {must: native-windows, train_on: [cuda, xpu]}").requirements
    assert Requirement("native_windows", ("cuda", "xpu"), Origin.ANSWER) in on_cuda
    unsure = asked("answers: {must: native-windows, train_on: {value: cuda, sure: low}}").requirements
    assert Requirement("native_windows", ("true",), Origin.ANSWER) in unsure


def test_the_framework_in_use_is_an_answer() -> None:
    assert asked("current: mxnet\nanswers: {goal: keep-alive, build: series}").answered == 3
