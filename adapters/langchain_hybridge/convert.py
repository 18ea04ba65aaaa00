"""Between LangChain's documents and Hybridge's records and hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from hybridge.errors import InvalidInputError
from hybridge.records import Hit, Record

SCORE = "score"
RELEVANCE = "relevance_score"
SCORES = "scores"
VECTOR = "vector"


def make_records(
    texts: Iterable[str],
    metadatas: Sequence[Mapping[str, Any]] | None = None,
    ids: Sequence[str | None] | None = None,
) -> list[Record]:
    """Return one record per text.

    Raises:
        InvalidInputError: If the numbers of texts, metadatas and ids differ, or `texts` is a
            single string.
    """
    if isinstance(texts, str):
        msg = f"texts is the string {texts!r:.80}: give a list of texts"
        raise InvalidInputError(msg)
    texts = list(texts)
    metadatas = [{}] * len(texts) if metadatas is None else metadatas
    ids = [None] * len(texts) if ids is None else ids
    for name, given in (("metadatas", metadatas), ("ids", ids)):
        if len(given) != len(texts):
            msg = f"{len(texts)} texts and {len(given)} {name}: give one for each text, or none"
            raise InvalidInputError(msg)
    return [
        Record(id=id, text=text, metadata=metadata)
        for id, text, metadata in zip(ids, texts, metadatas, strict=True)
    ]


def make_document(row: Record | Hit) -> Document:
    """Return the document that a row holds; its id is in `Document.id` and nowhere else."""
    return Document(id=row.id, page_content=row.text, metadata=dict(row.metadata))


def make_found_document(hit: Hit, options: Mapping[str, Any]) -> Document:
    """Return the document of a hit, with what else was asked for in its metadata.

    Args:
        hit: The hit.
        options: `with_scores` adds "score", "relevance_score", and "scores" with the score and the
            rank of each leg that found the row; `with_vectors` adds "vector", the dense one.
    """
    document = make_document(hit)
    if options.get("with_scores"):
        legs = {name: leg._asdict() for name, leg in hit.scores.items()}
        document.metadata |= {SCORE: hit.score, RELEVANCE: hit.relevance, SCORES: legs}
    if options.get("with_vectors") and hit.dense is not None:
        document.metadata[VECTOR] = hit.dense.tolist()
    return document
