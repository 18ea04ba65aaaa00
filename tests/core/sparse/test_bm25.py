"""BM25 over a corpus: fitting, growing, merging, encoding."""

from __future__ import annotations

import inspect
import logging
import math
import pickle
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError, NotFittedError
from hybridge.protocols import SparseEmbeddingFunction
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.weighting import Idf, Weighting

CORPUS = [
    "The river flows past the bank.",
    "A bank lends money; the bank keeps it.",
    "",
    "Rivers, rivers and rivers",
]

words = st.sampled_from(["river", "bank", "money", "flow", "the", "lend"])
documents = st.lists(words, max_size=6).map(" ".join)
corpora = st.lists(documents, min_size=1, max_size=6)
idfs: st.SearchStrategy[Idf] = st.sampled_from(["lucene", "okapi"])


def _fitted(corpus: list[str], idf: Idf = "lucene") -> BM25EmbeddingFunction:
    return BM25EmbeddingFunction(str.split, corpus, idf=idf)


def _is_well_formed(matrix: csr_array, rows: int, dim: int) -> bool:
    return (
        isinstance(matrix, csr_array)
        and matrix.shape == (rows, dim)
        and matrix.dtype == np.float32
        and bool(matrix.has_canonical_format)
        and bool(np.all(matrix.data != 0))
    )


def _equal(a: BM25EmbeddingFunction, b: BM25EmbeddingFunction, texts: list[str]) -> bool:
    """Whether two functions give the same vectors."""
    pairs = (
        (a.encode_documents(texts), b.encode_documents(texts)),
        (a.encode_queries(texts), b.encode_queries(texts)),
    )
    return a.dim == b.dim and all(np.array_equal(x.toarray(), y.toarray()) for x, y in pairs)


@given(corpora, documents)
def test_scores_are_bm25(corpus: list[str], query: str) -> None:
    """The inner product of a query and a document is BM25, as the formula on paper has it."""
    function = _fitted(corpus)
    scores = function.encode_queries([query]) @ function.encode_documents(corpus).T
    split = [document.split() for document in corpus]
    average = sum(map(len, split)) / len(split)
    for document, score in zip(split, scores.toarray()[0], strict=True):
        expected = 0.0
        for term in query.split():
            frequency = sum(term in other for other in split)
            count = Counter(document)[term]
            if count:
                idf = math.log(1 + (len(split) - frequency + 0.5) / (frequency + 0.5))
                norm = 1.5 * (0.25 + 0.75 * len(document) / average)
                expected += idf * count * 2.5 / (count + norm)
        assert score == pytest.approx(expected, rel=1e-5)


@given(corpora, idfs)
def test_matrices_are_well_formed(corpus: list[str], idf: Idf) -> None:
    """Results are canonical float32 csr_arrays of shape (n, dim) without zeros."""
    function = _fitted(corpus, idf)
    for matrix in (function.encode_documents(corpus), function.encode_queries(corpus)):
        assert _is_well_formed(matrix, len(corpus), function.dim)
    assert _is_well_formed(function.encode_documents([]), 0, function.dim)
    assert _is_well_formed(function.encode_queries([]), 0, function.dim)


@given(corpora, idfs)
def test_fit_encode_is_fit_then_encode(corpus: list[str], idf: Idf) -> None:
    """Counting once gives what fitting and encoding give, from a generator as well."""
    function = BM25EmbeddingFunction(str.split, idf=idf)
    vectors = function.fit_encode(document for document in corpus)
    assert _equal(function, _fitted(corpus, idf), corpus)
    np.testing.assert_array_equal(vectors.toarray(), function.encode_documents(corpus).toarray())


@given(corpora, corpora, idfs)
def test_partial_fit_counts_like_fit(head: list[str], tail: list[str], idf: Idf) -> None:
    """After `partial_fit` term ids and idf are those of a fit on everything."""
    grown, whole = _fitted(head, idf), _fitted(head + tail, idf)
    grown.partial_fit(tail)
    queries = [*head, *tail]
    assert grown.dim == whole.dim
    np.testing.assert_array_equal(
        grown.encode_queries(queries).toarray(), whole.encode_queries(queries).toarray()
    )


