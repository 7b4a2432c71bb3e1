"""Reports say what the recommendation says, every number with its source, in files that need nothing else."""

import html
import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

import knowledge
from advisor.decision import decide
from advisor.questionnaire import preferences, read_answers
from advisor.report import FORMATS, Content, build, format_of
from bench.results import Basis, Outcome, Ratio, Results, Verdict
from tests.advisor.decision import builders

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def _content(example: Path, results: Results | None = None) -> Content:
    base = knowledge.load()
    answers = read_answers(example, base)
    wanted = preferences(answers, base)
    made = decide(
        base, wanted, results, as_of=date(2026, 11, 20), seed=0, samples=2_000, created="2026-11-20T00:00:00Z"
    )
    return build(made, base, (answers,), wanted, results)


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def content(request: pytest.FixtureRequest) -> Content:
    return _content(request.param)


def test_every_line_names_a_source_or_says_that_nothing_is_known(content: Content) -> None:
    lines = [line for sheet in content.sheets for line in sheet.lines]
    assert lines
    assert [line for line in lines if line.basis != "unknown" and not line.citations and not line.results] == []
    assert all(line.because for line in lines)


def test_the_lines_of_a_framework_add_up_to_its_score(content: Content) -> None:
    for sheet in content.sheets:
        assert sum(line.points for line in sheet.lines) == pytest.approx(sheet.ranked.score, abs=1e-9)


