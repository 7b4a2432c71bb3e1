"""Whole races between real processes: what is told, what is kept, and what happens to those that fail."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import engine, machine, passes
from bench.events import (
    AnyEvent,
    BlockDone,
    CandidateEnded,
    Load,
    Looked,
    Measuring,
    Prepared,
    RaceFinished,
    RaceStarted,
    RoundDone,
    RoundStarted,
)
from bench.plan import Goal, Plan
from bench.results import Basis, Outcome, Quantity, Results, Run, Status
from bench.store import Store
from knowledge.faults import BadInput, Fault
from knowledge.model import Need
from tests.bench import pretend

Settings = Mapping[str, Mapping[str, Any]]


@asynccontextmanager
async def racing(
    folder: Path, settings: Settings, plan: Plan | None = None, **others: Any
) -> AsyncIterator[engine.Race]:
    names = others.pop("names", tuple(settings))
    budget_seconds = others.pop("budget_seconds", 60)
    with Store(folder / "results.sqlite") as store:
        async with engine.start(
            plan or pretend.plan(*names, budget_seconds=budget_seconds),
            others.pop("knowledge", pretend.knowledge(*map(pretend.framework, names))),
            pretend.Environments(folder, settings),
            store,
            folder=folder / "data",
            workloads=pretend.workloads(),
            worker=pretend.WORKER,
            prepare=others.pop("prepare", pretend.prepare),
            pace=pretend.PACE,
            lock=folder / "lock",
            **others,
        ) as race:
            yield race


async def run(
    folder: Path, settings: Settings, plan: Plan | None = None, **others: Any
) -> tuple[Results, list[AnyEvent]]:
    async with racing(folder, settings, plan, **others) as race:
        seen = [event async for event in race.events()]
    assert race.results is not None
    return race.results, seen


def of(results: Results, name: str) -> Run:
    (found,) = [each for each in results.runs if each.framework == name]
    return found


def ends(seen: list[AnyEvent]) -> dict[str, CandidateEnded]:
    return {event.candidate.removesuffix(":plain"): event for event in seen if isinstance(event, CandidateEnded)}


async def test_a_race_tells_its_course_and_keeps_its_results(tmp_path: Path) -> None:
    settings = {"slow": {"step_seconds": 0.004}, "quick": {"step_seconds": 0.002}, "close": {"step_seconds": 0.00205}}
    results, seen = await run(tmp_path, settings)

    assert [event.sequence for event in seen] == list(range(len(seen)))
    assert isinstance(seen[0], RaceStarted)
    assert isinstance(seen[-1], RaceFinished)
    assert sum(isinstance(event, Prepared) for event in seen) == 3
    assert sum(isinstance(event, BlockDone) for event in seen) == 45
    assert any(isinstance(event, Load) for event in seen)
    last = [event for event in seen if isinstance(event, RoundDone)][-1]
    assert [place.candidate for place in last.standings][-1] == "slow:plain"

    assert not results.interrupted
    assert {each.status for each in results.runs} == {Status.OK}
    slow = of(results, "slow")
    assert slow.provisional
    assert slow.parity is not None
    assert slow.parity.passed
    assert slow.step_seconds is not None
    assert slow.step_seconds.median == pytest.approx(0.004, rel=0.02)
    assert slow.step_seconds.low <= slow.step_seconds.median <= slow.step_seconds.high
    assert slow.step_seconds.steps_per_block * slow.step_seconds.median >= 0.24
    assert slow.samples_per_second is not None
    assert slow.samples_per_second.median == pytest.approx(slow.batch / slow.step_seconds.median)  # type: ignore[operator]
    assert slow.versions["fake"] == "1.0"
    assert (slow.import_seconds, slow.build_seconds, slow.first_step_seconds) == (0.5, 0.1, 0.2)

    found = {frozenset((each.a, each.b)): each for each in results.verdicts}
    decided = found[frozenset(("slow:plain", "quick:plain"))]
    assert (decided.a, decided.verdict, decided.basis) == ("quick:plain", Outcome.A, Basis.ONE_LAUNCH)
    assert (decided.ratio.low, decided.ratio.high) == (1.5, None)
    assert found[frozenset(("close:plain", "quick:plain"))].verdict is Outcome.UNDECIDED

    with Store(tmp_path / "results.sqlite") as store:
        assert store.latest() == results
        assert len(store.blocks(results.id)) == 45


async def test_every_round_has_every_candidate_once_and_orders_vary(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {name: {} for name in ("a1", "b1", "c1")})
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    orders = [tuple(b.candidate for b in blocks if b.round == number) for number in range(1, 16)]
    assert all(sorted(order) == ["a1:plain", "b1:plain", "c1:plain"] for order in orders)
    assert len(set(orders)) > 1


async def test_any_number_of_readers_see_the_same_from_the_start(tmp_path: Path) -> None:
    async with racing(tmp_path, {"a1": {}, "b1": {}}) as race:
        early = asyncio.create_task(collect(race))
        await asyncio.sleep(0.5)
        late = asyncio.create_task(collect(race))
        first, second = await early, await late
    assert first == second == await collect(race)


async def collect(race: engine.Race) -> list[AnyEvent]:
    return [event async for event in race.events()]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"block": {"do": "sigkill", "after": 3}}, "killed by SIGKILL"),
        ({"block": {"do": "sigstop", "after": 3}}, "was stopped"),
        ({"block": {"do": "garbage", "after": 3}}, "garbage"),
        ({"block": {"do": "half", "after": 3}}, "in the middle of a reply"),
        ({"block": {"do": "silence", "after": 3}}, "silent for 5 s during a block"),
        ({"block": {"do": "refuse", "after": 3}}, "out of memory (use a smaller batch)"),
        ({"load": {"do": "exit"}}, "ended by itself with status 3 during import"),
        ({"trace": {"do": "sigkill"}}, "killed by SIGKILL during the parity check"),
    ],
)
async def test_one_candidate_fails_and_the_others_go_on(tmp_path: Path, fault: dict[str, Any], said: str) -> None:
    results, seen = await run(tmp_path, {"bad": {"faults": fault}, "good": {}, "fine": {"step_seconds": 0.003}})
    assert of(results, "bad").status is Status.FAILED
    assert said in (of(results, "bad").reason or "")
    assert said in (ends(seen)["bad"].reason or "")
    for name in ("good", "fine"):
        assert of(results, name).status is Status.OK
        assert of(results, name).step_seconds.blocks == 15  # type: ignore[union-attr]
    assert (results.plan.K, results.plan.M) == (3, 3)
    assert {frozenset((each.a, each.b)) for each in results.verdicts} == {frozenset(("good:plain", "fine:plain"))}


async def test_a_single_failed_block_voids_the_round_and_nothing_else(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"moody": {"faults": {"block": {"do": "refuse-once", "after": 3}}}, "good": {}})
    assert {each.status for each in results.runs} == {Status.OK}
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    rounds = {block.round for block in blocks if block.complete}
    assert len(rounds) == 15
    assert max(rounds) == 16
    assert all(sum(b.round == number for b in blocks) == 2 for number in rounds)


async def test_a_waiting_worker_that_is_stopped_is_named_within_two_seconds(tmp_path: Path) -> None:
    settings = {"victim": {}, "long": {"step_seconds": 100.0}}
    async with racing(tmp_path, settings) as race:
        stopped_at = 0.0
        async for event in race.events():
            if isinstance(event, BlockDone) and event.candidate == "victim:plain" and not stopped_at:
                (victim,) = [p for p in children() if '"step_seconds"' not in p.environ()["FAKE_WORKER"]]
                victim.send_signal(signal.SIGSTOP)
                stopped_at = time.monotonic()
            if isinstance(event, CandidateEnded) and event.candidate == "victim:plain":
                named_within = time.monotonic() - stopped_at
                assert "was stopped" in (event.reason or "")
                break
    assert named_within < 2


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if str(pretend.WORKER) in p.cmdline()]


async def test_wrong_losses_fail_the_parity_gate(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"wrong": {"loss": 1.001}, "right": {}})
    wrong = of(results, "wrong")
    assert wrong.status is Status.FAILED
    assert "does not compute what the reference does" in (wrong.reason or "")
    assert wrong.parity is not None
    assert not wrong.parity.passed
    assert wrong.step_seconds is None


async def test_what_the_machine_lacks_skips_a_candidate_with_the_mend(tmp_path: Path) -> None:
    need = Need(kind="library", name="libnowhere.so.9", mend="install nowhere")
    base = pretend.knowledge(pretend.framework("needy", (need,)), pretend.framework("fresh"), pretend.framework("good"))
    results, seen = await run(tmp_path, {"needy": {}, "good": {}}, names=("needy", "fresh", "good"), knowledge=base)
    assert of(results, "needy").status is Status.SKIPPED
    assert "install nowhere" in (of(results, "needy").reason or "")
    assert of(results, "fresh").status is Status.FAILED
    assert of(results, "fresh").reason == "the package index cannot be reached (check the network)"
    assert of(results, "good").status is Status.OK
    assert ends(seen)["needy"].workload is None


async def test_a_refusal_that_speaks_of_the_machine_skips(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"compiled": {"faults": {"build": {"do": "no-compiler"}}}, "good": {}})
    assert of(results, "compiled").status is Status.SKIPPED
    assert of(results, "compiled").reason == "no C++ compiler (install g++)"


async def test_reasons_in_results_carry_no_path(tmp_path: Path) -> None:
    results, seen = await run(tmp_path, {"lost": {"faults": {"load": {"do": "exit-with-path"}}}})
    assert "cannot open /home/somebody/cache/model.bin" in (ends(seen)["lost"].reason or "")
    assert "cannot open model.bin" in (of(results, "lost").reason or "")


async def test_too_little_memory_skips_before_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 700_000_000)
    results, _ = await run(tmp_path, {"a1": {}})
    assert of(results, "a1").status is Status.SKIPPED
    assert "1.3 GB of free memory are needed, 0.7 GB are free" in (of(results, "a1").reason or "")


async def test_more_threads_than_given_are_incomparable(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"greedy": {"cpu_share": 1.9}, "fair": {}})
    assert of(results, "greedy").status is Status.INCOMPARABLE
    assert "used 1.9 threads where 1 was given" in (of(results, "greedy").reason or "")
    assert results.verdicts == ()


async def test_a_worker_that_spins_while_it_waits_is_taken_out(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"spinning": {"idle_spin": True}, "fair": {}})
    assert of(results, "spinning").status is Status.INCOMPARABLE
    assert "of a core while it waited" in (of(results, "spinning").reason or "")
    assert of(results, "fair").status is Status.OK


async def test_on_a_loaded_machine_cpu_seconds_decide(tmp_path: Path) -> None:
    settings = {"quick": {"cpu_share": 0.5}, "slow": {"cpu_share": 0.5, "step_seconds": 0.004}}
    results, _ = await run(tmp_path, settings)
    (verdict,) = results.verdicts
    assert (verdict.a, verdict.verdict) == ("quick:plain", Outcome.A)
    assert (verdict.basis, verdict.quantity) == (Basis.ONE_LAUNCH, Quantity.CPU_SECONDS)
    assert results.contention.gauge is not None
    assert results.contention.gauge.median == pytest.approx(0.5)
    assert results.contention.flagged_blocks == results.contention.blocks == 30
    (tmp_path / "two").mkdir()
    results, _ = await run(tmp_path / "two", settings, pretend.plan(*settings, threads=2))
    assert [each.verdict for each in results.verdicts] == [Outcome.UNDECIDED]
    assert "too busy" in (results.verdicts[0].why or "")


@pytest.mark.parametrize(("share", "rounds"), [(1.0, 15), (0.5, 25)])
async def test_a_loaded_machine_gets_more_rounds_a_launch(tmp_path: Path, share: float, rounds: int) -> None:
    settings = {"a1": {"cpu_share": share}, "b1": {"cpu_share": share, "step_seconds": 0.002}}
    plan = twinned(*settings, rounds=25, budget_seconds=600)
    results, _ = await run(tmp_path, settings, plan)
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    counts = {(b.launch, b.candidate): 0 for b in blocks}
    for block in blocks:
        counts[block.launch, block.candidate] += 1
    assert {launch for launch, _ in counts} == {1, 2, 3}
    assert set(counts.values()) == {rounds}


async def test_blocks_grow_until_the_call_overhead_is_small(tmp_path: Path) -> None:
    results, _ = await run(
        tmp_path, {"fit": {"call_seconds": 0.1, "step_seconds": 0.1}, "plain": {"step_seconds": 0.1}}
    )
    fit, plain = of(results, "fit").step_seconds, of(results, "plain").step_seconds
    assert fit is not None
    assert plain is not None
    assert plain.steps_per_block in (2, 3)
    assert 18 <= fit.steps_per_block <= 21  # the longest block, 2 s: 2 % would take 49 steps
    (note,) = of(results, "fit").notes
    assert note.startswith("calling takes 5% of a block of ")
    assert note.endswith(" steps (train), and not 2% at most: blocks last 2 s at most")
    assert of(results, "plain").notes == ()


async def test_cancelling_the_race_keeps_what_was_measured(tmp_path: Path) -> None:
    plan = pretend.plan("a1", "b1", workloads=(pretend.WORKLOAD, "pm25-lstm"))
    async with racing(tmp_path, {"a1": {}, "b1": {}}, plan) as race:
        async for event in race.events():
            if isinstance(event, RoundDone) and event.round == 4:
                race.cancel()
    results = race.results
    assert results is not None
    assert results.interrupted
    measured = [each for each in results.runs if each.workload == pretend.WORKLOAD]
    assert all(each.status is Status.OK and each.step_seconds.blocks >= 4 for each in measured)  # type: ignore[union-attr]
    later = [each for each in results.runs if each.workload == "pm25-lstm"]
    assert all(each.status is Status.SKIPPED and "interrupted" in (each.reason or "") for each in later)
    assert {each.verdict for each in results.verdicts} == {Outcome.UNDECIDED}
    assert not children()
    with Store(tmp_path / "results.sqlite") as store:
        assert store.get(results.id) == results


async def test_leaving_the_context_ends_the_race(tmp_path: Path) -> None:
    async with racing(tmp_path, {"a1": {}, "b1": {}}) as race:
        async for event in race.events():
            if isinstance(event, Prepared):
                break
    assert race.results is not None
    assert race.results.interrupted
    assert not children()


async def test_cancelling_one_candidate_leaves_the_others(tmp_path: Path) -> None:
    async with racing(tmp_path, {"a1": {}, "b1": {}, "c1": {}}) as race:
        async for event in race.events():
            if isinstance(event, RoundDone) and event.round == 3:
                race.cancel("b1:plain")
    results = race.results
    assert results is not None
    assert not results.interrupted
    assert of(results, "b1").status is Status.SKIPPED
    assert of(results, "b1").reason == "it was cancelled"
    assert of(results, "a1").status is of(results, "c1").status is Status.OK


async def test_three_launches_have_new_workers_and_end_in_verdicts_between_launches(tmp_path: Path) -> None:
    settings = {name: {"step_seconds": seconds} for name, seconds in (("a1", 0.002), ("b1", 0.003), ("c1", 0.0045))}
    settings["d1"] = {"step_seconds": 0.002}
    results, seen = await run(tmp_path, settings, pretend.plan(*settings, launches=3))
    assert sum(isinstance(event, Prepared) for event in seen) == 12
    assert {(each.launches, each.provisional, each.status) for each in results.runs} == {(3, False, Status.OK)}
    found = {frozenset((each.a[:2], each.b[:2])): each for each in results.verdicts}
    apart = found[frozenset(("a1", "b1"))]
    assert (apart.verdict, apart.basis) == (Outcome.A, Basis.WALL)
    assert apart.ratio.low is not None
    assert apart.ratio.high is not None
    assert apart.ratio.low < 1.5 < apart.ratio.high
    assert found[frozenset(("a1", "d1"))].verdict is Outcome.TIE
    looks = [event for event in seen if isinstance(event, Looked)]
    assert [look.launch for look in looks] == [1, 2, 3]
    assert {each.basis for look in looks[:2] for each in look.verdicts} == {Basis.ONE_LAUNCH}
    assert looks[-1].verdicts == results.verdicts


def twinned(*names: str, **changes: Any) -> Plan:
    """A plan of three launches with the first candidate running twice."""
    return pretend.plan(*names, twins=(f"{names[0]}:plain#2",), **{"launches": 3, **changes})


async def test_a_twin_says_how_far_the_same_thing_differs_and_nothing_else(tmp_path: Path) -> None:
    settings = {name: {"step_seconds": seconds} for name, seconds in (("a1", 0.002), ("b1", 0.003), ("c1", 0.0045))}
    results, seen = await run(tmp_path, settings, twinned(*settings))
    assert results.twin is not None
    assert results.twin.candidate == "a1:plain"
    assert results.twin.ratio.low is not None
    assert results.twin.ratio.high is not None
    assert results.twin.ratio.low < 1 < results.twin.ratio.high
    assert {each.candidate for each in results.runs} == {"a1:plain", "b1:plain", "c1:plain"}
    assert len(results.verdicts) == 3  # a fourth candidate for the variance, but in no pair
    assert all(each.verdict is Outcome.A for each in results.verdicts)
    assert (results.plan.K, results.plan.M) == (3, 3)
    standings = [event.standings for event in seen if isinstance(event, RoundDone)]
    assert all(len(places) == 3 for places in standings)
    assert sum(isinstance(event, BlockDone) and event.candidate == "a1:plain#2" for event in seen) == 45


async def test_with_one_launch_the_twin_is_a_range_over_rounds(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"a1": {}, "b1": {}}, twinned("a1", "b1", launches=1))
    assert results.twin is not None
    assert results.twin.ratio.low is not None
    assert 0.95 < results.twin.ratio.low <= 1.01


async def test_who_was_left_out_is_listed_as_skipped(tmp_path: Path) -> None:
    plan = pretend.plan("a1", "b1", left_out={"c1:plain": "left out so that the rest can be decided within 9 s"})
    results, seen = await run(tmp_path, {"a1": {}, "b1": {}}, plan)
    assert (of(results, "c1").status, of(results, "c1").reason) == (Status.SKIPPED, plan.left_out["c1:plain"])
    assert "c1" not in ends(seen)


async def test_twins_fill_up_where_candidates_could_not_be_made_ready(tmp_path: Path) -> None:
    """Two of three are left, which with the one twin planned would give no variance and no verdict."""
    settings: dict[str, dict[str, Any]] = {"bad": {"loss": 2.0}, "a1": {}, "b1": {"step_seconds": 0.002}}
    results, seen = await run(tmp_path, settings, twinned(*settings))
    (verdict,) = results.verdicts
    assert (verdict.a, verdict.verdict, verdict.basis) == ("a1:plain", Outcome.A, Basis.WALL)
    assert {event.candidate for event in seen if isinstance(event, BlockDone)} == {
        "a1:plain",
        "a1:plain#2",
        "b1:plain",
        "b1:plain#2",
    }
    assert results.twin is not None
    assert results.twin.candidate == "a1:plain"


async def test_cancelling_a_candidate_takes_its_twin_along(tmp_path: Path) -> None:
    async with racing(tmp_path, {"a1": {}, "b1": {}}, twinned("a1", "b1", launches=1)) as race:
        seen = []
        async for event in race.events():
            seen.append(event)
            if isinstance(event, RoundDone) and event.round == 2:
                race.cancel("a1:plain")
    assert {"a1:plain", "a1:plain#2"} <= {e.candidate for e in seen if isinstance(e, CandidateEnded) and e.reason}
    assert race.results is not None
    assert of(race.results, "b1").status is Status.OK


async def test_a_race_ends_when_its_goal_is_reached(tmp_path: Path) -> None:
    settings = {name: {"step_seconds": seconds} for name, seconds in (("a1", 0.001), ("b1", 0.002), ("c1", 0.004))}
    settings["d1"] = {"step_seconds": 0.008}
    results, _ = await run(tmp_path, settings, pretend.plan(*settings, launches=8, budget_seconds=600))
    assert {each.launches for each in results.runs} == {3}
    assert all(each.verdict is Outcome.A for each in results.verdicts)


async def test_the_flagged_leave_after_three_launches_and_say_so(tmp_path: Path) -> None:
    """Between close ones the race goes on to launch 5; the numbers planned stay what they were (R6)."""
    settings: dict[str, dict[str, Any]] = {f"a{n}": {"spread": 0.06} for n in range(4)}
    settings |= {"slow": {"step_seconds": 0.004}, "lost": {"faults": {"block": {"do": "sigkill", "after": 7}}}}
    plan = pretend.plan(*settings, launches=5, budget_seconds=600, goal=Goal.ORDER)
    results, _ = await run(tmp_path, settings, plan)
    assert of(results, "slow").launches == 3
    assert "flagged (train): launch 1 showed at least 2 times" in of(results, "slow").notes[-1]
    assert of(results, "slow").notes[-1].endswith("did not run after launch 3")
    assert {of(results, f"a{n}").launches for n in range(4)} == {5}
    assert of(results, "lost").status is Status.FAILED
    assert (results.plan.K, results.plan.M, results.plan.alpha) == (6, 15, 0.05)
    assert results.plan == plan


async def test_the_flagged_have_their_passes_before_they_leave(tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {f"a{n}": {"spread": 0.06} for n in range(4)}
    settings["slow"] = {"step_seconds": 0.004}
    plan = pretend.plan(*settings, launches=5, budget_seconds=600, goal=Goal.ORDER)
    results, _ = await run(tmp_path, settings, plan)
    assert of(results, "slow").launches == 3
    assert {each.launches for each in results.runs} == {3, 5}
    assert all(len(each.dispatch_points) == 4 for each in results.runs)
    assert all(each.host_to_device is not None for each in results.runs)


async def test_a_lost_candidate_is_none_of_the_four_that_stay(tmp_path: Path) -> None:
    """Both flagged ones have to go on: without them nobody else's launches could be compared."""
    settings: dict[str, dict[str, Any]] = {
        name: {"spread": 0.06, "step_seconds": seconds}
        for name, seconds in (("a1", 0.001), ("b1", 0.001), ("slow", 0.004), ("slower", 0.008))
    }
    settings["lost"] = {"faults": {"block": {"do": "sigkill", "after": 7}}}
    plan = pretend.plan(*settings, launches=5, budget_seconds=600, goal=Goal.ORDER)
    results, _ = await run(tmp_path, settings, plan)
    assert {of(results, name).launches for name in ("a1", "b1", "slow", "slower")} == {5}


