"""Dense vectors from a static model: one vector per token, looked up and averaged.

Nothing but that is computed, so a text costs microseconds: for the largest collections and the
smallest machines, at less quality than a transformer gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_flag, parse_location
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.hub import fetch_folder, load_model, model_errors
from hybridge.texts import parse_texts

if TYPE_CHECKING:
    from model2vec import StaticModel

_NAME = "Model2VecEmbeddingFunction"
_PATTERNS = ["*.json", "*.safetensors"]


class Model2VecEmbeddingFunction:
    """Embeds texts with a static model in the format of model2vec; queries as documents.

    The model is loaded, and tried on one text, when this object is made. A text of which the model
    knows no token has a vector of zeros.

    Args:
        model_source: The path of a folder, or a name on the hub.
        normalize_embeddings: Whether to bring every vector to length 1; None leaves it to the
            model's configuration.
        **options: Anything else that `StaticModel.from_pretrained` takes, such as
            `dimensionality=64` or `quantize_to="int8"`.

    Attributes:
        model_name: The model's name or path.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.
        model: The `StaticModel`.

    Raises:
        MissingExtraError: model2vec is not installed.
        ModelNotFoundError: The files are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files are not a usable model.
    """

    def __init__(
        self,
        model_source: str | Path = "minishlab/potion-base-8M",
        normalize_embeddings: bool | None = None,
        **options: Any,
    ) -> None:
        if normalize_embeddings is not None:
            check_flag(normalize_embeddings, "normalize_embeddings")
        self.model_name = parse_location(model_source, "model_source")
        self.settings = given_settings(
            type(self), normalize_embeddings=normalize_embeddings, **options
        )
        library = import_extra("model2vec", _NAME, "model2vec")

        def load(place: str, local: bool) -> StaticModel:
            folder = fetch_folder(place, _PATTERNS, local)
            given = {"normalize": normalize_embeddings, **options}
            model: StaticModel = library.StaticModel.from_pretrained(folder, **given)
            return model

        self.model = load_model(
            self.model_name, load, markers=("model.safetensors",), organization="minishlab"
        )
        with model_errors(self.model_name):
            self._dim = int(self._vectors(["dim"], progress=False).shape[1])

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._dim

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; the shape is `(len(texts), dim)`."""
        return self._encode(texts, "texts")

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
        return self._encode(documents, "documents", progress)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings.
        """
        return self._encode(queries, "queries")

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _encode(
        self, texts: Sequence[str], name: str, progress: bool = False
    ) -> NDArray[np.float32]:
        check_flag(progress, "progress")
        listed = parse_texts(texts, name)
        if not listed:
            return np.empty((0, self._dim), dtype=np.float32)
        return self._vectors(listed, progress)

    def _vectors(self, texts: list[str], progress: bool) -> NDArray[np.float32]:
        vectors = self.model.encode(texts, show_progress_bar=progress)
        return np.ascontiguousarray(vectors, dtype=np.float32)
