"""Files -> `Knowledge`: the shipped base, and what users add to it in folders of their own.

A folder of knowledge holds `criteria.yaml`, `questions.yaml`, `sources.yaml`, `frameworks/*.yaml`, `guides/*.yaml`
and `personas/*.yaml`; a user's own folder holds sources and frameworks only. Here files become records, and ids that
would hide one another are refused. Whether the records make sense together is the business of `checks`.
"""

import datetime
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

from knowledge.faults import BadInput, Fault
from knowledge.model import Criterion, Framework, Guide, Knowledge, Persona, Question, Record, Source
from knowledge.reader import Document, Steps, convert, dotted, read

CRITERIA_SCHEMA: Final = "advisor/criteria/1"
QUESTIONS_SCHEMA: Final = "advisor/questions/1"
SOURCES_SCHEMA: Final = "advisor/sources/1"
FRAMEWORK_SCHEMA: Final = "advisor/framework/1"
GUIDE_SCHEMA: Final = "advisor/guide/1"
PERSONA_SCHEMA: Final = "advisor/persona/1"

_SHIPPED: Final = Path(__file__).parent

# A framework id is part of a candidate's name (`keras@jax:fit`) and of lists (`-f keras,jax`).
_FRAMEWORK_ID: Final = re.compile(r"[a-z][a-z0-9_-]*")

T = TypeVar("T")


class CriteriaFile(Record, frozen=True):
    """criteria.yaml: the tree a framework is judged by."""

    criteria: tuple[Criterion, ...]


class QuestionsFile(Record, frozen=True):
    """questions.yaml: the questionnaire, in the order it is asked."""

    questions: tuple[Question, ...]


class SourcesFile(Record, frozen=True):
    """sources.yaml: where claims can be checked, every source once."""

    sources: tuple[Source, ...]


class Place(Record, frozen=True):
    """Where something is written; `line` is None for records that were not read from a file."""

    file: str
    line: int | None
    key: str

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def fault(self, problem: str, mend: str = "") -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.line, self.key, problem, mend)


_Written = tuple[Document, Steps]  # a document, and where in it a record starts


class Places:
    """Where each record of a `Knowledge` is written, down to single fields.

    `places.framework("jax", "ratings", "ease.install", 0)` is the newest statement on that leaf. A record that was
    not read from a file has a place without a line.
    """

    def __init__(
        self,
        criteria: Mapping[str, _Written] | None = None,
        questions: Mapping[str, _Written] | None = None,
        sources: Mapping[str, _Written] | None = None,
        frameworks: Mapping[str, _Written] | None = None,
        guides: Mapping[str, _Written] | None = None,
        personas: Mapping[str, _Written] | None = None,
    ) -> None:
        self._criteria = dict(criteria or {})
        self._questions = dict(questions or {})
        self._sources = dict(sources or {})
        self._frameworks = dict(frameworks or {})
        self._guides = dict(guides or {})
        self._personas = dict(personas or {})

    def criterion(self, path: str, *steps: str | int) -> Place:
        """Of the node or leaf with the dotted `path`."""
        return _place(self._criteria, path, steps)

    def question(self, id_: str, *steps: str | int) -> Place:
        return _place(self._questions, id_, steps)

    def source(self, id_: str, *steps: str | int) -> Place:
        return _place(self._sources, id_, steps)

    def framework(self, id_: str, *steps: str | int) -> Place:
        return _place(self._frameworks, id_, steps)

    def guide(self, id_: str, *steps: str | int) -> Place:
        return _place(self._guides, id_, steps)

    def persona(self, id_: str, *steps: str | int) -> Place:
        return _place(self._personas, id_, steps)

    def sheet(self, persona: str) -> Document:
        """The answer sheet of a persona that was read from a file, for the reader of answer sheets."""
        document, steps = self._personas[persona]
        return document.part((*steps, "sheet"))


def _place(written: Mapping[str, _Written], id_: str, steps: Steps) -> Place:
    if id_ not in written:
        return Place(file=id_, line=None, key=dotted(steps))
    document, start = written[id_]
    path = (*start, *steps)
    return Place(file=document.name, line=document.line(path), key=dotted(path))


def load(folder: Path | None = None, extra: Sequence[Path] = ()) -> Knowledge:
    """Everything that is known.

    Args:
        folder: a complete folder of knowledge; the shipped one (read once per process) when None.
        extra: users' own folders, with `frameworks/*.yaml` and `sources.yaml`.

    Raises:
        BadInput: with all faults of all files.
    """
    return load_with_places(folder, extra)[0]


def load_with_places(folder: Path | None = None, extra: Sequence[Path] = ()) -> tuple[Knowledge, Places]:
    """As `load`, with the file and line of every record."""
    if folder is None and not extra:
        return _load_shipped()
    return _load(folder, extra)


@functools.cache
def _load_shipped() -> tuple[Knowledge, Places]:
    return _load(None, ())


