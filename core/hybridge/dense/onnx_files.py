"""The files beside an ONNX model, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.extras import import_extra
from hybridge.hub import fetch_folder, load_model

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Pooling = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float32]]

MODEL_FILES = ("model.onnx", "onnx/model.onnx")
_PATTERNS = ["*.json", "1_Pooling/config.json", *MODEL_FILES]
_CURE = "make the folder with hybridge.dense.onnx_export.export_onnx where torch is installed"
_LONGEST = 512
_UNLIMITED = 1_000_000
_TINY = 1e-9


@dataclass(frozen=True)
class OnnxFiles:
    """Where the model and its tokenizer are.

    Attributes:
        model: The ONNX file.
        model_folder: The folder of the model's configuration.
        tokenizer_folder: The folder of the tokenizer.
    """

    model: Path
    model_folder: Path
    tokenizer_folder: Path

    @classmethod
    def find(cls, model_name: str, tokenizer_name: str, user: str) -> OnnxFiles:
        """Find the files in folders or on the hub.

        Args:
            model_name: A folder, or the name of a hub repository.
            tokenizer_name: The same, for the tokenizer.
            user: What needs them, for errors.

        Raises:
            MissingExtraError: `tokenizers`, which brings the hub's client, is not installed.
            ModelNotFoundError: A file is absent.
        """
        import_extra("tokenizers", user, "onnx")
        folder = load_model(model_name, _fetch, markers=MODEL_FILES, cure=_CURE)
        model = next((folder / name for name in MODEL_FILES if (folder / name).is_file()), None)
        if model is None:
            msg = f"{folder} holds none of {', '.join(MODEL_FILES)}: {_CURE}"
            raise ModelNotFoundError(msg)
        if tokenizer_name == model_name:
            return cls(model, folder, folder)
        return cls(model, folder, load_model(tokenizer_name, _fetch, markers=("tokenizer.json",)))

    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer, cutting texts to the model's length and padding none.

        Raises:
            ModelNotFoundError: There is no `tokenizer.json`.
        """
        from tokenizers import Tokenizer

        file = self.tokenizer_folder / "tokenizer.json"
        if not file.is_file():
            msg = f"{file} is absent: name its folder as tokenizer_name="
            raise ModelNotFoundError(msg)
        tokenizer = Tokenizer.from_file(str(file))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._max_length())
        return tokenizer

    def pooling(self) -> Pooling:
        """Return how token vectors become one: by their mean, unless the model says otherwise.

        Raises:
            InvalidInputError: The model pools in a way that is not supported.
        """
        said = _read(self.model_folder / "1_Pooling" / "config.json")
        mode = said.get("pooling_mode") or _modes_of_flags(said)
        modes = [mode] if isinstance(mode, str) else list(mode)
        if unknown := [mode for mode in modes if mode not in _POOLINGS]:
            msg = f"The model pools by {unknown[0]!r}; known are {', '.join(_POOLINGS)}"
            raise InvalidInputError(msg)
        poolings = [_POOLINGS[mode] for mode in modes]
        if len(poolings) == 1:
            return poolings[0]
        return lambda tokens, mask: np.concatenate([one(tokens, mask) for one in poolings], axis=1)

    def pools_prompts(self) -> bool:
        """Return whether the tokens of a prompt count in the pooling."""
        said = _read(self.model_folder / "1_Pooling" / "config.json")
        return bool(said.get("include_prompt", True))

    def normalizes(self) -> bool:
        """Return whether the model itself brings its vectors to length 1.

        Raises:
            InvalidInputError: The model has parts of another kind, which the ONNX file lacks.
        """
        modules: list[Any] = _read(self.model_folder / "modules.json") or []
        parts = [str(module["type"]).rpartition(".")[2] for module in modules]
        if others := set(parts) - {"Transformer", "Pooling", "Normalize"}:
            msg = f"The model has parts that no ONNX file holds: {', '.join(sorted(others))}"
            raise InvalidInputError(msg)
        return "Normalize" in parts

    def prompt(self, name: str) -> str:
        """Return what the model puts before texts: a "query" or a "document"."""
        said = _read(self.model_folder / "config_sentence_transformers.json")
        prompts: dict[str, str] = said.get("prompts") or {}
        return prompts.get(name) or ""

    def _max_length(self) -> int:
        limits = [
            _read(self.model_folder / "sentence_bert_config.json").get("max_seq_length"),
            _read(self.tokenizer_folder / "tokenizer_config.json").get("model_max_length"),
        ]
        # A tokenizer without a limit has a huge number for one.
        return next((int(limit) for limit in limits if limit and limit < _UNLIMITED), _LONGEST)


def _fetch(place: str, local_files_only: bool) -> Path:
    return fetch_folder(place, _PATTERNS, local_files_only)


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _modes_of_flags(said: dict[str, Any]) -> list[str]:
    """Read the older spelling, `pooling_mode_mean_tokens: true`."""
    flags = [name.partition("pooling_mode_")[2] for name, value in said.items() if value]
    known = [mode for flag, mode in _FLAGS.items() if flag in flags]
    return known + [flag for flag in flags if flag and flag not in _FLAGS] or ["mean"]


def _weighted(tokens: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sums of token vectors: `(batch, tokens, dim)` by `(batch, tokens)`."""
    sums: NDArray[np.float32] = np.matmul(weights[:, None, :], tokens)[:, 0, :]
    return sums


def _total(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    total: NDArray[np.float32] = np.maximum(weights.sum(axis=1, keepdims=True), _TINY)
    return total


def _mean(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    weights = mask.astype(np.float32)
    return _weighted(tokens, weights / _total(weights))


def _mean_sqrt(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    weights = mask.astype(np.float32)
    weights /= np.sqrt(_total(weights))
    return _weighted(tokens, weights)


def _weighted_mean(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    # The n-th token counts n times.
    places: NDArray[np.int64] = np.arange(1, mask.shape[1] + 1)
    weights = np.asarray(mask * places, np.float32)
    return _weighted(tokens, weights / _total(weights))


def _first(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    first: NDArray[np.float32] = tokens[np.arange(len(tokens)), mask.argmax(axis=1)]
    return first


def _last(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    places = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    last: NDArray[np.float32] = tokens[np.arange(len(tokens)), places]
    return last


def _max(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    largest: NDArray[np.float32] = np.where(mask[:, :, None] > 0, tokens, -np.inf).max(axis=1)
    return largest


# Each takes token vectors, float32 of shape (batch, tokens, dim), and a mask of (batch, tokens).
_POOLINGS: dict[str, Pooling] = {
    "mean": _mean,
    "cls": _first,
    "max": _max,
    "lasttoken": _last,
    "weightedmean": _weighted_mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
}
# In the order in which sentence-transformers joins them.
_FLAGS = {
    "cls_token": "cls",
    "max_tokens": "max",
    "mean_tokens": "mean",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "weightedmean_tokens": "weightedmean",
    "lasttoken": "lasttoken",
}
