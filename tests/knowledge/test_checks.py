"""knowledge.checks: each seeded fault is found, alone and in its place."""

import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from scipy import stats

from knowledge.checks import Severity, check, dangling, errors, rated_leaves, ratings
from knowledge.checks.ratings import MAX_UNKNOWN_SHARE
from knowledge.checks.redundancy import REDUNDANT_FRAMEWORKS, spearman
from knowledge.loader import Places, load
from tests.knowledge.conftest import AS_OF, Base

CRITERIA, QUESTIONS, SOURCES = "criteria.yaml", "questions.yaml", "sources.yaml"
ALPHA, BETA, GUIDE = "frameworks/alpha.yaml", "frameworks/beta.yaml", "guides/old.yaml"
PERSONA, TWIN = "personas/learner.yaml", "personas/keeper.yaml"


def test_the_small_base_has_no_findings(base: Base) -> None:
    assert base.check() == []


def test_a_special_case_may_be_rated_and_need_not_be(base: Base) -> None:
    base.spoil(CRITERIA, "        max_age_days: 365\n", _CASE)
    assert base.check() == []


def test_a_persona_for_whom_none_qualifies_expects_nobody(base: Base) -> None:
    base.spoil(PERSONA, "first: [alpha]\n  verdict: [clear, leaning]", "first: []\n  verdict: [none-qualifies]")
    assert base.check() == []


_RETIRED = "instead: [{framework: alpha, because: it goes on}]\nleaving: {cost: An hour.}\n"

