"""What a reader should know of those who judge: the note that every report ends with."""

from advisor.i18n import _


def bias_note(ratings: int, reviewed: int) -> tuple[str, ...]:
    """The note in sentences.

    Args:
        ratings: how many ratings the report cites.
        reviewed: how many of them somebody outside this project has reviewed.
    """
    written = _("The ratings that come with this app were all written by the project itself, under one name.")
    if ratings:
        written = _(
            "The ratings that come with this app were all written by the project itself, under one name; somebody "
            "outside has reviewed {reviewed} of the {ratings} cited here."
        ).format(reviewed=reviewed, ratings=ratings)
    return (
        written,
        _(
            "They rest on public sources, most of them in English, on what the packages contain and on pages by the "
            "makers, marked as vendor; a popular framework leaves more such traces, so PyTorch above all is easier to "
            "praise, and easier to fault, than a small one."
        ),
        _(
            "Some sources are old, undated or give no method, counts of downloads include machines, and where little "
            "was found the range is wide or the score unknown: read the range before the score."
        ),
        _(
            "What the project installed and tried itself ran on Linux, on a CPU with two cores; nothing is known at "
            "first hand of Windows, macOS or accelerators unless a result says so."
        ),
        _(
            "Only frameworks with an adapter are measured on your machine; the others have no value for performance, "
            "and a measurement speaks for the versions, networks and mode it names: TensorFlow is timed by its own "
            "interfaces but rated for ease with the Keras it installs."
        ),
        _(
            "Every rating names its author, date, evidence for and against, file and line: if one seems wrong, object "
            "with a source, and the old statement stays visible below the new."
        ),
    )
