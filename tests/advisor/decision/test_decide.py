"""Whole decisions: who competes, who is knocked out, what is said."""

import msgspec
import pytest

from advisor import i18n
from advisor.decision import decide
from advisor.decision.explain import explain_one, per_cent
from advisor.questionnaire import Origin, Preferences, Requirement
from advisor.recommendation import Recommendation, Verdict
from bench.results import Results
from knowledge.faults import BadInput
from knowledge.model import (
    Framework,
    Independence,
    Role,
    Source,
    SourceKind,
    Stack,
    StackPart,
    Support,
)
from tests.advisor.decision.builders import TODAY, base, framework, results, run, with_frameworks

RATED = [path for path, leaf in base().leaves.items() if leaf.fit is None and leaf.measured is None]
CPU = Requirement("accelerator", ("cpu",), Origin.ANSWER)
ENOUGH = Preferences(answered=5)


def level(name: str, score: float | tuple[float, float, float], **given: object) -> Framework:
    """A framework with the same rating everywhere."""
    return framework(name, dict.fromkeys(RATED, score), **given)  # type: ignore[arg-type]


def decided(*frameworks: Framework, wanted: Preferences = ENOUGH, race: Results | None = None) -> Recommendation:
    return decide(with_frameworks(base(), frameworks), wanted, race, TODAY, seed=0, samples=2_000)


GOOD, FAIR, POOR = level("good", (7, 8, 9)), level("fair", (5, 6, 7)), level("poor", (2, 3, 4))


def test_far_ahead_is_clear() -> None:
    found = decided(POOR, GOOD, FAIR)
    assert (found.verdict, found.winner) == (Verdict.CLEAR, "good")
    assert [each.framework for each in found.ranking] == ["good", "fair", "poor"]
    assert found.reasoning.headline == "Good is the clear choice."


def test_equal_frameworks_are_too_close_and_ranked_by_id() -> None:
    found = decided(level("beta", (5, 6, 7)), level("alpha", (5, 6, 7)))
    assert (found.verdict, found.winner) == (Verdict.TOO_CLOSE, None)
    assert [each.framework for each in found.ranking] == ["alpha", "beta"]
    assert found.pairwise["alpha"]["beta"] == pytest.approx(0.5, abs=0.05)


def test_the_only_one_is_clear() -> None:
    found = decided(GOOD)
    assert (found.verdict, found.pairwise, found.ranking[0].first_probability) == (Verdict.CLEAR, {"good": {}}, 1.0)


def test_fewer_than_three_answers_are_at_most_leaning() -> None:
    found = decided(GOOD, POOR, wanted=Preferences(answered=2))
    assert found.verdict is Verdict.LEANING
    assert any("Fewer than 3" in caveat for caveat in found.reasoning.caveats)


def test_an_unknown_requirement_of_the_winner_makes_it_conditional() -> None:
    found = decided(GOOD, POOR, wanted=Preferences(answered=5, requirements=(CPU,)))
    assert (found.verdict, found.winner) == (Verdict.LEANING, "good")
    assert found.reasoning.headline == "Good leads, if accelerators: cpu holds."
    assert {(each.framework, each.requirement) for each in found.unknown} == {
        ("good", "accelerator: cpu"),
        ("poor", "accelerator: cpu"),
    }


def test_an_unknown_requirement_of_another_changes_nothing() -> None:
    known = level("good", (7, 8, 9), facts={"accelerator": {"cpu": Support.NATIVE}})
    assert decided(known, POOR, wanted=Preferences(answered=5, requirements=(CPU,))).verdict is Verdict.CLEAR


def test_little_known_is_too_close() -> None:
    found = decided(framework("dark", {}))
    assert (found.verdict, found.ranking[0].coverage) == (Verdict.TOO_CLOSE, 0)
    assert found.ranking[0].score == pytest.approx(5)
    assert found.reasoning.headline == "Too little is known to recommend Dark."
    dim = decided(framework("dim", dict.fromkeys([path for path in RATED if path.startswith("e")], 9)), POOR)
    assert dim.pairwise["dim"]["poor"] > 0.9
    assert dim.verdict is Verdict.TOO_CLOSE
    assert dim.reasoning.headline == "Too little is known to recommend Dim."


