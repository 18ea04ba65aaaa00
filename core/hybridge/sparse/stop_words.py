"""The words that are too common to be worth indexing.

English has a list of its own, of the language's closed classes: articles, pronouns, prepositions,
conjunctions and auxiliaries. The two packages that are kept up to date, `stopwordsiso` 0.7.1 (1,298
English words) and `stop-words` 2025.11.4 (1,333), hold content words as well: "find", "page",
"system", "world". nDCG@10 of BM25 with k1=1.5, b=0.75 and Snowball stemming:

| list | words | cranfield | xquad-en |
| --- | --- | --- | --- |
| none | 0 | .375 | .966 |
| Lucene's | 33 | .380 | .966 |
| NLTK's, contractions taken apart | 153 | .390 | .968 |
| stopwordsiso | 1,298 | .387 | .958 |
| stop-words | 1,333 | .387 | .958 |
| closed classes, used here | 182 | .389 | .966 |

The other languages take `stopwordsiso`, the better kept of the two (57 languages, where the other
has 33); on xquad-ru it scores .950, stop-words .952, NLTK's list .953 and none .951. It has no list
for Nepali, Serbian, Tamil and Yiddish, which go without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version

from hybridge.sparse.languages import JAPANESE, KOREAN, Language
from hybridge.texts import parse_texts

_ENGLISH = (
    # articles and determiners
    "a an the this that these those each every either neither some any no such both all own same "
    "other another",
    # pronouns
    "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself "
    "she her hers herself it its itself they them their theirs themselves who whom whose what "
    "which",
    # adverbs that ask, compare or deny
    "when where why how here there then than not only very too so as more most few",
    # prepositions
    "about above across after against along among around at before behind below beneath beside "
    "between beyond by down during for from in into of off on onto out over per through "
    "throughout to toward towards under until up upon via with within without",
    # conjunctions
    "and but or nor yet if else because while whereas although though whether unless since",
    # auxiliaries
    "am is are was were be been being have has had having do does did doing done can cannot could "
    "might must shall should will would ought",
    # what is left where an apostrophe parts a contraction
    "s t d m ll re ve ain aren couldn didn doesn don hadn hasn haven isn mightn mustn needn shan "
    "shouldn wasn weren wouldn",
)


@dataclass(frozen=True)
class StopWords:
    """A list of stop words.

    Attributes:
        name: Where it comes from, with its version.
        words: The words, as they are written.
    """

    name: str
    words: Collection[str]


def default_stop_words(language: Language) -> StopWords:
    """Return the list of a language, empty where there is none."""
    if language.code == "en":
        return StopWords("English closed classes 1", frozenset(" ".join(_ENGLISH).split()))
    import stopwordsiso

    # The segmenters of Japanese and Korean tell function words by their part of speech.
    if language in (JAPANESE, KOREAN) or not stopwordsiso.has_lang(language.code):
        return StopWords("none", ())
    words = stopwordsiso.stopwords(language.code)
    return StopWords(f"stopwordsiso {version('stopwordsiso')}", words)


def own_stop_words(words: Iterable[str]) -> StopWords:
    """Return a user's list, named by its content.

    Raises:
        InvalidInputError: `words` is a single string, or holds something other than strings.
    """
    kept = sorted(set(parse_texts(words, "stop_words")))
    if not kept:
        return StopWords("none", ())
    digest = hashlib.sha256("\n".join(kept).encode()).hexdigest()[:16]
    return StopWords(f"own {digest}", kept)