_CASE = (
    "        max_age_days: 365\n        special:\n"
    "          - {id: deep, name: {en: Deep, zh: 深}, question: {en: How?, zh: 怎样？}, covers: [ease.install],"
    " max_age_days: 9, when: {target: microcontroller},"
    ' anchors: {"0": {en: n, zh: 否}, "5": {en: h, zh: 半}, "10": {en: y, zh: 是}}}\n'
)

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
    "a special case that never is one": (
        CRITERIA,
        "        max_age_days: 365\n",
        _CASE.replace("target: microcontroller", "target: toaster"),
        "id: deep",
        "criteria[0].children[1].special[0]",
        "target is never 'toaster'",
    ),
    "a special case of no fact": (
        CRITERIA,
        "        max_age_days: 365\n",
        _CASE.replace("target: microcontroller", "place: moon"),
        "id: deep",
        "criteria[0].children[1].special[0]",
        "there is no fact 'place'",
    ),
    "a special case that is always one": (
        CRITERIA,
        "        max_age_days: 365\n",
        _CASE.replace(" when: {target: microcontroller},", ""),
        "id: deep",
        "criteria[0].children[1].special[0]",
        "does not say when it counts",
    ),
    "a special case of what nobody rates": (
        CRITERIA,
        "fit: accelerator\n",
        "fit: accelerator\n" + _CASE.partition("\n")[2],
        "id: accelerator",
        "criteria[1].children[0]",
        "has special cases, and nobody rates it",
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
        "ease.ramp_up:",
        "ease.rampup:",
        "ease.rampup:",
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
        "questions[3]",
        "has no options",
    ),
    "an unknown kind of answer": (
        QUESTIONS,
        "asks: framework",
        "asks: anything",
        "asks: anything",
        "questions[3].asks",
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
        "lifecycle:\n  status: active",
        f"{_RETIRED}lifecycle:\n  status: archived\n  archived: 2027-01-01",
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
        "{claim: A quick start., source: review}",
        "{claim: A quick start., source: review, stance: context}",
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
        "run_with: {framework: beta",
        "run_with: {framework: bete",
        "bete",
        "stack.run_with.framework",
        "there is no framework 'bete'",
    ),
    "a stack of an unknown framework at one target": (
        ALPHA,
        "browser: {framework: beta",
        "browser: {framework: bete",
        "bete",
        "stack.run_on.browser.framework",
        "there is no framework 'bete'",
    ),
    "a stack at an unknown target": (
        ALPHA,
        "browser: {framework: beta",
        "browsers: {framework: beta",
        "browsers",
        "stack.run_on.browsers",
        "there is no target 'browsers'",
    ),
    "an alias of two": (ALPHA, "[first]", "[beta]", "aliases:", "aliases[0]", "'beta' also means beta"),
    "a question without words": (
        CRITERIA,
        "question: {en: How surely?, zh: 顺利吗？}",
        "question: {en: How surely?, zh: ''}",
        "How surely?",
        "criteria[0].children[1].question",
        "says nothing in one of the languages",
    ),
    "an anchor without words": (
        CRITERIA,
        '"5": {en: often, zh: 经常}',
        '"5": {en: " ", zh: 经常}',
        "经常",
        "criteria[0].children[1].anchors.5",
        "says nothing in one of the languages",
    ),
    "a high score that one house supports": (
        ALPHA,
        "        - {claim: It installed at once., source: review}\n",
        "",
        "- as_of: 2026-11-19",
        "ratings.ease.install[0]",
        "9 rests on Example alone, 2 houses are needed",
    ),
    "a low score that one house supports": (
        ALPHA,
        "score: 7\n      low: 6",
        "score: 2\n      low: 1",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "2 rests on Reviewer alone, 2 houses are needed",
    ),
    "a high score that another house contradicts": (
        ALPHA,
        "{claim: It installed at once., source: review}",
        "{claim: It did not install., source: review, stance: contradicts}",
        "- as_of: 2026-11-19",
        "ratings.ease.install[0]",
        "9 rests on Example alone, 2 houses are needed",
    ),
    "a sheet in an unknown language": (
        ALPHA,
        "written_in: [cpp, python]",
        "written_in: [cpp, piton]",
        "written_in:",
        "sheet.written_in[1]",
        "there is no language 'piton'",
    ),
    "a sheet with an unknown layer": (
        ALPHA,
        "layers: [convolution, attention]",
        "layers: [convolution, atention]",
        "layers:",
        "sheet.layers[1]",
        "there is no kind of layer 'atention'",
    ),
    "a sheet without a developer": (ALPHA, "developer: Example", "developer: ' '", "developer:", "sheet.developer", ""),
    "a sheet written in nothing": (BETA, "[rust]", "[]", "written_in:", "sheet.written_in", "is empty"),
    "a sheet that says not how code runs": (
        BETA,
        "execution: [compiled]",
        "execution: []",
        "execution:",
        "sheet.execution",
        "is empty",
    ),
    "a sheet without evidence": (
        BETA,
        "[{claim: A compiler., source: manual}]",
        "[]",
        "sheet:",
        "sheet",
        "has no evidence",
    ),
    "a figure at no date": (
        ALPHA,
        'as_of: "2025", source: review',
        'as_of: "autumn", source: review',
        "autumn",
        "popularity[1].as_of",
        "'autumn' is not a date",
    ),
    "a figure of the future": (
        ALPHA,
        'as_of: "2026-11", source: review',
        'as_of: "2026-12", source: review',
        "2026-12",
        "popularity[0].as_of",
        "2026-12 lies after 2026-11-20",
    ),
    "figures in the wrong order": (
        ALPHA,
        'as_of: "2026-11", source: review',
        'as_of: "2024-11", source: review',
        'as_of: "2025"',
        "popularity[1].as_of",
        "is newer than the github-stars above it",
    ),
    "a figure of an unknown source": (
        ALPHA,
        'as_of: "2026-11-18", source: registry',
        'as_of: "2026-11-18", source: registri',
        "registri}",
        "popularity[2].source",
        "there is no source 'registri'",
    ),
    "a way to a framework that is not there": (
        BETA,
        "lifecycle:",
        "instead: [{framework: alfa, because: it lives}]\nlifecycle:",
        "instead:",
        "instead[0].framework",
        "there is no framework 'alfa'",
    ),
    "a retired framework without a way out": (
        BETA,
        "status: active",
        "status: abandoned",
        "schema:",
        "",
        "is retired, but does not say where to go",
    ),
    "a way to a framework that is retired itself": (
        BETA,
        "lifecycle:\n  status: active",
        "instead: [{framework: beta, because: habit}]\nleaving: {cost: Days.}\nlifecycle:\n  status: abandoned",
        "instead:",
        "instead[0].framework",
        "beta is retired itself",
    ),
    "a persona who expects an unknown framework": (
        PERSONA,
        "first: [alpha]",
        "first: [alfa]",
        "alfa",
        "expected.first[0]",
        "there is no framework 'alfa'",
    ),
    "a persona for whom an unknown framework ranks": (
        TWIN,
        "ranked: [alpha]",
        "ranked: [alfa]",
        "alfa",
        "expected.ranked[0]",
        "there is no framework 'alfa'",
    ),
    "a persona who knocks an unknown framework out": (
        PERSONA,
        "{beta: licence}",
        "{bete: licence}",
        "bete",
        "expected.excluded.bete",
        "there is no framework 'bete'",
    ),
    "a persona who knocks out by an unknown fact": (
        PERSONA,
        "{beta: licence}",
        "{beta: license}",
        "license",
        "expected.excluded.beta",
        "there is no fact 'license'",
    ),
    "a persona who knocks out what has to win": (
        PERSONA,
        "{beta: licence}",
        "{alpha: licence}",
        "excluded",
        "expected.excluded.alpha",
        "alpha cannot be knocked out and rank as well",
    ),
    "a persona who expects nobody": (
        PERSONA,
        "first: [alpha]",
        "first: []",
        "first",
        "expected.first",
        "names nobody",
    ),
    "a persona without a reason": (
        PERSONA,
        '"Alpha is the first."',
        '" "',
        "because",
        "because",
        "gives no reason",
    ),
    "a persona whose twin is unknown": (
        TWIN,
        "twin: learner",
        "twin: lerner",
        "twin",
        "twin",
        "there is no persona 'lerner'",
    ),
    "a persona who is a twin of itself": (
        TWIN,
        "twin: learner",
        "twin: keeper",
        "twin",
        "twin",
        "there is no persona 'keeper'",
    ),
    "a guide published at no date": (
        GUIDE,
        '"2018-06"',
        '"summer"',
        "summer",
        "published",
        "'summer' is not a date",
    ),
    "a guide from an unknown source": (
        GUIDE,
        "source: review\nconclusion",
        "source: revue\nconclusion",
        "revue",
        "source",
        "there is no source 'revue'",
    ),
    "a claim on an unknown framework": (
        GUIDE,
        "frameworks: [alpha]",
        "frameworks: [alfa]",
        "alfa",
        "claims[0].frameworks[0]",
        "there is no framework 'alfa'",
    ),
    "a claim on an unknown criterion": (
        GUIDE,
        "    criterion: ease.ramp_up",
        "    criterion: ease.rampup",
        "ease.rampup",
        "claims[0].criterion",
        "there is no criterion 'ease.rampup'",
    ),
    "a claim by an unknown source": (
        GUIDE,
        "{claim: A quick start., source: review}",
        "{claim: A quick start., source: revue}",
        "revue",
        "claims[0].evidence[0].source",
        "there is no source 'revue'",
    ),
    "a verdict without evidence": (
        GUIDE,
        "    evidence: [{claim: A quick start., source: review}]\n",
        "",
        "id: guide-soon",
        "claims[0]",
        "is confirmed without evidence",
    ),
    "a claim twice": (
        GUIDE,
        "id: guide-taste",
        "id: guide-soon",
        "line: 5",
        "claims[1]",
        "the claim 'guide-soon' stands above already",
    ),
    "a charge of no claim": (
        GUIDE,
        "claims: [guide-soon]",
        "claims: [guide-late]",
        "guide-late",
        "charges[0].claims[0]",
        "there is no claim 'guide-late'",
    ),
    "a charge about an unknown framework": (
        GUIDE,
        "framework: alpha",
        "framework: alfa",
        "framework: alfa",
        "charges[0].framework",
        "there is no framework 'alfa'",
    ),
    "a charge against an unknown framework": (
        GUIDE,
        "against: [beta]",
        "against: [bete]",
        "bete",
        "charges[0].against[0]",
        "there is no framework 'bete'",
    ),
    "a charge on an unknown workload": (
        GUIDE,
        "workloads: [tiny]",
        "workloads: [tini]",
        "tini",
        "charges[0].workloads[0]",
        "there is no workload 'tini'",
    ),
    "a winner by an unknown criterion": (
        GUIDE,
        "criterion: ease.ramp_up, among",
        "criterion: ease.rampup, among",
        "ease.rampup",
        "winners[0].criterion",
        "there is no criterion 'ease.rampup'",
    ),
    "a winner among unknown frameworks": (
        GUIDE,
        "among: [alpha, beta]",
        "among: [alpha, beta, gamma]",
        "gamma",
        "winners[0].among[2]",
        "there is no framework 'gamma'",
    ),
    "a winner then who was not compared": (
        GUIDE,
        "then: [beta]",
        "then: [gamma]",
        "gamma",
        "winners[0].then[0]",
        "there is no framework 'gamma'",
    ),
    "a winner now who was not compared": (
        GUIDE,
        "now: [alpha]",
        "now: [gamma]",
        "gamma",
        "winners[0].now[0]",
        "there is no framework 'gamma'",
    ),
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


