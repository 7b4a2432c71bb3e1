"""The one result of the decision: what the screens, the CLI and every export render, and none of them recomputes.

The fields and their meaning are INTERFACE.md's `recommend --json`; definitions are METHOD.md's. Scores and values
lie on 0-10, probabilities, weights and coverage on 0-1.
"""

from enum import StrEnum

import msgspec

SCHEMA = "advisor/recommendation/1"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An immutable part of the recommendation. Inapplicable fields are None and always present in JSON."""


class Verdict(StrEnum):
    CLEAR = "clear"
    LEANING = "leaning"
    TOO_CLOSE = "too-close"
    NONE_QUALIFIES = "none-qualifies"


class StackEntry(Record, frozen=True):
    need: str  # write-in | backend | export | run-with
    framework: str
    because: str


class Ranked(Record, frozen=True):
    framework: str
    name: str
    role: str
    rank: int
    score: float
    low: float  # 5th percentile of the SMAA score
    high: float  # 95th percentile
    first_probability: float
    coverage: float
    contributions: dict[str, float]  # leaf -> points; they sum to the score


class EvidenceLine(Record, frozen=True):
    """Evidence as it is shown: the claim with its source spelled out."""

    claim: str
    stance: str
    source: str
    title: str
    url: str
    published: str | None
    independence: str


class Failure(Record, frozen=True):
    requirement: str  # "accelerator: cuda"
    origin: str  # answer | assumed | requirements
    fact: str
    because: str
    evidence: tuple[EvidenceLine, ...]
    owners: tuple[str, ...] = ()  # whose knock-out it is, where several people decide together


class Excluded(Record, frozen=True):
    framework: str
    name: str
    would_rank: int | None
    failed: tuple[Failure, ...]


class Unknown(Record, frozen=True):
    framework: str
    requirement: str


class Assumption(Record, frozen=True):
    """What was assumed because a question was skipped. `removable_by` says which answer or key removes it."""

    id: str  # maintained | python-in-fit | run-length
    what: str
    knocks_out: bool
    removable_by: str


class Flip(Record, frozen=True):
    """The smallest single-weight change that lets `framework` beat all rivals; None when no such change exists."""

    framework: str
    criterion: str | None
    start: float | None = msgspec.field(name="from", default=None)
    to: float | None = None


class Deciding(Record, frozen=True):
    """The fewest criteria on which rank 1 gains more than `rival` gains on everything that speaks for it."""

    rival: str
    criteria: tuple[str, ...]  # leaves, the largest gain first; empty where the scores are equal
    points: float  # gained on them
    against: float  # gained by the rival on all others


class Central(Record, frozen=True):
    """What one would have to care about for a framework to come first, the answers left aside.

    Attributes:
        share: of all weights that a person could have, those with which it comes first.
        weights: leaf -> mean weight among these; empty where they are too few.
        even: leaf -> mean weight among all, to compare with.
    """

    share: float
    weights: dict[str, float]
    even: dict[str, float]


class Method(Record, frozen=True):
    """Another way of ranking from the same values and weights."""

    name: str
    ranking: tuple[str, ...]
    scores: dict[str, float]


class Pull(Record, frozen=True):
    """A criterion on which one person's weight differs from the mean, and the points that moves."""

    criterion: str
    weight: float
    mean_weight: float
    points: float  # towards that person's own first and away from everybody's, by the difference of weights


class Person(Record, frozen=True):
    """One of several people, or one of several scenarios: what the sheet says when it stands alone.

    Attributes:
        first: the framework that ranks first, whatever the verdict; None where none qualifies.
        scores: framework -> score, of those that qualify on this sheet.
        pulls: why this person's first is another one than everybody's; the strongest first.
    """

    respondent: str
    verdict: Verdict
    first: str | None
    ranking: tuple[str, ...]
    scores: dict[str, float]
    first_probabilities: dict[str, float]
    weights: dict[str, float]
    current: "Current | None"
    pulls: tuple[Pull, ...]


class Current(Record, frozen=True):
    framework: str
    name: str
    rank: int | None
    gap: float | None
    leaving_cost: str | None
    what_would_justify: str


class NotCounted(Record, frozen=True):
    candidate: str
    workload: str
    why: str


class BreakEven(Record, frozen=True):
    """From which step on the faster candidate, slower to start, has caught up."""

    faster: str
    slower: str
    steps: float
    seconds: float
    workload: str = ""


class MeasuredSummary(Record, frozen=True):
    results: str
    counted: tuple[str, ...]  # "candidate workload"
    not_counted: tuple[NotCounted, ...]
    break_even: tuple[BreakEven, ...]


class Provenance(Record, frozen=True):
    advisor_version: str
    knowledge_date: str
    as_of: str
    samples: int
    seed: int
    created: str


class Reasoning(Record, frozen=True):
    """The decision in sentences, in the language asked for: why rank 1, why not the others, what would change it."""

    headline: str
    why: tuple[str, ...]
    why_not: dict[str, str]
    what_would_change: tuple[str, ...]
    caveats: tuple[str, ...] = ()  # what limits the verdict, and what it rests on


class Recommendation(Record, frozen=True):
    schema: str
    verdict: Verdict
    winner: str | None
    stack: tuple[StackEntry, ...]
    ranking: tuple[Ranked, ...]
    robustness: dict[str, dict[str, float]]
    pairwise: dict[str, dict[str, float]]
    excluded: tuple[Excluded, ...]
    unknown: tuple[Unknown, ...]
    assumptions: tuple[Assumption, ...]
    weights: dict[str, float]
    flips: tuple[Flip, ...]
    current: Current | None
    course: str | None
    measured: MeasuredSummary | None
    not_counted_leaves: tuple[str, ...]  # leaves with weight 0 because nothing measured yet can fill them
    minimal_drops: tuple[tuple[str, ...], ...]
    reasoning: Reasoning
    provenance: Provenance
    deciding: tuple[Deciding, ...] = ()  # rank 1 against each below it
    acceptability: dict[str, tuple[float, ...]] = {}  # framework -> P(rank 1), P(rank 2), ...
    central: dict[str, Central] = {}
    methods: tuple[Method, ...] = ()
    people: tuple[Person, ...] = ()  # empty for a single sheet
    agreement: float | None = None  # Kendall's W of their rankings, 0-1
    currents: tuple[Current, ...] = ()  # what anybody uses today, each once; `current` is the first of them
