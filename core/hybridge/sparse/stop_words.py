"""The words that are too common to rank by.

They are indexed as terms of their own kind, so that "The Who" is found, but add nothing to the
length of a text, and a query leaves them out as long as it has other words.

English has a list of its own, of the language's closed classes: articles, pronouns, prepositions,
conjunctions and auxiliaries. The packages that are kept up to date hold content words as well:
`stopwordsiso` 0.7.1 (1,298 English words) and `stop-words` 2025.11.4 (1,333) have "find", "page",
"system", "world", and in Russian "вода", "жизнь", "человек". nDCG@10 of BM25 with k1=1.5, b=0.75
and Snowball stemming:

| list | words | cranfield | xquad-en |
| --- | --- | --- | --- |
| none | 0 | .375 | .966 |
| Lucene's | 33 | .380 | .966 |
| NLTK's, contractions taken apart | 153 | .390 | .968 |
| stopwordsiso | 1,298 | .387 | .958 |
| stop-words | 1,333 | .387 | .958 |
| closed classes, used here | 182 | .389 | .966 |

Other languages have Snowball's lists without the content words among them (`stop_lists`), or none:
no list beats a bad one, and on xquad-ru none costs .002.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from hybridge.sparse.languages import Language
from hybridge.texts import parse_texts

_LISTS = Path(__file__).parent / "stop_lists"

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
    "ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't "
    "mustn't needn't shan't shouldn't wasn't weren't won't wouldn't",
)
_CHINESE = (
    "的 了 是 在 和 与 與 及 就 也 都 而 着 著 之 于 於 吗 嗎 呢 "
    "吧 啊 把 被 从 從 或 但 但是 因为 因為 所以 如果 这 這 那 这个 這個 那个 那個 "
    "我 你 他 她 它 我们 我們 你们 你們 他们 他們 什么 什麼 怎么 怎麼 哪 哪里 哪裡 谁 誰 "
    "不 很 又 还 還 对 對 为 為 以 其 个 個"
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
    path = _LISTS / f"{language.code}.txt"
    if language.code == "en":
        return StopWords("English closed classes 2", frozenset(" ".join(_ENGLISH).split()))
    if language.code == "zh":
        return StopWords("Chinese closed classes 1", frozenset(_CHINESE.split()))
    if path.is_file():
        return StopWords("Snowball 1", frozenset(path.read_text("utf-8").split()))
    return StopWords("none", ())


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
