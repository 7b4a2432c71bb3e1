"""The app's language. Texts of the app go through `_`; texts of the knowledge base carry both languages themselves."""

import gettext
import locale
import os
from pathlib import Path

LANGUAGES = ("en", "zh")
_DOMAIN = "advisor"
_FOLDER = Path(__file__).parent / "locale"

_language = "en"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def default_language() -> str:
    """ "zh" when the user's locale is Chinese, else "en"."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def set_language(language: str) -> None:
    """Switch every text to `language` ("en" or "zh")."""
    global _language, _catalogue
    _language = language
    _catalogue = gettext.translation(_DOMAIN, _FOLDER, languages=[language], fallback=True)


def language() -> str:
    """The language in force."""
    return _language


def _(message: str) -> str:
    """`message` in the language in force. Always a literal; values are put in afterwards with `.format`."""
    return _catalogue.gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The singular or plural form for `count` in the language in force."""
    return _catalogue.ngettext(singular, plural, count)


def N_(message: str) -> str:
    """Mark `message` for translation and return it as it is: for texts that exist before the language is known."""
    return message
