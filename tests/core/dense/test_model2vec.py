"""Static models: looked up and averaged, through the library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridge.dense import Model2VecEmbeddingFunction
from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.registry import dense_function, function_name
from support.tiny_models import tiny_static_model

pytest.importorskip("model2vec", reason="the extra `model2vec` is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny static model."""
    return tiny_static_model(tmp_path_factory.mktemp("static") / "model")


def test_a_text_is_the_mean_of_its_tokens(folder: Path) -> None:
    """Queries and documents alike, as float32, in the order of the texts."""
    function = dense_function(f"model2vec/{folder}")
    assert isinstance(function, DenseEmbeddingFunction)
    assert function_name(function) == f"model2vec/{folder}"
    vectors = function.encode_documents(["red apple", "red", "apple"])
    assert (vectors.dtype, vectors.shape) == (np.float32, (3, function.dim))
    np.testing.assert_allclose(vectors[0], (vectors[1] + vectors[2]) / 2, atol=1e-6)
    np.testing.assert_array_equal(function.encode_queries(["red"])[0], vectors[1])
    assert function.encode_documents([]).shape == (0, function.dim)


def test_vectors_are_normalised_and_shortened_on_request(folder: Path) -> None:
    """The library's own options reach it."""
    function = Model2VecEmbeddingFunction(folder, normalize_embeddings=True, dimensionality=4)
    vectors = function(["red apple"])
    assert vectors.shape == (1, 4)
    assert np.linalg.norm(vectors) == pytest.approx(1)


def test_what_is_no_static_model_is_refused(folder: Path, tmp_path: Path) -> None:
    """An empty folder, a path that is not there, an option that does not exist, other input."""
    with pytest.raises((InvalidInputError, ModelNotFoundError)):
        Model2VecEmbeddingFunction(tmp_path)
    with pytest.raises(ModelNotFoundError):
        Model2VecEmbeddingFunction("./none")
    with pytest.raises(InvalidInputError):
        Model2VecEmbeddingFunction(folder, no_such=1)
    with pytest.raises(InvalidInputError):
        Model2VecEmbeddingFunction(folder).encode_queries("one text")  # type: ignore[arg-type]
