"""A small knowledge base without faults, as files that a test can spoil in one place."""

import datetime
from pathlib import Path

import pytest

from knowledge.checks import Finding, check
from knowledge.loader import load_with_places

AS_OF = datetime.date(2026, 11, 20)

_CRITERIA = """\
schema: advisor/criteria/1
criteria:
  - id: ease
    name: {en: Ease, zh: 易用}
    question: {en: How easy?, zh: 有多容易？}
    children:
      - id: ramp_up
        name: {en: Start, zh: 上手}
        question: {en: How soon?, zh: 多快？}
        covers: [ease.start]
        anchors: {"0": {en: weeks, zh: 几周}, "5": {en: a day, zh: 一天}, "10": {en: an hour, zh: 一小时}}
        max_age_days: 730
      - id: install
        name: {en: Install, zh: 安装}
        question: {en: How surely?, zh: 顺利吗？}
        covers: [ease.install]
        anchors: {"0": {en: never, zh: 从不}, "5": {en: often, zh: 经常}, "10": {en: always, zh: 总是}}
        max_age_days: 365
  - id: fit
    name: {en: Fit, zh: 匹配}
    question: {en: Does it fit?, zh: 匹配吗？}
    children:
      - id: accelerator
        name: {en: Hardware, zh: 硬件}
        question: {en: Your hardware?, zh: 你的硬件？}
        fit: accelerator
  - id: performance
    name: {en: Performance, zh: 性能}
    question: {en: How fast?, zh: 多快？}
    children:
      - id: time_to_finish
        name: {en: Time, zh: 时间}
        question: {en: How long?, zh: 多久？}
        covers: [performance.speed]
        measured: {quantity: time_to_finish_seconds, phase: train, scale: log2_ratio, zero_at_doublings: 7}
"""

_QUESTIONS = """\
schema: advisor/questions/1
questions:
  - id: goal
    choose: one
    text: {en: What for?, zh: 做什么？}
    why: {en: It matters., zh: 很重要。}
    options:
      - id: learn
        text: {en: Learn, zh: 学习}
        multiply: {ease.ramp_up: 2}
        workloads: [tiny]
      - id: keep
        text: {en: Keep, zh: 维持}
        asks: [current, requirements.python]
        drops: [maintained]
  - id: train_on
    choose: any
    maybe: train_on_maybe
    text: {en: Where?, zh: 在哪里？}
    why: {en: It rules out., zh: 会排除。}
    options:
      - id: cpu
        text: {en: Processor, zh: 处理器}
        require: {accelerator: cpu}
        fit: {accelerator: cpu}
      - id: nowhere
        text: {en: Nowhere, zh: 不训练}
        role: runtime
  - id: must
    choose: all
    text: {en: What must it have?, zh: 必须具备什么？}
    why: {en: It rules out., zh: 会排除。}
    options:
      - id: shop
        text: {en: All the house asks for, zh: 单位的全部要求}
        require: {os: linux, language: python, target: server, licence: MIT, training: "true"}
        multiply: {ease: 2, performance: 0.5}
      - id: world
        text: {en: All the world asks for, zh: 外界的全部要求}
        require: {distributed: one-device, offline: "true", native_windows: "true", export_control: "true"}
        confirms: [maintained]
      - id: reader
        text: {en: All a reader asks for, zh: 读者的全部要求}
        require: {docs_language: en, governance: foundation, python: "3.13"}
        fit: {accelerator: cuda}
  - id: current
    choose: one
    asks: framework
    text: {en: Today?, zh: 现在？}
    why: {en: It is shown., zh: 会显示。}
"""

_SOURCES = """\
schema: advisor/sources/1
sources:
  - id: manual
    title: The manual
    url: https://example.org/manual
    publisher: Example
    published: 2026-10
    accessed: 2026-11-19
    kind: documentation
    independence: vendor
  - id: registry
    title: The package
    url: pkg:pypi/alpha@2.0
    publisher: Example
    published: null
    accessed: 2026-11-19
    kind: registry
    independence: vendor
  - id: review
    title: A review
    url: https://review.example.org/alpha
    publisher: Reviewer
    published: 2025-12-05
    accessed: 2026-11-18
    kind: article
    independence: independent
"""

