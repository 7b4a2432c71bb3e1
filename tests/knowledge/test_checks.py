"""knowledge.checks: each seeded fault is found, alone and in its place."""

import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from knowledge.checks import MAX_UNKNOWN_SHARE, REDUNDANT_FRAMEWORKS, Severity, check, errors, spearman
from knowledge.loader import Places, load
from tests.knowledge.conftest import AS_OF, Base

CRITERIA, QUESTIONS, SOURCES = "criteria.yaml", "questions.yaml", "sources.yaml"
ALPHA, BETA = "frameworks/alpha.yaml", "frameworks/beta.yaml"


def test_the_small_base_has_no_findings(base: Base) -> None:
    assert base.check() == []


# What is seeded -> file, the place's text, what replaces it, a text on the line of the finding, key, problem.
_ERRORS = {
    "an id with a dot": (CRITERIA, "id: fit\n", "id: f.it\n", "id: f.it", "criteria[1]", "holds a dot"),
    "a node with a scale": (
        CRITERIA,
        "question: {en: Does it fit?, zh: 匹配吗？}\n",
        "question: {en: Does it fit?, zh: 匹配吗？}\n    fit: os\n",
        "id: fit",
        "criteria[1]",
        "has children and a scale of its own",
    ),
    "a leaf without an age": (
        CRITERIA,
        "        max_age_days: 365\n",
        "",
        "id: install",
        "criteria[0].children[1]",
        "has no anchors or no max_age_days",
    ),
    "an unknown phase": (
        CRITERIA,
        "phase: train",
        "phase: trian",
        "phase: trian",
        "criteria[2].children[0].measured.phase",
        "there is no phase 'trian'",
    ),
    "an unknown scale": (
        CRITERIA,
        "scale: log2_ratio",
        "scale: linear",
        "scale: linear",
        "criteria[2].children[0].measured.scale",
        "there is no scale 'linear'",
    ),
    "a multiplied criterion that is not there": (
        QUESTIONS,
        "ease.ramp_up",
        "ease.rampup",
        "ease.rampup",
        "questions[0].options[0].multiply.ease.rampup",
        "there is no criterion 'ease.rampup'",
    ),
    "an unknown workload": (
        QUESTIONS,
        "[tiny]",
        "[tini]",
        "[tini]",
        "questions[0].options[0].workloads[0]",
        "there is no workload 'tini'",
    ),
    "an option that asks for nothing known": (
        QUESTIONS,
        "requirements.python",
        "requirements.piton",
        "requirements.piton",
        "questions[0].options[1].asks[1]",
        "there is no question or key 'requirements.piton'",
    ),
    "a drop of what is not assumed": (
        QUESTIONS,
        "drops: [maintained]",
        "drops: [licence]",
        "drops:",
        "questions[0].options[1].drops[0]",
        "there is no assumption 'licence'",
    ),
    "a confirmation of what is not assumed": (
        QUESTIONS,
        "drops: [maintained]",
        "confirms: [licence]",
        "confirms:",
        "questions[0].options[1].confirms[0]",
        "there is no assumption 'licence'",
    ),
    "an unknown role in an option": (
        QUESTIONS,
        "role: runtime",
        "role: runner",
        "role: runner",
        "questions[1].options[1].role",
        "there is no role 'runner'",
    ),
    "a requirement of an unknown fact": (
        QUESTIONS,
        "require: {accelerator: cpu}",
        "require: {acelerator: cpu}",
        "require:",
        "questions[1].options[0].require.acelerator",
        "there is no fact 'acelerator'",
    ),
    "a requirement of an unknown value": (
        QUESTIONS,
        "require: {accelerator: cpu}",
        "require: {accelerator: gpu}",
        "require:",
        "questions[1].options[0].require.accelerator",
        "accelerator is never 'gpu'",
    ),
    "a fit that no leaf is about": (
        QUESTIONS,
        "        fit: {accelerator: cpu}",
        "        fit: {os: linux}",
        "fit: {os",
        "questions[1].options[0].fit.os",
        "no leaf of the tree is about the fit of 'os'",
    ),
    "an option twice": (
        QUESTIONS,
        "id: keep",
        "id: learn  # again",
        "# again",
        "questions[0].options[1]",
        "the option 'learn' stands here twice",
    ),
    "a companion key that is a question": (
        QUESTIONS,
        "maybe: train_on_maybe",
        "maybe: goal",
        "maybe: goal",
        "questions[1].maybe",
        "'goal' is a question's id",
    ),
    "a question without options": (
        QUESTIONS,
        "    asks: framework\n",
        "",
        "id: current",
        "questions[2]",
        "has no options",
    ),
    "an unknown kind of answer": (
        QUESTIONS,
        "asks: framework",
        "asks: anything",
        "asks: anything",
        "questions[2].asks",
        "there is no kind of answer 'anything'",
    ),
    "an address that is none": (
        SOURCES,
        "https://example.org/manual",
        "example.org/manual",
        "url: example.org",
        "sources[0].url",
        "'example.org/manual' is no address",
    ),
    "a source read in the future": (
        SOURCES,
        "accessed: 2026-11-19\n    kind: registry",
        "accessed: 2026-11-21\n    kind: registry",
        "2026-11-21",
        "sources[1].accessed",
        "2026-11-21 lies after 2026-11-20",
    ),
    "a source published at no date": (
        SOURCES,
        "published: 2026-10",
        "published: last year",
        "last year",
        "sources[0].published",
        "'last year' is not a date",
    ),
    "a source published after it was read": (
        SOURCES,
        "published: 2026-10",
        "published: 2026-12",
        "2026-12",
        "sources[0].published",
        "was published after it was read",
    ),
    "a source that is not listed": (
        ALPHA,
        "{claim: CPU., source: manual}",
        "{claim: CPU., source: manuel}",
        "manuel",
        "facts.accelerator[0].evidence[0].source",
        "there is no source 'manuel'",
    ),
    "a lifecycle without evidence": (
        BETA,
        "[{claim: It exists., source: manual}]",
        "[]",
        "lifecycle:",
        "lifecycle",
        "has no evidence",
    ),
    "a fact without evidence": (
        ALPHA,
        "[{claim: No TPU., source: manual}]",
        "[]",
        "values: [tpu]",
        "facts.accelerator[1]",
        "has no evidence",
    ),
    "a first release at no date": (
        BETA,
        '"2024-05"',
        '"spring"',
        "spring",
        "lifecycle.first_release",
        "'spring' is not a date",
    ),
    "a first release after another": (
        ALPHA,
        '"2020"',
        '"2026"',
        '"2026"',
        "lifecycle.first_release",
        "lies after the release 1.0",
    ),
    "a release in the future": (
        ALPHA,
        "2026-09-01",
        "2027-09-01",
        "2027-09-01",
        "lifecycle.releases[0]",
        "2027-09-01 lies after 2026-11-20",
    ),
    "releases in the wrong order": (
        ALPHA,
        "2025-09-01",
        "2026-10-01",
        "2026-10-01",
        "lifecycle.releases[1]",
        "is newer than the release above it",
    ),
    "a release twice": (
        ALPHA,
        '"1.0"',
        '"2.0"',
        "2025-09-01",
        "lifecycle.releases[1]",
        "the release 2.0 stands here twice",
    ),
    "an archived project that is active": (
        BETA,
        "status: active",
        "status: active\n  archived: 2026-01-01",
        "archived:",
        "lifecycle.archived",
        "has a date, but the status is active",
    ),
    "an archiving in the future": (
        BETA,
        "status: active",
        "status: archived\n  archived: 2027-01-01",
        "archived: 2027",
        "lifecycle.archived",
        "2027-01-01 lies after 2026-11-20",
    ),
    "a successor that is not there": (
        ALPHA,
        "successor: beta",
        "successor: bete",
        "bete",
        "lifecycle.successor",
        "there is no framework 'bete'",
    ),
    "an unknown fact": (
        BETA,
        "facts: {}",
        "facts: {licens: [{values: [MIT], support: native, as_of: 2026-11-20, "
        "evidence: [{claim: X, source: manual}]}]}",
        "licens",
        "facts.licens",
        "there is no fact 'licens'",
    ),
    "a fact that is worked out": (
        BETA,
        "facts: {}",
        'facts: {maintained: [{values: ["true"], support: native, as_of: 2026-11-20, '
        "evidence: [{claim: X, source: manual}]}]}",
        "maintained",
        "facts.maintained",
        "follows from the lifecycle",
    ),
    "an unknown value of a fact": (
        ALPHA,
        "values: [tpu]",
        "values: [npu]",
        "npu",
        "facts.accelerator[1].values[0]",
        "accelerator is never 'npu'",
    ),
    "a licence that is no SPDX id": (
        ALPHA,
        "values: [MIT, permissive]",
        "values: [MIT License, permissive]",
        "MIT License",
        "facts.licence[0].values[0]",
        "licence is never 'MIT License'",
    ),
    "another name of a value": (
        ALPHA,
        "values: [python]",
        "values: [c++]",
        "c++]",
        "facts.language[0].values[0]",
        "'c++' is another name of 'cpp'",
    ),
    "a value stated twice": (
        ALPHA,
        "values: [tpu]",
        "values: [tpu, cpu]",
        "[tpu, cpu]",
        "facts.accelerator[1].values[1]",
        "'cpu' has a statement above that is not newer",
    ),
    "a fact without a value": (
        ALPHA,
        "values: [tpu]",
        "values: []",
        "values: []",
        "facts.accelerator[1]",
        "names no value",
    ),
    "a fact seen in the future": (
        ALPHA,
        "support: none\n      as_of: 2026-11-20",
        "support: none\n      as_of: 2026-11-21",
        "2026-11-21",
        "facts.accelerator[1].as_of",
        "2026-11-21 lies after 2026-11-20",
    ),
    "a rating on a leaf that is not there": (
        ALPHA,
        "  ease.install:\n",
        "  ease.instal: [{as_of: 2026-11-20, author: A, score: null, reason: x}]\n  ease.install:\n",
        "ease.instal:",
        "ratings.ease.instal",
        "there is no leaf 'ease.instal'",
    ),
    "a rating on a node": (
        ALPHA,
        "  ease.install:\n",
        "  ease: [{as_of: 2026-11-20, author: A, score: null, reason: x}]\n  ease.install:\n",
        "ease: [",
        "ratings.ease",
        "there is no leaf 'ease'",
    ),
    "a rating on a leaf of the fit": (
        ALPHA,
        "  ease.install:\n",
        "  fit.accelerator: [{as_of: 2026-11-20, author: A, score: null, reason: x}]\n  ease.install:\n",
        "fit.accelerator:",
        "ratings.fit.accelerator",
        "is worked out or measured, not rated",
    ),
    "a rating on a measured leaf": (
        ALPHA,
        "  ease.install:\n",
        "  performance.time_to_finish: [{as_of: 2026-11-20, author: A, score: null, reason: x}]\n  ease.install:\n",
        "performance.time_to_finish:",
        "ratings.performance.time_to_finish",
        "is worked out or measured, not rated",
    ),
    "a leaf with an empty list": (
        BETA,
        "ratings: {}",
        "ratings: {ease.install: []}",
        "ease.install",
        "ratings.ease.install",
        "holds no statement",
    ),
    "a score outside its range": (
        ALPHA,
        "low: 6",
        "low: 7.5",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "the score 7 is outside 7.5 to 8",
    ),
    "a score without a range": (
        ALPHA,
        "      low: 6\n",
        "",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "has no range",
    ),
    "a score without a rationale": (
        ALPHA,
        "rationale: The quick start takes an hour.",
        "rationale: ' '",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "has no rationale",
    ),
    "a score that nothing supports": (
        ALPHA,
        "{claim: A quick start., source: manual}",
        "{claim: A quick start., source: manual, stance: context}",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "no evidence supports the score",
    ),
    "a rating by nobody": (
        ALPHA,
        "author: A. Rater\n      score: 7",
        "author: ''\n      score: 7",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "names no author",
    ),
    "an unknown score without a reason": (
        ALPHA,
        ", reason: Nobody had looked.",
        "",
        "as_of: 2025-11-20",
        "ratings.ease.ramp_up[1]",
        "the score is null without a reason",
    ),
    "an unknown score with a range": (
        ALPHA,
        "reason: Nobody had looked.",
        "reason: Nobody had looked., low: 1",
        "as_of: 2025-11-20",
        "ratings.ease.ramp_up[1]",
        "the score is null, but has a range",
    ),
    "a rating of the future": (
        ALPHA,
        "as_of: 2026-11-19",
        "as_of: 2026-11-21",
        "2026-11-21",
        "ratings.ease.install[0].as_of",
        "2026-11-21 lies after 2026-11-20",
    ),
    "ratings in the wrong order": (
        ALPHA,
        "    - as_of: 2026-11-20\n      author",
        "    - as_of: 2025-11-19\n      author",
        "as_of: 2025-11-20",
        "ratings.ease.ramp_up[1].as_of",
        "is newer than the statement above it",
    ),
    "a mode twice": (
        ALPHA,
        "{id: graph, name: {en: graph, zh: 图}}",
        "{id: graph, name: {en: graph, zh: 图}}\n  - {id: graph, name: {en: again, zh: 又}}",
        "en: again",
        "modes[2]",
        "the mode 'graph' stands here twice",
    ),
    "a recipe twice": (
        ALPHA,
        "stack:\n",
        "  - {id: cpu, backend: beta, devices: [], python: [], requirements: [], platforms: [], download_mb: 1, "
        "disk_mb: 1, install_seconds: 1, verified: trained}\nstack:\n",
        "devices: []",
        "recipes[1]",
        "the recipe 'cpu' stands here twice",
    ),
    "no default mode": (ALPHA, ", default: true", "", "modes:", "modes", "0 modes are the default"),
    "two default modes": (
        ALPHA,
        "name: {en: graph, zh: 图}",
        "name: {en: graph, zh: 图}, default: true",
        "modes:",
        "modes",
        "2 modes are the default",
    ),
    "a recipe for an unknown backend": (
        ALPHA,
        "backend: beta",
        "backend: bete",
        "bete",
        "recipes[0].backend",
        "there is no backend 'bete'",
    ),
    "a recipe for no backend": (
        ALPHA,
        "    backend: beta\n",
        "",
        "- id: cpu",
        "recipes[0]",
        "names no backend",
    ),
    "a recipe for an unknown device": (
        ALPHA,
        "devices: [cpu]",
        "devices: [gpu]",
        "gpu",
        "recipes[0].devices[0]",
        "there is no device 'gpu'",
    ),
    "a recipe for an unknown platform": (
        ALPHA,
        "[linux-x86_64]",
        "[linux]",
        "platforms:",
        "recipes[0].platforms[0]",
        "there is no platform 'linux'",
    ),
    "a recipe for no Python": (
        ALPHA,
        'python: ["3.13"]\n    req',
        'python: ["three"]\n    req',
        "three",
        "recipes[0].python[0]",
        "'three' is no Python version",
    ),
    "a recipe verified somehow": (
        ALPHA,
        "verified: trained",
        "verified: hoped",
        "hoped",
        "recipes[0].verified",
        "there is no degree 'hoped'",
    ),
    "a need of an unknown kind": (
        ALPHA,
        "kind: compiler",
        "kind: luck",
        "kind: luck",
        "recipes[0].needs[0].kind",
        "there is no kind of need 'luck'",
    ),
    "a need of an unknown mode": (
        ALPHA,
        "modes: [graph]",
        "modes: [grahp]",
        "grahp",
        "recipes[0].needs[0].modes[0]",
        "there is no mode 'grahp'",
    ),
    "a stack of an unknown framework": (
        ALPHA,
        "framework: beta, because",
        "framework: bete, because",
        "bete",
        "stack.run_with.framework",
        "there is no framework 'bete'",
    ),
    "an alias of two": (ALPHA, "[first]", "[beta]", "aliases:", "aliases[0]", "'beta' also means beta"),
}


