"""Parity with `pymilvus.model`, on files that it wrote."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.sparse.bm25 import BM25EmbeddingFunction
from support.retrieval_quality import SHARED

GOLDEN = SHARED / "golden"
SETS = [
    "seed3",
    "en51_default",
    "en51_eps_positive",
    "en51_k1.2_b0.4_eps0.1",
    "half_zero_idf",
    "neg3_negative_average_idf",
]
# The golden files hold no tokens for these.
HELD_OUT = {
    "Turing read 500 new papers about rivers": ["ture", "read", "500", "new", "paper", "river"],
    "unknownword only": ["unknownword"],
    "river river river river": ["river"] * 4,
}

pytestmark = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"no golden files in {GOLDEN}: set HYBRIDGE_SHARED"
)


class Golden:
    """One golden set: what `pymilvus.model` saved, and the vectors that it gave."""

    def __init__(self, name: str) -> None:
        self.path = GOLDEN / f"{name}.params.json"
        self.parameters = json.loads(self.path.read_text("utf-8"))
        self.data = json.loads((GOLDEN / f"{name}.vectors.json").read_text("utf-8"))
        self._tokens = HELD_OUT | dict(
            zip(
                self.data["docs"] + self.data["queries"],
                self.data["doc_tokens"] + self.data["query_tokens"],
                strict=True,
            )
        )

    def unfitted(self) -> BM25EmbeddingFunction:
        """Return a function with the parameters and the tokens of the set."""
        saved = self.parameters
        return BM25EmbeddingFunction(
            self._tokens.__getitem__, None, saved["k1"], saved["b"], saved["epsilon"], idf="okapi"
        )

    def fitted(self) -> BM25EmbeddingFunction:
        """Return the function, fitted on the documents of the set."""
        function = self.unfitted()
        function.fit(self.data["docs"])
        return function

    def loaded(self) -> BM25EmbeddingFunction:
        """Return the function, loaded from the file that `pymilvus.model` saved."""
        function = self.unfitted()
        function.load(self.path)
        return function

    def dense(self, key: str) -> NDArray[np.float32]:
        """Return the golden vectors under a key as a dense float32 matrix."""
        matrix = np.zeros((len(self.data[key]), self.data["dim"]), np.float32)
        for row, vector in zip(matrix, self.data[key], strict=True):
            row[vector["indices"]] = vector["values"]
        return matrix


@pytest.fixture(params=SETS)
def golden(request: pytest.FixtureRequest) -> Golden:
    """Each golden set in turn."""
    return Golden(request.param)


def _is_well_formed(matrix: csr_array) -> bool:
    return (
        matrix.dtype == np.float32
        and bool(matrix.has_sorted_indices)
        and bool(np.all(matrix.data != 0))
    )


def _saved(function: BM25EmbeddingFunction, folder: Any) -> dict[str, Any]:
    function.save(folder / "bm25.json")
    content: dict[str, Any] = json.loads((folder / "bm25.json").read_text("utf-8"))
    return content


def test_fit_gives_ids_and_idf_bit_for_bit(golden: Golden, tmp_path: Any) -> None:
    """Fitting the golden tokens saves the very numbers that `pymilvus.model` saved."""
    ours = _saved(golden.fitted(), tmp_path)
    assert {key: ours[key] for key in golden.parameters} == golden.parameters


def test_document_vectors_are_equal_bit_for_bit(golden: Golden) -> None:
    """Document vectors equal the golden ones in every bit, and are sorted without zeros."""
    function = golden.fitted()
    for key, texts in (("doc_vectors", "docs"), ("held_out_vectors", "held_out_docs")):
        matrix = function.encode_documents(golden.data[texts])
        assert _is_well_formed(matrix)
        np.testing.assert_array_equal(matrix.toarray(), golden.dense(key))


def test_fit_encode_equals_fit_then_encode(golden: Golden) -> None:
    """Counting once gives the golden document vectors as well."""
    matrix = golden.unfitted().fit_encode(golden.data["docs"])
    np.testing.assert_array_equal(matrix.toarray(), golden.dense("doc_vectors"))


def test_query_vectors_are_equal(golden: Golden) -> None:
    """Query vectors are within 1e-6 of the golden ones; an idf of exactly 0 is left out."""
    matrix = golden.fitted().encode_queries(golden.data["queries"])
    assert _is_well_formed(matrix)
    np.testing.assert_allclose(matrix.toarray(), golden.dense("query_vectors"), rtol=0, atol=1e-6)


def test_a_loaded_file_encodes_alike(golden: Golden) -> None:
    """A file of `pymilvus.model` gives its vectors, whether or not its counts can be told."""
    function = golden.loaded()
    np.testing.assert_array_equal(
        function.encode_documents(golden.data["docs"]).toarray(), golden.dense("doc_vectors")
    )
    queries = function.encode_queries(golden.data["queries"])
    assert _is_well_formed(queries)
    np.testing.assert_allclose(queries.toarray(), golden.dense("query_vectors"), rtol=0, atol=1e-6)


def test_pymilvus_model_loads_our_files(golden: Golden, tmp_path: Any) -> None:
    """`pymilvus.model` itself, where it is installed, reads our file and encodes as before."""
    theirs = pytest.importorskip("pymilvus.model.sparse.bm25.bm25", exc_type=ImportError)
    golden.fitted().save(tmp_path / "bm25.json")
    function = theirs.BM25EmbeddingFunction(golden.unfitted().analyzer)
    function.load(str(tmp_path / "bm25.json"))
    for encode, texts, vectors in (
        (function.encode_documents, "docs", "doc_vectors"),
        (function.encode_queries, "queries", "query_vectors"),
    ):
        np.testing.assert_array_equal(encode(golden.data[texts]).toarray(), golden.dense(vectors))


def test_a_loaded_file_is_saved_unchanged(golden: Golden, tmp_path: Any) -> None:
    """Loading a file of `pymilvus.model` and saving it again keeps all that it held."""
    ours = _saved(golden.loaded(), tmp_path)
    assert ours.keys() >= golden.parameters.keys()
    assert ours["idf_word"] == golden.parameters["idf_word"]
    np.testing.assert_allclose(ours["idf_value"], golden.parameters["idf_value"], rtol=1e-12)
    assert ours["avgdl"] == golden.parameters["avgdl"]
