"""Making the ONNX folder of a sentence-transformers model; only this step needs torch."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridge.arguments import parse_location, shown
from hybridge.dense.onnx import OnnxEmbeddingFunction
from hybridge.dense.sentence_transformer import SentenceTransformerEmbeddingFunction
from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

_EXAMPLES = ["A short text.", "A longer text, which takes more of the model's tokens, for padding."]
_TOLERANCE = 1e-4
_OPSET = 17


def export_onnx(model_name: str | Path, folder: str | Path) -> Path:
    """Export a model for `OnnxEmbeddingFunction`, and check that both give the same vectors.

    Args:
        model_name: The model, as `SentenceTransformerEmbeddingFunction` takes it. It must be a
            transformer and a pooling, with or without normalisation.
        folder: Where to put `model.onnx`, the tokenizer and the configuration; created if absent.

    Returns:
        The folder.

    Raises:
        MissingExtraError: The extra `onnx-export` is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: The model has other parts, its export gives other vectors, or the folder
            cannot be made.
    """
    target = Path(parse_location(folder, "folder"))
    import_extra("onnx", "export_onnx", "onnx-export")
    eager = {"attn_implementation": "eager"}
    function = SentenceTransformerEmbeddingFunction(model_name, device="cpu", model_kwargs=eager)
    _check_parts(function.model)
    _make(target)
    _export_graph(function.model, target / "model.onnx")
    _save_configuration(function.model, target)
    _check_vectors(function, target)
    return target


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"folder {shown(str(folder))} cannot be made: {error.strerror}"
        raise InvalidInputError(msg) from error


def _check_parts(model: SentenceTransformer) -> None:
    parts = [type(part).__name__ for part in model]
    if parts not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        msg = f"Only a transformer and a pooling can be exported, and this model has {parts}"
        raise InvalidInputError(msg)


def _export_graph(model: SentenceTransformer, file: Path) -> None:
    import torch

    part: Any = model[0]

    class TokenVectors(torch.nn.Module):
        """The transformer with positional inputs and its token vectors for output."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = part.auto_model

        def forward(self, *inputs: torch.Tensor) -> Any:
            return self.transformer(**dict(zip(names, inputs, strict=True))).last_hidden_state

    features = part.tokenizer(_EXAMPLES, padding=True, return_tensors="pt")
    names = [name for name in features if name in part.tokenizer.model_input_names]
    output = "last_hidden_state"
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracer warns of every shape that Python code looks at; the vectors are checked below.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            TokenVectors().eval(),
            tuple(features[name] for name in names),
            str(file),
            input_names=names,
            output_names=[output],
            dynamic_axes=dict.fromkeys([*names, output], axes),
            opset_version=_OPSET,
            dynamo=False,
        )


def _save_configuration(model: SentenceTransformer, folder: Path) -> None:
    transformer: Any = model[0]
    pooling: Any = model[1]
    transformer.tokenizer.save_pretrained(str(folder))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    _write(folder / "1_Pooling" / "config.json", pooling.get_config_dict())
    _write(folder / "sentence_bert_config.json", {"max_seq_length": model.max_seq_length})
    _write(folder / "modules.json", [{"type": type(part).__name__} for part in model])
    _write(folder / "config_sentence_transformers.json", {"prompts": _prompts(model)})


def _prompts(model: SentenceTransformer) -> dict[str, str]:
    """Return what the model puts before queries and documents, under the names that are read."""
    documents = ("document", "passage", "corpus")  # in sentence-transformers' own order
    first = next((name for name in documents if name in model.prompts), "document")
    names = {"query": "query", "document": first}
    return {role: model.prompts.get(name) or "" for role, name in names.items()}


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _check_vectors(function: SentenceTransformerEmbeddingFunction, folder: Path) -> None:
    texts = [*_EXAMPLES, " ".join(_EXAMPLES * 20), ""]
    exported = OnnxEmbeddingFunction(folder)
    for encode in ("encode_documents", "encode_queries"):
        difference = np.abs(getattr(exported, encode)(texts) - getattr(function, encode)(texts))
        if not difference.max() <= _TOLERANCE:
            msg = (
                f"The export of {function.model_name!r} gives other vectors, "
                f"by {difference.max():.1e} ({encode})"
            )
            raise InvalidInputError(msg)
