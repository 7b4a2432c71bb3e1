"""The records the knowledge base consists of. They are read by `loader`, checked by `checks`, used everywhere.

Every record mirrors one YAML mapping; the JSON Schema for editors is generated from these classes. Dates are
calendar dates, scores lie on the criteria's written 0-10 anchors, sizes are in units of their names.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Score = Annotated[float, Meta(ge=0, le=10)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every record: immutable, unknown keys refused."""


class Text(Record, frozen=True):
    """One user-visible text in the languages of the app."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """The text in `language` ("en" or "zh"); anything else reads English."""
        return self.zh if language == "zh" else self.en


# --- criteria.yaml ---------------------------------------------------------------------------------------------------


class Anchors(Record, frozen=True):
    """What a score of 0, 5 and 10 means on one leaf."""

    worst: Text = msgspec.field(name="0")
    middle: Text = msgspec.field(name="5")
    best: Text = msgspec.field(name="10")


class Measured(Record, frozen=True):
    """How a measured leaf turns a quantity into a value: v = max(0, 10 - 10 log2(x / x_ref) / zero_at_doublings)."""

    quantity: str
    phase: str
    scale: str
    zero_at_doublings: Annotated[float, Meta(gt=0)]
    lower_is_better: bool = True


class Criterion(Record, frozen=True):
    """A node or a leaf of the criteria tree. A leaf has no children; its dotted path is its id everywhere else.

    Attributes:
        special: what a rated leaf comes down to for people in a special case, each with a scale and ratings of its own
            at `<leaf>.<id>`. The leaf's weight stays one; only which rating counts depends on the case.
        when: of a special case, fact -> the value whose naming in the answers makes it.
    """

    id: str
    name: Text
    question: Text
    children: tuple["Criterion", ...] = ()
    covers: tuple[str, ...] = ()
    anchors: Anchors | None = None
    max_age_days: Annotated[int, Meta(gt=0)] | None = None
    measured: Measured | None = None
    fit: str | None = None
    special: tuple["Criterion", ...] = ()
    when: dict[str, str] = {}


# --- questions.yaml --------------------------------------------------------------------------------------------------


class Choose(StrEnum):
    """How many options an answer may name, and how their knock-outs combine."""

    ONE = "one"
    UP_TO_TWO = "up-to-two"
    ANY = "any"  # several; a knock-out is passed by any one of them
    ALL = "all"  # several; every knock-out must be passed


class Option(Record, frozen=True):
    """One option of a question and everything that choosing it does."""

    id: str
    text: Text
    help: Text | None = None
    multiply: dict[str, Annotated[float, Meta(gt=0)]] = {}
    require: dict[str, str] = {}
    fit: dict[str, str] = {}
    alone: bool = False
    asks: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
    role: str | None = None
    workloads: tuple[str, ...] = ()
    run_length_seconds: Annotated[float, Meta(gt=0)] | None = None


class Question(Record, frozen=True):
    """One question. `maybe` names the companion key whose answers count in the fit and never knock out."""

    id: str
    choose: Choose
    text: Text
    why: Text
    options: tuple[Option, ...] = ()
    quick: bool = False
    maybe: str | None = None
    maybe_text: Text | None = None
    asks: str | None = None  # "framework": the answer is a framework id


# --- sources.yaml ----------------------------------------------------------------------------------------------------


class SourceKind(StrEnum):
    REGISTRY = "registry"  # package metadata: pkg:pypi/NAME@VERSION
    DOCUMENTATION = "documentation"
    REPOSITORY = "repository"  # source, release notes, issue threads
    RESEARCH = "research"
    SURVEY = "survey"
    NEWS = "news"
    ARTICLE = "article"
    MEASUREMENT = "measurement"  # run by this project


class Independence(StrEnum):
    INDEPENDENT = "independent"
    VENDOR = "vendor"  # the framework's own people speaking of themselves
    COMPETITOR = "competitor"
    PROJECT = "project"  # measured or read by this project


class Source(Record, frozen=True):
    """Where a claim can be checked.

    Attributes:
        url: a web address, or a package URL for registries.
        publisher: the name under which it was published.
        published: a day, a month or a year, as the source gives it; null when it carries no date.
        house: who stands behind the publisher, where that is known under another name: two names of one house bear
            witness once.
    """

    id: str
    title: str
    url: str
    publisher: str
    published: str | None
    accessed: date
    kind: SourceKind
    independence: Independence
    house: str = ""

    @property
    def behind(self) -> str:
        """The house, or the publisher where it is one of its own."""
        return self.house or self.publisher


# --- frameworks/*.yaml -----------------------------------------------------------------------------------------------


class Role(StrEnum):
    ENGINE = "engine"
    HIGH_LEVEL = "high-level"
    RUNTIME = "runtime"
    COMPANION = "companion"


class Status(StrEnum):
    ACTIVE = "active"
    MAINTENANCE = "maintenance"  # fixes only
    ARCHIVED = "archived"  # read-only by decision of its owners
    ABANDONED = "abandoned"  # silent, never closed


class Stance(StrEnum):
    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    CONTEXT = "context"


class Evidence(Record, frozen=True):
    """One claim in our own words and the source that bears it."""

    claim: str
    source: str
    stance: Stance = Stance.SUPPORTS


class Release(Record, frozen=True):
    """One final release (no pre-releases)."""

    version: str
    date: date


class Lifecycle(Record, frozen=True):
    """Life dates. `releases` are final releases, newest first; it need not be complete, but its first is the latest."""

    status: Status
    first_release: str  # year, month or day as known
    releases: tuple[Release, ...]
    evidence: tuple[Evidence, ...]
    archived: date | None = None
    successor: str | None = None
    note: str = ""


class Support(StrEnum):
    """How well a value is supported; NONE is a known no, which is not the same as no statement (unknown)."""

    NATIVE = "native"
    OFFICIAL_PLUGIN = "official-plugin"
    COMMUNITY = "community"
    NONE = "none"


class FactStatement(Record, frozen=True):
    """That a framework supports `values` of one fact to one degree. A value no statement names is unknown."""

    values: tuple[str, ...]
    support: Support
    as_of: date
    evidence: tuple[Evidence, ...]
    note: str = ""


class Statement(Record, frozen=True):
    """A dated rating on one leaf. `score` null means unknown and needs a `reason`; else `low <= score <= high`."""

    as_of: date
    author: str
    score: Score | None
    low: Score | None = None
    high: Score | None = None
    rationale: str = ""
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    affiliation: str = ""
    reviewed_by: str = ""


class Link(Record, frozen=True):
    """A file linked into an environment after installing; `target` may hold a glob; both relative to site-packages."""

    target: str
    name: str


class Need(Record, frozen=True):
    """Something only the system can provide, for one mode or for all (`modes` empty)."""

    kind: str  # compiler | library
    name: str  # "c++", "libgomp.so.1"
    mend: str
    modes: tuple[str, ...] = ()


class Recipe(Record, frozen=True):
    """How one environment of a framework is made: typed fields, never shell.

    Attributes:
        id: unique within the framework; backend, where the framework has several.
        devices: device families it serves ("cpu", "cuda", "mps").
        python: CPython minor versions it works on, best first.
        requirements: PEP 508 requirements, pinned.
        torch_backend: value for uv's --torch-backend where the user's own indexes lack a CPU torch, else null.
        environment: variables set for the worker.
        download_mb, disk_mb: measured or taken from the registry, in 10^6 bytes.
        install_seconds: as seen with a warm network, for the announcement only.
        verified: "trained" (ran here), "resolved" (only the resolver was asked).
    """

    id: str
    devices: tuple[str, ...]
    python: tuple[str, ...]
    requirements: tuple[str, ...]
    platforms: tuple[str, ...]  # linux-x86_64, linux-aarch64, macos-arm64
    download_mb: Annotated[float, Meta(gt=0)]
    disk_mb: Annotated[float, Meta(gt=0)]
    install_seconds: Annotated[float, Meta(gt=0)]
    verified: str
    backend: str | None = None
    torch_backend: str | None = None
    environment: dict[str, str] = {}
    links: tuple[Link, ...] = ()
    needs: tuple[Need, ...] = ()
    notes: str = ""


class Mode(Record, frozen=True):
    """One way of running a framework ("eager", "function", "fit"). Exactly one mode is the documented default."""

    id: str
    name: Text
    default: bool = False
    prepare_seconds: Annotated[float, Meta(ge=0)] = 10  # typical start + compile, for the announcement
    evidence: tuple[Evidence, ...] = ()


class StackPart(Record, frozen=True):
    """What a user of this framework does for one need of the stack."""

    framework: str
    because: str


class Stack(Record, frozen=True):
    """Defaults for the stack shown under rank 1: framework ids, or null where nothing is needed.

    Attributes:
        run_on: value of the fact `target` -> what the model leaves for and runs with there, instead of `export` and
            `run_with`.
    """

    backend: StackPart | None = None
    export: StackPart | None = None
    run_with: StackPart | None = None
    run_on: dict[str, StackPart] = {}


class Leaving(Record, frozen=True):
    """What moving away from a framework costs, in one sentence. Shown under `current`, never weighted."""

    cost: str
    evidence: tuple[Evidence, ...] = ()


class Instead(Record, frozen=True):
    """Where to go from a framework that nobody should choose any more. Without evidence it is a judgement."""

    framework: str
    because: str
    evidence: tuple[Evidence, ...] = ()


class Execution(StrEnum):
    EAGER = "eager"  # each operation runs when it is called
    GRAPH = "graph"  # a graph is stated first and run afterwards
    COMPILED = "compiled"  # code is generated for the traced or stated graph, just in time or ahead of time


class Sheet(Record, frozen=True):
    """What the table of attributes in a guide says of a framework. Shown beside others, never weighed.

    Attributes:
        developer: who decides on the code today, or did last.
        written_in: languages the framework itself is written in, as language ids, the main one first.
        execution: how user code is run, the default first.
        autodiff: whether gradients are worked out for the user.
        layers: which of "convolution", "recurrent" and "attention" it ships as ready layers or operators.
    """

    developer: str
    written_in: tuple[str, ...]
    execution: tuple[Execution, ...]
    autodiff: bool
    layers: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class Measure(StrEnum):
    """What is counted of a framework's popularity."""

    DOWNLOADS = "downloads-per-month"  # over its main package index
    STARS = "github-stars"
    FORKS = "github-forks"
    CONTRIBUTORS = "contributors"  # names in the log, of the last 24 months where the note does not say otherwise
    COMMITS = "commits-per-year"
    PAPERS = "papers-per-year"
    MODELS = "published-models"


