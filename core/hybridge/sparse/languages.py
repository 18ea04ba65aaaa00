"""The languages that have an analyzer, and how to find one by name or code."""

from __future__ import annotations

from dataclasses import dataclass

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError


@dataclass(frozen=True)
class Language:
    """A language.

    Attributes:
        code: ISO 639-1.
        name: In English, lower case; for those of Snowball the name of its algorithm.
        joiners: What may stand inside a word beside letters, digits and marks.
    """

    code: str
    name: str
    joiners: str = ""


CHINESE = Language("zh", "chinese")
JAPANESE = Language("ja", "japanese")
KOREAN = Language("ko", "korean")

_SNOWBALL = (
    Language("ar", "arabic"),
    Language("hy", "armenian"),
    Language("eu", "basque"),
    Language("ca", "catalan", joiners="·"),  # paral·lel is one word, and the stemmer knows it
    Language("cs", "czech"),
    Language("da", "danish"),
    Language("nl", "dutch"),
    Language("en", "english"),
    Language("eo", "esperanto"),
    Language("et", "estonian"),
    Language("fi", "finnish"),
    Language("fr", "french"),
    Language("de", "german"),
    Language("el", "greek"),
    Language("hi", "hindi"),
    Language("hu", "hungarian"),
    Language("id", "indonesian"),
    Language("ga", "irish"),
    Language("it", "italian"),
    Language("lt", "lithuanian"),
    Language("ne", "nepali"),
    Language("no", "norwegian"),
    Language("fa", "persian", joiners="\N{ZERO WIDTH NON-JOINER}"),  # parts a prefix from its verb
    Language("pl", "polish"),
    Language("pt", "portuguese"),
    Language("ro", "romanian"),
    Language("ru", "russian"),
    Language("sr", "serbian"),
    Language("st", "sesotho"),
    Language("es", "spanish"),
    Language("sv", "swedish"),
    Language("ta", "tamil"),
    Language("tr", "turkish"),
    Language("yi", "yiddish"),
)
LANGUAGES = (*_SNOWBALL, CHINESE, JAPANESE, KOREAN)

# Norwegian's two written forms, and the spellings that `pymilvus.model` uses.
_ALIASES = {"nb": "no", "nn": "no", "sp": "es", "jp": "ja", "kr": "ko"}


def find_language(value: object) -> Language:
    """Return the language of a code ("en", "pt-BR") or of an English name ("english").

    Raises:
        InvalidInputError: It is not a string, or names no language; the message lists those known.
    """
    if not isinstance(value, str):
        msg = f"a language is a code or a name, not {shown(value)}"
        raise InvalidInputError(msg)
    name = value.strip().lower().replace("_", "-").partition("-")[0]
    name = _ALIASES.get(name, name)
    for language in LANGUAGES:
        if name in (language.code, language.name):
            return language
    known = ", ".join(f"{language.name} ({language.code})" for language in LANGUAGES)
    msg = (
        f"no analyzer for the language {shown(value)}. Known: {known}. For another language, pass "
        "a function that takes a text to the list of its terms"
    )
    raise InvalidInputError(msg)
