"""Reports say what the recommendation says, every number with its source, in files that need nothing else."""

import html
import json
import re
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import knowledge
from advisor.decision import decide
from advisor.decision.people import together
from advisor.quantities import percent
from advisor.questionnaire import preferences, read_answers
from advisor.report import FORMATS, Content, build, format_of
from advisor.report.content import Cited, Line
from advisor.respondents import named
from advisor.words import requirement_in_words, verdict_name
from bench.results import Basis, Outcome, Ratio, Results, Verdict
from knowledge.model import Knowledge
from tests.advisor.decision import builders

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def _content(*examples: Path, results: Results | None = None, given: Knowledge | None = None) -> Content:
    base, places = knowledge.load_with_places()
    base = given or base
    answers, faults = named({str(example): read_answers(example, base) for example in examples})
    assert faults == []
    people = [preferences(each, base) for each in answers]
    made = decide(
        base, people, results, as_of=date(2026, 11, 26), seed=0, samples=2_000, created="2026-11-26T00:00:00Z"
    )
    return build(made, base, places, answers, together(people), results)


@pytest.fixture(scope="module")
def team() -> Content:
    """The report for two people whose own firsts differ."""
    return _content(ROOT / "examples" / "team-anna.yaml", ROOT / "examples" / "team-ben.yaml")


@pytest.fixture(scope="module")
def legacy() -> Content:
    """The report for somebody who uses what nobody maintains."""
    return _content(ROOT / "examples" / "legacy-mxnet.yaml")


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def content(request: pytest.FixtureRequest) -> Content:
    return _content(request.param)


def test_every_line_names_a_source_or_says_that_nothing_is_known(content: Content) -> None:
    lines = [line for sheet in content.sheets for line in sheet.lines]
    assert lines
    assert [line for line in lines if line.basis != "unknown" and not line.citations and not line.results] == []
    assert all(line.because for line in lines)


