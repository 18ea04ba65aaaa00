"""BGE-M3: dense and lexical vectors of a text from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.arguments import check_flag, parse_count, parse_location
from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.hub import parse_device
from hybridge.hybrid.bge_m3_model import BGEM3Model
from hybridge.texts import parse_texts

_NAME = "BGEM3EmbeddingFunction"
_LONGEST = 8192


class HybridVectors(TypedDict):
    """Both kinds of vectors of one list of texts."""

    dense: NDArray[np.float32]
    sparse: csr_array


class ChosenVectors(TypedDict, total=False):
    """The kinds of vectors that a function was asked to return."""

    dense: NDArray[np.float32]
    sparse: csr_array


class BGEM3EmbeddingFunction:
    """Embeds texts with BGE-M3 (100 languages), dense and sparse at once.

    Called directly, it returns a dictionary of both kinds of vectors, as `pymilvus.model` does. A
    store takes its two views, `MilvusStore(dense=function.dense, sparse=function.sparse)`, and
    encodes each text once for both. The model is loaded when this object is made. Safe to use from
    several threads.

    Args:
        model_name: A name on the hub, or the path of a folder.
        batch_size: Texts in one forward pass.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        normalize_embeddings: Whether to bring every dense vector to length 1.
        use_fp16: Whether to compute in 16 bits on a GPU.
        return_dense: Whether the dictionary holds dense vectors.
        return_sparse: Whether the dictionary holds sparse vectors.
        return_colbert_vecs: Must be False: a store has no place for multi-vectors.
        max_length: Tokens of a text that count, from 3 to 8,192, or fewer if the model reads fewer.

    Attributes:
        model_name: The model's name or path.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.
        dense: The dense vectors alone, as a `DenseEmbeddingFunction`.
        sparse: The lexical weights alone, as a `SparseEmbeddingFunction`.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files are not a usable model.
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
        check_flag(use_fp16, "use_fp16")
        check_flag(return_dense, "return_dense")
        check_flag(return_sparse, "return_sparse")
        check_flag(return_colbert_vecs, "return_colbert_vecs")
        if return_colbert_vecs:
            msg = "BGE-M3's multi-vectors are not supported: leave them out"
            raise InvalidInputError(msg)
        self.model_name = parse_location(model_name, "model_name")
        # A text begins and ends with a special token, and something must be left of it.
        max_length = parse_count(max_length, "max_length", lowest=3, largest=_LONGEST)
        self._joint = JointEncoder(
            self.model_name, batch_size, device, normalize_embeddings, use_fp16, max_length
        )
        self.settings = given_settings(
            type(self),
            normalize_embeddings=normalize_embeddings,
            use_fp16=use_fp16,
            max_length=max_length,
        )
        self._returns_dense = return_dense
        self._returns_sparse = return_sparse
        self.dense = DenseView(self)
        self.sparse = SparseView(self)

    @property
    def dim(self) -> dict[str, int]:
        """The length of the dense vectors, and the size of the vocabulary."""
        return self._joint.dim

    def __call__(self, texts: Sequence[str]) -> ChosenVectors:
        """Return the vectors of texts; see `encode_documents`."""
        return self._chosen(self._joint.encode(texts, "texts"))

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> ChosenVectors:
        """Return `{"dense": array of shape (n, dim), "sparse": csr_array of shape (n, dim)}`.

        Args:
            documents: The texts; an empty list gives arrays without rows.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings.
        """
        return self._chosen(self._joint.encode_documents(documents, progress=progress))

    def encode_queries(self, queries: Sequence[str]) -> ChosenVectors:
        """Return the vectors of queries, which BGE-M3 treats as it treats documents."""
        return self._chosen(self._joint.encode_queries(queries))

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _chosen(self, vectors: HybridVectors) -> ChosenVectors:
        chosen = ChosenVectors()
        if self._returns_dense:
            chosen["dense"] = vectors["dense"]
        if self._returns_sparse:
            chosen["sparse"] = vectors["sparse"]
        return chosen