async def test_a_race_that_lost_too_many_stops_and_says_why(tmp_path: Path) -> None:
    """Three and a twin are four; without `lost`, no verdict between launches can come from any number of them."""
    settings: dict[str, dict[str, Any]] = {"a1": {}, "b1": {"step_seconds": 0.00105}}
    settings["lost"] = {"faults": {"block": {"do": "sigkill", "after": 7}}}
    results, _ = await run(tmp_path, settings, twinned(*settings, launches=8, budget_seconds=600, goal=Goal.ORDER))
    assert {of(results, name).launches for name in ("a1", "b1")} == {1}
    (verdict,) = results.verdicts
    assert verdict.verdict is Outcome.UNDECIDED
    assert "fewer than 4 were present in all launches" in (verdict.why or "")
    assert any("no further launch (train): fewer than 4" in note for note in of(results, "a1").notes)


async def test_under_winner_the_flagged_leave_at_once_where_the_budget_asks_for_it(tmp_path: Path) -> None:
    """Seconds are those that the fake workers pretend: 15 rounds of the five cost 60, of the other four 15."""
    settings: dict[str, dict[str, Any]] = {name: {} for name in ("a1", "b1", "c1", "d1")}
    settings["slow"] = {"step_seconds": 3.0}
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, launches=3, budget_seconds=110, auto=True)
        results, _ = await run(tmp_path, settings, plan, clock=time)
    assert of(results, "slow").launches == 1
    assert of(results, "a1").launches >= 3
    slow = [each for each in results.verdicts if "slow:plain" in (each.a, each.b)]
    assert {each.verdict for each in slow} == {Outcome.UNDECIDED}
    assert any("needed the budget" in note for note in of(results, "slow").notes)


