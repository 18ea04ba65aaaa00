"""SPLADE on a tiny random masked-language model: the weights of sentence-transformers, as csr."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.protocols import SparseEmbeddingFunction
from hybridge.sparse.splade import SpladeEmbeddingFunction
from support.tiny_models import tiny_splade

TEXTS = ["a b c", "", "red apple d e f g", "pear " * 100, "c a b"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return tiny_splade(tmp_path_factory.mktemp("splade"))


@pytest.fixture(scope="module")
def function(folder: Path) -> SpladeEmbeddingFunction:
    """A function that keeps all weights."""
    return SpladeEmbeddingFunction(folder, device="cpu")


def assert_well_formed(vectors: Any, count: int, dim: int) -> None:
    """Check the form that the store asks for."""
    assert isinstance(vectors, csr_array)
    assert (vectors.shape, vectors.dtype) == ((count, dim), np.float32)
    assert vectors.has_sorted_indices
    assert (vectors.data > 0).all()


def test_weights_are_those_of_sentence_transformers(
    function: SpladeEmbeddingFunction, folder: Path
) -> None:
    """Documents, queries and plain calls equal `SparseEncoder` within 1e-5."""
    from sentence_transformers import SparseEncoder

    model = SparseEncoder(str(folder), device="cpu")
    for encode, theirs in [
        (function, model.encode),
        (function.encode_documents, model.encode_document),
        (function.encode_queries, model.encode_query),
    ]:
        vectors = encode(TEXTS)
        assert_well_formed(vectors, len(TEXTS), function.dim)
        np.testing.assert_allclose(vectors.toarray(), theirs(TEXTS).to_dense(), atol=1e-5)
    assert isinstance(function, SparseEmbeddingFunction)


def test_the_largest_weights_are_kept(folder: Path, function: SpladeEmbeddingFunction) -> None:
    """`k_tokens_query` and `k_tokens_document` keep each that many weights, the largest."""
    cut = SpladeEmbeddingFunction(folder, device="cpu", k_tokens_query=2, k_tokens_document=3)
    for encode, kept in [("encode_queries", 2), ("encode_documents", 3)]:
        full = getattr(function, encode)(TEXTS).toarray()
        found = getattr(cut, encode)(TEXTS)
        assert_well_formed(found, len(TEXTS), function.dim)
        for row, vector in zip(full, found.toarray(), strict=True):
            np.testing.assert_allclose(np.sort(vector)[-kept:], np.sort(row)[-kept:], atol=1e-5)
            assert (vector > 0).sum() <= kept


def test_no_texts_give_no_rows(function: SpladeEmbeddingFunction) -> None:
    """An empty list gives (0, dim)."""
    assert_well_formed(function.encode_documents([]), 0, function.dim)


def test_instructions_come_before_the_texts(
    folder: Path, function: SpladeEmbeddingFunction
) -> None:
    """Queries and documents each get their own instruction."""
    instructed = SpladeEmbeddingFunction(folder, 32, "a ", "b ", "cpu")
    for encode, instruction in [("encode_queries", "a "), ("encode_documents", "b ")]:
        expected = function([instruction + text for text in TEXTS]).toarray()
        found = getattr(instructed, encode)(TEXTS).toarray()
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_threads_get_the_vectors_that_one_thread_gets(function: SpladeEmbeddingFunction) -> None:
    """Eight threads with texts of many lengths compute what one computes."""
    batches = [["a b " * (n % 7 + m) for m in range(4)] for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(function.encode_documents, batches))
    for vectors, batch in zip(found, batches, strict=True):
        expected = function.encode_documents(batch).toarray()
        np.testing.assert_allclose(vectors.toarray(), expected, atol=1e-5)


@pytest.mark.parametrize("texts", ["a text", None, ["a", 1]])
def test_what_is_no_list_of_texts_is_refused(function: SpladeEmbeddingFunction, texts: Any) -> None:
    """A lone string, or anything that is no text, is an error."""
    with pytest.raises(InvalidInputError):
        function.encode_queries(texts)


@pytest.mark.parametrize("kept", [0, -1, 1.5, True])
def test_impossible_numbers_of_tokens_are_refused(folder: Path, kept: Any) -> None:
    """At least one weight must be kept, and a whole number of them."""
    with pytest.raises(InvalidInputError, match="k_tokens_query"):
        SpladeEmbeddingFunction(folder, k_tokens_query=kept)
