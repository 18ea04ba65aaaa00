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
        letters: Those with a mark that are letters of their own, and so stay what they are.
        elided: What an apostrophe parts from the word behind it.
        endings: What an apostrophe parts from the word before it; None for whatever stands there.
        is_stemmed: Whether Snowball has a stemmer for it.
    """

    code: str
    name: str
    joiners: str = ""
    letters: str = ""
    elided: frozenset[str] = frozenset()
    endings: frozenset[str] | None = frozenset("s")
    is_stemmed: bool = True


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FRENCH = _words("l d j m t s n c qu jusqu lorsqu puisqu quoiqu")
_ITALIAN = _words(
    "l un d all dall dell nell sull coll quest quell bell c m n s t v dov com anch senz gl"
)

CHINESE = Language("zh", "chinese")
JAPANESE = Language("ja", "japanese")
KOREAN = Language("ko", "korean")

_SNOWBALL = (
    Language("ar", "arabic"),
    Language("hy", "armenian"),
    Language("eu", "basque", letters="ñ"),
    Language("ca", "catalan", joiners="·", elided=_words("l d m t s n")),  # paral·lel is one word
    Language("cs", "czech", letters="áčďéěíňóřšťúůýž"),
    Language("da", "danish", letters="æøå"),
    Language("nl", "dutch"),
    Language("en", "english", endings=_words("s d m ll re ve")),
    Language("eo", "esperanto", letters="ĉĝĥĵŝŭ", elided=_words("l d")),
    Language("et", "estonian", letters="äöõüšž"),
    Language("fi", "finnish", letters="äöå"),
    Language("fr", "french", elided=_FRENCH),
    Language("de", "german", letters="äöü"),
    Language("el", "greek"),
    Language("hi", "hindi"),
    Language("hu", "hungarian", letters="áéíóöőúüű"),
    Language("id", "indonesian"),
    Language("ga", "irish", elided=_words("b d m")),
    Language("it", "italian", elided=_ITALIAN),
    Language("lt", "lithuanian", letters="ąčęėįšųūž"),
    Language("ne", "nepali"),
    Language("no", "norwegian", letters="æøå"),
    Language("fa", "persian", joiners="\N{ZERO WIDTH NON-JOINER}"),  # parts a prefix from its verb
    Language("pl", "polish", letters="ąćęłńóśźż"),
    Language("pt", "portuguese", elided=_words("d")),
    Language("ro", "romanian", letters="ăâîșț"),
    Language("ru", "russian", letters="й"),
    Language("sr", "serbian", letters="čćđšž"),
    Language("st", "sesotho"),
    Language("es", "spanish", letters="ñ"),
    Language("sv", "swedish", letters="äöå"),
    Language("ta", "tamil"),
    Language("tr", "turkish", letters="çğıöşü", endings=None),
    Language("yi", "yiddish"),
)
_VIETNAMESE = "ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
_UNSTEMMED = tuple(
    Language(code, name, joiners, letters, is_stemmed=False)
    for code, name, joiners, letters in (
        ("bn", "bengali", "", ""),
        ("bg", "bulgarian", "", "й"),
        ("my", "burmese", "", ""),
        ("hr", "croatian", "", "čćđšž"),
        ("gl", "galician", "", "ñ"),
        ("ka", "georgian", "", ""),
        ("he", "hebrew", "", ""),
        ("km", "khmer", "", ""),
        ("lo", "lao", "", ""),
        ("lv", "latvian", "", "āčēģīķļņšūž"),
        ("ms", "malay", "", ""),
        ("sk", "slovak", "", "áäčďéíĺľňóôŕšťúýž"),
        ("sl", "slovenian", "", "čšž"),
        ("sw", "swahili", "", ""),
        ("tl", "tagalog", "", "ñ"),
        ("th", "thai", "", ""),
        ("uk", "ukrainian", "'", "йїґ"),  # п'ять is one word
        ("ur", "urdu", "", ""),
        ("vi", "vietnamese", "", _VIETNAMESE),
        ("mul", "multilingual", "", ""),
        ("code", "code", "", ""),  # source: identifiers whole and in parts, nothing else changed
    )
)
LANGUAGES = (*_SNOWBALL, *_UNSTEMMED, CHINESE, JAPANESE, KOREAN)

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