async def test_short_memory_splits_a_launch_into_waves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for four workers of 800 MB: two references and two others at a time."""
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 500_000_000 + 4 * 800_000_000)
    settings = {
        name: {"step_seconds": s} for name, s in zip("abcdef", (2e-3, 2e-3, 3e-3, 2e-3, 3e-3, 4e-3), strict=True)
    }
    for each in settings.values():
        each["rss"] = 800_000_000
    results, _ = await run(tmp_path, settings, pretend.plan(*settings, launches=3, budget_seconds=600, goal=Goal.ORDER))
    with Store(tmp_path / "results.sqlite") as store:
        blocks = [block for block in store.blocks(results.id) if block.launch == 1]
    together = [{b.candidate[0] for b in blocks if b.round == number} for number in range(1, 31)]
    assert together == [set("abcd")] * 15 + [set("abef")] * 15
    found = {frozenset((each.a[0], each.b[0])): each for each in results.verdicts}
    assert found[frozenset("df")].verdict is Outcome.A  # they never met
    assert found[frozenset("df")].a == "d:plain"
    assert found[frozenset("ce")].verdict is Outcome.TIE
    assert {each.status for each in results.runs} == {Status.OK}
    assert all(len(each.dispatch_points) == 4 for each in results.runs)  # whoever left in whichever wave


async def test_all_waves_of_a_launch_are_of_one_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget pays for 25 rounds of either wave, but of both for fewer."""
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 500_000_000 + 4 * 800_000_000)
    settings = {name: {"step_seconds": 0.25, "rss": 800_000_000, "noise": 0.0} for name in "abcdef"}
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, budget_seconds=82, rounds=25)
        results, _ = await run(tmp_path, settings, plan, clock=time)
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    rounds = [sum(block.candidate == f"{name}:plain" for block in blocks) for name in "cdef"]
    assert len(set(rounds)) == 1
    assert 15 < rounds[0] < 25


