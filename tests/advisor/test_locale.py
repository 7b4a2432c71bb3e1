"""The Chinese catalogue says everything the sources say, and nothing else. No test reads an installed .mo file."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from rich.cells import cell_len

from advisor import i18n

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "advisor" / "locale" / "zh" / "LC_MESSAGES" / "advisor.po"
CHINESE = re.compile("[\u4e00-\u9fff]")
_TRANSLATES = ("_", "ngettext")


def _read(path: Path, locale: str | None = None) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream, locale=locale, abort_invalid=True)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the sources say today."""
    template = tmp_path_factory.mktemp("extracted") / "advisor.pot"
    options = ["-F", str(ROOT / "babel.cfg"), "-k", "_", "-k", "ngettext:1,2", "-o", str(template)]
    CommandLineInterface().run(["pybabel", "-q", "extract", *options, str(ROOT)])  # type: ignore[no-untyped-call]
    return _read(template)


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return _read(SOURCE, "zh")


@pytest.fixture(scope="module")
def compiled(catalogue: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A locale folder with the catalogue as it is now, compiled."""
    folder = tmp_path_factory.mktemp("locale")
    machine_object = folder / "zh" / "LC_MESSAGES" / "advisor.mo"
    machine_object.parent.mkdir(parents=True)
    with machine_object.open("wb") as stream:
        write_mo(stream, catalogue)
    return folder


@pytest.fixture
def chinese(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(i18n, "_FOLDER", compiled)
    i18n.set_language("zh")
    yield
    i18n.set_language("en")


def _messages(catalogue: Catalog) -> Iterator[tuple[Message, tuple[str, ...], tuple[str, ...]]]:
    """Every message but the header, with its English forms and its translations."""
    for message in catalogue:
        if message.id:
            yield message, _forms(message.id), _forms(message.string)


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _fields(text: str) -> list[tuple[str, str | None, str | None]]:
    return sorted((name, spec, how) for _text, name, spec, how in Formatter().parse(text) if name is not None)


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_it_has_exactly_the_messages_of_the_sources(extracted: Catalog, catalogue: Catalog) -> None:
    asked = {ids for _message, ids, _strings in _messages(extracted)}
    given = {ids for _message, ids, _strings in _messages(catalogue)}
    assert len(asked) > 400
    assert asked - given == set()
    assert given - asked == set()
    assert not catalogue.obsolete


def test_every_message_is_translated_and_none_is_fuzzy(catalogue: Catalog) -> None:
    assert [ids for _message, ids, strings in _messages(catalogue) if not strings or not all(strings)] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_message(catalogue: Catalog) -> None:
    assert [
        (ids, text)
        for _message, ids, strings in _messages(catalogue)
        for text in strings
        if _fields(text) != _fields(ids[-1])
    ] == []
    assert [(message.id, faults) for message, faults in catalogue.check()] == []


def test_chinese_has_one_plural_form(catalogue: Catalog) -> None:
    assert (catalogue.num_plurals, catalogue.plural_expr) == (1, "0")
    plural = [strings for _message, ids, strings in _messages(catalogue) if len(ids) > 1]
    assert plural
    assert all(len(strings) == 1 for strings in plural)


def test_the_file_names_no_person_no_machine_and_no_line() -> None:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    header = lines[: lines.index("")]
    assert '"Project-Id-Version: Framework Advisor\\n"' in header
    assert not [line for line in header if "@" in line or "Date" in line or "Translator" in line]
    places = [place for line in lines if line.startswith("#: ") for place in line.removeprefix("#: ").split()]
    assert places
    assert all(place.startswith("advisor/") and ":" not in place for place in places)


# --- in use ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("chinese")
def test_compiled_it_gives_every_translation(catalogue: Catalog) -> None:
    for _message, ids, strings in _messages(catalogue):
        said = i18n._(ids[0]) if len(ids) == 1 else i18n.ngettext(ids[0], ids[1], 2)
        assert said == strings[0]
    assert i18n._("Ranking") == "排名"


@pytest.mark.usefixtures("chinese")
def test_english_is_the_source_language() -> None:
    i18n.set_language("en")
    assert i18n._("Ranking") == "Ranking"
    assert i18n.ngettext("{n} CPU core", "{n} CPU cores", 2) == "{n} CPU cores"


@pytest.mark.parametrize("words", [(), ("recommend",), ("bench", "run"), ("env",)], ids=" ".join)
def test_help_is_in_chinese_within_eighty_columns(compiled: Path, words: tuple[str, ...]) -> None:
    code = (
        "import sys; from pathlib import Path; from advisor import __main__, i18n; "
        "i18n._FOLDER = Path(sys.argv.pop(1)); __main__.main()"
    )
    shown = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, str(compiled), *words, "--lang", "zh", "--help"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    )
    assert "界面语言" in shown.stdout
    assert len(CHINESE.findall(shown.stdout)) > 40
    assert max(cell_len(line) for line in shown.stdout.splitlines()) <= 80


# --- when it is asked ------------------------------------------------------------------------------------------------


def _at_import(node: ast.AST) -> Iterator[int]:
    """Lines of calls of `_` or `ngettext` that run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*child.args.defaults, *(each for each in child.args.kw_defaults if each is not None)]
            for part in (*child.decorator_list, *defaults):
                yield from _at_import(ast.Expression(part))
        elif not isinstance(child, ast.Lambda):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in _TRANSLATES:
                yield child.lineno
            yield from _at_import(child)


def test_only_the_command_line_is_imported_after_the_language_is_set() -> None:
    """Elsewhere a text translated at import would stay in the language of the first import."""
    modules = sorted((ROOT / "advisor").rglob("*.py"))
    early = {
        f"{module.relative_to(ROOT).as_posix()}:{line}"
        for module in modules
        for line in _at_import(ast.parse(module.read_text(encoding="utf-8")))
    }
    assert early
    assert {place for place in early if not place.startswith("advisor/cli/")} == set()
