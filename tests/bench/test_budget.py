"""What a budget pays for, and the estimate of what is left."""

from typing import Any

import pytest

from bench.budget import BLOCK_SECONDS, LATENCY_SECONDS, START_SECONDS, Budget, Costs
from bench.plan import Plan
from tests.bench import pretend

W = pretend.WORKLOAD


def budget(costs: Costs | None = None, **changes: Any) -> tuple[Budget, Costs, Plan]:
    plan = pretend.plan("a1", "b1", "c1", "d1", **{"auto": True, **changes})
    costs = costs or Costs()
    return Budget(plan, costs), costs, plan


def test_measured_blocks_stand_before_expected_ones_and_others_stand_in() -> None:
    costs = Costs({("a", W, "train"): 2.0})
    assert costs.block("a", W, "train") == 2.0
    assert costs.block("b", W, "train") == BLOCK_SECONDS
    costs.add_block("a", W, "train", 1.0)
    costs.add_block("a", W, "train", 3.0)
    costs.expect_block("a", W, "train", 9.0)
    assert costs.block("a", W, "train") == costs.block("a#2", W, "train") == costs.block("b", W, "train") == 2.0
    assert costs.round(("a", "b", "a"), W, "train") == 6.0


def test_starts_are_guessed_from_the_same_candidate_elsewhere_then_from_anybody() -> None:
    costs = Costs()
    assert costs.start("a", W) == START_SECONDS
    costs.add_start("a", W, 4.0)
    costs.add_start("b", W, 8.0)
    assert (costs.start("a", "other"), costs.start("a#2", W), costs.start("c", W)) == (4.0, 4.0, 6.0)


@pytest.mark.parametrize(
    ("seconds", "launches"), [(10, 1), (54, 1), (55, 3), (90, 3), (91, 5), (145, 5), (146, 8), (999, 8)]
)
def test_a_budget_pays_for_launches_that_decide_something(seconds: float, launches: int) -> None:
    costs = Costs({(f"{name}1:plain", W, "train"): 1 / 3 for name in "abcd"})
    found, _, plan = budget(costs, budget_seconds=seconds)  # 20 s a launch, a tenth of leeway
    assert found.stop(W, "train", plan.field, 0) == launches


def test_launches_asked_for_are_the_most_there_are() -> None:
    found, _, plan = budget(budget_seconds=1e6, auto=False, launches=4)
    assert found.stop(W, "train", plan.field, 0) == 4
    assert found.stop(W, "train", plan.field, 4) == 4


def test_dear_blocks_end_a_race_early() -> None:
    found, costs, plan = budget(budget_seconds=70)
    assert found.stop(W, "train", plan.field, 0) == 3
    for name in plan.field:
        costs.add_block(name, W, "train", 1.0)
    found.spend(W, "train", 60)
    assert found.stop(W, "train", plan.field, 1) == 1


def test_what_one_race_leaves_is_for_the_others() -> None:
    found, _, _ = budget(budget_seconds=100, workloads=(W, "pm25-lstm"))
    assert found.left(W, "train") == 50
    found.spend(W, "train", 20)
    assert found.left(W, "train") == 30
    assert found.left("pm25-lstm", "train") == 50
    found.finish(W)
    assert found.left("pm25-lstm", "train") == 80


def test_what_a_decided_phase_leaves_is_for_the_other() -> None:
    found, _, _ = budget(budget_seconds=100, phases=("train", "infer"))
    found.spend(W, "train", 20)
    assert found.left(W, "infer") == 50
    found.finish(W, "train")
    assert found.left(W, "infer") == 80
    assert found.left(W, "train") == 80  # its passes share with the open race
    found.spend(W, "infer", 80)
    assert found.left(W, "train") == found.left(W, "infer") == 0
    found.spend(W, "train", 3)  # a pass
    assert found.left(W, "infer") == -3


def test_single_samples_are_part_of_every_launch_of_inference() -> None:
    found, costs, plan = budget(budget_seconds=130, phases=("infer",))
    for name in plan.field:
        costs.add_block(name, W, "infer", 0.5)  # 30 s a launch
    assert found.launch_seconds(W, {"infer": plan.field}) == 30 + 4 * (START_SECONDS + LATENCY_SECONDS)
    assert found.stop(W, "infer", plan.field, 0) == 3  # 3 x 40 s
    for name in plan.field:
        costs.add_latency(name, W, 10.0)
    assert found.stop(W, "infer", plan.field, 0) == 1  # 3 x 70 s
    assert costs.besides(("a1:plain", "a1:plain", "e1:plain"), W, "infer") == 20  # references once, others as these
    assert costs.besides(plan.field, W, "train") == 0


def test_waves_to_come_count_before_a_launch_is_made_longer() -> None:
    found, costs, plan = budget(budget_seconds=40, rounds=25)
    for name in plan.field:
        costs.add_block(name, W, "train", 0.25)  # 1 s a round
    assert found.rounds(W, "train", plan.field[:2], 1) == 25  # 12.5 s of 40
    assert found.rounds(W, "train", (*plan.field, *plan.field[:2], "e1", "f1"), 1) == 20  # 2 s a round with both waves
    assert found.may_go_on(W, "train", plan.field, 0, pending=39)
    assert not found.may_go_on(W, "train", plan.field, 0, pending=40)


def test_more_rounds_only_with_a_single_launch_or_while_the_rest_can_be_paid() -> None:
    found, costs, plan = budget(budget_seconds=100, rounds=25)
    for name in plan.field:
        costs.add_block(name, W, "train", 0.25)  # 1 s a round
    assert found.rounds(W, "train", plan.field, 1) == 25
    assert found.rounds(W, "train", plan.field, 3) == 15
    assert found.may_go_on(W, "train", plan.field, 6)
    assert not found.may_go_on(W, "train", plan.field, 7)


def test_the_estimate_covers_launches_starts_phases_and_workloads() -> None:
    found, costs, plan = budget(budget_seconds=1000, workloads=(W, "pm25-lstm"), phases=("train", "infer"))
    for name in plan.field:
        for workload in plan.workloads:
            costs.add_start(name, workload, 5.0)
            costs.add_block(name, workload, "train", 0.5)  # 30 s a launch
            costs.add_block(name, workload, "infer", 0.25)  # 15 s a launch
            costs.add_latency(name, workload, 0.0)
    one_launch = 4 * 5.0 + 30 + 15
    fields = dict.fromkeys(plan.phases, plan.field)
    assert found.launch_seconds(W, fields) == one_launch
    # A race has 250 s: training pays for 8 launches, and so does inference.
    assert found.to_come(W, 2, fields, {}) == (6 + 8) * one_launch
    # 200 s of rounds still under way leave 50, and 25 of leeway: one more launch of 30, to the look after 3.
    assert found.to_come(W, 2, {"train": plan.field}, {"train": 200.0}) == 1 * 50 + 8 * one_launch