def test_every_citation_is_listed_once_with_its_date(content: Content) -> None:
    numbers = [citation.number for citation in content.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    cited = {number for sheet in content.sheets for line in sheet.lines for number in line.citations}
    assert cited <= set(numbers)
    assert all(citation.accessed for citation in content.citations)


class _Page(HTMLParser):
    """What a page loads, links to and defines, and whether its elements close."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe") or "src" in values:
            self.loads.append(tag)
        if identity := values.get("id"):
            self.ids.append(identity)
        if tag == "a" and (target := values.get("href")):
            self.links.append(target)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_loads_nothing_and_its_links_lead_somewhere(content: Content) -> None:
    text = FORMATS["html"](content).decode()
    page = _Page()
    page.feed(text)
    assert page.loads == []
    assert page.open == []
    assert "url(" not in text
    assert len(set(page.ids)) == len(page.ids)
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert inner
    assert set(inner) <= set(page.ids)
    assert all(link.startswith(("#", "http://", "https://")) for link in page.links)


def test_markup_in_knowledge_cannot_become_markup_of_the_page(content: Content) -> None:
    from msgspec import structs

    said = structs.replace(content.said[0], answer="<script>alert(1)</script> | x")
    spoiled = structs.replace(content, said=(said,))
    assert "<script>" not in FORMATS["html"](spoiled).decode()


def test_the_tables_of_the_markdown_keep_their_columns(content: Content) -> None:
    columns = 0
    for line in FORMATS["md"](content).decode().splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert columns in (0, cells), line
        columns = cells


def test_the_json_holds_the_recommendation_and_every_line(content: Content) -> None:
    document = json.loads(FORMATS["json"](content))
    assert document["schema"] == "advisor/report/1"
    assert document["recommendation"]["schema"] == "advisor/recommendation/1"
    assert len(document["sheets"]) == len(content.sheets)


def test_the_decision_record_names_options_and_outcome(content: Content) -> None:
    text = FORMATS["adr"](content).decode()
    assert text.startswith("---\nstatus: proposed\n")
    assert content.recommendation.reasoning.headline in text
    for ranked in content.recommendation.ranking:
        assert ranked.name in text


@pytest.mark.parametrize(
    ("name", "form"), [("a.md", "md"), ("a.MARKDOWN", "md"), ("a.htm", "html"), ("a.json", "json"), ("a.adr", None)]
)
def test_the_suffix_names_the_format(name: str, form: str | None) -> None:
    assert format_of(Path(name)) == form


def test_measured_figures_name_the_results_they_were_measured_in() -> None:
    from msgspec import structs

    raced = builders.results(builders.run("pytorch:eager", 0.01), builders.run("keras@tensorflow:fit", 0.03))
    faster = Verdict(
        workload="mnist-cnn",
        phase="train",
        a="pytorch:eager",
        b="keras@tensorflow:fit",
        verdict=Outcome.A,
        ratio=Ratio(low=1.5, high=None),
        basis=Basis.ONE_LAUNCH,
    )
    content = _content(ROOT / "examples" / "beginner-images.yaml", structs.replace(raced, verdicts=(faster,)))
    measured = [line for sheet in content.sheets for line in sheet.lines if line.basis == "measured"]
    assert measured
    assert {line.results for line in measured} == {"race-1"}
    for form in ("md", "html"):
        text = FORMATS[form](content).decode()
        assert "pytorch:eager is faster than keras@tensorflow:fit: at least 1.50x (in these processes only" in text
        assert text.count("race-1") >= len(measured)


def _measured() -> Results:
    from msgspec import structs

    from bench.results import Contention, Dispatch, Gauge, Latency, Range, StatedRun, Twin

    runs = [
        builders.run(
            name,
            step,
            phase=phase,
            batch=128,
            samples_per_second=Range(median=128 / step, low=120 / step, high=130 / step),
            first_step_seconds=first,
            recompilations=2,
            graph_breaks=1,
            percent_of_peak=31.2,
            dispatch=Dispatch(a=0.0004, b=0.00007),
            environment_bytes=730_000_000,
            notes=("copy (train) was not measured: the budget was spent",),
            stated_run=StatedRun(epochs=10, steps=4690, seconds=Range(median=80, low=78, high=85))
            if phase == "train"
            else None,
            latency_seconds=Latency(p50=0.0012, p99=0.0031) if phase == "infer" else None,
        )
        for phase in ("train", "infer")
        for name, step, first in (("pytorch:eager", 0.03, 0.1), ("keras@tensorflow:fit", 0.01, 9.0))
    ]
    verdict = Verdict(
        workload="mnist-cnn",
        phase="train",
        a="pytorch:eager",
        b="keras@tensorflow:fit",
        verdict=Outcome.B,
        ratio=Ratio(low=0.25, high=0.4),
        basis=Basis.WALL,
    )
    undecided = structs.replace(
        verdict, phase="infer", verdict=Outcome.UNDECIDED, ratio=Ratio(low=None, high=None), why="the machine was busy"
    )
    return structs.replace(
        builders.results(*runs),
        verdicts=(verdict, undecided),
        twin=Twin(candidate="pytorch:eager", ratio=Ratio(low=0.97, high=1.02)),
        contention=Contention(gauge=Gauge(median=0.98, low=0.91), flagged_blocks=1, blocks=90, load_average=0.2),
        code="0.1.0+abcdef012345",
        interrupted=True,
    )


@pytest.mark.parametrize("form", ["md", "html"])
def test_the_measured_part_says_what_was_measured_and_what_it_is_about(form: str) -> None:
    text = html.unescape(FORMATS[form](_content(ROOT / "examples" / "beginner-images.yaml", _measured())).decode())
    for said in (
        "mnist-cnn · training · batch 128 · cpu · fp32 · 2 threads · data already in memory",
        "mnist-cnn · inference · batch 128 · cpu · fp32 · 2 threads · data already in memory",
        "keras@tensorflow:fit is faster than pytorch:eager: 2.50-4.00x",
        "pytorch:eager and keras@tensorflow:fit: undecided: the machine was busy",
        "10 epochs: 1 min 20 s [1 min 18 s - 1 min 25 s]",
        "latency p50 1.2 ms; latency p99 3.1 ms",
        "dispatch 400 µs + 70 µs per sample",
        "of this machine's peak 31.2 %",
        "recompilations 2; graph breaks 1",
        "environment 730 MB",
        "copy (train) was not measured: the budget was spent",
        "keras@tensorflow:fit has caught up with pytorch:eager after",
        "the same thing twice (pytorch:eager) differed by 0.97-1.02x",
        "1 of 90 blocks below 80 %",
        "The race was interrupted.",
        "0.1.0+abcdef012345",
        "reading and preparing data is not part of it",
        "Counted in the ranking:",
    ):
        assert said in text
    assert text.index("keras@tensorflow:fit |" if form == "md" else "keras@tensorflow:fit</td>") < text.index(
        "pytorch:eager |" if form == "md" else "pytorch:eager</td>"
    )  # fastest first


def test_the_decision_record_says_what_was_measured_and_what_of_it_counted() -> None:
    text = FORMATS["adr"](_content(ROOT / "examples" / "beginner-images.yaml", _measured())).decode()
    for said in (
        "measured by 0.1.0+abcdef012345",
        "mnist-cnn · training · batch 128 · cpu · fp32 · 2 threads · data already in memory: "
        "keras@tensorflow:fit is faster than pytorch:eager: 2.50-4.00x",
        "the same thing twice (pytorch:eager) differed by 0.97-1.02x",
        "\n- counted in the ranking: pytorch:eager mnist-cnn\n",
        "reading and preparing data is not part of it",
    ):
        assert said in text
    other = FORMATS["adr"](_content(ROOT / "examples" / "legacy-mxnet.yaml", _measured())).decode()
    assert "\n- not counted in the ranking: pytorch:eager mnist-cnn: mnist-cnn does not resemble your task\n" in other


def test_the_json_holds_the_measured_part_for_programs() -> None:
    document = json.loads(FORMATS["json"](_content(ROOT / "examples" / "beginner-images.yaml", _measured())))
    assert document["results"]["code"] == "0.1.0+abcdef012345"
    train, infer = document["measured"]["races"]
    assert (train["phase"], infer["phase"]) == ("train", "infer")
    facts = {fact["id"]: fact["value"] for fact in infer["runs"][0]["facts"]}
    assert facts["latency_p99"] == "3.1 ms"
    assert document["measured"]["scope"].count("data already in memory") == 1