def test_two_names_of_one_house_bear_witness_once(base: Base) -> None:
    base.spoil(SOURCES, "publisher: Reviewer", "publisher: Reviewer\n    house: Example")
    (finding,) = base.check()
    assert finding.severity is Severity.ERROR
    assert finding.fault.problem == "9 rests on Example alone, 2 houses are needed"
    assert finding.fault.line == base.line(ALPHA, "as_of: 2026-11-19")


def test_a_superseded_score_needs_no_second_witness_any_more(base: Base) -> None:
    base.spoil(
        ALPHA,
        "{as_of: 2025-11-20, author: A. Rater, score: null, reason: Nobody had looked.}",
        "{as_of: 2025-11-20, author: A. Rater, score: 9, low: 8, high: 10, rationale: Said so., "
        "evidence: [{claim: Fast., source: manual}]}",
    )
    assert base.check() == []


def test_all_faults_come_at_once(base: Base) -> None:
    base.spoil(ALPHA, "layers: [convolution, attention]", "layers: [convolution, atention]")
    base.spoil(ALPHA, "successor: beta", "successor: bete")
    base.spoil(GUIDE, "against: [beta]", "against: [bete]")
    base.spoil(SOURCES, "https://example.org/manual", "example.org/manual")
    found = base.check()
    assert [(finding.fault.key, finding.dangling) for finding in found] == [
        ("lifecycle.successor", True),
        ("sheet.layers[1]", True),
        ("charges[0].against[0]", True),
        ("sources[0].url", False),
    ]
    assert dangling(found) == [finding.fault for finding in found[:3]]