def test_a_special_case_is_called_by_its_name_and_cited_from_where_it_is_rated(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text("schema: advisor/answers/1\nanswers: {goal: product, run_on: microcontroller}\n", encoding="utf-8")
    content = _content(sheet)
    lines = [line for sheet in content.sheets for line in sheet.lines if line.leaf == "deployment.edge"]
    assert lines
    assert {line.name for line in lines} == {"Microcontrollers"}
    base, places = knowledge.load_with_places()
    rated = {str(places.framework(each, "ratings", "deployment.edge.microcontroller", 0)) for each in base.frameworks}
    assert {line.stated[0].place for line in lines} <= rated
    (legacy,) = {
        line.name
        for sheet in _content(ROOT / "examples" / "legacy-mxnet.yaml").sheets
        for line in sheet.lines
        if line.leaf == "deployment.edge"
    }
    assert legacy == "Phones and small devices"


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
    line = document["sheets"][0]["lines"][0]
    assert set(line["stated"][0]) == {"place", "as_of", "author", "affiliation", "reviewed_by"}
    assert set(line["evidence"][0]) == {"claim", "stance", "independence", "number"}
    assert [each["framework"] for each in document["why_not"]] == [each.framework for each in content.why_not]
    assert document["methods"] == content.methods
    assert [each["place"] for each in document["staying"]] == [each.place for each in content.staying]


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
    content = _content(ROOT / "examples" / "beginner-images.yaml", results=structs.replace(raced, verdicts=(faster,)))
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
    text = _text(form, _content(ROOT / "examples" / "beginner-images.yaml", results=_measured()))
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
    text = FORMATS["adr"](_content(ROOT / "examples" / "beginner-images.yaml", results=_measured())).decode()
    for said in (
        "measured by 0.1.0+abcdef012345",
        "mnist-cnn · training · batch 128 · cpu · fp32 · 2 threads · data already in memory: "
        "keras@tensorflow:fit is faster than pytorch:eager: 2.50-4.00x",
        "the same thing twice (pytorch:eager) differed by 0.97-1.02x",
        "\n- counted in the ranking: pytorch:eager mnist-cnn\n",
        "reading and preparing data is not part of it",
    ):
        assert said in text
    other = FORMATS["adr"](_content(ROOT / "examples" / "legacy-mxnet.yaml", results=_measured())).decode()
    assert "\n- not counted in the ranking: pytorch:eager mnist-cnn: mnist-cnn does not resemble your task\n" in other


def test_the_json_holds_the_measured_part_for_programs() -> None:
    document = json.loads(FORMATS["json"](_content(ROOT / "examples" / "beginner-images.yaml", results=_measured())))
    assert document["results"]["code"] == "0.1.0+abcdef012345"
    train, infer = document["measured"]["races"]
    assert (train["phase"], infer["phase"]) == ("train", "infer")
    facts = {fact["id"]: fact["value"] for fact in infer["runs"][0]["facts"]}
    assert facts["latency_p99"] == "3.1 ms"
    assert document["measured"]["scope"].count("data already in memory") == 1


# --- the reasons -----------------------------------------------------------------------------------------------------

FORMS = ("md", "html")


def _text(form: str, content: Content) -> str:
    return html.unescape(FORMATS[form](content).decode()).replace("\N{NO-BREAK SPACE}", " ")


def _rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first Markdown table after a heading, without its two lines of head."""
    after = text[text.index(f"# {heading}\n") :].splitlines()
    table = [line for line in after[: after.index("", after.index(next(filter(_is_row, after))))] if _is_row(line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table[2:]]


def _is_row(line: str) -> bool:
    return line.startswith("|")


@pytest.mark.parametrize("form", FORMS)
def test_it_says_why_why_not_and_what_one_would_have_to_care_about(content: Content, form: str) -> None:
    text, made = _text(form, content), content.recommendation
    assert content.why[:-1] == made.reasoning.why
    assert "left aside" in content.why[-1]
    for sentence in (*content.why, *made.reasoning.caveats, *made.reasoning.what_would_change):
        assert sentence in text
    assert [each.framework for each in content.why_not] == [each.framework for each in made.ranking[1:]]
    for each in content.why_not:
        assert sum("left aside" in line for line in each.lines) == 1
        assert all(line in text for line in (each.headline, *each.lines))


def test_who_beats_whom_and_which_rank_how_often_are_the_recommendation_s(content: Content) -> None:
    made, text = content.recommendation, FORMATS["md"](content).decode()
    ids = [each.framework for each in made.ranking]
    above = _rows(text, "One against one")
    assert [row[1:] for row in above] == [
        ["" if row == column else percent(made.pairwise[row][column]) for column in ids] for row in ids
    ]
    assert [row[1:] for row in _rows(text, "Which rank how often")] == [
        [percent(share) for share in made.acceptability[each]] for each in ids
    ]


def test_the_other_methods_and_correlations_stand_beside_the_score(content: Content) -> None:
    made, text = content.recommendation, FORMATS["md"](content).decode()
    assert content.methods
    assert content.methods in text
    expected = [
        [
            each.name,
            str(each.rank),
            *(f"{m.ranking.index(each.framework) + 1} ({m.scores[each.framework]:.2f})" for m in made.methods),
            *(percent(shares[each.framework]) for shares in made.robustness.values()),
        ]
        for each in made.ranking
    ]
    assert len(expected[0]) == 6
    assert _rows(text, "How sure") == expected
    assert list(made.robustness) == ["0", "0.8"]


def test_html_and_markdown_show_the_same_figures(team: Content) -> None:
    page = html.unescape(re.sub(r"<[^>]+>", "|", FORMATS["html"](team).decode()))
    for row in _rows(FORMATS["md"](team).decode(), "One against one"):
        found = page[page.index(f"|{row[0]}|") :].split("|")
        assert [cell for cell in found if cell.strip()][1 : len(row) - 1] == [cell for cell in row[1:] if cell]


# --- several people --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_people_stand_side_by_side_with_what_pulls_them_apart_and_whose_conditions_bind(
    team: Content, form: str
) -> None:
    text, made = _text(form, team), team.recommendation
    anna, ben = made.people
    assert anna.first != ben.first
    assert made.agreement is not None
    assert f"{made.agreement:.2f}" in team.people[0]
    assert all(sentence in text for sentence in team.people)
    assert "where models run: mobile (asked for by Anna): tinygrad does not support mobile." in text
    assert "maintained (asked for by Anna, Ben): Apache MXNet was archived on 2023-11-17." in text
    assert {said.who for said in team.said} == {"Anna", "Ben"}


def test_everybody_s_own_scores_are_in_the_table(team: Content) -> None:
    made = team.recommendation
    rows = _rows(FORMATS["md"](team).decode(), "Everybody by themselves")
    assert rows[0] == ["verdict", *(verdict_name(each.verdict) for each in (*made.people, made))]
    for row, ranked in zip(rows[1:], made.ranking, strict=True):
        marks = [" *" if person.first == ranked.framework else "" for person in made.people]
        own = [person.scores[ranked.framework] for person in made.people]
        together_mark = " *" if ranked.rank == 1 else ""
        assert row == [
            ranked.name,
            *(f"{score:.2f}{mark}" for score, mark in zip(own, marks, strict=True)),
            f"{ranked.score:.2f}{together_mark}",
        ]


@pytest.mark.parametrize("form", FORMS)
def test_a_single_sheet_has_no_part_about_people(legacy: Content, form: str) -> None:
    assert legacy.people == ()
    assert "Everybody by themselves" not in _text(form, legacy)


# --- stay or switch --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_framework_in_use_has_rank_gap_cost_evidence_and_what_would_justify_leaving(
    legacy: Content, form: str
) -> None:
    (stay,) = legacy.staying
    current = legacy.recommendation.current
    assert current is not None
    assert stay.current == current
    assert stay.place == (
        f"It ranks {current.rank} of {len(legacy.recommendation.ranking)}, {current.gap:.2f} points behind the first."
    )
    text = _text(form, legacy)
    assert stay.evidence
    for said in (stay.place, current.leaving_cost, current.what_would_justify, *stay.instead, stay.evidence[0].claim):
        assert said in text
    assert [each.split(":")[0] for each in stay.instead] == [
        f"Instead of Apache MXNet, {name}" for name in ("PyTorch", "Keras", "JAX")
    ]


@pytest.mark.parametrize("form", FORMS)
def test_the_framework_in_use_is_shown_when_it_is_knocked_out_and_says_whose_it_is(form: str) -> None:
    sheets = [ROOT / "examples" / f"{name}.yaml" for name in ("research-lab", "legacy-mxnet")]
    both = _content(*sheets)
    (stay,) = both.staying
    (barred,) = [each for each in both.barred if each.excluded.framework == "mxnet"]
    assert stay.who == ("legacy-mxnet",)
    assert stay.current.rank is None
    assert stay.place == f"It is knocked out; otherwise it would rank {barred.excluded.would_rank}."
    text = _text(form, both)
    for said in (stay.place, "In use by legacy-mxnet.", "Staying with Apache MXNet means giving up: maintained."):
        assert said in text
    assert "maintained (assumed for research-lab): Apache MXNet was archived on 2023-11-17." in text


@pytest.mark.parametrize("form", [*FORMS, "json", "adr"])
def test_everything_that_anybody_uses_is_placed_among_all(tmp_path: Path, form: str) -> None:
    sheets = []
    for name, current in (("anna", "tensorflow"), ("ben", "mxnet"), ("cyd", "tensorflow")):
        sheets.append(tmp_path / f"{name}.yaml")
        answers = "{goal: research, build: images, train_on: cpu}"
        sheets[-1].write_text(f"schema: advisor/answers/1\ncurrent: {current}\nanswers: {answers}\n")
    three = _content(*sheets)
    made = three.recommendation
    assert [(each.current.framework, each.who) for each in three.staying] == [
        ("tensorflow", ("anna", "cyd")),
        ("mxnet", ("ben",)),
    ]
    rank = {each.framework: each.rank for each in made.ranking}["tensorflow"]
    assert three.staying[0].place.startswith(f"It ranks {rank} of {len(made.ranking)}, ")
    (out,) = [each for each in made.excluded if each.framework == "mxnet"]
    assert three.staying[1].place == f"It is knocked out; otherwise it would rank {out.would_rank}."
    text = _text(form, three)
    for each in three.staying:
        assert each.place in text
        assert each.current.what_would_justify in text


@pytest.mark.parametrize("form", FORMS)
def test_who_is_retired_says_where_to_go_instead(team: Content, form: str) -> None:
    text = _text(form, team)
    retired = [each for each in team.barred if each.excluded.framework in ("chainer", "theano", "caffe", "mxnet")]
    assert len(retired) == 4
    for each in retired:
        assert each.instead
        assert all(each.instead_evidence)
        assert all(sentence in text for sentence in each.instead)


@pytest.mark.parametrize("form", [*FORMS, "json"])
def test_where_to_go_instead_cites_its_sources_for_the_used_and_the_knocked_out(form: str) -> None:
    from msgspec import structs

    from knowledge.model import Evidence, Stance

    base = knowledge.load()
    said = Evidence(claim="Its users moved there.", source=next(iter(base.sources)), stance=Stance.CONTRADICTS)
    mxnet = base.frameworks["mxnet"]
    moved = structs.replace(mxnet, instead=(structs.replace(mxnet.instead[0], evidence=(said,)), *mxnet.instead[1:]))
    sheets = [ROOT / "examples" / f"{name}.yaml" for name in ("research-lab", "legacy-mxnet")]
    made = _content(*sheets, given=structs.replace(base, frameworks=base.frameworks | {"mxnet": moved}))
    (stay,) = made.staying
    (barred,) = [each for each in made.barred if each.excluded.framework == "mxnet"]
    for owner in (stay, barred):
        assert [each.claim for each in owner.instead_evidence[0]] == [said.claim]
        assert len(owner.instead_evidence) == len(owner.instead)
    (number,) = [each.number for each in made.citations if each.id == said.source]
    text = _text(form, made)
    assert text.count(said.claim) == 2
    mark = {
        "md": f'"{said.claim}" [{number}](#source-{number})',
        "html": f'{said.claim}”</span> <a href="#source-{number}">',
    }
    assert text.count(mark.get(form, said.claim)) == 2


def test_what_knocks_a_framework_out_cites_its_sources_by_number(team: Content) -> None:
    text = _text("html", team)
    for barred in team.barred:
        assert len(barred.evidence) == len(barred.excluded.failed)
        for failure, cited in zip(barred.excluded.failed, barred.evidence, strict=True):
            assert [each.claim for each in cited] == [each.claim for each in failure.evidence]
            titles = {each.number: each.title for each in team.citations}
            assert [titles[each.number] for each in cited] == [each.title for each in failure.evidence]
            assert all(f"“{each.claim}”</span> {_shown(each, 'html')}" in text for each in cited)


@pytest.mark.parametrize("form", FORMS)
def test_a_measured_value_names_what_was_raced_and_its_range(form: str) -> None:
    made = _content(ROOT / "examples" / "beginner-images.yaml", results=_measured())
    lines = {(sheet.ranked.framework, line.leaf): line for sheet in made.sheets for line in sheet.lines}
    line = lines["keras", "performance.time_to_finish"]
    assert line.because == "keras@tensorflow:fit mnist-cnn"
    assert line.low is not None
    assert line.high is not None
    assert line.low <= line.value <= line.high
    assert line.because in _text(form, made)


# --- who says so -----------------------------------------------------------------------------------------------------


def _lines(content: Content) -> list[Line]:
    return [line for sheet in content.sheets for line in sheet.lines]


def test_every_rating_and_fact_names_the_line_of_its_file(content: Content) -> None:
    cited = [line for line in _lines(content) if line.basis in ("rating", "facts")]
    assert cited
    for line in cited:
        assert line.stated
        for stated in line.stated:
            name, _colon, number = stated.place.partition(":")
            at = (ROOT / name).read_text(encoding="utf-8").splitlines()[int(number) - 1 :]
            assert at[0].lstrip().startswith("- ")  # where a statement begins
            if line.basis == "rating":
                assert at[0].strip() == f"- as_of: {stated.as_of}"
                assert at[1].strip() == f"author: {stated.author}"


@pytest.mark.parametrize("form", FORMS)
def test_every_rating_shows_place_author_affiliation_and_reviewer(content: Content, form: str) -> None:
    text = _text(form, content)
    for line in _lines(content):
        for stated in line.stated:
            assert stated.place in text
    assert "Framework Advisor (no affiliation), reviewed by nobody" in text


@pytest.mark.parametrize("form", [*FORMS, "json", "adr"])
def test_a_reviewed_rating_names_its_reviewer_and_the_note_counts_it(form: str) -> None:
    from msgspec import structs

    base = knowledge.load()
    keras = base.frameworks["keras"]
    leaf, (newest, *older) = next(iter(keras.ratings.items()))
    reviewed = structs.replace(newest, affiliation="A University", reviewed_by="M. Aintainer")
    changed = structs.replace(keras, ratings=keras.ratings | {leaf: (reviewed, *older)})
    given = structs.replace(base, frameworks=base.frameworks | {"keras": changed})
    made = _content(ROOT / "examples" / "beginner-images.yaml", given=given)
    ratings = sum(line.basis == "rating" for line in _lines(made))
    text = _text(form, made)
    assert f"somebody outside has reviewed 1 of the {ratings} cited here" in text
    if form in FORMS:
        assert text.count("Framework Advisor (A University), reviewed by M. Aintainer") == 1
    if form == "json":
        assert text.count('"reviewed_by": "M. Aintainer"') == 1


def _shown(evidence: Cited, form: str) -> str:
    number = evidence.number
    mark = f"[{number}](#source-{number})" if form == "md" else f'<a href="#source-{number}">[{number}]</a>'
    word = "vendor" if form == "md" else "<small>vendor</small>"
    return (
        f"{mark} ({word})"
        if form == "md" and evidence.independence == "vendor"
        else (f"{mark} {word}" if evidence.independence == "vendor" else mark)
    )


@pytest.mark.parametrize("form", FORMS)
def test_vendors_are_marked_and_what_speaks_against_a_rating_is_listed(content: Content, form: str) -> None:
    text = _text(form, content)
    evidence = [each for line in _lines(content) for each in line.evidence]
    vendors = [each for each in evidence if each.independence == "vendor"]
    assert vendors
    assert all(_shown(each, form) in text for each in vendors)
    contrary = [each for sheet in content.sheets for each in sheet.contrary]
    assert len(contrary) == sum(each.stance == "contradicts" for each in evidence) > 0
    for each in contrary:
        told = f"Evidence to the contrary, {each.name}: {each.evidence.claim} {_shown(each.evidence, form)}"
        assert told in text


@pytest.mark.parametrize("form", [*FORMS, "json", "adr"])
def test_the_note_on_who_judges_is_in_every_form(content: Content, form: str) -> None:
    text = _text(form, content)
    assert len(content.bias) == 6
    assert all(sentence in text for sentence in content.bias)


def test_the_note_is_true_of_the_knowledge_that_is_shipped() -> None:
    base = knowledge.load()
    statements = [each for f in base.frameworks.values() for rated in f.ratings.values() for each in rated]
    assert {each.author for each in statements} == {"Framework Advisor"}
    assert {each.affiliation for each in statements} == {"none"}


# --- for people who read otherwise -----------------------------------------------------------------------------------


def test_tables_of_the_page_can_be_scrolled_by_keyboard_and_name_their_cells(team: Content) -> None:
    text = FORMATS["html"](team).decode()
    assert text.count("<table>") == text.count('<div class="wide" tabindex="0" role="region" aria-label="')
    assert "<th>" not in text
    assert text.count('scope="row"') >= 4 * len(team.recommendation.ranking)
    heads = re.findall(r"<h([1-6])[ >]", text)
    assert heads[0] == "1"
    assert heads.count("1") == 1
    places = re.findall(r'<h2 id="([a-z]+)"', text)
    named = re.findall(r'href="#([a-z]+)"', text[text.index("<nav") : text.index("</nav>")])
    assert named == places  # the contents name every section, in order
    assert all(int(after) - int(before) <= 1 for before, after in pairwise(heads))


@pytest.mark.parametrize("form", [*FORMS, "json", "adr"])
def test_where_nobody_qualifies_it_says_what_to_give_up_and_nothing_of_ranks(tmp_path: Path, form: str) -> None:
    sheet = tmp_path / "nobody.yaml"
    sheet.write_text("schema: advisor/answers/1\nrequirements: {licence: GPL-3.0-only}\ncurrent: keras\n")
    content = _content(sheet)
    made = content.recommendation
    assert made.ranking == ()
    text = _text(form, content)
    assert made.reasoning.headline in text
    assert "It is knocked out; otherwise it would rank" in text
    assert "written by the project itself, under one name." in text
    assert "0 of the 0" not in text
    if form in FORMS:
        assert all(" + ".join(map(requirement_in_words, drop)) in text for drop in made.minimal_drops)
        for heading in ("How sure", "Where each score comes from", "Why not the others", "One against one"):
            assert heading not in text


def test_the_decision_record_stays_short(team: Content) -> None:
    record, report = FORMATS["adr"](team).decode(), FORMATS["md"](team).decode()
    assert len(record) < len(report) / 10
    for said in (*team.people, team.methods, team.staying[0].place, "(asked for by Anna)"):
        assert said in record