_ALPHA = """\
schema: advisor/framework/1
name: Alpha
role: engine
summary: {en: The first., zh: 第一个。}
homepage: https://example.org
aliases: [first]
backends: [beta]
lifecycle:
  status: active
  first_release: "2020"
  releases:
    - {version: "2.0", date: 2026-09-01}
    - {version: "1.0", date: 2025-09-01}
  successor: beta
  evidence: [{claim: Releases., source: registry}]
modes:
  - {id: eager, name: {en: eager, zh: 即时}, default: true}
  - {id: graph, name: {en: graph, zh: 图}}
recipes:
  - id: cpu
    backend: beta
    devices: [cpu]
    python: ["3.13"]
    requirements: [alpha==2.0]
    platforms: [linux-x86_64]
    download_mb: 10
    disk_mb: 20
    install_seconds: 5
    verified: trained
    needs:
      - {kind: compiler, name: c++, mend: Install one, modes: [graph]}
stack:
  run_with: {framework: beta, because: it runs}
  run_on:
    browser: {framework: beta, because: it fits}
sheet:
  developer: Example
  written_in: [cpp, python]
  execution: [eager, graph]
  autodiff: true
  layers: [convolution, attention]
  evidence: [{claim: A list of layers., source: manual}]
popularity:
  - {measure: github-stars, value: 200, as_of: "2026-11", source: review}
  - {measure: github-stars, value: 100, as_of: "2025", source: review}
  - {measure: downloads-per-month, value: 5000, as_of: "2026-11-18", source: registry}
facts:
  os: [{values: [linux], support: native, as_of: 2026-11-20, evidence: [{claim: Runs., source: manual}]}]
  accelerator:
    - values: [cpu]
      support: native
      as_of: 2026-11-20
      evidence: [{claim: CPU., source: manual}]
    - values: [tpu]
      support: none
      as_of: 2026-11-20
      evidence: [{claim: No TPU., source: manual}]
  language: [{values: [python], support: native, as_of: 2026-11-20, evidence: [{claim: Py., source: manual}]}]
  target: [{values: [server], support: native, as_of: 2026-11-20, evidence: [{claim: Server., source: manual}]}]
  python: [{values: ["3.13"], support: native, as_of: 2026-11-20, evidence: [{claim: Wheels., source: registry}]}]
  licence: [{values: [MIT, permissive], support: native, as_of: 2026-11-20, evidence: [{claim: MIT., source: manual}]}]
  training: [{values: ["true"], support: native, as_of: 2026-11-20, evidence: [{claim: Trains., source: manual}]}]
  distributed: [{values: [one-device], support: native, as_of: 2026-11-20, evidence: [{claim: One., source: manual}]}]
  offline: [{values: ["true"], support: native, as_of: 2026-11-20, evidence: [{claim: Yes., source: manual}]}]
  native_windows: [{values: ["true"], support: none, as_of: 2026-11-20, evidence: [{claim: No., source: manual}]}]
  export_control: [{values: ["true"], support: none, as_of: 2026-11-20, evidence: [{claim: No., source: manual}]}]
  docs_language: [{values: [en], support: native, as_of: 2026-11-20, evidence: [{claim: En., source: manual}]}]
  governance: [{values: [foundation], support: none, as_of: 2026-11-20, evidence: [{claim: No., source: manual}]}]
ratings:
  ease.ramp_up:
    - as_of: 2026-11-20
      author: A. Rater
      score: 7
      low: 6
      high: 8
      rationale: The quick start takes an hour.
      evidence: [{claim: A quick start., source: review}]
    - {as_of: 2025-11-20, author: A. Rater, score: null, reason: Nobody had looked.}
  ease.install:
    - as_of: 2026-11-19
      author: A. Rater
      score: 9
      low: 8
      high: 10
      rationale: One command.
      evidence:
        - {claim: A wheel., source: registry}
        - {claim: It installed at once., source: review}
"""

_BETA = """\
schema: advisor/framework/1
name: Beta
role: companion
summary: {en: The second., zh: 第二个。}
homepage: https://example.org/beta
lifecycle:
  status: active
  first_release: "2024-05"
  releases: []
  evidence: [{claim: It exists., source: manual}]
sheet:
  developer: Example
  written_in: [rust]
  execution: [compiled]
  autodiff: false
  layers: []
  evidence: [{claim: A compiler., source: manual}]
popularity:
  - {measure: github-stars, value: 3, as_of: "2026", source: review}
facts: {}
ratings: {}
"""


_GUIDE = """\
schema: advisor/guide/1
title: {en: An old guide, zh: 旧指南}
published: "2018-06"
source: review
conclusion: {en: Take Alpha., zh: 选 Alpha。}
claims:
  - id: guide-soon
    line: 4
    about: Alpha
    said: Alpha is learnt in an hour.
    polarity: for
    holds: confirmed
    now: The quick start takes an hour.
    frameworks: [alpha]
    criterion: ease.ramp_up
    evidence: [{claim: A quick start., source: review}]
  - {id: guide-taste, line: 5, about: Beta, said: Beta is ugly., polarity: against, holds: untestable, now: Taste.}
charges:
  - id: guide-fastest
    text: {en: Alpha is faster than Beta., zh: Alpha 比 Beta 快。}
    claims: [guide-soon]
    test: fastest
    framework: alpha
    against: [beta]
    workloads: [tiny]
winners:
  - {dimension: {en: Start, zh: 上手}, criterion: ease.ramp_up, among: [alpha, beta], then: [beta], now: [alpha]}
"""

_PERSONA = """\
schema: advisor/persona/1
name: {en: A learner, zh: 学习者}
story: {en: Learns., zh: 学习。}
sheet:
  schema: advisor/answers/1
  answers: {goal: learn}
expected:
  first: [alpha]
  verdict: [clear, leaning]
  excluded: {beta: licence}
because: "Alpha is the first."
"""

_TWIN = """\
schema: advisor/persona/1
name: {en: A keeper, zh: 维持者}
story: {en: Keeps., zh: 维持。}
sheet:
  schema: advisor/answers/1
  answers: {goal: keep}
expected: {first: [beta], ranked: [alpha]}
because: "Beta was there before."
twin: learner
"""


class Base:
    """The files of a small knowledge base, to be spoiled, loaded and checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "frameworks").mkdir(parents=True)
        (folder / "guides").mkdir()
        (folder / "personas").mkdir()
        for name, text in {
            "criteria.yaml": _CRITERIA,
            "questions.yaml": _QUESTIONS,
            "sources.yaml": _SOURCES,
            "frameworks/alpha.yaml": _ALPHA,
            "frameworks/beta.yaml": _BETA,
            "guides/old.yaml": _GUIDE,
            "personas/learner.yaml": _PERSONA,
            "personas/keeper.yaml": _TWIN,
        }.items():
            (folder / name).write_text(text, encoding="utf-8")

    def spoil(self, name: str, old: str, new: str) -> None:
        """Replace the one place in a file where `old` stands."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def line(self, name: str, text: str) -> int:
        """The number of the first line of a file that holds `text`."""
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def check(self, as_of: datetime.date = AS_OF) -> list[Finding]:
        return check(*load_with_places(self.folder), as_of, workloads=["tiny"])


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path / "base")
