"""Learned sparse vectors: SPLADE models, run by sentence-transformers' `SparseEncoder`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from hybridge.arguments import check_flag, parse_count, parse_location
from hybridge.function_settings import given_settings
from hybridge.hub import load_sentence_transformers, model_errors, parse_device
from hybridge.texts import check_text, parse_texts

if TYPE_CHECKING:
    from sentence_transformers import SparseEncoder

_NAME = "SpladeEmbeddingFunction"


class SpladeEmbeddingFunction:
    """Weighs every word of a model's vocabulary for a text, even words that the text lacks.

    The model is loaded, and tried on one text, when this object is made; from then on it may be
    used from several threads. Texts longer than the model's limit are cut to it.

    Args:
        model_name: A name on the hub, or the path of a folder.
        batch_size: Texts in one forward pass.
        query_instruction: Put before every query; empty leaves the model's own prompt, if any.
        doc_instruction: Put before every document, likewise.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        k_tokens_query: How many weights of a query to keep, the largest; None keeps all.
        k_tokens_document: The same for a document.
        **options: Anything else that `SparseEncoder` takes.

    Attributes:
        model_name: The model's name or path.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.
        model: The `SparseEncoder`.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files are not a usable model.
    """

    def __init__(
        self,
        model_name: str | Path = "naver/splade-cocondenser-ensembledistil",
        batch_size: int = 32,
        query_instruction: str = "",
        doc_instruction: str = "",
        device: str | None = None,
        k_tokens_query: int | None = None,
        k_tokens_document: int | None = None,
        **options: Any,
    ) -> None:
        if k_tokens_query is not None:
            k_tokens_query = parse_count(k_tokens_query, "k_tokens_query")
        if k_tokens_document is not None:
            k_tokens_document = parse_count(k_tokens_document, "k_tokens_document")
        check_text(query_instruction, "query_instruction")
        check_text(doc_instruction, "doc_instruction")
        self.model_name = parse_location(model_name, "model_name")
        self.settings = given_settings(
            type(self),
            query_instruction=query_instruction,
            doc_instruction=doc_instruction,
            k_tokens_query=k_tokens_query,
            k_tokens_document=k_tokens_document,
            **options,
        )
        self._batch_size = parse_count(batch_size, "batch_size")
        self._query_instruction = query_instruction
        self._doc_instruction = doc_instruction
        self._k_tokens_query = k_tokens_query
        self._k_tokens_document = k_tokens_document
        self.model: SparseEncoder = load_sentence_transformers(
            "SparseEncoder",
            self.model_name,
            user=_NAME,
            organization="sparse-encoder",
            device=parse_device(device, _NAME),
            **options,
        )
        # The first call sets the tokenizer up, which two threads must not do at once.
        with model_errors(self.model_name):
            self._dim = int(self._tensor(self.model.encode, ["dim"]).shape[1])

    @property
    def dim(self) -> int:
        """The size of the model's vocabulary."""
        return self._dim

    def __call__(self, texts: Sequence[str]) -> csr_array:
        """Encode texts as they are, every weight kept; the shape is `(len(texts), dim)`."""
        return self._encode(self.model.encode, texts, "texts", prompt="")

    def encode_documents(self, documents: Sequence[str], *, progress: bool = False) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(documents), dim)`, indices sorted.

        Args:
            documents: The texts; an empty list gives an array without rows.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings.
        """
        check_flag(progress, "progress")
        return self._encode(
            self.model.encode_document,
            documents,
            "documents",
            prompt=self._doc_instruction or None,
            max_active_dims=self._k_tokens_document,
            show_progress_bar=progress,
        )

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(queries), dim)`, indices sorted.

        Raises:
            InvalidInputError: `queries` is not a list of strings.
        """
        return self._encode(
            self.model.encode_query,
            queries,
            "queries",
            prompt=self._query_instruction or None,
            max_active_dims=self._k_tokens_query,
        )

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _encode(
        self, encode: Callable[..., Any], texts: Sequence[str], name: str, **options: Any
    ) -> csr_array:
        listed = parse_texts(texts, name)
        if not listed:
            return csr_array((0, self._dim), dtype=np.float32)
        return self._vectors(encode, listed, **options)

    def _vectors(self, encode: Callable[..., Any], texts: list[str], **options: Any) -> csr_array:
        tensor = self._tensor(encode, texts, **options)
        places = tensor.indices().numpy()
        vectors = csr_array(
            (tensor.values().float().numpy(), (places[0], places[1])), shape=tuple(tensor.shape)
        )
        vectors.eliminate_zeros()
        vectors.sort_indices()
        return vectors

    def _tensor(self, encode: Callable[..., Any], texts: list[str], **options: Any) -> Any:
        options = {"show_progress_bar": False, **options}
        return encode(texts, batch_size=self._batch_size, save_to_cpu=True, **options).coalesce()