async def test_references_count_once_per_wave_also_where_memory_made_the_waves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two waves of four cost 120 s a launch, and passes 78 s: 380 s pay for one, though 90 s would make it three."""
    monkeypatch.setattr(machine, "free_memory_bytes", lambda: 500_000_000 + 4 * 800_000_000)
    settings = {name: {"step_seconds": 1.0, "rss": 800_000_000, "noise": 0.0} for name in "abcdef"}
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, budget_seconds=380, auto=True)
        results, _ = await run(tmp_path, settings, plan, clock=time)
    assert {each.launches for each in results.runs} == {1}


async def test_what_a_decided_phase_leaves_takes_the_other_to_its_next_look(tmp_path: Path) -> None:
    """A launch takes 17 s of training and 28 s of inference: 110 s each would end inference after three."""
    settings: dict[str, dict[str, Any]] = {
        name: {"step_seconds": seconds, "infer_spread": 0.5}
        for name, seconds in (("a1", 0.01), ("b1", 0.02), ("c1", 0.04), ("d1", 0.08))
    }
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, budget_seconds=220, auto=True, phases=("train", "infer"), goal=Goal.ORDER)
        results, _ = await run(tmp_path, settings, plan, clock=time)
    assert {(each.phase, each.launches) for each in results.runs} == {("train", 3), ("infer", 5)}


async def test_much_time_in_the_kernel_is_told(tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {
        "a1": {"kernel": 0.18, "page_faults": 6261.0},
        "b1": {},
        "c1": {"kernel": 0.11},
    }
    results, _ = await run(tmp_path, settings, pretend.plan("a1", "b1", "c1", launches=1, budget_seconds=90))
    told = of(results, "a1")
    assert (told.kernel_share, told.page_faults_per_step) == (0.18, 6261.0)
    assert any(note.startswith("18% of its CPU time went to the kernel, with 6,261 page faults") for note in told.notes)
    assert not any("kernel" in note for each in ("b1", "c1") for note in of(results, each).notes)


async def test_one_candidate_has_the_launches_asked_for(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"a1": {}}, pretend.plan("a1", launches=3, budget_seconds=600))
    assert of(results, "a1").launches == 3
    (tmp_path / "auto").mkdir()
    results, _ = await run(tmp_path / "auto", {"a1": {}}, pretend.plan("a1", auto=True, budget_seconds=600))
    assert of(results, "a1").launches == 1  # nothing is to be decided


async def test_the_estimate_counts_the_rounds_under_way_before_further_launches(tmp_path: Path) -> None:
    """A launch of 60 s: 225 s pay for three launches, not for two more looks on top of the one under way."""
    settings: dict[str, dict[str, Any]] = {
        name: {"step_seconds": 0.5, "noise": 0.0} for name in ("a1", "b1", "c1", "d1")
    }
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, budget_seconds=225, auto=True)
        async with racing(tmp_path, settings, plan, clock=time) as race:
            async for event in race.events():
                if isinstance(event, RoundStarted):
                    race.cancel()
                    break
    assert event.launches == 3
    assert event.remaining_seconds is not None
    assert event.remaining_seconds < 240  # five launches take 300


async def test_workers_that_slow_each_other_down_run_in_smaller_waves(tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {name: {} for name in "abcdef"}
    settings["a"] = {"crowded": 1.2}  # in rounds, which re-warm
    results, _ = await run(tmp_path, settings, pretend.plan(*settings, launches=3, budget_seconds=600))
    (note,) = of(results, "a").notes
    assert note.startswith("its CPU seconds per step were ")
    assert note.endswith(
        "% higher with the other workers resident than alone; later launches run at most 4 workers at once"
    )
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    assert {b.candidate for b in blocks if b.launch == 1 and b.round == 1} == {f"{name}:plain" for name in "abcdef"}
    assert {b.candidate for b in blocks if b.launch == 2 and b.round == 16} == {f"{name}:plain" for name in "abef"}


async def test_inference_is_a_race_of_its_own_with_latency_of_single_samples(tmp_path: Path) -> None:
    plan = pretend.plan("a1", "b1", phases=("train", "infer"))
    results, seen = await run(tmp_path, {"a1": {}, "b1": {"step_seconds": 0.003}}, plan)
    by_phase = {(each.framework, each.phase): each for each in results.runs}
    assert set(by_phase) == {("a1", "train"), ("b1", "train"), ("a1", "infer"), ("b1", "infer")}
    latency = by_phase["b1", "infer"].latency_seconds
    assert latency is not None
    assert 0.0029 < latency.p50 <= latency.p99 < 0.0031
    assert by_phase["b1", "train"].latency_seconds is None
    assert (by_phase["b1", "train"].first_step_seconds, by_phase["b1", "infer"].first_step_seconds) == (0.2, 0.05)
    assert by_phase["b1", "train"].peak_rss_bytes == 50_000_000
    assert by_phase["b1", "infer"].peak_rss_bytes is None  # one process did both
    assert any("training's came after one of inference" in note for note in by_phase["b1", "train"].notes)
    prepared = {(event.phase, event.first_step_seconds) for event in seen if isinstance(event, Prepared)}
    assert prepared == {("train", 0.2), ("infer", 0.05)}
    assert by_phase["b1", "infer"].step_seconds.blocks == 15  # type: ignore[union-attr]
    assert {event.quantity for event in seen if isinstance(event, Measuring)} == {"latency", "copy", "gemm", "dispatch"}


async def test_wrong_outputs_fail_the_parity_gate_of_inference(tmp_path: Path) -> None:
    plan = pretend.plan("a1", "b1", phases=("infer",))
    results, _ = await run(tmp_path, {"a1": {"output": 1.01}, "b1": {}}, plan)
    assert of(results, "a1").status is Status.FAILED
    assert "does not compute what the reference does" in (of(results, "a1").reason or "")
    assert of(results, "b1").status is Status.OK
    assert of(results, "b1").peak_rss_bytes == 50_000_000
    assert not any("first step" in note for note in of(results, "b1").notes)


async def test_passes_fill_in_what_is_measured_besides(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"a1": {"per_sample": True, "noise": 0.0}, "b1": {"flops": 1e13}})
    found = of(results, "a1")
    assert found.host_to_device is not None
    assert found.host_to_device.seconds is None
    assert found.percent_of_peak is not None
    assert 0 < found.percent_of_peak <= 100
    assert [point.batch for point in found.dispatch_points] == [128, 512, 2048, 8192]
    assert found.dispatch is not None
    assert found.dispatch.b == pytest.approx(0.001 / 8, rel=0.05)
    assert found.stated_run is not None
    assert found.stated_run.epochs == 10
    assert found.stated_run.seconds.low <= found.stated_run.seconds.median
    assert found.environment_bytes == 0


async def test_the_sweep_over_batch_sizes_measures_steps_and_not_calls(tmp_path: Path) -> None:
    """A call costs 100 ms, a step of 8 samples 1 ms."""
    fit = {"call_seconds": 0.1, "per_sample": True, "noise": 0.0}
    results, _ = await run(tmp_path, {"fit": fit, "b1": {}})
    points = of(results, "fit").dispatch_points
    assert [point.batch for point in points] == [128, 512, 2048, 8192]
    assert [point.seconds for point in points] == pytest.approx([point.batch * 0.001 / 8 for point in points], rel=0.01)


async def test_energy_is_measured_in_its_own_phase_where_there_is_a_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 W whatever happens, 1 ms a step, 128 samples: nothing of it is beyond the idle machine's."""
    monkeypatch.setattr(passes, "ENERGY_SECONDS", 0.3)
    time = pretend.Time()
    with time.kept():
        results, _ = await run(
            tmp_path, {"a1": {}, "b1": {}}, clock=time, open_meter=lambda _: pretend.Meter(time), budget_seconds=300
        )
    energy = of(results, "a1").energy_joules_per_sample
    assert energy is not None
    assert energy.basis == "measured"
    assert energy.value == pytest.approx(10 * 0.001 / 128, rel=0.5)
    assert energy.above_idle is not None
    assert 0 <= energy.above_idle < 0.1 * energy.value  # a reading or two