def test_a_tie_that_any_weight_would_turn_is_not_said_to_be_unchangeable() -> None:
    everything = {"ease": 100.0, "ease.install": 100.0}
    alpha, beta = level("alpha", 5), framework("beta", dict.fromkeys(RATED, 5) | {"docs.tutorials": 9})
    found = decided(alpha, beta, wanted=Preferences(answered=5, fixed=everything))
    assert (found.ranking[0].framework, found.ranking[0].score, found.ranking[1].score) == ("alpha", 5, 5)
    assert found.reasoning.what_would_change == ()
    assert found.reasoning.why[0] == "Alpha scores 5.0 of 10; most of it comes from: Installing 5.00."


def test_why_somebody_fails_names_what_was_asked() -> None:
    facts = {"native_windows": {"cuda": Support.NONE}, "offline": {"true": Support.NONE}, "os": {"linux": Support.NONE}}
    requirements = tuple(Requirement(fact, tuple(values), Origin.ANSWER) for fact, values in facts.items())
    wanted = Preferences(answered=5, requirements=requirements)
    (excluded,) = decided(level("gone", 9, facts=facts), wanted=wanted).excluded
    assert [each.because for each in excluded.failed] == [
        "Gone does not meet: native Windows: cuda.",
        "Gone does not meet: works offline.",
        "Gone does not support linux.",
    ]


def test_the_knocked_out_are_named_with_reason_evidence_and_the_rank_they_would_have() -> None:
    source = Source(
        id="nowhere",
        title="A page",
        url="https://example.org/page",
        publisher="Somebody",
        published="2026",
        accessed=TODAY,
        kind=SourceKind.ARTICLE,
        independence=Independence.INDEPENDENT,
    )
    out = level("great", 9.5, facts={"accelerator": {"cpu": Support.NONE}})
    knowledge = msgspec.structs.replace(with_frameworks(base(), [GOOD, POOR, out]), sources={"nowhere": source})
    found = decide(knowledge, Preferences(answered=5, requirements=(CPU,)), None, TODAY, seed=0, samples=100)
    (excluded,) = found.excluded
    assert (excluded.framework, excluded.would_rank) == ("great", 1)
    (failed,) = excluded.failed
    assert (failed.requirement, failed.origin, failed.fact) == ("accelerator: cpu", "answer", "accelerator")
    assert failed.because == "Great does not support cpu."
    assert (failed.evidence[0].claim, failed.evidence[0].url) == ("A claim about great.", "https://example.org/page")
    assert "great" not in {each.framework for each in found.ranking}
    assert "Without accelerators: cpu, Great would come first." in found.reasoning.what_would_change
    assert found.reasoning.why_not["great"].startswith("Great is ruled out by accelerators: cpu")


def test_when_none_qualifies_the_smallest_sets_to_drop_are_named() -> None:
    no = {"accelerator": {"cpu": Support.NONE}, "os": {"linux": Support.NONE}}
    linux = Requirement("os", ("linux",), Origin.REQUIREMENTS)
    wanted = Preferences(answered=5, requirements=(CPU, linux))
    one, both = level("one", 5, facts={"os": no["os"]}), level("both", 9, facts=no)
    found = decided(one, both, wanted=wanted)
    assert (found.verdict, found.winner, found.ranking, found.stack) == (Verdict.NONE_QUALIFIES, None, (), ())
    assert found.minimal_drops == (("os: linux",),)
    assert {each.framework: each.would_rank for each in found.excluded} == {"both": 1, "one": 2}
    assert found.reasoning.why == ("Giving up operating systems: linux would let somebody qualify.",)
    assert found.pairwise == {}
    assert found.robustness == {"0": {}, "0.8": {}}


def test_only_the_roles_asked_for_compete_and_companions_never() -> None:
    others = [level(role.value, 9, role=role) for role in (Role.RUNTIME, Role.COMPANION, Role.HIGH_LEVEL)]
    assert {each.framework for each in decided(GOOD, *others).ranking} == {"good", "high-level"}
    running = decided(GOOD, *others, wanted=Preferences(roles=(Role.RUNTIME,), answered=5))
    assert [each.framework for each in running.ranking] == ["runtime"]
    assert [(each.need, each.framework) for each in running.stack] == [("run-with", "runtime")]


