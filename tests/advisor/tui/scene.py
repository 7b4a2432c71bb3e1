"""A small, fixed world for the screens: five questions, three leaves, four frameworks, and services that are scripted.

What the screens show must not change when the real knowledge base does, so nothing here reads it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace
from textual.widgets import Static

from advisor.answers import Answers, parse_answers
from advisor.attributes import Attributes, CodeLines, attributes
from advisor.recommendation import (
    SCHEMA,
    Assumption,
    Central,
    Current,
    Deciding,
    EvidenceLine,
    Excluded,
    Failure,
    Flip,
    MeasuredSummary,
    NotCounted,
    Person,
    Provenance,
    Pull,
    Ranked,
    Reasoning,
    Recommendation,
    StackEntry,
    Verdict,
)
from advisor.trial import Trial, is_raced, try_guide
from advisor.tui.app import AdvisorApp
from advisor.tui.services import Choice, Offer
from bench.comparison import Comparison, compare
from bench.events import AnyEvent
from bench.idioms.lines import Lines
from bench.plan import Goal, Plan
from bench.planning import Wishes
from bench.readiness import Readiness, State
from bench.recording import Recording
from bench.recording import read as read_recording
from bench.results import Contention, Machine, Results
from bench.store import Store, Summary
from knowledge.faults import BadInput, Fault
from knowledge.loader import Place
from knowledge.model import (
    Anchors,
    Charge,
    Choose,
    Claim,
    Count,
    Criterion,
    Evidence,
    Execution,
    FactStatement,
    Framework,
    Guide,
    Holds,
    Independence,
    Instead,
    Knowledge,
    Leaving,
    Lifecycle,
    Measure,
    Option,
    Polarity,
    Question,
    Release,
    Role,
    Sheet,
    Source,
    SourceKind,
    Stance,
    Statement,
    Status,
    Support,
    Text,
    Winner,
)
from knowledge.model import Test as Kind

NAMES = {"keras": "Keras", "mxnet": "Apache MXNet", "pytorch": "PyTorch", "tensorflow": "TensorFlow"}

MACHINE = Machine(
    system="Linux 6.1",
    architecture="x86_64",
    cpu="Example CPU",
    cores_logical=8,
    cores_physical=4,
    memory_bytes=16 * 2**30,
    gpus=(),
    gpu_driver=None,
    python="3.11.7",
)


def _text(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


def _leaf(identifier: str, en: str, zh: str) -> Criterion:
    return Criterion(
        id=identifier,
        name=_text(en, zh),
        question=_text(f"How good: {en.lower()}?", f"{zh}怎么样？"),
        anchors=Anchors(worst=_text("Bad.", "差。"), middle=_text("Fair.", "一般。"), best=_text("Good.", "好。")),
        max_age_days=730,
    )


_EASE = Criterion(
    id="ease",
    name=_text("Ease of use", "易用性"),
    question=_text("How easy?", "有多容易？"),
    children=(_leaf("ramp_up", "Getting started", "上手速度"), _leaf("debugging", "Debugging", "调试")),
)
_COMMUNITY = Criterion(
    id="community",
    name=_text("Community", "社区"),
    question=_text("Who else?", "还有谁？"),
    children=(_leaf("pretrained", "Pretrained models", "预训练模型"),),
)

_QUESTIONS = (
    Question(
        id="goal",
        quick=True,
        choose=Choose.ONE,
        text=_text("What is this for?", "你用它来做什么？"),
        why=_text("It sets the main direction.", "它决定大方向。"),
        options=(
            Option(
                id="learn",
                text=_text("To learn deep learning", "学习深度学习"),
                help=_text("A course, a hobby, a first project.", "上课、兴趣，或第一个项目。"),
                multiply={"ease": 3},
            ),
            Option(id="research", text=_text("To try new ideas", "做研究，尝试新想法"), multiply={"community": 2}),
            Option(
                id="keep-alive",
                text=_text("To keep a system running", "维持已有系统运行"),
                asks=("current",),
                drops=("maintained",),
            ),
        ),
    ),
    Question(
        id="build",
        quick=True,
        choose=Choose.UP_TO_TWO,
        text=_text("What does the model work on?", "模型处理什么数据？"),
        why=_text("It picks the measurements that count.", "据此选取计分的测试。"),
        options=(
            Option(id="images", text=_text("Images", "图像"), workloads=("mnist-cnn",)),
            Option(id="series", text=_text("Time series", "时间序列"), workloads=("pm25-lstm",)),
            Option(id="text", text=_text("Text", "文本")),
        ),
    ),
    Question(
        id="train_on",
        quick=True,
        choose=Choose.ANY,
        maybe="train_on_maybe",
        text=_text("Where will it train?", "在哪里训练？"),
        why=_text("A framework that supports none of these is ruled out.", "一项都不支持的框架会被排除。"),
        maybe_text=_text("Perhaps also on (rules nothing out)", "可能还会用（不排除任何框架）"),
        options=(
            Option(
                id="cpu", text=_text("Ordinary processor (CPU)", "普通处理器（CPU）"), require={"accelerator": "cpu"}
            ),
            Option(id="cuda", text=_text("NVIDIA GPU (CUDA)", "NVIDIA GPU（CUDA）"), require={"accelerator": "cuda"}),
            Option(id="tpu", text=_text("Google TPU", "谷歌 TPU"), require={"accelerator": "tpu"}),
            Option(id="nowhere", text=_text("Nowhere", "不训练"), alone=True, role="runtime"),
        ),
    ),
    Question(
        id="must",
        choose=Choose.ALL,
        text=_text("What must hold, whatever happens?", "有哪些必须满足的条件？"),
        why=_text("Each tick rules frameworks out.", "每勾一项都会排除框架。"),
        options=(
            Option(id="offline", text=_text("Works without the internet", "可离线使用"), require={"offline": "true"}),
            Option(
                id="python-version",
                text=_text("One particular Python version", "指定的 Python 版本"),
                asks=("requirements.python",),
            ),
        ),
    ),
    Question(
        id="current",
        choose=Choose.ONE,
        asks="framework",
        text=_text("What do you use today?", "你现在用什么框架？"),
        why=_text("It is shown beside the winner.", "它会与推荐结果并列显示。"),
    ),
)

_EVIDENCE = (
    Evidence(claim="The tutorial trains a model in ten minutes.", source="docs-page"),
    Evidence(claim="Users find the first hour hard.", source="survey", stance=Stance.CONTRADICTS),
)


def _framework(identifier: str, score: float, status: Status) -> Framework:
    newest = Statement(
        as_of=date(2026, 10, 1),
        author="the project",
        score=score,
        low=score - 0.5,
        high=score + 1,
        rationale="The official quick start runs as printed.",
        evidence=_EVIDENCE,
    )
    older = Statement(
        as_of=date(2018, 5, 1),
        author="a guide of 2018",
        score=3,
        low=2,
        high=4,
        rationale="Said to be hard to begin with.",
        evidence=(Evidence(claim="Hard for beginners.", source="guide-2018"),),
        affiliation="a university",
        reviewed_by="A. Maintainer",
    )
    unknown = Statement(as_of=date(2026, 10, 1), author="the project", score=None, reason="Nobody has counted them.")
    archived = date(2023, 11, 17) if status is Status.ARCHIVED else None
    return Framework(
        id=identifier,
        name=NAMES[identifier],
        role=Role.HIGH_LEVEL if identifier == "keras" else Role.ENGINE,
        summary=_text("A framework for tests.", "测试用的框架。"),
        homepage="https://example.org",
        lifecycle=Lifecycle(
            status=status,
            first_release="2015",
            releases=(Release(version="2.0", date=date(2026, 9, 1)),),
            evidence=(Evidence(claim="The registry lists it.", source="docs-page"),),
            archived=archived,
        ),
        facts={
            "accelerator": (
                FactStatement(
                    values=("cpu", "cuda"), support=Support.NATIVE, as_of=date(2026, 10, 1), evidence=_EVIDENCE
                ),
                FactStatement(values=("tpu",), support=Support.NONE, as_of=date(2026, 10, 1), evidence=()),
            ),
            "python": (
                FactStatement(values=("3.11", "3.13"), support=Support.NATIVE, as_of=date(2026, 10, 1), evidence=()),
            ),
            "offline": (FactStatement(values=("true",), support=Support.NATIVE, as_of=date(2026, 10, 1), evidence=()),),
            "governance": (
                FactStatement(values=("foundation",), support=Support.NONE, as_of=date(2026, 10, 1), evidence=()),
            ),
        },
        leaving=Leaving(cost="Layers are rewritten by hand.", evidence=_EVIDENCE[:1]),
        instead=(Instead(framework="pytorch", because="Closest in kind."),) if archived else (),
        sheet=Sheet(
            developer="Example Foundation",
            written_in=("cpp", "python"),
            execution=(Execution.EAGER, Execution.COMPILED),
            autodiff=True,
            layers=("convolution", "attention"),
            evidence=_EVIDENCE[:1],
        ),
        popularity=(
            Count(measure=Measure.DOWNLOADS, value=40_000, as_of="2026-03", source="survey"),
            Count(measure=Measure.DOWNLOADS, value=20_000, as_of="2024-03", source="survey", note="One index only."),
            Count(measure=Measure.STARS, value=900, as_of="2025-11-07", source="survey"),
        ),
        ratings={"ease.ramp_up": (newest, older), "ease.debugging": (newest,), "community.pretrained": (unknown,)},
    )


_SOURCES = {
    "docs-page": ("Quick start", "https://example.org/start", "2026-09", SourceKind.DOCUMENTATION, Independence.VENDOR),
    "survey": ("Survey of users", "https://example.org/survey", "2025", SourceKind.SURVEY, Independence.INDEPENDENT),
    "guide-2018": (
        "Comparison guide",
        "https://example.org/guide",
        "2018-05",
        SourceKind.ARTICLE,
        Independence.INDEPENDENT,
    ),
}


def _claim(identifier: str, framework: str, criterion: str, said: str, holds: Holds, now: str) -> Claim:
    return Claim(
        id=identifier,
        line=12,
        about=NAMES[framework],
        said=said,
        polarity=Polarity.FOR,
        holds=holds,
        now=now,
        frameworks=(framework,),
        criterion=criterion,
        evidence=_EVIDENCE,
    )


_GUIDES = (
    Guide(
        id="early-2016",
        title=_text("An early comparison", "早期比较"),
        published="2016-05",
        source="guide-2018",
        conclusion=_text("MXNet is the best choice.", "MXNet 是最佳选择。"),
        claims=(
            _claim("a-1", "mxnet", "ease.ramp_up", "MXNet is easy to begin with.", Holds.PARTLY, "It has ended."),
            _claim("a-2", "keras", "ease.ramp_up", "Keras is the easiest.", Holds.CONFIRMED, "It still is."),
        ),
    ),
    Guide(
        id="later-2018",
        title=_text("Three compared", "三者比较"),
        published="2018-06",
        source="guide-2018",
        conclusion=_text("Keras is slowest; MXNet is fastest.", "Keras 最慢，MXNet 最快。"),
        claims=(
            _claim("b-1", "mxnet", "ease.ramp_up", "MXNet takes a day to learn.", Holds.REFUTED, "Nobody begins now."),
            _claim("b-2", "keras", "community.pretrained", "Keras is slowest.", Holds.UNTESTABLE, "It depends."),
        ),
        charges=(
            Charge(
                id="keras-slowest",
                text=_text("Keras is the slowest of the three.", "Keras 在三者中最慢。"),
                claims=("b-2",),
                test=Kind.SLOWEST,
                framework="keras",
                against=("pytorch",),
                workloads=("mnist-cnn",),
            ),
            Charge(
                id="keras-short",
                text=_text("Keras takes the fewest lines.", "Keras 代码行数最少。"),
                claims=("b-2",),
                test=Kind.FEWEST_LINES,
                framework="keras",
                against=("pytorch",),
                workloads=("mnist-cnn",),
                factor=2,
            ),
        ),
        winners=(
            Winner(
                dimension=_text("Getting started", "上手"),
                criterion="ease.ramp_up",
                among=("keras", "mxnet", "pytorch"),
                then=("mxnet",),
                now=("pytorch", "keras"),
            ),
        ),
    ),
)

KNOWLEDGE = Knowledge(
    criteria=(_EASE, _COMMUNITY),
    leaves={
        "ease.ramp_up": _EASE.children[0],
        "ease.debugging": _EASE.children[1],
        "community.pretrained": _COMMUNITY.children[0],
    },
    questions={question.id: question for question in _QUESTIONS},
    sources={
        identifier: Source(
            id=identifier,
            title=title,
            url=url,
            publisher="Example",
            published=published,
            accessed=date(2026, 11, 1),
            kind=kind,
            independence=independence,
        )
        for identifier, (title, url, published, kind, independence) in _SOURCES.items()
    },
    frameworks={
        "keras": _framework("keras", 7.5, Status.ACTIVE),
        "mxnet": _framework("mxnet", 3.0, Status.ARCHIVED),
        "pytorch": _framework("pytorch", 8.0, Status.ACTIVE),
        "tensorflow": _framework("tensorflow", 6.0, Status.ACTIVE),
    },
    date=date(2026, 11, 1),
    guides={guide.id: guide for guide in _GUIDES},
)

LINES = {"keras": {"mnist-cnn": Lines(model=12, training=6)}, "pytorch": {"mnist-cnn": Lines(model=20, training=25)}}

_MXNET_OUT = Excluded(
    framework="mxnet",
    name="Apache MXNet",
    would_rank=4,
    failed=(
        Failure(
            requirement="maintained: true",
            origin="assumed",
            fact="maintained",
            because="Apache MXNet was archived on 2023-11-17.",
            evidence=(
                EvidenceLine(
                    claim="The repository was archived read-only.",
                    stance="supports",
                    source="docs-page",
                    title="Quick start",
                    url="https://example.org/start",
                    published="2026-09",
                    independence="vendor",
                ),
            ),
        ),
    ),
)


def recommendation(answers: Answers, results: Results | None) -> Recommendation:
    """A made-up recommendation that moves with the goal: learners get Keras first, all others PyTorch."""
    learn = answers.answers.get("goal") is not None and answers.answers["goal"].values == ("learn",)
    order = ["keras", "pytorch", "tensorflow"] if learn else ["pytorch", "keras", "tensorflow"]
    kept = answers.requirements.get("maintained")
    ranked = [*order, "mxnet"] if kept is not None else order
    numbers = [(7.4, 6.8, 7.9, 0.56), (7.2, 6.7, 7.8, 0.43), (5.6, 4.9, 6.3, 0.01), (3.1, 2.0, 4.0, 0.0)]
    points = [{"ease.ramp_up": 4.0 - n, "ease.debugging": 2.0, "community.pretrained": 1.4 + n / 2} for n in range(4)]
    current = _current(answers.current, ranked, numbers)
    return Recommendation(
        schema=SCHEMA,
        verdict=Verdict.TOO_CLOSE,
        winner=None,
        stack=(
            StackEntry(need="write-in", framework=order[0], because="ranks first"),
            StackEntry(need="export", framework="onnxruntime", because="every target reads it"),
        ),
        ranking=tuple(
            Ranked(
                framework=framework,
                name=NAMES[framework],
                role="engine",
                rank=rank,
                score=score,
                low=low,
                high=high,
                first_probability=first,
                coverage=0.9,
                contributions=points[rank - 1],
            )
            for rank, (framework, (score, low, high, first)) in enumerate(zip(ranked, numbers, strict=False), 1)
        ),
        robustness={},
        pairwise={
            a: {b: ABOVE if ranked.index(a) < ranked.index(b) else 1 - ABOVE for b in ranked if a != b} for a in ranked
        },
        excluded=() if kept is not None else (_MXNET_OUT,),
        unknown=(),
        assumptions=()
        if kept is not None
        else (
            Assumption(id="maintained", what="It must be maintained", knocks_out=True, removable_by="goal: keep-alive"),
            Assumption(id="run-length", what="A run takes 4 hours", knocks_out=False, removable_by="answer rhythm"),
        ),
        weights={"ease.ramp_up": 0.4, "ease.debugging": 0.3, "community.pretrained": 0.3},
        flips=(
            Flip(framework=order[1], criterion="community.pretrained", start=0.19, to=0.14),
            Flip(framework="tensorflow", criterion=None),
        ),
        current=current,
        currents=() if current is None else (current,),
        course=None,
        measured=None
        if results is None
        else MeasuredSummary(
            results=results.id,
            counted=("pytorch:eager mnist-cnn",),
            not_counted=(NotCounted(candidate="mxnet:hybrid", workload="mnist-cnn", why="knocked out"),),
            break_even=(),
        ),
        not_counted_leaves=("performance.time_to_finish",),
        minimal_drops=(),
        reasoning=Reasoning(
            headline=f"{NAMES[order[0]]} and {NAMES[order[1]]} are too close to call.",
            why=(f"{NAMES[order[0]]} is easiest to begin with.",),
            why_not={f: f"{NAMES[f]} has less to build on." for f in ranked[1:]},
            what_would_change=(f"{NAMES[order[1]]} would come first if Pretrained models weighed 14 %.",),
            caveats=("Nothing was measured.",),
        ),
        provenance=Provenance(
            advisor_version="0.1.0",
            knowledge_date="2026-11-01",
            as_of="2026-11-20",
            samples=10_000,
            seed=0,
            created="2026-11-20T00:00:00Z",
        ),
        deciding=tuple(
            Deciding(rival=rival, criteria=("ease.ramp_up",), points=1.0, against=0.5) for rival in ranked[1:]
        ),
        acceptability={f: _RANKS[number][: len(ranked)] for number, f in enumerate(ranked)},
        central={
            f: Central(
                share=0.4,
                weights={"ease.ramp_up": 0.6, "ease.debugging": 0.25, "community.pretrained": 0.15},
                even={"ease.ramp_up": 0.25, "ease.debugging": 0.25, "community.pretrained": 0.5},
            )
            for f in ranked
        },
    )


def _current(
    framework: str | None, ranked: Sequence[str], numbers: Sequence[tuple[float, float, float, float]]
) -> Current | None:
    if framework is None:
        return None
    rank = ranked.index(framework) + 1 if framework in ranked else None
    return Current(
        framework=framework,
        name=NAMES[framework],
        rank=rank,
        gap=None if rank is None else numbers[0][0] - numbers[rank - 1][0],
        leaving_cost="Layers are rewritten by hand.",
        what_would_justify="Leaving would be justified from 90 % on.",
    )


def several(sheets: Sequence[Answers], results: Results | None) -> Recommendation:
    """What one sheet gives, or the first of several with everybody's own beside it."""
    joint = recommendation(sheets[0], results)
    if len(sheets) == 1:
        return joint
    people = []
    for sheet in sheets:
        own = recommendation(sheet, results)
        first = own.ranking[0].framework
        people.append(
            Person(
                respondent=sheet.respondent,
                verdict=own.verdict,
                first=first,
                ranking=tuple(each.framework for each in own.ranking),
                scores={each.framework: each.score for each in own.ranking},
                first_probabilities={each.framework: each.first_probability for each in own.ranking},
                weights=own.weights,
                current=own.current,
                pulls=(Pull("ease.ramp_up", 0.5, 0.4, 0.25),) if first != joint.ranking[0].framework else (),
            )
        )
    everybody = tuple(sheet.respondent for sheet in sheets)
    used = {each.current.framework: each.current for each in people if each.current is not None}
    excluded = tuple(
        replace(each, failed=tuple(replace(failure, owners=everybody) for failure in each.failed))
        for each in joint.excluded
    )
    return replace(joint, people=tuple(people), agreement=0.5, excluded=excluded, currents=tuple(used.values()))


