"""BGE-M3: dense and lexical vectors of a text from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.hybrid.bge_m3_model import BGEM3Model, Pair
from hybridge.hybrid.halves import Halves
from hybridge.texts import checked_texts

_NAME = "BGEM3EmbeddingFunction"
_DENSE, _SPARSE = 0, 1


class HybridVectors(TypedDict, total=False):
    """Both kinds of vectors of one list of texts."""

    dense: NDArray[np.float32]
    sparse: csr_array


class BGEM3EmbeddingFunction:
    """Embeds texts with BGE-M3 (100 languages), dense and sparse at once.

    Called by itself it returns both kinds of vectors in a dictionary, as `pymilvus.model` does. A
    store takes its two views, `MilvusStore(dense=function.dense, sparse=function.sparse)`; they
    share the forward passes: what one computes for a list of texts, the other only fetches. The
    model is loaded when this object is made. Safe to use from several threads.

    Args:
        model_name: A name on the hub, or the path of a folder.
        batch_size: Texts in one forward pass.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        normalize_embeddings: Whether to bring every dense vector to length 1.
        use_fp16: Whether to compute in 16 bits on a GPU.
        return_dense: Whether the dictionary holds dense vectors.
        return_sparse: Whether the dictionary holds sparse vectors.
        return_colbert_vecs: Must be False: multi-vectors have no place in a store.
        max_length: Tokens of a text that count, at most 8,192.

    Attributes:
        model_name: The model's name or path.
        dense: The dense vectors alone, as a `DenseEmbeddingFunction`.
        sparse: The lexical weights alone, as a `SparseEmbeddingFunction`.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: The files make no usable model, or an argument is wrong.
    """

    def __init__(
        self,
        model_name: str | Path = "BAAI/bge-m3",
        batch_size: int = 16,
        device: str | None = None,
        normalize_embeddings: bool = True,
        use_fp16: bool = False,
        return_dense: bool = True,
        return_sparse: bool = True,
        return_colbert_vecs: bool = False,
        *,
        max_length: int = 512,
    ) -> None:
        if return_colbert_vecs:
            raise InvalidInputError("BGE-M3's multi-vectors are not supported: leave them out")
        import_extra("torch", _NAME, "dense")
        import_extra("transformers", _NAME, "dense")
        self.model_name = str(model_name)
        self._model = BGEM3Model(self.model_name, device, use_fp16)
        self._batch_size = batch_size
        self._normalize = normalize_embeddings
        self._max_length = max_length
        self._returns = {"dense": return_dense, "sparse": return_sparse}
        self._halves = Halves()
        self.dense = DenseView(self)
        self.sparse = SparseView(self)

    @property
    def dim(self) -> dict[str, int]:
        """The length of the dense vectors, and the size of the vocabulary."""
        return {"dense": self._model.dense_dim, "sparse": self._model.sparse_dim}

    def __call__(self, texts: Sequence[str]) -> HybridVectors:
        """Return both kinds of vectors; see `encode_documents`."""
        return self._both(checked_texts(texts, "texts"))

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> HybridVectors:
        """Return `{"dense": array of shape (n, dim), "sparse": csr_array of shape (n, dim)}`.

        Args:
            documents: The texts; an empty list gives arrays without rows.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is no list of strings.
        """
        return self._both(checked_texts(documents, "documents"), progress)

    def encode_queries(self, queries: Sequence[str]) -> HybridVectors:
        """Return both kinds of vectors; BGE-M3 treats queries as it treats documents."""
        return self._both(checked_texts(queries, "queries"))

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _both(self, texts: list[str], progress: bool = False) -> HybridVectors:
        dense, sparse = self._encode(texts, progress)
        vectors = HybridVectors(dense=dense, sparse=sparse)
        if not self._returns["dense"]:
            del vectors["dense"]
        if not self._returns["sparse"]:
            del vectors["sparse"]
        return vectors

    def _half(self, half: int, texts: list[str], progress: bool = False) -> Any:
        return self._halves.take(half, tuple(texts), lambda: self._encode(texts, progress))

    def _encode(self, texts: list[str], progress: bool) -> Pair:
        if not texts:
            dense = np.empty((0, self._model.dense_dim), dtype=np.float32)
            return dense, csr_array((0, self._model.sparse_dim), dtype=np.float32)
        dense, sparse = self._model.encode(texts, self._max_length, self._batch_size, progress)
        if self._normalize:
            dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
        return dense, sparse


class DenseView:
    """The dense vectors of a `BGEM3EmbeddingFunction`; a `DenseEmbeddingFunction`."""

    def __init__(self, function: BGEM3EmbeddingFunction) -> None:
        self._function = function
        self.model_name = function.model_name

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._function.dim["dense"]

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`."""
        return self._take(checked_texts(documents, "documents"), progress)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`."""
        return self._take(checked_texts(queries, "queries"))

    def __repr__(self) -> str:
        return f"{self._function!r}.dense"

    def _take(self, texts: list[str], progress: bool = False) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._function._half(_DENSE, texts, progress)
        return vectors


class SparseView:
    """The lexical weights of a `BGEM3EmbeddingFunction`; a `SparseEmbeddingFunction`."""

    def __init__(self, function: BGEM3EmbeddingFunction) -> None:
        self._function = function
        self.model_name = function.model_name

    @property
    def dim(self) -> int:
        """The size of the vocabulary."""
        return self._function.dim["sparse"]

    def encode_documents(self, documents: Sequence[str], *, progress: bool = False) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(documents), dim)`, indices sorted."""
        return self._function._half(_SPARSE, checked_texts(documents, "documents"), progress)

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(queries), dim)`, indices sorted."""
        return self._function._half(_SPARSE, checked_texts(queries, "queries"))

    def __repr__(self) -> str:
        return f"{self._function!r}.sparse"