def _load(folder: Path | None, extra: Sequence[Path]) -> tuple[Knowledge, Places]:
    base = _SHIPPED if folder is None else folder
    faults: list[Fault] = []
    nodes = _Shelf[Criterion](faults)
    questions = _Shelf[Question](faults)
    sources = _Shelf[Source](faults)
    frameworks = _Shelf[Framework](faults)
    guides = _Shelf[Guide](faults)
    personas = _Shelf[Persona](faults)
    tree: tuple[Criterion, ...] = ()
    _demand_folder(base)
    with _collecting(faults):
        document, file = _record(base / "criteria.yaml", base, CRITERIA_SCHEMA, CriteriaFile)
        tree = file.criteria
        for path, steps, criterion in _walk(tree, "", ("criteria",), special=True):
            nodes.add(path, criterion, (document, steps))
    with _collecting(faults):
        document, questionnaire = _record(base / "questions.yaml", base, QUESTIONS_SCHEMA, QuestionsFile)
        for index, question in enumerate(questionnaire.questions):
            questions.add(question.id, question, (document, ("questions", index)))
    for place in (base, *extra):
        with _collecting(faults):
            _demand_folder(place)
        for file_path in _files(place, "sources*.yaml"):
            with _collecting(faults):
                document, listed = _record(file_path, place, SOURCES_SCHEMA, SourcesFile)
                for index, source in enumerate(listed.sources):
                    sources.add(source.id, source, (document, ("sources", index)))
        for file_path in _files(place / "frameworks", "*.yaml"):
            with _collecting(faults):
                document, framework = _record(file_path, place, FRAMEWORK_SCHEMA, Framework, id=file_path.stem)
                frameworks.add(framework.id, framework, (document, ()))
                if not _FRAMEWORK_ID.fullmatch(framework.id):
                    problem = f"{framework.id!r} cannot be a framework's id"
                    faults.append(document.fault((), problem, "name the file in a-z, 0-9, _ and -, a letter first"))
    for file_path in _files(base / "guides", "*.yaml"):
        with _collecting(faults):
            document, guide = _record(file_path, base, GUIDE_SCHEMA, Guide, id=file_path.stem)
            guides.add(guide.id, guide, (document, ()))
    for file_path in _files(base / "personas", "*.yaml"):
        with _collecting(faults):
            document, persona = _record(file_path, base, PERSONA_SCHEMA, Persona, id=file_path.stem)
            personas.add(persona.id, persona, (document, ()))
    if faults:
        raise BadInput(faults)
    knowledge = Knowledge(
        criteria=tree,
        leaves={path: node for path, node in walk(tree) if not node.children},
        questions=questions.records,
        sources=sources.records,
        frameworks=dict(sorted(frameworks.records.items())),
        date=max(_statement_dates(frameworks.records.values()), default=datetime.date.min),
        guides=dict(sorted(guides.records.items(), key=lambda guide: (guide[1].published, guide[0]))),
        personas=personas.records,
    )
    places = Places(
        criteria=nodes.written,
        questions=questions.written,
        sources=sources.written,
        frameworks=frameworks.written,
        guides=guides.written,
        personas=personas.written,
    )
    return knowledge, places


class _Shelf(Generic[T]):
    """Records of one kind by id, and where each is written; an id that is taken is a fault."""

    def __init__(self, faults: list[Fault]) -> None:
        self.records: dict[str, T] = {}
        self.written: dict[str, _Written] = {}
        self._faults = faults

    def add(self, id_: str, record: T, written: _Written) -> None:
        if id_ in self.records:
            first, first_steps = self.written[id_]
            problem = f"the id {id_!r} is taken, see {first.name}:{first.line(first_steps)}"
            document, steps = written
            self._faults.append(document.fault(steps, problem, "choose another id, or remove one of the two"))
        else:
            self.records[id_] = record
            self.written[id_] = written


def walk(criteria: Sequence[Criterion], *, special: bool = False) -> Iterator[tuple[str, Criterion]]:
    """Every node and leaf with its dotted path, parents before their children; on request, special cases too."""
    for path, _, criterion in _walk(criteria, "", (), special=special):
        yield path, criterion


def _walk(
    criteria: Sequence[Criterion], above: str, steps: Steps, *, special: bool
) -> Iterator[tuple[str, Steps, Criterion]]:
    for index, criterion in enumerate(criteria):
        path = f"{above}.{criterion.id}" if above else criterion.id
        yield path, (*steps, index), criterion
        yield from _walk(criterion.children, path, (*steps, index, "children"), special=special)
        if special:
            yield from _walk(criterion.special, path, (*steps, index, "special"), special=special)


@contextmanager
def _collecting(faults: list[Fault]) -> Iterator[None]:
    """Note the faults of one file, so that the next is read all the same."""
    try:
        yield
    except BadInput as error:
        faults.extend(error.faults)


def _demand_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise BadInput([Fault(str(folder), None, "", "there is no such folder", "check the name")])


def _files(folder: Path, pattern: str) -> list[Path]:
    """Files in order of name, without the hidden ones that editors leave behind."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _record(path: Path, folder: Path, schema: str, type_: type[T], **given: str) -> tuple[Document, T]:
    """Read one file that has to name its `schema`; `given` are fields that it must not state itself."""
    shown = Path("knowledge", path.relative_to(folder)).as_posix() if folder == _SHIPPED else str(path)
    document = read(path, name=shown)
    assert isinstance(document.value, dict)  # `read` accepts nothing else
    stated = document.value.get("schema")
    if stated is None:
        raise BadInput([document.fault(("schema",), "is missing", f"add the line 'schema: {schema}'")])
    if stated != schema:
        mend = "use the version of the app that the file was written for"
        raise BadInput([document.fault(("schema",), f"expected {schema}, found {stated}", mend)])
    if own := given.keys() & document.value:
        raise BadInput([document.fault((key,), "is given by the file's name", "remove it") for key in sorted(own)])
    value = {key: part for key, part in document.value.items() if key != "schema"}
    return document, convert(document, type_, {**given, **value})


def _statement_dates(frameworks: Iterable[Framework]) -> Iterator[datetime.date]:
    for framework in frameworks:
        for facts in framework.facts.values():
            yield from (fact.as_of for fact in facts)
        for ratings in framework.ratings.values():
            yield from (rating.as_of for rating in ratings)