class Count(Record, frozen=True):
    """One dated figure of popularity. `as_of` is a year, a month or a day, as the source gives it."""

    measure: Measure
    value: Annotated[float, Meta(ge=0)]
    as_of: str
    source: str
    note: str = ""


class Framework(Record, frozen=True):
    """One framework; `id` is its file's name without the suffix.

    Attributes:
        package: what is installed, as a package URL without a version: "pkg:pypi/torch".
        instead: where to go from a framework that nobody should choose any more, best first.
        popularity: dated figures, newest first within one measure.
    """

    id: str
    name: str
    role: Role
    summary: Text
    homepage: str
    lifecycle: Lifecycle
    facts: dict[str, tuple[FactStatement, ...]]
    ratings: dict[str, tuple[Statement, ...]]
    recipes: tuple[Recipe, ...] = ()
    modes: tuple[Mode, ...] = ()
    backends: tuple[str, ...] = ()  # framework ids, the default first
    adapter: str | None = None  # file name in bench/worker/adapters, without suffix
    stack: Stack = Stack()
    leaving: Leaving | None = None
    instead: tuple[Instead, ...] = ()
    sheet: Sheet | None = None
    popularity: tuple[Count, ...] = ()
    aliases: tuple[str, ...] = ()
    package: str | None = None