async def test_a_counter_that_breaks_ends_no_race(tmp_path: Path) -> None:
    class Broken(pretend.Meter):
        def joules(self) -> float:
            raise RuntimeError("the board fell off")

    results, _ = await run(tmp_path, {"a1": {}, "b1": {}}, open_meter=lambda _: Broken(pretend.Time()))
    assert "energy (train) was not measured: RuntimeError: the board fell off" in of(results, "a1").notes
    assert of(results, "a1").status is Status.OK
    assert len(of(results, "a1").dispatch_points) == 4


async def test_what_the_budget_does_not_pay_for_is_left_out_and_said(tmp_path: Path) -> None:
    results, _ = await run(tmp_path, {"a1": {}, "b1": {}}, pretend.plan("a1", "b1", budget_seconds=0.001))
    notes = of(results, "a1").notes
    assert "gemm (train) was not measured: the budget was spent" in notes
    assert of(results, "a1").percent_of_peak is None
    assert of(results, "a1").step_seconds.blocks == 15  # type: ignore[union-attr]


async def test_a_budget_is_exceeded_by_a_launch_already_begun_at_most(tmp_path: Path) -> None:
    """Blocks get three times as dear once a launch is under way; seconds are those that the fake workers pretend."""
    settings: dict[str, dict[str, Any]] = {name: {"spread": 0.1, "dearer": 3.0} for name in ("a1", "b1", "c1", "d1")}
    time = pretend.Time()
    with time.kept():
        plan = pretend.plan(*settings, launches=3, budget_seconds=70, auto=True)
        results, _ = await run(tmp_path, settings, plan, clock=time)
    with Store(tmp_path / "results.sqlite") as store:
        blocks = store.blocks(results.id)
    spent = sum(block.reading.wall_seconds for block in blocks)
    launches = {block.launch for block in blocks}
    per_launch = spent / len(launches)
    assert spent <= 70 + per_launch * 16 / 15  # a round more than a launch
    assert all(sum(b.launch == n and b.candidate == "a1:plain" for b in blocks) >= 15 for n in launches)