class JointEncoder:
    """Encodes texts to both kinds of vectors; a `JointEmbeddingFunction`.

    Args:
        model_name: A name on the hub, or the path of a folder.
        batch_size: Texts in one forward pass.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        normalize_embeddings: Whether to bring every dense vector to length 1.
        use_fp16: Whether to compute in 16 bits on a GPU.
        max_length: Tokens of a text that count.

    Raises:
        HybridgeError: See `BGEM3EmbeddingFunction`.
    """

    def __init__(
        self,
        model_name: str,
        batch_size: int,
        device: str | None,
        normalize_embeddings: bool,
        use_fp16: bool,
        max_length: int,
    ) -> None:
        check_flag(normalize_embeddings, "normalize_embeddings")
        self._batch_size = parse_count(batch_size, "batch_size")
        import_extra("torch", _NAME, "dense")
        import_extra("transformers", _NAME, "dense")
        self._model = BGEM3Model(model_name, parse_device(device, _NAME), use_fp16)
        self._normalize = normalize_embeddings
        self._max_length = min(max_length, self._model.longest)

    @property
    def dim(self) -> dict[str, int]:
        """The length of the dense vectors, and the size of the vocabulary."""
        return {"dense": self._model.dense_dim, "sparse": self._model.sparse_dim}

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> HybridVectors:
        """Return both kinds of vectors, from one pass per batch.

        Args:
            documents: The texts; an empty list gives arrays without rows.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings.
        """
        return self.encode(documents, "documents", progress)

    def encode_queries(self, queries: Sequence[str]) -> HybridVectors:
        """Return both kinds of vectors; BGE-M3 treats queries as it treats documents."""
        return self.encode(queries, "queries")

    def encode(self, texts: Sequence[str], name: str, progress: bool = False) -> HybridVectors:
        """Return both kinds of vectors; `name` is what errors call the texts."""
        check_flag(progress, "progress")
        listed = parse_texts(texts, name)
        if not listed:
            return HybridVectors(
                dense=np.empty((0, self._model.dense_dim), dtype=np.float32),
                sparse=csr_array((0, self._model.sparse_dim), dtype=np.float32),
            )
        dense, sparse = self._model.encode(listed, self._max_length, self._batch_size, progress)
        if self._normalize:
            dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
        return HybridVectors(dense=dense, sparse=sparse)


class DenseView:
    """The dense vectors of a `BGEM3EmbeddingFunction`; a `DenseEmbeddingFunction`.

    Attributes:
        model_name: The model's name or path.
        settings: Those of the function.
        joint: What encodes to both kinds of vectors; both views of a function have the same one.
        part: The kind of vector that this view takes of `joint`'s.
    """

    part = "dense"

    def __init__(self, function: BGEM3EmbeddingFunction) -> None:
        self._function = function
        self.model_name = function.model_name
        self.settings = function.settings
        self.joint = function._joint

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self.joint.dim["dense"]

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`."""
        return self.joint.encode_documents(documents, progress=progress)["dense"]

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`."""
        return self.joint.encode_queries(queries)["dense"]

    def __repr__(self) -> str:
        return f"{self._function!r}.dense"


class SparseView:
    """The lexical weights of a `BGEM3EmbeddingFunction`; a `SparseEmbeddingFunction`.

    Attributes:
        model_name: The model's name or path.
        settings: Those of the function.
        joint: What encodes to both kinds of vectors; both views of a function have the same one.
        part: The kind of vector that this view takes of `joint`'s.
    """

    part = "sparse"

    def __init__(self, function: BGEM3EmbeddingFunction) -> None:
        self._function = function
        self.model_name = function.model_name
        self.settings = function.settings
        self.joint = function._joint

    @property
    def dim(self) -> int:
        """The size of the vocabulary."""
        return self.joint.dim["sparse"]

    def encode_documents(self, documents: Sequence[str], *, progress: bool = False) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(documents), dim)`, indices sorted."""
        return self.joint.encode_documents(documents, progress=progress)["sparse"]

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(queries), dim)`, indices sorted."""
        return self.joint.encode_queries(queries)["sparse"]

    def __repr__(self) -> str:
        return f"{self._function!r}.sparse"
