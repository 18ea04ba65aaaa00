"""Dense vectors from Jina's API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from hybridge.arguments import check_flag, check_label
from hybridge.dense.api import ApiEmbeddingFunction
from hybridge.errors import InvalidInputError
from hybridge.texts import parse_texts
from hybridge.web_api.options import ApiOptions, parse_fields

_PAIRS = ("retrieval", "code", "nl2code", "code2code", "code2nl", "code2completion", "qa")
_HALVES = ("query", "passage")


class JinaEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Jina's models; queries and documents each with a task of their own.

    Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is loaded,
    the environment is read again.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        task: What the vectors are for. Of a pair, such as "retrieval.passage", "nl2code.query" or
            "code", queries get the one half and documents the other; any other task, such as
            "text-matching", is that of both. None is "retrieval", "nl2code" for the models of
            code, and no task for those of version 2, which know none. A plain call,
            `function(texts)`, sends the task as it stands; of a pair without a half, that of
            documents.
        dimensions: The length of the vectors, for models that can shorten them.
        late_chunking: Whether the documents of one call are chunks of one text, embedded in each
            other's context; they must then fit into one request, and the model sees 8,192 tokens.
        query_task: The task of queries, where `task` does not say it.
        document_task: The task of documents, likewise.
        options: Further fields of every request, such as `{"truncate": True}`.
        base_url: Where the API is.
        batch_size: Texts in one request, at most 512.
        **limits: See `hybridge.web_api.options.ApiOptions`.

    Attributes:
        model_name: The model.
        provider: "jina".

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "jina-embeddings-v3",
        api_key: str | None = None,
        task: str | None = None,
        dimensions: int | None = None,
        late_chunking: bool = False,
        *,
        query_task: str | None = None,
        document_task: str | None = None,
        options: Mapping[str, Any] | None = None,
        base_url: str | None = None,
        batch_size: int | None = None,
        **limits: Unpack[ApiOptions],
    ) -> None:
        check_label(model_name, "model_name")
        given = {"task": task, "query_task": query_task, "document_task": document_task}
        for name, value in given.items():
            if value is not None:
                check_label(value, name)
        query, document, plain = _tasks(_default_task(model_name) if task is None else task)
        roles = _roles(
            query_task or query,
            document_task or document,
            document_task if task is None and document_task else plain,
        )
        fields = parse_fields(options, "options")
        late = fields.pop("late_chunking", late_chunking)
        check_flag(late, "late_chunking")
        if late:
            roles["documents"]["late_chunking"] = True
        self._late_chunking = late
        super().__init__(
            model_name,
            api_key,
            base_url,
            dimensions,
            provider="jina",
            batch_size=batch_size,
            fields=fields,
            roles=roles,
            settings={"late_chunking": late, "options": fields or None, **given},
            dividing=not late,
            **limits,
        )

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; nothing is sent for an empty list.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings, or too long for late chunking.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        texts = parse_texts(documents, "documents")
        if self._late_chunking and len(texts) > self._limit.texts:
            msg = (
                "Late chunking takes the texts of one call as the chunks of one document, which "
                f"must fit into one request of {self._limit.texts} texts: {len(texts)} are too many"
            )
            raise InvalidInputError(msg)
        return super().encode_documents(texts, progress=progress)


def _default_task(model_name: str) -> str | None:
    """Return what a model's vectors are for, unless the user says otherwise."""
    if "code-embeddings" in model_name:
        return "nl2code"
    return None if "embeddings-v2" in model_name or "clip-v1" in model_name else "retrieval"


def _tasks(task: str | None) -> tuple[str | None, str | None, str | None]:
    """Return the task of queries, of documents, and of a plain call."""
    pair, _, half = (task or "").partition(".")
    if half not in _HALVES and task not in _PAIRS:
        return task, task, task
    query, document = f"{pair}.query", f"{pair}.passage"
    return query, document, task if half else document


def _roles(query: str | None, document: str | None, plain: str | None) -> dict[str, Any]:
    """Return the fields of queries, documents and plain texts; no task is no field."""
    tasks = {"queries": query, "documents": document, "texts": plain}
    return {role: {} if task is None else {"task": task} for role, task in tasks.items()}
