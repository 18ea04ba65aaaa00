"""The files beside an ONNX model, and what they say."""

from __future__ import annotations

import json
import re
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
        folder = load_model(model_name, _fetch, marker="onnx/model.onnx", cure=_CURE)
        model = next((folder / name for name in MODEL_FILES if (folder / name).is_file()), None)
        if model is None:
            msg = f"{folder} holds none of {', '.join(MODEL_FILES)}: {_CURE}"
            raise ModelNotFoundError(msg)
        if tokenizer_name == model_name:
            return cls(model, folder, folder)
        return cls(model, folder, load_model(tokenizer_name, _fetch, marker="tokenizer.json"))

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
        mode = said.get("pooling_mode") or _mode_of_flags(said)
        if mode not in _POOLINGS:
            msg = f"The model pools by {mode!r}; known are {', '.join(_POOLINGS)}"
            raise InvalidInputError(msg)
        return _POOLINGS[mode]

    def _max_length(self) -> int:
        limits = [
            _read(self.model_folder / "sentence_bert_config.json").get("max_seq_length"),
            _read(self.tokenizer_folder / "tokenizer_config.json").get("model_max_length"),
        ]
        # A tokenizer without a limit has a huge number for one.
        return next((int(limit) for limit in limits if limit and limit < _UNLIMITED), _LONGEST)


def _fetch(place: str, local_files_only: bool) -> Path:
    return fetch_folder(place, _PATTERNS, local_files_only)


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return said


def _mode_of_flags(said: dict[str, Any]) -> str:
    """Read the older spelling, `pooling_mode_mean_tokens: true`; several flags make an odd name."""
    flags = [name for name, value in said.items() if name.startswith("pooling_mode_") and value]
    names = [re.sub(r"^pooling_mode_|_tokens?$", "", flag) for flag in sorted(flags)]
    return "+".join(names) or "mean"


def _mean(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    weights = mask.astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    means: NDArray[np.float32] = np.matmul(weights[:, None, :], tokens)[:, 0, :]
    return means


def _first(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    return tokens[:, 0, :].copy()


_POOLINGS: dict[str, Pooling] = {"mean": _mean, "cls": _first}