ABOVE = 0.56
_RANKS = ((0.56, 0.43, 0.01, 0.0), (0.43, 0.55, 0.02, 0.0), (0.01, 0.02, 0.97, 0.0), (0.0, 0.0, 0.0, 1.0))

PLAN = Plan(
    candidates=("pytorch:eager", "keras@jax:fit", "mxnet:hybrid"),
    workloads=("mnist-cnn",),
    phases=("train",),
    device="cpu",
    precision="fp32",
    threads=8,
    batch=None,
    budget_seconds=90,
    goal=Goal.WINNER,
    launches=1,
    rounds=15,
    seed=0,
    K=3,
    M=3,
    alpha=0.05,
    data={"mnist": "made"},
    defaults=("pytorch:eager", "keras@jax:fit", "mxnet:hybrid"),
)

RESULTS = Results(
    id="run-17",
    created="2026-11-20T00:00:00Z",
    machine=MACHINE,
    plan=PLAN,
    runs=(),
    verdicts=(),
    twin=None,
    contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
)


def offer(
    candidate: str,
    state: State = State.INSTALLABLE,
    download: float = 192e6,
    why: str | None = None,
    default: bool = True,
    why_not_counted: str | None = None,
) -> Offer:
    """An offer for the plan screen."""
    ready = state is State.READY
    return Offer(
        readiness=Readiness(
            candidate=candidate,
            state=state,
            why=why,
            mend="Install a C++ compiler." if why else None,
            environment=candidate.partition(":")[0],
            download_bytes=0 if ready or why else int(download),
            disk_bytes=0 if ready or why else int(download * 4),
            install_seconds=0 if ready or why else 40,
            prepare_seconds=4,
            default=default,
        ),
        why_not_counted=why_not_counted,
    )