@pytest.mark.parametrize(("name", "old", "new", "at", "key", "problem"), _ERRORS.values(), ids=_ERRORS.keys())
def test_an_error_is_found_alone_and_in_its_place(
    base: Base, name: str, old: str, new: str, at: str, key: str, problem: str
) -> None:
    base.spoil(name, old, new)
    (finding,) = base.check()
    assert finding.severity is Severity.ERROR
    assert finding.fault.file == str(base.folder / name)
    assert finding.fault.key == key
    assert problem in finding.fault.problem
    assert finding.fault.line == base.line(name, at)


def test_a_leaf_of_the_fit_is_about_a_known_fact(base: Base) -> None:
    base.spoil(QUESTIONS, "        fit: {accelerator: cpu}\n", "")
    base.spoil(CRITERIA, "fit: accelerator", "fit: acelerator")
    (finding,) = base.check()
    assert finding.fault.line == base.line(CRITERIA, "fit: acelerator")
    assert finding.fault.problem == "there is no fact 'acelerator'"


def test_a_rated_framework_needs_a_statement_on_every_leaf(base: Base) -> None:
    text = (base.folder / ALPHA).read_text(encoding="utf-8")
    (base.folder / ALPHA).write_text(text.partition("  ease.install:")[0], encoding="utf-8")
    (finding,) = base.check()
    assert finding.severity is Severity.ERROR
    assert (finding.fault.key, finding.fault.problem) == ("ratings", "nothing is said on ease.install")
    assert finding.fault.line == base.line(ALPHA, "ratings:")