@given(corpora, corpora)
def test_partial_fit_leaves_document_vectors_as_they_were(head: list[str], tail: list[str]) -> None:
    """Vectors made before stay right: known terms keep index and weight, whatever is added."""
    function = _fitted(head)
    known = function.dim
    before = function.encode_documents(head).toarray()
    assume(known)  # the average length is frozen by the first document that has a term
    function.partial_fit(tail)
    np.testing.assert_array_equal(function.encode_documents(head).toarray()[:, :known], before)


@given(corpora, corpora, corpora, idfs)
def test_merge_is_a_fit_on_everything(a: list[str], b: list[str], c: list[str], idf: Idf) -> None:
    """Merging fitted functions equals one fit, however they are grouped, and changes neither."""
    parts = [_fitted(corpus, idf) for corpus in (a, b, c)]
    whole = _fitted(a + b + c, idf)
    texts = a + b + c
    assert _equal(parts[0].merge(parts[1]).merge(parts[2]), whole, texts)
    assert _equal(parts[0].merge(parts[1].merge(parts[2])), whole, texts)
    assert _equal(parts[0], _fitted(a, idf), texts)
    assert _equal(parts[1], _fitted(b, idf), texts)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (BM25EmbeddingFunction("ru", CORPUS), "analyzers"),
        (BM25EmbeddingFunction("en", CORPUS, 1.2), "weightings"),
    ],
)
def test_functions_that_differ_do_not_merge(other: BM25EmbeddingFunction, what: str) -> None:
    """Counts made in different ways are not mixed; the error shows both ways."""
    with pytest.raises(InvalidInputError, match=what):
        BM25EmbeddingFunction("en", CORPUS).merge(other)


def test_the_default_is_english() -> None:
    """Without arguments, English text is analyzed and forms of a word meet."""
    function = BM25EmbeddingFunction(corpus=CORPUS)
    [scores] = (
        function.encode_queries(["the flowing rivers"]) @ function.encode_documents(CORPUS).T
    ).toarray()
    assert (scores > 0).tolist() == [True, False, False, True]


def test_the_order_of_arguments_is_that_of_pymilvus_model() -> None:
    """Positional calls written for `pymilvus.model` mean the same here."""
    names = list(inspect.signature(BM25EmbeddingFunction).parameters)
    assert names[:6] == ["analyzer", "corpus", "k1", "b", "epsilon", "num_workers"]
    function = BM25EmbeddingFunction("en", CORPUS, 1.2, 0.5, 0.1, 2)
    assert function.weighting == Weighting(k1=1.2, b=0.5, epsilon=0.1)
    assert function.fitted


def test_it_is_a_sparse_function() -> None:
    """It satisfies the protocol that stores ask for."""
    assert isinstance(BM25EmbeddingFunction(), SparseEmbeddingFunction)


def test_an_unfitted_function_shows_its_settings() -> None:
    """What a store takes over from an unfitted function can be read, and not written."""
    function = BM25EmbeddingFunction("ru", k1=1.2, idf="okapi")
    assert (function.fitted, function.dim) == (False, 0)
    assert function.weighting == Weighting(k1=1.2, idf="okapi")
    assert "russian" in function.analyzer.identity
    for name in ("analyzer", "weighting", "fitted", "dim"):
        with pytest.raises(AttributeError):
            setattr(function, name, None)


@pytest.mark.parametrize(
    "call",
    [
        lambda function: function.encode_documents(["a"]),
        lambda function: function.encode_queries(["a"]),
        lambda function: function.save("never.json"),
    ],
)
def test_an_unfitted_function_does_not_encode(
    call: Callable[[BM25EmbeddingFunction], object],
) -> None:
    """Encoding before fitting is an error that says what to call first."""
    with pytest.raises(NotFittedError, match="call fit or load first"):
        call(BM25EmbeddingFunction())


@pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_encode"])
@pytest.mark.parametrize(
    ("corpus", "reason"),
    [
        ([], "no documents"),
        ("one text", r"write \[text\]"),
        (["a", None], r"texts\[1\] must be a string"),
    ],
)
def test_a_corpus_that_cannot_be_counted_changes_nothing(
    method: str, corpus: object, reason: str
) -> None:
    """No documents, or something that is no text, is refused; what was fitted before stays."""
    function = BM25EmbeddingFunction("en", CORPUS)
    with pytest.raises(InvalidInputError, match=reason):
        getattr(function, method)(corpus)
    assert _equal(function, BM25EmbeddingFunction("en", CORPUS), CORPUS)
    with pytest.raises(InvalidInputError, match=reason):
        BM25EmbeddingFunction("en", corpus)  # type: ignore[arg-type]


def test_a_corpus_that_breaks_off_changes_nothing() -> None:
    """If the documents' source fails half way, nothing of it was counted, terms included."""

    def breaking() -> object:
        yield "new words"
        raise OSError

    function = BM25EmbeddingFunction("en", CORPUS)
    for method in (function.fit, function.partial_fit):
        with pytest.raises(OSError):  # noqa: PT011
            method(breaking())  # type: ignore[arg-type]
    function.partial_fit(["other words"])
    expected = BM25EmbeddingFunction("en", CORPUS)
    expected.partial_fit(["other words"])
    assert _equal(function, expected, [*CORPUS, "new other words"])


def test_a_corpus_without_terms_has_empty_vectors() -> None:
    """Documents of stop words alone are counted, and documents that come later can be weighed."""
    function = BM25EmbeddingFunction("en", ["the", ""])
    assert function.fitted
    assert function.encode_documents(["river"]).shape == (1, 0)
    function.partial_fit(["river bank"])
    assert function.encode_documents(["river"]).nnz == 1


def test_refitting_forgets() -> None:
    """A second `fit` starts anew."""
    function = BM25EmbeddingFunction("en", ["other words entirely"])
    function.fit(CORPUS)
    assert _equal(function, BM25EmbeddingFunction("en", CORPUS), CORPUS)


def test_drift_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """An average length that moves by more than 15 % is logged, once until the next fit."""
    function = BM25EmbeddingFunction(str.split, ["one two three four"] * 10)
    with caplog.at_level(logging.WARNING, "hybridge"):
        function.partial_fit(["one two three four five"] * 10)
        assert not caplog.records
        for _ in range(2):
            function.partial_fit(["one " * 30])
        assert len(caplog.records) == 1
    assert "4.0" in caplog.text


def test_a_copy_from_a_pickle_encodes_and_grows_alike() -> None:
    """A function sent to another process is complete."""
    function = BM25EmbeddingFunction("ru", ["Река течёт мимо банка", "Банк"])
    copy = pickle.loads(pickle.dumps(function))
    for one in (function, copy):
        one.partial_fit(["Новая река"])
    assert _equal(function, copy, ["новые реки и банки"])


def test_threads_may_encode_at_once() -> None:
    """Concurrent encoding gives what encoding one after the other gives."""
    function = BM25EmbeddingFunction("en", CORPUS)
    texts = [f"unknown{i} rivers bank {i}" for i in range(200)]
    expected = BM25EmbeddingFunction("en", CORPUS).encode_documents(texts).toarray()
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(function.encode_documents, [texts] * 16):
            np.testing.assert_array_equal(result.toarray(), expected)


def test_progress_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar counts the texts; without `progress=True` nothing is printed."""
    function = BM25EmbeddingFunction("en", CORPUS)
    function.encode_documents(CORPUS)
    assert capsys.readouterr().err == ""
    function.fit(iter(CORPUS), progress=True)
    assert "4text" in capsys.readouterr().err
    function.encode_documents(CORPUS, progress=True)
    assert "4/4" in capsys.readouterr().err