# --- guides/*.yaml ---------------------------------------------------------------------------------------------------


class Polarity(StrEnum):
    FOR = "for"  # speaks for the framework
    AGAINST = "against"
    NEUTRAL = "neutral"


class Holds(StrEnum):
    """Whether what a guide said is true today."""

    CONFIRMED = "confirmed"
    PARTLY = "partly"
    REFUTED = "refuted"
    UNTESTABLE = "untestable"  # a matter of taste, too vague, or its object is gone without a trace


class Claim(Record, frozen=True):
    """One thing a guide said, in our own words, and whether it holds today.

    Attributes:
        line: in the copy of the guide that was read.
        frameworks: framework ids; empty where it speaks of something that is none.
        about: what it speaks of, as the guide names it.
        criterion: dotted path of the leaf or node it bears on; None where the tree has none.
        now: one sentence, what is so today.
        evidence: for `now`; none is needed where it is untestable.
    """

    id: str
    line: Annotated[int, Meta(ge=1)]
    about: str
    said: str
    polarity: Polarity
    holds: Holds
    now: str
    frameworks: tuple[str, ...] = ()
    criterion: str | None = None
    evidence: tuple[Evidence, ...] = ()


class Test(StrEnum):
    """How a charge is tried on a machine."""

    FASTEST = "fastest"  # less wall time per training step than each of `against`
    SLOWEST = "slowest"  # more than each of `against`
    LEAST_MEMORY = "least-memory"  # smaller peak of main memory than each of `against`
    FEWEST_LINES = "fewest-lines"  # fewer lines of model and training than each of `against`, `factor` times or more
    FEWEST_TRAINING_LINES = "fewest-training-lines"  # the same of training alone
    DYNAMIC_SHAPE = "dynamic-shape"  # a length that changes with every call slows `framework` down less than `against`


