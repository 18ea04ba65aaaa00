"""Chinese, Japanese and Korean: scripts that need a segmenter to find the words.

Each imports its segmenter when it is made, so a missing extra shows at once, and loads the
dictionary at the first text. Texts are brought to NFKC first, for full-width letters and digits.
Chinese keeps the stop words of its list apart. Japanese and Korean tell particles, endings and
auxiliaries by their part of speech, which their segmenters know, and index dictionary forms.

A run of 1,000 letters and digits without a space or a sign, or of signs alone, is no prose, and
segmenters take long over it: Kiwi 19 s for a million characters, jieba 57 s for 100,000 that are no
words, and four times that for twice as many. It is cut into pairs, in which queries find the words
of two characters. And a segmenter gets 2,000 characters at a time: where the costs of a text's
words add up to 2³¹, MeCab ends the process.

Words of other scripts, and Latin ones with accents, are those of the multilingual analyzer: jieba
takes all but ASCII apart into letters, and a Thai sentence is one word of MeCab's and Kiwi's. So
are Chinese characters in Korean texts.
"""

from __future__ import annotations

import logging
import re
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from hybridge.extras import import_extra
from hybridge.sparse.compounds import JOINTS, compounds, parts_of, whole_of
from hybridge.sparse.folding import normalized, visible
from hybridge.sparse.languages import find_language
from hybridge.sparse.snowball import SnowballAnalyzer
from hybridge.sparse.stop_words import StopWords, own_stop_words
from hybridge.sparse.unspaced import pairs
from hybridge.sparse.word_analyzer import FUNCTION_MARK, Kind, Token, WordAnalyzer, shortened

_COMPOUND = re.compile(r"((?<![A-Za-z0-9])[A-Za-z0-9]+(?:[-_.@/'][A-Za-z0-9]+)+)")
"""What a segmenter would take apart: Wi-Fi, 2024-03-15, a@b.org.

The look behind keeps a long run from being tried at each of its letters.
"""

_OTHER = (
    "\u00b7\u00c0-\u10ff\u1200-\u1fff\u2c00-\u2dff\ua4d0-\ua95f\ua980-\uabff\U00010000-\U0001afff"
)
"""Letters and marks of the scripts that no segmenter here knows, and the dot of col·lecció."""

_CHINESE = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters, and kana."""

_LONG_RUN = re.compile(r"((?<!\w)\w{1000,}|(?<![^\w\s])[^\w\s]{1000,})")
"""What is no prose."""

_LONG_VOWEL = re.compile("[ァ-ヺー]{3,}ー")
"""A word from abroad whose last mark is written or not: サーバー, サーバ."""

_SPAN = re.compile(r".{1,2000}(?:(?<=\W)|\Z)", re.DOTALL)
"""What a segmenter gets at a time; it ends with a space or a sign."""

_MULTILINGUAL = find_language("multilingual")
_TRADITIONAL = Path(__file__).parent / "traditional_chinese.txt"


class SegmentingAnalyzer(WordAnalyzer):
    """An analyzer that leaves finding the words to a segmenter.

    Args:
        stop_words: The words to leave out.
        language_argument: What `build_default_analyzer` makes an equal analyzer from.

    Raises:
        MissingExtraError: The segmenter is not installed.
    """

    _other = _OTHER
    extra: str
    packages: tuple[tuple[str, str], ...]
    """Each as its module and as its distribution."""

    def __init__(self, stop_words: StopWords, language_argument: str | None = None) -> None:
        for module, package in self.packages:
            import_extra(module, user=type(self).__name__, package=package, extra=self.extra)
        self._lock = threading.Lock()
        self._other_word = _other_word(self._other)
        self._multilingual = SnowballAnalyzer(_MULTILINGUAL, own_stop_words(()))
        self._listed = stop_words
        self._stop_words = frozenset(stop_words.words)
        self.language = language_argument
        made_by = ", ".join(f"{package} {version(package)}" for _, package in self.packages)
        self.identity = f"{self.extra} words 3, stop words {stop_words.name}, {made_by}"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._listed, self.language)

    @abstractmethod
    def load(self) -> Callable[[str], Iterable[str]]:
        """Load the dictionary, and return what takes a text to its words.

        Function words have the `FUNCTION_MARK` before them.
        """

    @cached_property
    def _segment(self) -> Callable[[str], Iterable[str]]:
        return self.load()

    def split(self, text: str) -> list[str]:
        """Return the words of a text, compounds of Latin letters and digits in one."""
        pieces = self._other_word.split(visible(normalized(text)))
        with self._lock:
            words = [
                self._multilingual.split(piece) if place % 2 else self._known(piece)
                for place, piece in enumerate(pieces)
            ]
            return list(chain.from_iterable(words))

    def _known(self, text: str) -> Iterator[str]:
        """Yield the words of the scripts that the segmenter knows."""
        for place, piece in enumerate(_LONG_RUN.split(text)):
            yield from pairs(piece) if place % 2 else self._prose(piece)

    def _prose(self, text: str) -> Iterator[str]:
        for place, piece in enumerate(_COMPOUND.split(text)):
            if place % 2:
                yield piece
            else:
                yield from chain.from_iterable(map(self._segment, _SPAN.findall(piece)))

    def tokens(self, word: str) -> Sequence[Token]:
        """Return the word in lower case, or nothing for a sign."""
        bare = word.lstrip(FUNCTION_MARK).replace("://", "/")
        if not any(character.isalnum() for character in bare):
            return ()
        if bare.lower() in self._stop_words or word.startswith(FUNCTION_MARK):
            return (Token.of_function_word(bare.lower()),)
        if self._other_word.search(bare):
            return self._multilingual.tokens(bare)
        parts = [part.lower() for one in compounds(bare) for part in parts_of(one, _MULTILINGUAL)]
        tokens = [Token(shortened(part)) for part in parts]
        return (
            [*tokens, Token(shortened(whole_of(parts)), Kind.WHOLE)] if len(parts) > 1 else tokens
        )


class ChineseAnalyzer(SegmentingAnalyzer):
    """Chinese words by jieba, in simplified characters, long ones with the words inside them."""

    extra = "chinese"
    packages = (("jieba", "jieba"),)

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load jieba's dictionary."""
        jieba = import_module("jieba")
        jieba.setLogLevel(logging.WARNING)  # it prints how it loads
        simplified = _simplified()
        return lambda text: jieba.lcut_for_search(text.translate(simplified))


