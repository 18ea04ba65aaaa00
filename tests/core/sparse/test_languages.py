"""What is found in which language: words that lists would drop, spellings, scripts, identifiers."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import MissingExtraError
from hybridge.sparse.analyzer import build_default_analyzer
from hybridge.sparse.counting import TermCounter
from hybridge.sparse.languages import LANGUAGES
from hybridge.sparse.stop_words import default_stop_words
from hybridge.sparse.term_ids import HashedTermIds
from hybridge.sparse.word_analyzer import Kind

DATA = Path(__file__).parents[2] / "data"


class Pair(NamedTuple):
    """A document and a query, and whether the one is to find the other."""

    language: str
    document: str
    query: str
    matches: bool


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _pair(line: str) -> Pair:
    language, document, query = line[2:].split(" | ")
    return Pair(language, document, query, line.startswith("+"))


PAIRS = [_pair(line) for line in _lines("matches.txt")]
CONTENT_WORDS = {words[0]: words[1:] for words in map(str.split, _lines("content_words.txt"))}


@cache
def _counter(language: str) -> TermCounter:
    try:
        return TermCounter(build_default_analyzer(language), HashedTermIds())
    except MissingExtraError as error:
        pytest.skip(str(error))


def test_the_table_is_large() -> None:
    """At least 150 pairs that match and 50 that do not, of at least 25 languages."""
    counts = Counter(pair.matches for pair in PAIRS)
    assert (counts[True] >= 150, counts[False] >= 50) == (True, True)
    assert len({pair.language for pair in PAIRS}) >= 25


@pytest.mark.parametrize("language", sorted({pair.language for pair in PAIRS}))
def test_documents_are_found_by_what_is_meant(language: str) -> None:
    """A query has a term of the document where it should, and none where it should not."""
    counter = _counter(language)
    wrong = [
        pair
        for pair in PAIRS
        if pair.language == language
        and pair.matches
        != bool(
            np.isin(
                counter.count([pair.document]).indices, counter.count_queries([pair.query]).indices
            ).any()
        )
    ]
    assert wrong == []


def test_no_content_word_is_a_stop_word() -> None:
    """None of at least 40 in each of at least 20 languages."""
    assert len(CONTENT_WORDS) >= 20
    for language, words in CONTENT_WORDS.items():
        assert len(words) >= 40, language
        analyzer = build_default_analyzer(language)
        kinds = {
            word: [token.kind for piece in analyzer.split(word) for token in analyzer.tokens(piece)]
            for word in words
        }
        assert {word for word, found in kinds.items() if found != [Kind.CONTENT]} == set(), language


@pytest.mark.parametrize("language", [one.code for one in LANGUAGES])
def test_every_stop_word_can_be_found(language: str) -> None:
    """A query of it alone has a term, and a document of it alone has that term and no length."""
    [found] = [one for one in LANGUAGES if one.code == language]
    counter, words = _counter(language), sorted(default_stop_words(found).words)
    documents, queries = counter.count(words), counter.count_queries(words)
    for row, word in enumerate(words):
        has, asked = (
            set(counts.indices[counts.indptr[row] : counts.indptr[row + 1]].tolist())
            for counts in (documents, queries)
        )
        assert asked & has, word


def test_a_word_alone_finds_its_document(make_store: Callable[..., MilvusStore]) -> None:
    """Whatever the word, through a store: each of those above, and each English stop word."""
    store = make_store(sparse="bm25:en")
    english = next(one for one in LANGUAGES if one.code == "en")
    words = sorted({*default_stop_words(english).words, *CONTENT_WORDS["en"]})
    store.add(Record(id=f"d{n}", text=f"{word} zebra") for n, word in enumerate(words))
    for n, hits in enumerate(store.search_many(words, k=50, mode="sparse")):
        assert f"d{n}" in {hit.id for hit in hits}, words[n]


LENGTHY = (
    "a",
    "\N{GRINNING FACE}",
    "l·",
    "aB",
    "1.",
    "a-",
    "a'",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{COMBINING ACUTE ACCENT}\N{COMBINING DOT BELOW}",
    "\N{HEBREW POINT HATAF SEGOL}\N{HEBREW POINT SHEVA}",
    "_",
    "中",
    "データ",
    "가",
    "ไม่",
    "မြန်",
)


@pytest.mark.long
@pytest.mark.parametrize("language", ["ca", "en", "fa", "tr", "uk", "zh", "ja", "ko"])
def test_no_text_takes_quadratic_time(language: str) -> None:
    """A million characters without a space take seconds: a generous hang guard, for a busy machine.

    Of languages that differ in what they split, join, elide and fold; of the others one is like
    another. And a term has at most 128 letters.
    """
    counter = _counter(language)
    started = time.process_time()
    for piece in LENGTHY:
        assert len(counter.count([piece * (1_000_000 // len(piece))])) == 1
    assert time.process_time() - started < 15 * len(LENGTHY)
    assert max(map(len, counter.terms("a" * 1000))) <= 128


@pytest.mark.parametrize(
    ("language", "piece", "query"),
    [("zh", "中国历史", "历史"), ("ja", "東京都日本語", "日本"), ("ko", "한국어사전", "한국")],
)
def test_no_run_is_too_long_for_a_segmenter(language: str, piece: str, query: str) -> None:
    """What has no space is found by its words of two characters; signs and Latin do no harm.

    The last one has words enough to end the process, were they given to MeCab at once.
    """
    counter = _counter(language)
    [wanted] = counter.count_queries([query]).indices
    for text in (piece * 10_000, f"a-b{piece * 300}", "\N{GRINNING FACE}" * 30_000 + f" {query}"):
        assert wanted in counter.count([text]).indices
    assert counter.count(["aB " * 100_000]).lengths.tolist() == [200_000]


@pytest.mark.parametrize(("language", "word"), [("zh", "东京"), ("ja", "東京"), ("ko", "서울")])
def test_no_sign_is_in_a_segmenters_way(language: str, word: str) -> None:
    """White space and control characters of any kind, wherever they are: MeCab's text is parsed."""
    analyzer = build_default_analyzer(language)
    kinds = {"Cc", "Zs", "Zl", "Zp"}
    for sign in filter(lambda one: unicodedata.category(one) in kinds, map(chr, range(0x10000))):
        assert analyzer(f"{word}{sign}") == analyzer(f"{sign}{word}") == [word], ascii(sign)
        assert analyzer(f"{word}{sign}{word}") == [word, word], ascii(sign)
        assert analyzer(sign) == []


def test_the_documentation_names_every_language() -> None:
    """With what it does, and how many stop words it has."""
    lines = (Path(__file__).parents[3] / "docs" / "languages.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| ")]
    listed = {row[1]: (row[2], row[5]) for row in cells[2:]}
    assert listed.keys() == {one.code for one in LANGUAGES}
    for one in LANGUAGES:
        name, stop_words = listed[one.code]
        number = len(default_stop_words(one).words)
        assert (name, stop_words.partition(",")[0]) == (one.name, str(number or "none"))