def test_no_competitor_at_all_is_none_qualifies() -> None:
    found = decided(GOOD, wanted=Preferences(roles=(Role.RUNTIME,)))
    assert (found.verdict, found.minimal_drops, found.excluded) == (Verdict.NONE_QUALIFIES, (), ())


def test_fit_and_performance_weigh_nothing_where_nothing_is_named_or_measured() -> None:
    found = decided(GOOD, POOR)
    assert {leaf for leaf, weight in found.weights.items() if weight} == set(RATED)
    assert set(found.not_counted_leaves) == {path for path, leaf in base().leaves.items() if leaf.measured}
    named = decided(GOOD, POOR, wanted=Preferences(fit={"accelerator": ("cpu",)}))
    assert {leaf for leaf, weight in named.weights.items() if weight} - set(RATED) == {"fit.accelerator"}


def test_measurements_decide_between_equals() -> None:
    race = results(run("slow:m", 0.1), run("quick:m", 0.001))
    found = decided(level("slow", 5), level("quick", 5), race=race)
    assert [each.framework for each in found.ranking] == ["quick", "slow"]
    assert found.weights["performance.time_to_finish"] > 0
    assert "performance.latency" in found.not_counted_leaves
    assert found.measured is not None
    assert found.measured.results == "race-1"
    assert found.measured.counted == ("slow:m mnist-cnn", "quick:m mnist-cnn")


def test_a_race_that_does_not_count_weighs_nothing() -> None:
    race = results(run("slow:m", 0.1), run("quick:m", 0.001))
    found = decided(level("slow", 5), level("quick", 5), race=race, wanted=Preferences(devices=("cuda",), answered=4))
    assert found.weights["performance.time_to_finish"] == 0
    assert found.measured is not None
    assert len(found.measured.not_counted) == 2
    assert found.ranking[0].score == found.ranking[1].score


def test_weights_that_leave_nothing_are_bad_input() -> None:
    with pytest.raises(BadInput, match="nothing is left to weigh"):
        decided(GOOD, wanted=Preferences(fixed={node.id: 0.0 for node in base().criteria if node.id != "fit"}))


def test_the_framework_in_use_is_always_shown() -> None:
    loser = decided(GOOD, FAIR, wanted=Preferences(answered=5, current="fair")).current
    assert loser is not None
    assert (loser.rank, loser.leaving_cost) == (2, "Leaving fair costs a week.")
    assert loser.gap == pytest.approx(2)
    assert "Good scores above Fair" in loser.what_would_justify
    winner = decided(GOOD, FAIR, wanted=Preferences(answered=5, current="good")).current
    assert winner is not None
    assert (winner.rank, winner.gap) == (1, 0)
    assert winner.what_would_justify == "Nothing in your answers argues for leaving Good."
    gone = level("gone", 9, facts={"accelerator": {"cpu": Support.NONE}})
    wanted = Preferences(answered=5, current="gone", requirements=(CPU,))
    out = decided(GOOD, gone, wanted=wanted).current
    assert out is not None
    assert (out.rank, out.gap) == (None, None)
    assert out.what_would_justify == "Staying with Gone means giving up: accelerators: cpu."
    runtime = decided(GOOD, level("r", 5, role=Role.RUNTIME), wanted=Preferences(current="r")).current
    assert runtime is not None
    assert "role" in runtime.what_would_justify


def test_the_stack_follows_rank_one() -> None:
    parts = Stack(
        export=StackPart(framework="onnx", because="It exports."), run_with=StackPart(framework="r", because="It runs.")
    )
    writes = msgspec.structs.replace(
        level("good", 8, facts={"target": {"browser": Support.COMMUNITY}}), backends=("engine",), stack=parts
    )
    runtime = level("r", 5, role=Role.RUNTIME, facts={"target": {"server": Support.NATIVE}})

    def stack(wanted: Preferences) -> dict[str, str]:
        return {
            each.need: f"{each.framework}: {each.because}" for each in decided(writes, runtime, wanted=wanted).stack
        }

    assert set(stack(Preferences(deploys=False))) == {"write-in", "backend"}
    assert stack(Preferences(targets=("server",))) == {
        "write-in": "good: It ranks first for your answers.",
        "backend": "engine: It is the default backend.",
        "export": "onnx: It exports.",
        "run-with": "r: It runs.",
    }
    assert stack(Preferences(targets=("browser",)))["run-with"] == "r: It runs. For browser: A claim about good."