async def test_a_worker_lost_in_a_pass_keeps_its_rounds(tmp_path: Path) -> None:
    results, seen = await run(tmp_path, {"a1": {"faults": {"gemm": {"do": "sigkill"}}}, "b1": {}})
    assert of(results, "a1").status is Status.OK
    assert "killed by SIGKILL" in " ".join(of(results, "a1").notes)
    assert ends(seen)["a1"].reason is None


async def test_the_estimate_at_half_time_is_within_a_quarter(tmp_path: Path) -> None:
    """Time is what the fake workers pretend: imports, builds, first steps and blocks."""
    settings = {name: {"step_seconds": s} for name, s in (("a1", 0.002), ("b1", 0.0021), ("c1", 0.0022), ("d1", 0.003))}
    settings = {name: {**each, "spread": 0.2} for name, each in settings.items()}
    time = pretend.Time()
    plan = pretend.plan(
        *settings,
        launches=3,
        budget_seconds=320,  # three launches of everything, and no close decision about that
        workloads=(pretend.WORKLOAD, "pm25-lstm"),
        phases=("train", "infer"),
    )
    estimates = []
    with time.kept():
        async with racing(tmp_path, settings, plan, clock=time) as race:
            async for event in race.events():
                if isinstance(event, RoundDone) and event.remaining_seconds is not None:
                    estimates.append((event.sequence, time(), event.remaining_seconds))
    end = time()
    begun = estimates[0][1]
    half = min(estimates, key=lambda each: abs(each[1] - (begun + end) / 2))
    assert half[2] == pytest.approx(end - half[1], rel=0.25)