class JapaneseAnalyzer(SegmentingAnalyzer):
    """Japanese words by MeCab with UniDic, as dictionary forms."""

    extra = "japanese"
    packages = (("fugashi", "fugashi"), ("unidic_lite", "unidic-lite"))
    _function_words = frozenset({"助詞", "助動詞"})
    # Part of speech, dictionary form, and the word as it is written here. That MeCab writes them
    # takes two fifths of the time that reading them from its nodes takes.
    _format = r"-O '' -F '%f[0]\t%f[10]\t%m\n' -U '%f[0]\t\t%m\n'"

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load UniDic."""
        parse = import_module("fugashi").Tagger(self._format).parse
        # Its answer ends with a line of its own, which keeps fugashi from stripping the last word,
        # and at a NUL.
        return lambda text: [
            self._word(*line.split("\t"))
            for line in parse(text.replace("\0", " ")).split("\n")[:-1]
        ]

    def _word(self, part_of_speech: str, form: str, written: str) -> str:
        """Return the dictionary form as it is written: UniDic's lemma is one for all spellings."""
        if part_of_speech in self._function_words:
            return FUNCTION_MARK + written
        word = form or written
        return word[:-1] if _LONG_VOWEL.fullmatch(word) else word


class KoreanAnalyzer(SegmentingAnalyzer):
    """Korean morphemes by Kiwi; particles, endings and affixes are kept apart."""

    extra = "korean"
    packages = (("kiwipiepy", "kiwipiepy"),)
    _other = _OTHER + _CHINESE
    _function_words = frozenset({"J", "E", "V", "X", "N", "M", "I"})
    _content = frozenset({"NNG", "NNP", "NR", "NNB", "VV", "VA", "MAG", "XR", "XPN"})

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load Kiwi's model, which takes a second."""
        tokenize = import_module("kiwipiepy").Kiwi().tokenize
        # A tag may end in "-I" or "-R", for irregular and regular stems.
        return lambda text: [
            FUNCTION_MARK + token.form if self._is_function_word(token.tag) else token.form
            for token in tokenize(text)
        ]

    def _is_function_word(self, tag: str) -> bool:
        """Whether a tag is none of content, numbers, foreign words, addresses or signs."""
        return tag[0] in self._function_words and tag.partition("-")[0] not in self._content


@cache
def _other_word(letters: str) -> re.Pattern[str]:
    """Return what finds words that have such letters, Latin ones and digits among them."""
    latin = f"A-Za-z0-9{re.escape(JOINTS)}"
    return re.compile(rf"((?<![{latin}])[{latin}]*[{letters}][{latin}{letters}]*)")


def _simplified() -> dict[int, str]:
    """Return the simplified character of each traditional one."""
    lines = _TRADITIONAL.read_text("utf-8").splitlines()
    pairs = [pair for line in lines if not line.startswith("#") for pair in line.split()]
    return {ord(pair[0]): pair[1] for pair in pairs}