class Charge(Record, frozen=True):
    """What a guide concluded, put so that a run on this machine can confirm or refute it.

    Attributes:
        claims: ids of the claims it sums up.
        device: family the guide measured on: "cpu" or "cuda".
        factor: how many times better, for a charge that names a figure.
    """

    id: str
    text: Text
    claims: tuple[str, ...]
    test: Test
    framework: str
    against: tuple[str, ...]
    workloads: tuple[str, ...]
    device: str = "cpu"
    factor: Annotated[float, Meta(ge=1)] = 1


class Winner(Record, frozen=True):
    """Whom a guide preferred on one dimension, and who is rated best of the same frameworks today.

    Attributes:
        among: the frameworks the guide compared.
        then, now: framework ids; several are a tie.
    """

    dimension: Text
    criterion: str
    among: tuple[str, ...]
    then: tuple[str, ...]
    now: tuple[str, ...]


class Guide(Record, frozen=True):
    """An old guide on trial; `id` is its file's name without the suffix."""

    id: str
    title: Text
    published: str  # year, month or day, as known
    source: str
    conclusion: Text
    claims: tuple[Claim, ...]
    charges: tuple[Charge, ...] = ()
    winners: tuple[Winner, ...] = ()


# --- personas/*.yaml -------------------------------------------------------------------------------------------------


class Expected(Record, frozen=True):
    """What an expert would tell a persona.

    Attributes:
        first: framework ids of which any may rank first; empty where none qualifies.
        verdict: the verdicts that are right; empty where any may be.
        excluded: framework id -> the fact that has to knock it out.
        ranked: ids of frameworks that must not be knocked out.
    """

    first: tuple[str, ...]
    verdict: tuple[Literal["clear", "leaning", "too-close", "none-qualifies"], ...] = ()
    excluded: dict[str, str] = {}
    ranked: tuple[str, ...] = ()


class Persona(Record, frozen=True):
    """Somebody whose right advice is known; `id` is the file's name without the suffix.

    Attributes:
        sheet: an answer sheet, as it would stand in a file of its own.
        because: why an expert would say so, in one sentence or two.
        twin: id of the persona from whom this one differs in exactly one answer, and by it in the winner.
        dissent: why they are told something else than what was written down for them before anybody had worked it
            out; empty where they are told that.
    """

    id: str
    name: Text
    story: Text
    sheet: dict[str, Any]
    expected: Expected
    because: str
    twin: str | None = None
    dissent: str = ""


# --- all of it -------------------------------------------------------------------------------------------------------


class Knowledge(Record, frozen=True):
    """Everything that is known. Mappings keep file order; frameworks are in order of id.

    Attributes:
        criteria: the top-level nodes of the tree.
        leaves: dotted path -> leaf, in tree order.
        guides: in order of publication.
        personas: in order of id.
        date: the newest date of any statement in it.
    """

    criteria: tuple[Criterion, ...]
    leaves: dict[str, Criterion]
    questions: dict[str, Question]
    sources: dict[str, Source]
    frameworks: dict[str, Framework]
    date: date
    guides: dict[str, Guide] = {}
    personas: dict[str, Persona] = {}