async def test_adapters_may_be_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "adapters"
    own.mkdir()
    (own / "pretended.py").write_text("# a fake worker reads no adapter\n", encoding="utf-8")
    await run(tmp_path, {"a1": {"adapter": str(own / "pretended.py")}, "b1": {}}, adapters=(own,))


async def test_user_files_that_cannot_be_used_end_the_race_before_anything_is_kept(tmp_path: Path) -> None:
    def refuse(*_: object) -> pretend.Material:
        raise BadInput([Fault("data.csv", 3, "pm2.5", "'x' is not a number")])

    with pytest.raises(BadInput, match=r"data\.csv:3"):
        async with racing(tmp_path, {"a1": {}}, prepare=refuse) as race:
            assert isinstance((await collect(race))[0], RaceStarted)
    assert race.results is None
    with Store(tmp_path / "results.sqlite") as store:
        assert store.summaries() == ()


async def test_only_one_race_at_a_time(tmp_path: Path) -> None:
    async with racing(tmp_path, {"a1": {}}):
        with pytest.raises(BadInput, match="another race is running"):
            async with racing(tmp_path, {"a1": {}}):
                pass


PARENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.bench.test_engine import racing
from bench.events import RoundDone

async def main():
    async with racing(Path(sys.argv[1]), {"a1": {}, "b1": {}}) as race:
        async for event in race.events():
            if isinstance(event, RoundDone):
                print(event.round, flush=True)

asyncio.run(main())
"""


def test_killing_the_parent_loses_no_round_and_leaves_no_worker(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), root], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            if int(line) == 5:
                break
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert len(family) == 2
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    with Store(tmp_path / "results.sqlite") as store:
        results = store.latest()
        assert results is not None
        assert results.interrupted
        complete = {block.round for block in store.blocks(results.id) if block.complete}
    assert set(range(1, 6)) <= complete
    assert all(each.step_seconds.blocks == len(complete) for each in results.runs)  # type: ignore[union-attr]
