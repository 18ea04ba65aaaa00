"""Dense vectors from an ONNX file, without torch: for small containers and fast CPUs.

ONNX Runtime in float32 gives the vectors of sentence-transformers to 1e-6. OpenVINO reads the same
file; in bfloat16, on CPUs that have it, it is the fastest, at a cosine of 0.9999 to the float32
vectors. `tests/bench/bench_dense.py` measures all of them side by side.

A model's folder comes from `hybridge.dense.onnx_export.export_onnx`, which needs torch once, or
from a hub repository that holds an ONNX file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from hybridge.arguments import check_flag, parse_count, parse_location
from hybridge.dense.onnx_files import OnnxFiles
from hybridge.dense.onnx_runtimes import INPUTS, Runtime, load_runtime
from hybridge.function_settings import given_settings
from hybridge.hub import model_errors
from hybridge.texts import check_text, parse_texts

_NAME = "OnnxEmbeddingFunction"


class OnnxEmbeddingFunction:
    """Embeds texts with an ONNX model of a BERT-like encoder, pooled as its configuration says.

    The model is loaded, and tried on one text, when this object is made; from then on it may be
    used from several threads. Texts longer than the model's limit are cut to it.

    Args:
        model_name: The path of a folder with `model.onnx` (or `onnx/model.onnx`) and
            `tokenizer.json`, or the name of a hub repository with these.
        tokenizer_name: The folder or repository of the tokenizer; that of the model by default.
        batch_size: Texts in one forward pass.
        query_instruction: Put before every query; empty leaves the model's own prompt, if any.
        doc_instruction: Put before every document, likewise.
        normalize_embeddings: Whether to bring every vector to length 1, even if the model does not
            do so itself.
        runtime: "onnxruntime" (extra `onnx`), or "openvino" or "openvino-bf16" (extra `openvino`).

    Attributes:
        model_name: The model's name or path.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.

    Raises:
        MissingExtraError: The runtime or `tokenizers` is not installed.
        ModelNotFoundError: The files are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files are not a usable model.
    """

    def __init__(
        self,
        model_name: str | Path = "sentence-transformers/all-MiniLM-L6-v2",
        tokenizer_name: str | Path | None = None,
        *,
        batch_size: int = 32,
        query_instruction: str = "",
        doc_instruction: str = "",
        normalize_embeddings: bool = True,
        runtime: Runtime = "onnxruntime",
    ) -> None:
        check_text(query_instruction, "query_instruction")
        check_text(doc_instruction, "doc_instruction")
        check_flag(normalize_embeddings, "normalize_embeddings")
        self.model_name = parse_location(model_name, "model_name")
        self.settings = given_settings(
            type(self),
            tokenizer_name=tokenizer_name,
            query_instruction=query_instruction,
            doc_instruction=doc_instruction,
            normalize_embeddings=normalize_embeddings,
            runtime=runtime,
        )
        tokenizer_name = model_name if tokenizer_name is None else tokenizer_name
        self._batch_size = parse_count(batch_size, "batch_size")
        open_file = load_runtime(runtime, _NAME)
        tokenizer_name = parse_location(tokenizer_name, "tokenizer_name")
        files = OnnxFiles.find(self.model_name, tokenizer_name, _NAME)
        with model_errors(self.model_name):
            self._tokenizer = files.tokenizer()
            self._pooling = files.pooling()
            self._pools_prompts = files.pools_prompts()
            self._query_prompt = query_instruction or files.prompt("query")
            self._doc_prompt = doc_instruction or files.prompt("document")
            self._normalize = files.normalizes() or normalize_embeddings
            self._run = open_file(files.model)
            self._dim = int(self._vectors(["dim"], progress=False).shape[1])

    @property
    def dim(self) -> int:
        """The length of every vector."""
        return self._dim

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as they are, without an instruction; the shape is `(len(texts), dim)`."""
        return self._vectors(parse_texts(texts, "texts"), progress=False)

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
        return self._vectors(parse_texts(documents, "documents"), progress, self._doc_prompt)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings.
        """
        return self._vectors(parse_texts(queries, "queries"), False, self._query_prompt)

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _vectors(self, texts: list[str], progress: bool, prompt: str = "") -> NDArray[np.float32]:
        check_flag(progress, "progress")
        if not texts:
            return np.empty((0, self._dim), dtype=np.float32)
        encodings: list[Any] = self._tokenizer.encode_batch([prompt + text for text in texts])
        left_out = 0 if self._pools_prompts or not prompt else self._length(prompt)
        # Texts of similar length share a batch, so that little of it is padding.
        order = np.argsort([-len(encoding.ids) for encoding in encodings], kind="stable")
        parts: list[NDArray[np.float32]] = []
        with tqdm(total=len(texts), unit="text", disable=not progress) as bar:
            for start in range(0, len(order), self._batch_size):
                batch = order[start : start + self._batch_size]
                parts.append(self._forward([encodings[place].ids for place in batch], left_out))
                bar.update(len(batch))
        vectors = np.concatenate(parts)
        return np.ascontiguousarray(vectors[np.argsort(order)])

    def _length(self, prompt: str) -> int:
        """Return how many tokens a prompt has at the beginning of a text."""
        encoding = self._tokenizer.encode(prompt)
        return len(encoding.ids) - sum(encoding.special_tokens_mask[-1:])

    def _forward(self, ids: Sequence[Sequence[int]], left_out: int) -> NDArray[np.float32]:
        """Return the vectors of one batch of token ids, whose first ones may not be pooled."""
        shape = (len(ids), len(ids[0]))
        inputs = {name: np.zeros(shape, dtype=np.int64) for name in INPUTS}
        for row, tokens in enumerate(ids):
            inputs["input_ids"][row, : len(tokens)] = tokens
            inputs["attention_mask"][row, : len(tokens)] = 1
        tokens_out = self._run(inputs)
        inputs["attention_mask"][:, :left_out] = 0
        vectors = self._pooling(tokens_out, inputs["attention_mask"])
        if self._normalize:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors
