"""Between LangChain's documents and Hybridge's records and hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from langchain_core.documents import Document

from hybridge import Hit, Record
from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_iterable, is_mapping
from hybridge.store import NewIds

SCORE = "score"
RELEVANCE = "relevance_score"
SCORES = "scores"
VECTOR = "vector"
VECTORS = "vectors"
CONTEXT = "context"


def make_records(
    texts: Iterable[str],
    metadatas: Sequence[Mapping[str, Any]] | None = None,
    ids: Sequence[str | None] | None = None,
    contexts: Sequence[str | None] | None = None,
    context_key: str | None = None,
    embeddings: Iterable[Any] | None = None,
) -> list[Record]:
    """Return one record per text.

    Args:
        texts: The texts.
        metadatas: One dictionary per text.
        ids: One id per text; None lets the store make it.
        contexts: One context per text; None keeps what an overwritten row has.
        context_key: The metadata key that holds a text's context, where `contexts` says nothing.
        embeddings: One vector per text, where the caller has them.

    Raises:
        InvalidInputError: If the lists differ in length, or `texts` is no list of texts.
    """
    if not is_iterable(texts):
        msg = f"texts is the {type(texts).__name__} {shown(texts)}: give a list of texts"
        raise InvalidInputError(msg)
    texts = list(texts)
    metadatas = _one_per_text("metadatas", metadatas, texts, {})
    ids = _one_per_text("ids", ids, texts, None)
    contexts = _one_per_text("contexts", contexts, texts, None)
    vectors = _one_per_text("embeddings", embeddings, texts, None)
    if context_key is not None:
        contexts = [
            _context(metadata, context_key) if context is None else context
            for metadata, context in zip(metadatas, contexts, strict=True)
        ]
    return [
        Record(id=id, text=text, metadata=metadata, context=context, dense=vector)
        for id, text, metadata, context, vector in zip(
            ids, texts, metadatas, contexts, vectors, strict=True
        )
    ]


def parse_ids(
    ids: Sequence[str | None] | NewIds,
) -> tuple[Sequence[str | None] | None, NewIds]:
    """Return the ids that were given, and what the others get."""
    return (None, "content") if isinstance(ids, str) and ids == "content" else (ids, None)


def parse_key(context_key: object) -> str | None:
    """Return the metadata key that holds contexts, or None.

    Raises:
        InvalidInputError: If it is no string.
    """
    if not isinstance(context_key, (str, type(None))):
        msg = f"context_key={shown(context_key)}: give the metadata key that holds the contexts"
        raise InvalidInputError(msg)
    return context_key


def _one_per_text(name: str, given: Any, texts: list[str], default: Any) -> list[Any]:
    if given is None:
        return [default] * len(texts)
    if is_mapping(given) or not is_iterable(given):
        msg = f"{name} is a {type(given).__name__}: give a list, one for each text"
        raise InvalidInputError(msg)
    values: list[Any] = list(given)
    if len(values) != len(texts):
        msg = f"{len(texts)} texts and {len(values)} {name}: give one for each text, or none"
        raise InvalidInputError(msg)
    return values


def _context(metadata: Any, key: str) -> Any:
    return metadata.get(key) if is_mapping(metadata) else None


def make_document(row: Record | Hit) -> Document:
    """Return the document that a row holds; its id is in `Document.id` and nowhere else."""
    return Document(id=row.id, page_content=row.text, metadata=dict(row.metadata))


def make_found_document(hit: Hit, options: Mapping[str, Any]) -> Document:
    """Return the document of a hit, with what else was asked for in its metadata.

    Args:
        hit: The hit.
        options: `with_scores` adds "score", "relevance_score", and "scores" with the score, rank
            and relevance of each field that found the row; `with_vectors` adds "vector", the dense
            one, and "vectors", all by field; `with_context` adds "context"; `id_key` names the
            key that holds the id as well.
    """
    document = make_document(hit)
    if (key := options.get("id_key")) is not None:
        document.metadata[key] = hit.id
    if options.get("with_scores"):
        scores = {name: one._asdict() for name, one in hit.scores.items()}
        document.metadata |= {SCORE: hit.score, RELEVANCE: hit.relevance, SCORES: scores}
    if options.get("with_vectors"):
        document.metadata[VECTORS] = {
            name: one.tolist() if isinstance(one, np.ndarray) else dict(one)
            for name, one in hit.vectors.items()
        }
        if hit.dense is not None:
            document.metadata[VECTOR] = hit.dense.tolist()
    if options.get("with_context"):
        document.metadata[CONTEXT] = hit.context
    return document
