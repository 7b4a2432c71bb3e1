"""`advisor report`: the decision as a file to keep and to pass on."""

from pathlib import Path

import click

from advisor.cli.inputs import REPORT_SAMPLES, Decision, decision_options
from advisor.files import write_atomically
from advisor.i18n import _


@click.command(help=_("Write the report on an answer sheet: Markdown, HTML or JSON by the file's suffix."))
@decision_options
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help=_("The file to write."))
@click.option("--format", "form", type=click.Choice(["md", "html", "json", "adr"]), help=_("Overrides the suffix."))
def report(answers: tuple[Path, ...], results: str, seed: int, as_of: object, output: Path, form: str | None) -> None:
    from advisor.decision.people import together
    from advisor.report import FORMATS, build, format_of
    from knowledge.faults import BadInput, Fault

    chosen = form or format_of(output)
    if chosen is None:
        mend = _("end it in .md, .html or .json, or give --format")
        raise BadInput([Fault("--output", None, str(output), _("the suffix names no format"), mend)])
    decision = Decision(answers, results, seed, as_of, REPORT_SAMPLES)
    content = build(
        decision.recommendation,
        decision.knowledge,
        decision.places,
        decision.answers,
        together(decision.preferences),
        decision.results,
    )
    write_atomically(output, FORMATS[chosen](content))
    click.echo(str(output), err=True)