def test_a_rated_framework_may_not_be_unknown_on_many_leaves(base: Base) -> None:
    text = (base.folder / ALPHA).read_text(encoding="utf-8").partition("  ease.install:")[0]
    unknown = "  ease.install: [{as_of: 2026-11-20, author: A, score: null, reason: no source}]\n"
    (base.folder / ALPHA).write_text(text + unknown, encoding="utf-8")
    (finding,) = base.check()
    assert finding.severity is Severity.ERROR
    assert finding.fault.problem == f"1 of 2 leaves are unknown, at most {MAX_UNKNOWN_SHARE:.0%} may be"


def test_workloads_are_checked_only_where_they_are_known(base: Base) -> None:
    base.spoil(QUESTIONS, "[tiny]", "[other]")
    assert check(load(base.folder), Places(), AS_OF) == []


_WARNINGS = {
    "a source that nothing uses": (
        SOURCES,
        "  - id: registry",
        "  - {id: spare, title: A, url: https://example.org/a, publisher: A, published: null, accessed: 2026-11-19, "
        "kind: news, independence: independent}\n  - id: registry",
        "id: spare",
        "sources[1]",
        "the source 'spare' is not used",
    ),
    "a stale rating": (
        ALPHA,
        "as_of: 2026-11-19",
        "as_of: 2025-11-19",
        "as_of: 2025-11-19",
        "ratings.ease.install[0].as_of",
        "is 366 days old, 365 are allowed",
    ),
    "a fact nothing is said of": (
        ALPHA,
        "  governance: [{values: [foundation], support: none, as_of: 2026-11-20, "
        "evidence: [{claim: No., source: manual}]}]\n",
        "",
        "facts:",
        "facts",
        "nothing is said of governance",
    ),
    "an archiving without a date": (
        BETA,
        "status: active",
        "status: archived",
        "status:",
        "lifecycle.status",
        "is archived, but not since when",
    ),
}