def test_a_leaf_of_the_fit_is_about_a_known_fact(base: Base) -> None:
    base.spoil(CRITERIA, "fit: accelerator", "fit: acelerator")
    (finding,) = [found for found in base.check() if found.fault.file.endswith(CRITERIA) and found.dangling]
    assert finding.fault.line == base.line(CRITERIA, "fit: acelerator")
    assert finding.fault.problem == "there is no fact 'acelerator'"


def test_a_rated_framework_needs_a_statement_on_every_leaf(base: Base) -> None:
    text = (base.folder / ALPHA).read_text(encoding="utf-8")
    (base.folder / ALPHA).write_text(text.partition("  ease.install:")[0], encoding="utf-8")
    found, on_the_leaf = base.check()
    assert found.severity is Severity.ERROR
    assert (found.fault.key, found.fault.problem) == ("ratings", "nothing is said on ease.install")
    assert found.fault.line == base.line(ALPHA, "ratings:")
    assert on_the_leaf.fault.problem == "0 of 1 frameworks have a score on ease.install"


def test_a_rated_framework_may_not_be_unknown_on_many_leaves(base: Base) -> None:
    text = (base.folder / ALPHA).read_text(encoding="utf-8").partition("  ease.install:")[0]
    unknown = "  ease.install: [{as_of: 2026-11-20, author: A, score: null, reason: no source}]\n"
    (base.folder / ALPHA).write_text(text + unknown, encoding="utf-8")
    found, _ = base.check()
    assert found.severity is Severity.ERROR
    assert found.fault.problem == f"1 of 2 leaves are unknown, at most {MAX_UNKNOWN_SHARE:.0%} may be"


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
    "a framework without a sheet": (
        BETA,
        "sheet:\n  developer: Example\n  written_in: [rust]\n  execution: [compiled]\n  autodiff: false\n  layers: []\n"
        "  evidence: [{claim: A compiler., source: manual}]\n",
        "",
        "schema:",
        "",
        "has no attribute sheet",
    ),
    "a framework without a figure of popularity": (
        BETA,
        'popularity:\n  - {measure: github-stars, value: 3, as_of: "2026", source: review}\n',
        "",
        "schema:",
        "",
        "has no figure of popularity",
    ),
    "an archiving without a date": (
        BETA,
        "lifecycle:\n  status: active",
        f"{_RETIRED}lifecycle:\n  status: archived",
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


@pytest.mark.parametrize(
    ("old", "leaf", "key"),
    [
        (", performance: 0.5", "performance.time_to_finish", "criteria[2].children[0]"),
        ("{ease: 2, ", "ease.install", "criteria[0].children[1]"),
    ],
)
def test_a_leaf_that_no_answer_moves_is_of_no_use(base: Base, old: str, leaf: str, key: str) -> None:
    base.spoil(QUESTIONS, old, "{" if old.startswith("{") else "")
    (finding,) = base.check()
    assert (finding.severity, finding.fault.key) == (Severity.WARNING, key)
    assert finding.fault.problem == f"no answer moves {leaf}"


def test_a_leaf_of_the_fit_that_no_option_speaks_of_is_of_no_use(base: Base) -> None:
    base.spoil(QUESTIONS, "        fit: {accelerator: cpu}\n", "")
    base.spoil(QUESTIONS, "        fit: {accelerator: cuda}\n", "")
    (finding,) = base.check()
    assert finding.fault.problem == "no answer moves fit.accelerator"


_NOTES = {
    "a leaf that no guide led to": (
        CRITERIA,
        "        covers: [ease.install]\n",
        "",
        "id: install",
        "criteria[0].children[1]",
        "no theme of a guide led to ease.install",
    ),
    "a fact that no option asks for": (
        QUESTIONS,
        "{os: linux, language",
        "{language",
        "id: goal",
        "questions[0]",
        "no option asks for the fact 'os': only 'requirements' of an answer sheet can",
    ),
    "a good score that only the vendor supports": (
        ALPHA,
        "{claim: A quick start., source: review}",
        "{claim: A quick start., source: manual}",
        "- as_of: 2026-11-20",
        "ratings.ease.ramp_up[0]",
        "only the framework's own people say 7",
    ),
}


@pytest.mark.parametrize(("name", "old", "new", "at", "key", "problem"), _NOTES.values(), ids=_NOTES.keys())
def test_a_note_is_given_alone_and_in_its_place(
    base: Base, name: str, old: str, new: str, at: str, key: str, problem: str
) -> None:
    base.spoil(name, old, new)
    (finding,) = base.check()
    assert finding.severity is Severity.NOTE
    assert finding.fault.file == str(base.folder / name)
    assert (finding.fault.key, finding.fault.problem) == (key, problem)
    assert finding.fault.line == base.line(name, at)


def test_a_middling_score_by_the_vendor_alone_is_not_noted(base: Base) -> None:
    base.spoil(ALPHA, "{claim: A quick start., source: review}", "{claim: A quick start., source: manual}")
    base.spoil(ALPHA, "score: 7\n      low: 6", "score: 5\n      low: 4")
    assert base.check() == []


SHIPPED = load()


@pytest.mark.parametrize("path", rated_leaves(SHIPPED))
def test_a_statement_on_any_leaf_goes_stale_the_day_after_its_limit(path: str) -> None:
    limit_days = rated_leaves(SHIPPED)[path].max_age_days
    assert limit_days is not None
    framework = SHIPPED.frameworks["pytorch"]
    newest = framework.ratings[path][0]
    alone = structs.replace(framework, ratings={path: (newest,)})
    last_day = newest.as_of + datetime.timedelta(days=limit_days)

    def stale(day: datetime.date) -> list[tuple[str, str]]:
        found = ratings.check(alone, SHIPPED, Places(), day)
        return [(each.fault.key, each.fault.problem) for each in found if each.severity is Severity.WARNING]

    assert stale(last_day) == []
    problem = f"is {limit_days + 1} days old, {limit_days} are allowed"
    assert stale(last_day + datetime.timedelta(days=1)) == [(f"ratings.{path}[0].as_of", problem)]


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
    base.spoil(QUESTIONS, "ease.ramp_up:", "ease.rampup:")
    findings = base.check()
    assert [finding.severity for finding in findings] == [Severity.ERROR] * 3 + [Severity.WARNING]
    assert errors(findings) == [finding.fault for finding in findings[:3]]
    places = [(fault.file, fault.line) for fault in errors(findings)]
    assert all(before <= after for before, after in pairwise(places))


@pytest.mark.parametrize(("copies", "noted"), [(REDUNDANT_FRAMEWORKS - 1, False), (REDUNDANT_FRAMEWORKS, True)])
def test_leaves_that_order_enough_frameworks_alike_are_noted(base: Base, copies: int, noted: bool) -> None:
    alpha = (base.folder / ALPHA).read_text(encoding="utf-8").replace("aliases: [first]\n", "")
    (base.folder / ALPHA).unlink()
    for name in (GUIDE, PERSONA, TWIN):
        (base.folder / name).unlink()
    for number in range(copies):
        score = f"score: {3 + number / 2}\n      low: 0\n      high: 10"
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


def test_leaves_that_share_a_node_below_the_top_are_alike_on_purpose() -> None:
    notes = [
        finding.fault.problem
        for finding in check(SHIPPED, Places(), SHIPPED.date)
        if finding.severity is Severity.NOTE and "Spearman" in finding.fault.problem
    ]
    assert notes
    seen = set()
    for problem in notes:
        words = problem.split()
        nodes = {path.rpartition(".")[0] for path in (words[0], words[6])}
        together = nodes <= {"community.adoption"}
        purpose = f"; on purpose, they share the weight of {min(nodes)}"
        assert problem.endswith(purpose) == together, problem
        seen |= nodes if together else set()
    assert "community.adoption" in seen
