"""Dense vectors from any sentence-transformers model, on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_choice, check_flag, parse_count, parse_location
from hybridge.dense.weights import MINILM, packaged_minilm
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.hub import load_sentence_transformers, model_errors, parse_device
from hybridge.texts import check_text, parse_texts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_NAME = "SentenceTransformerEmbeddingFunction"
# sentence-transformers reports a missing backend with a bare Exception.
_BACKENDS = {
    "torch": ("torch", "torch"),
    "onnx": ("optimum.onnxruntime", "optimum-onnx"),
    "openvino": ("optimum.intel.openvino", "optimum-intel"),
}


class SentenceTransformerEmbeddingFunction:
    """Embeds texts with a sentence-transformers model.

    The model is loaded, and tried on one text, when this object is made; from then on it may be
    used from several threads. Texts longer than the model's limit are cut to it (256 word pieces
    for all-MiniLM-L6-v2).

    The weights of the default model come from the extra `minilm`, checked by SHA-256, where it is
    installed; those of any model from a folder, the hub's cache, or the hub.

    Args:
        model_name: A name on the hub, or the path of a folder.
        batch_size: Texts in one forward pass.
        query_instruction: Put before every query; empty leaves the model's own prompt, if any.
        doc_instruction: Put before every document, likewise.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        normalize_embeddings: Whether to bring every vector to length 1.
        backend: What runs the model, one of sentence-transformers' own backends; "onnx" and
            "openvino" need the extras `dense-onnx` and `dense-openvino`.
        truncate_dim: How many of each vector's numbers to keep, the first ones, for models that
            were trained so; the vectors that are left are normalised.
        **options: Anything else that `SentenceTransformer` takes, `trust_remote_code` among it.
            Its `precision` is not: vectors are float32, and an index may hold fewer bits. What
            `model.encode` makes on several devices can be added as vectors of one's own.

    Attributes:
        model_name: The model's name or path.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.
        model: The `SentenceTransformer`.

    Raises:
        MissingExtraError: sentence-transformers or the backend is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files are not a usable model.
    """

    def __init__(
        self,
        model_name: str | Path = "all-MiniLM-L6-v2",
        batch_size: int = 32,
        query_instruction: str = "",
        doc_instruction: str = "",
        device: str | None = None,
        normalize_embeddings: bool = True,
        *,
        backend: Literal["torch", "onnx", "openvino"] = "torch",
        truncate_dim: int | None = None,
        **options: Any,
    ) -> None:
        check_text(query_instruction, "query_instruction")
        check_text(doc_instruction, "doc_instruction")
        check_flag(normalize_embeddings, "normalize_embeddings")
        if truncate_dim is not None:
            truncate_dim = parse_count(truncate_dim, "truncate_dim")
        self.model_name = parse_location(model_name, "model_name")
        self.settings = given_settings(
            type(self),
            query_instruction=query_instruction,
            doc_instruction=doc_instruction,
            normalize_embeddings=normalize_embeddings,
            backend=backend,
            truncate_dim=truncate_dim,
            **options,
        )
        self._batch_size = parse_count(batch_size, "batch_size")
        self._query_instruction = query_instruction
        self._doc_instruction = doc_instruction
        self._normalize = normalize_embeddings
        options = {"device": parse_device(device, _NAME), "truncate_dim": truncate_dim, **options}
        self.model = _load(self.model_name, backend, **options)
        # The first call sets the tokenizer up, which two threads must not do at once.
        with model_errors(self.model_name):
            self._dim = int(self._vectors("encode", ["dim"], None, False).shape[1])

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._dim

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as they are, without an instruction; the shape is `(len(texts), dim)`."""
        return self._encode("encode", texts, "texts", "")

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; an empty list gives an array without rows.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings.
        """
        prompt = self._doc_instruction or None
        return self._encode("encode_document", documents, "documents", prompt, progress)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings.
        """
        prompt = self._query_instruction or None
        return self._encode("encode_query", queries, "queries", prompt)

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _encode(
        self,
        method: str,
        texts: Sequence[str],
        name: str,
        prompt: str | None,
        progress: bool = False,
    ) -> NDArray[np.float32]:
        check_flag(progress, "progress")
        listed = parse_texts(texts, name)
        if not listed:
            return np.empty((0, self._dim), dtype=np.float32)
        return self._vectors(method, listed, prompt, progress)

    def _vectors(
        self, method: str, texts: list[str], prompt: str | None, progress: bool
    ) -> NDArray[np.float32]:
        """Return the vectors; None leaves the model's own prompt, and "" is none at all."""
        vectors = getattr(self.model, method)(
            texts,
            prompt=prompt,
            batch_size=self._batch_size,
            show_progress_bar=progress,
            normalize_embeddings=self._normalize,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)


def _load(name: str, backend: str, **options: Any) -> SentenceTransformer:
    packaged = packaged_minilm() if name in MINILM and options.get("revision") is None else None
    # One error that cures all, and not another one for the weights after it.
    extra = "minilm" if name in MINILM and packaged is None else "dense"
    import_extra("sentence_transformers", _NAME, extra, "sentence-transformers")
    _check_backend(backend)
    model: SentenceTransformer = load_sentence_transformers(
        "SentenceTransformer",
        str(packaged or name),
        user=_NAME,
        organization="sentence-transformers",
        cure="install 'hybridge[minilm]', which brings the weights" if name in MINILM else "",
        backend=backend,
        **options,
    )
    return model


def _check_backend(backend: str) -> None:
    """Check that a backend is known and installed, before a model is looked for."""
    check_choice(backend, "backend", tuple(_BACKENDS))
    module, package = _BACKENDS[backend]
    import_extra(module, f"{_NAME} with backend={backend!r}", f"dense-{backend}", package)