@pytest.mark.parametrize(("name", "old", "new", "at", "key", "problem"), _WARNINGS.values(), ids=_WARNINGS.keys())
def test_a_warning_is_given_alone_and_in_its_place(
    base: Base, name: str, old: str, new: str, at: str, key: str, problem: str
) -> None:
    base.spoil(name, old, new)
    (finding,) = base.check()
    assert finding.severity is Severity.WARNING
    assert finding.fault.file == str(base.folder / name)
    assert (finding.fault.key, finding.fault.problem) == (key, problem)
    assert finding.fault.line == base.line(name, at)


def test_a_framework_one_trains_with_is_to_be_rated(base: Base) -> None:
    base.spoil(BETA, "role: companion", "role: high-level")
    assert [(finding.severity, finding.fault.key) for finding in base.check()] == [
        (Severity.WARNING, "facts"),
        (Severity.WARNING, "ratings"),
    ]


def test_time_makes_stale_and_nothing_worse(base: Base) -> None:
    later = base.check(AS_OF + datetime.timedelta(days=3650))
    assert [finding.fault.key for finding in later] == [
        "ratings.ease.ramp_up[0].as_of",
        "ratings.ease.install[0].as_of",
    ]
    assert errors(later) == []


def test_findings_come_by_severity_then_place(base: Base) -> None:
    base.spoil(ALPHA, "as_of: 2026-11-19", "as_of: 2025-11-19")
    base.spoil(ALPHA, "values: [tpu]", "values: [npu]")
    base.spoil(ALPHA, "successor: beta", "successor: bete")
    base.spoil(QUESTIONS, "ease.ramp_up", "ease.rampup")
    findings = base.check()
    assert [finding.severity for finding in findings] == [Severity.ERROR] * 3 + [Severity.WARNING]
    assert errors(findings) == [finding.fault for finding in findings[:3]]
    places = [(fault.file, fault.line) for fault in errors(findings)]
    assert all(before <= after for before, after in pairwise(places))


@pytest.mark.parametrize(("copies", "noted"), [(REDUNDANT_FRAMEWORKS - 1, False), (REDUNDANT_FRAMEWORKS, True)])
def test_leaves_that_order_enough_frameworks_alike_are_noted(base: Base, copies: int, noted: bool) -> None:
    alpha = (base.folder / ALPHA).read_text(encoding="utf-8").replace("aliases: [first]\n", "")
    (base.folder / ALPHA).unlink()
    for number in range(copies):
        score = f"score: {number}\n      low: 0\n      high: 10"
        text = alpha.replace("score: 7\n      low: 6\n      high: 8", score)
        text = text.replace("score: 9\n      low: 8\n      high: 10", score)
        (base.folder / f"frameworks/copy{number}.yaml").write_text(text, encoding="utf-8")
    findings = base.check()
    assert [(finding.severity, finding.fault.key) for finding in findings] == (
        [(Severity.NOTE, "criteria[0].children[0]")] if noted else []
    )
    assert all("ease.ramp_up orders 7 frameworks much as ease.install" in finding.fault.problem for finding in findings)


@settings(deadline=None)  # other work on the machine is no fault
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=30))
def test_spearman_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ours = spearman(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(stats.spearmanr(a, b).statistic)