OFFERS = (
    offer("keras@jax:fit", State.READY),
    offer("mxnet:hybrid", download=60e6, why_not_counted="knocked out, history only"),
    offer("pytorch:eager"),
    offer(
        "pytorch:compile", State.IMPOSSIBLE, why="no c++ compiler is on the PATH", default=False,
        why_not_counted="not the default mode",
    ),
)  # fmt: skip


def shown(app: AdvisorApp, selector: str) -> str:
    """The text of a Static on the screen."""
    return str(app.screen.query_one(selector, Static).content)


class ScriptedRace:
    """A race that tells what it was given, then waits to be stopped if it is not over."""

    def __init__(self, events: tuple[AnyEvent, ...], results: Results | None) -> None:
        self._events, self._results = events, results
        self.cancelled: list[str | None] = []
        self.ended = False  # whether its context was left as it should be
        self._stopped = asyncio.Event()

    async def events(self) -> AsyncIterator[AnyEvent]:
        for event in self._events:
            yield event
        if self._results is None:
            await self._stopped.wait()

    def cancel(self, candidate: str | None = None) -> None:
        self.cancelled.append(candidate)
        if candidate is None:
            self._stopped.set()

    @property
    def results(self) -> Results | None:
        return self._results


class Scene:
    """Scripted services. What was asked of them is kept for tests to look at."""

    def __init__(self, race: tuple[AnyEvent, ...] = (), results: Results | None = None) -> None:
        self._race, self._results = race, results
        self.plans: list[Plan] = []
        self.choices: list[Choice] = []
        self.kept: tuple[Results, ...] = ()
        self.recorded: dict[str, Path] = {}
        self.races: list[ScriptedRace] = []
        self.free_disk = 41 * 10**9
        self.offered: tuple[Offer, ...] = OFFERS
        self.refusal = ""

    def machine(self) -> Machine:
        return MACHINE

    def decide(self, sheets: Sequence[Answers], results: Results | None) -> Recommendation:
        if any("offline" in getattr(sheet.answers.get("must"), "values", ()) for sheet in sheets):
            raise BadInput([Fault("answers", None, "must", "offline is not known in this scene")])
        return several(sheets, results)

    def read_answers(self, path: Path) -> Answers:
        return parse_answers(path.read_bytes(), str(path), KNOWLEDGE)

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def free_memory_bytes(self) -> int:
        return 12 * 10**9

    def free_disk_bytes(self) -> int:
        return self.free_disk

    def workloads(self) -> dict[str, Text]:
        return {
            "mnist-cnn": _text("MNIST, small CNN", "MNIST 小型卷积网络"),
            "pm25-lstm": _text("PM2.5, LSTM", "PM2.5 LSTM"),
        }

    def wanted_workloads(self, sheets: Sequence[Answers]) -> tuple[str, ...]:
        build = sheets[0].answers.get("build")
        return ("mnist-cnn", "pm25-lstm") if build is None else ("mnist-cnn",)

    def offers(self, sheets: Sequence[Answers], device: str) -> tuple[Offer, ...]:
        return self.offered

    def plan(self, choice: Choice) -> Plan:
        if choice.budget_seconds > 3600:
            raise BadInput([Fault("plan", None, "budget", "too long")])
        self.choices.append(choice)
        launches = choice.launches or (3 if choice.budget_seconds >= 180 else 1)
        return replace(
            PLAN,
            candidates=choice.candidates,
            workloads=choice.workloads,
            phases=choice.phases,
            goal=choice.goal,
            launches=launches,
            twins=("keras@jax:fit#2",) if launches > 1 else (),
            left_out=dict.fromkeys(choice.candidates[3:], "the budget decides fewer"),
        )

    @asynccontextmanager
    async def race(self, plan: Plan) -> AsyncIterator[ScriptedRace]:
        if self.refusal:
            raise BadInput([Fault("bench run", None, "", self.refusal)])
        self.plans.append(plan)
        race = ScriptedRace(self._race, self._results)
        self.races.append(race)
        yield race
        race.ended = True

    def latest_results(self) -> Results | None:
        return self._results

    def history(self) -> tuple[Summary, ...]:
        with TemporaryDirectory() as folder, Store(Path(folder) / "results.sqlite") as store:
            for results in self.kept:
                store.save(results)
            return store.summaries()

    def stored_results(self, identity: str) -> Results:
        for results in self.kept:
            if results.id == identity:
                return results
        raise BadInput([Fault("results", None, "", f"there are no results {identity!r}")])

    def comparison(self, earlier: Results, later: Results) -> Comparison:
        return compare(earlier, later)

    def recordings(self) -> dict[str, Path]:
        return self.recorded

    def recording(self, path: Path) -> Recording:
        return read_recording(path)

    def report(self, sheets: Sequence[Answers], results: Results | None, form: str) -> bytes:
        first = several(sheets, results).ranking[0].name
        return f"# Advice\n\n## Result\n\nRank 1: {first}\n\n({form})\n".encode()

    def report_form(self, path: Path) -> str | None:
        return {".md": "md", ".html": "html", ".json": "json"}.get(path.suffix)

    def place(self, framework: str, *steps: str | int) -> Place:
        return Place(file=f"knowledge/frameworks/{framework}.yaml", line=12, key="")

    def live(self, framework: str) -> tuple[str, ...]:
        return ()

    def guide_place(self, guide: str, *steps: str | int) -> Place:
        return Place(file=f"knowledge/guides/{guide}.yaml", line=30, key="")

    def source_place(self, source: str) -> Place:
        return Place(file="knowledge/sources.yaml", line=7, key="")

    def attributes(self, framework: str) -> Attributes:
        counted = attributes(KNOWLEDGE, KNOWLEDGE.frameworks[framework])
        return replace(counted, code_lines=CodeLines(median=31, workloads={"mnist-cnn": Lines(model=20, training=11)}))

    def trial(self, guide: str, results: Sequence[Results]) -> Trial:
        return try_guide(KNOWLEDGE.guides[guide], KNOWLEDGE, results, LINES)

    def trial_races(self, guide: str) -> tuple[Wishes, ...]:
        raced = [charge for charge in KNOWLEDGE.guides[guide].charges if is_raced(charge)]
        return tuple(
            Wishes(
                frameworks=("keras", "pytorch"), workloads=charge.workloads, device="cpu", goal=Goal.ORDER,
                budget_seconds=540,
            )
            for charge in raced
        )  # fmt: skip

    def trial_recordings(self, guide: str) -> dict[str, Path]:
        return self.recorded
