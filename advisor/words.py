"""The ids of records in plain words, for every screen, command and report. What was decided is read, not recomputed."""

from advisor.i18n import _
from advisor.recommendation import Recommendation, Verdict


def name_of(recommendation: Recommendation, framework: str) -> str:
    """A framework's name as the recommendation gives it."""
    names = {entry.framework: entry.name for entry in recommendation.ranking}
    names |= {entry.framework: entry.name for entry in recommendation.excluded}
    return names.get(framework, framework)


def verdict_name(verdict: str) -> str:
    """A verdict in a word or two, without the framework it is about."""
    return {
        Verdict.CLEAR: _("clear"),
        Verdict.LEANING: _("leaning"),
        Verdict.TOO_CLOSE: _("too close"),
        Verdict.NONE_QUALIFIES: _("none qualifies"),
    }[Verdict(verdict)]


def origin_in_words(origin: str) -> str:
    """Where a requirement came from."""
    return {
        "answer": _("your answer"),
        "assumed": _("assumed"),
        "requirements": _("your requirements"),
    }.get(origin, origin)


def need_in_words(need: str) -> str:
    """What a part of the stack is for."""
    return {
        "write-in": _("write in"),
        "backend": _("backend"),
        "export": _("export"),
        "run-with": _("run with"),
    }.get(need, need)


def support_in_words(support: str) -> str:
    """A support grade."""
    return {
        "native": _("native"),
        "official-plugin": _("official plug-in"),
        "community": _("community"),
        "none": _("none"),
    }[support]


def role_in_words(role: str) -> str:
    """A framework's role."""
    return {
        "engine": _("engine"),
        "high-level": _("high-level"),
        "runtime": _("runtime"),
        "companion": _("companion"),
    }[role]


def status_in_words(status: str) -> str:
    """A framework's stage of life."""
    return {
        "active": _("active"),
        "maintenance": _("maintenance only"),
        "archived": _("archived"),
        "abandoned": _("abandoned"),
    }[status]


def stance_in_words(stance: str) -> str:
    """How evidence bears on a rating."""
    return {"supports": _("supports"), "contradicts": _("contradicts"), "context": _("context")}[stance]


def kind_in_words(kind: str) -> str:
    """What sort of thing a source is."""
    return {
        "registry": _("package registry"),
        "documentation": _("documentation"),
        "repository": _("repository"),
        "research": _("research paper"),
        "survey": _("survey"),
        "news": _("news"),
        "article": _("article"),
        "measurement": _("measurement"),
    }[kind]


def holds_in_words(holds: str) -> str:
    """Whether what an old guide said is true today."""
    return {
        "confirmed": _("holds"),
        "partly": _("holds in part"),
        "refuted": _("no longer so"),
        "untestable": _("cannot be tested"),
    }[holds]


def fact_in_words(fact: str) -> str:
    """The name of a fact."""
    return {
        "os": _("operating systems"),
        "accelerator": _("accelerators"),
        "language": _("languages"),
        "target": _("where models run"),
        "python": _("Python versions"),
        "licence": _("licence"),
        "training": _("training"),
        "distributed": _("distributed training"),
        "offline": _("works offline"),
        "native_windows": _("native Windows"),
        "export_control": _("safe from export control"),
        "maintained": _("maintained"),
        "docs_language": _("documentation in"),
        "governance": _("governance"),
    }.get(fact, fact.replace("_", " "))


def requirement_in_words(requirement: str) -> str:
    """A requirement as the recommendation names it ("accelerator: cuda | rocm"), with its fact's name in words."""
    fact, _colon, values = requirement.partition(": ")
    if not values:
        return fact_in_words(fact)
    return _("{fact}: {values}").format(fact=fact_in_words(fact), values=values.replace(" | ", " / "))


def sure_in_words(sure: str) -> str:
    """How sure an answer is."""
    return {"low": _("a guess"), "medium": _("fairly sure"), "high": _("certain")}[sure]


def basis_in_words(basis: str) -> str:
    """What a value in a report rests on."""
    return {
        "rating": _("rating"),
        "facts": _("facts"),
        "measured": _("measured"),
        "unknown": _("unknown"),
    }[basis]


def independence_in_words(independence: str) -> str:
    """Whose word a source is."""
    return {
        "independent": _("independent"),
        "vendor": _("vendor"),
        "competitor": _("competitor"),
        "project": _("this project"),
    }[independence]


def run_status_in_words(status: str) -> str:
    """How a candidate came through a race."""
    return {
        "ok": _("measured"),
        "failed": _("failed"),
        "incomparable": _("incomparable"),
        "skipped": _("skipped"),
    }[status]


def readiness_in_words(state: str) -> str:
    """What a candidate still needs before it can run here."""
    return {"ready": _("ready"), "installable": _("can be made"), "impossible": _("not here")}[state]


def outcome_in_words(outcome: str | None, a: str, b: str) -> str:
    """What a verdict on two candidates came to; None where there is none."""
    return {
        "a": _("{a} faster").format(a=a),
        "b": _("{a} faster").format(a=b),
        "tie": _("tie"),
        "undecided": _("undecided"),
        None: _("nothing"),
    }[outcome]


def ruling_in_words(ruling: str) -> str:
    """Whether what a guide said holds (`knowledge.model.Holds`), or what its trial came to (`advisor.trial.Ruling`)."""
    return {
        "confirmed": _("confirmed"),
        "partly": _("partly"),
        "refuted": _("refuted"),
        "undecided": _("undecided"),
        "untestable": _("untestable"),
    }[ruling]


def quantity_in_words(quantity: str) -> str:
    """What is measured apart from the rounds."""
    return {
        "latency": _("latency"),
        "dispatch": _("dispatch"),
        "energy": _("energy"),
        "copy": _("the copy to the device"),
        "gemm": _("the peak of this machine"),
    }.get(quantity, quantity)


def execution_in_words(execution: str) -> str:
    """How a framework runs user code."""
    return {"eager": _("eager"), "graph": _("stated graph"), "compiled": _("compiled")}[execution]


def layer_in_words(layer: str) -> str:
    """A kind of layer."""
    return {
        "convolution": _("convolution"),
        "recurrent": _("recurrent"),
        "attention": _("attention"),
    }.get(layer, layer)


def measure_in_words(measure: str) -> str:
    """What is counted of a framework's popularity."""
    return {
        "downloads-per-month": _("downloads per month"),
        "github-stars": _("GitHub stars"),
        "github-forks": _("GitHub forks"),
        "contributors": _("contributors"),
        "commits-per-year": _("commits per year"),
        "papers-per-year": _("papers per year"),
        "published-models": _("published models"),
    }[measure]


def authorship_in_words(author: str, affiliation: str, reviewed_by: str) -> str:
    """Who says so, for whom they work, and who outside has looked at it."""
    works = _("no affiliation") if affiliation in ("", "none") else affiliation
    return _("{author} ({affiliation}), reviewed by {reviewer}").format(
        author=author, affiliation=works, reviewer=reviewed_by or _("nobody")
    )