def test_a_target_with_a_runtime_of_its_own_is_not_sent_to_the_common_one() -> None:
    parts = Stack(
        export=StackPart(framework="onnx", because="It exports."),
        run_with=StackPart(framework="r", because="It runs."),
        run_on={target: StackPart(framework="small", because="It fits.") for target in ("microcontroller", "embedded")},
    )
    writes = msgspec.structs.replace(level("good", 8), stack=parts)

    def out(*targets: str) -> list[tuple[str, str]]:
        stack = decided(writes, FAIR, wanted=Preferences(targets=targets)).stack
        return [(each.need, each.framework) for each in stack if each.need != "write-in"]

    common, small = [("export", "onnx"), ("run-with", "r")], [("run-with", "small")]
    assert out() == out("server") == common
    assert out("microcontroller") == out("microcontroller", "embedded") == small
    assert out("server", "microcontroller") == [*common, *small]


def test_every_reason_is_in_the_language_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_language", "zh")
    gains = decided(GOOD, FAIR).reasoning.why_not["fair"]
    assert any(leaf.name.zh in gains for leaf in base().leaves.values())
    assert not any(leaf.name.en in gains for leaf in base().leaves.values())


def test_explaining_one_framework() -> None:
    out = level("out", 9, facts={"accelerator": {"cpu": Support.NONE}})
    runtime = level("r", 5, role=Role.RUNTIME)
    known = level("good", (7, 8, 9), facts={"accelerator": {"cpu": Support.NATIVE}})
    fair = framework("fair", dict.fromkeys(RATED, (5, 6, 7)) | {"ease.install": 10})
    everyone = with_frameworks(base(), [known, fair, out, runtime])
    wanted = Preferences(answered=5, requirements=(CPU,), current="fair")
    found = decide(everyone, wanted, None, TODAY, seed=0, samples=500)
    first = explain_one(found, everyone, "good")
    assert first.headline == "Good ranks 1 of 2 with 8.0 of 10 points."
    assert "Your answers left aside, Good comes first with 100.0 % of all weights a person could have." in first.lines
    second = "\n".join(explain_one(found, everyone, "fair").lines)
    assert "points behind Good" in second
    assert "Against Good it gains most on Installing" in second
    assert second.count("Fair would come first if Installing weighed") == 1
    assert "It is not known whether it meets accelerators: cpu." in second
    assert "Leaving it: Leaving fair costs a week." in second
    assert explain_one(found, everyone, "out").lines[-1] == "It would rank 1 otherwise."
    assert explain_one(found, everyone, "r").headline == "R does not compete here."


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (0.001, "< 1 %"), (0.006, "1 %"), (0.5, "50 %"), (0.994, "99 %"), (0.999, "> 99 %"), (1, "100 %")],
)
def test_a_share_is_never_rounded_to_a_certainty_it_is_not(share: float, shown: str) -> None:
    assert per_cent(share) == shown


def test_json_keeps_every_field_of_the_contract() -> None:
    fields = msgspec.to_builtins(decided(GOOD, FAIR, wanted=Preferences(current="fair")))
    assert {
        *("schema", "verdict", "winner", "stack", "ranking", "robustness", "pairwise", "excluded", "unknown"),
        *("assumptions", "weights", "flips", "current", "measured", "minimal_drops", "provenance"),
    } <= set(fields)
    assert set(fields["flips"][0]) == {"framework", "criterion", "from", "to"}
    assert set(fields["current"]) == {"framework", "name", "rank", "gap", "leaving_cost", "what_would_justify"}
    assert fields["measured"] is None
    assert set(fields["provenance"]) == {
        *("advisor_version", "knowledge_date", "as_of", "samples", "seed", "created"),
    }
