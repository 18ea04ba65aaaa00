"""A store beside a plain Python model: each call is made of both, and they must agree.

The state machine of the core draws the calls by hypothesis; a `Walk` makes them at random, many
beside each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode

from hybridge import DOCUMENT_ID, ROW_ID, F, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.filters import And, Filter
from langchain_hybridge import MilvusVectorStore as LangChainStore
from llama_index_hybridge import MilvusVectorStore as LlamaIndexStore

WORDS = ("fox", "owl", "kite", "boat", "house")
IDS = ("a", "b", "c", 'say "d"', "e\\", "ü", "gg")
DOCUMENTS = (None, "doc1", "doc2")
MODES = ("dense", "sparse", "hybrid")
THROUGH = ("core", "langchain", "llama_index")
COLUMNS: dict[str, type] = {"year": int, "owner": str}
"""The metadata keys that are columns as well; "tag" is none."""

DEPTH = 200
"""More rows than one owner ever has."""


class Chosen(NamedTuple):
    """Some rows, as the model finds them and as the store is told."""

    matches: Callable[[Record], bool]
    filter: Filter | None = None
    expr: str | None = None


EVERY = Chosen(lambda record: True)
FILTERS = (
    Chosen(lambda record: record.metadata["year"] >= 2022, F("year") >= 2022),
    Chosen(lambda record: record.metadata.get("tag") == "x", F("tag") == "x"),
    Chosen(lambda record: record.metadata.get("tag") != "x", F("tag") != "x"),
    Chosen(lambda record: record.document_id == "doc1", DOCUMENT_ID == "doc1"),
    Chosen(lambda record: record.id in ("a", "e\\"), ROW_ID.isin(["a", "e\\"])),
)
EXPRESSIONS = (
    Chosen(lambda record: record.metadata["year"] < 2022, expr="meta_year < 2022"),
    Chosen(
        lambda record: record.metadata["year"] == 2021 and record.document_id != "doc2",
        DOCUMENT_ID != "doc2",
        "meta_year == 2021",
    ),
)
CHOICES = FILTERS + EXPRESSIONS


class Modelled:
    """The rows that one owner writes to a view of a store, and what they should be.

    Every second call is that of the async twin.

    Args:
        view: The view.
        tenant: Its tenant.
        owner: Who writes these rows, where others write to the view as well; None where nobody
            does.

    Attributes:
        rows: What should be there, by id.
    """

    def __init__(
        self, view: MilvusStore, tenant: str | None = None, owner: str | None = None
    ) -> None:
        self.view = view
        self.rows: dict[str, Record] = {}
        self._tenant, self._owner = tenant, owner
        self._calls = 0

    # --- what is written -----------------------------------------------------------------------

    def add(self, written: Sequence[Record]) -> None:
        """Records; the last of each id is the one that stays."""
        own = [self._owned(record) for record in written]
        _check(self._call(self.view, "add", own), [record.id for record in written])
        self.note(written)

    def note(self, written: Iterable[Record], *, says_document: bool = False) -> None:
        """Note what was written otherwise; what a record leaves out is kept.

        Args:
            written: The records.
            says_document: Whether one without a document says that it has none.
        """
        for record in {record.id: record for record in written}.values():
            old = self.rows.get(str(record.id))
            kept = record.document_id
            if kept is None and old is not None and not says_document:
                kept = old.document_id
            self.rows[str(record.id)] = replace(self._seen(record), document_id=kept)

    def add_through_langchain(self, written: Sequence[Record]) -> None:
        """As texts with metadata and ids, each of its own."""
        self._call(
            self._langchain,
            "add_texts",
            [record.text for record in written],
            [dict(self._owned(record).metadata) for record in written],
            ids=[str(record.id) for record in written],
        )
        self.note([replace(record, document_id=None) for record in written])

    def add_through_llama_index(self, written: Sequence[Record]) -> None:
        """As nodes, each of its own id, which say that they have no source document."""
        nodes = [
            TextNode(
                id_=str(record.id),
                text=record.text,
                metadata=dict(self._owned(record).metadata),
                excluded_embed_metadata_keys=["year", "tag", "tenant", "owner"],
            )
            for record in written
        ]
        self._call(self._llama_index, "add", nodes)
        self.note([replace(record, document_id=None) for record in written], says_document=True)

    def update(
        self, ids: Sequence[str], changes: Sequence[dict[str, Any]], through: str = "core"
    ) -> None:
        """Other metadata for rows that are there, one change for all or one for each."""
        there = {one for one in ids if one in self.rows}
        metadata: Any = changes[0] if len(changes) == 1 else changes
        target = {"core": self.view, **self._frameworks}[through]
        _check(self._call(target, "update", ids, metadata=metadata), len(there))
        each = changes * len(ids) if len(changes) == 1 else changes
        for one, change in zip(ids, each, strict=True):
            if one in there:
                row = self.rows[one]
                self.rows[one] = replace(row, metadata={**row.metadata, **change})

    def delete(self, ids: Sequence[str]) -> None:
        """By id."""
        there = {one for one in ids if one in self.rows}
        _check(self._call(self.view, "delete", ids), len(there))
        self._forget(there)

    def delete_matching(self, chosen: Chosen) -> None:
        """By filter or expression."""
        gone = self._matching(chosen)
        _check(self._call(self.view, "delete", **self._asked(chosen)), len(gone))
        self._forget(gone)

    def delete_document(self, document: str, through: str = "core") -> None:
        """By source document, which LangChain does not know."""
        gone = {one for one, row in self.rows.items() if row.document_id == document}
        asked = self._asked(EVERY)
        if through == "llama_index":
            self._call(self._llama_index, "delete", document, **asked)
        else:
            _check(self._call(self.view, "delete", document_id=document, **asked), len(gone))
        self._forget(gone)

    def delete_through_langchain(self, ids: Sequence[str]) -> None:
        """By id."""
        _check(self._call(self._langchain, "delete", list(ids)), True)
        self._forget(ids)

    def delete_through_llama_index(self, ids: Sequence[str]) -> None:
        """By id."""
        self._call(self._llama_index, "delete_nodes", list(ids))
        self._forget(ids)

    def clear(self) -> None:
        """All, where nobody else writes to the view."""
        self._call(self.view, "clear")
        self.rows.clear()

    # --- what is read --------------------------------------------------------------------------

    def search(self, word: str, mode: str, chosen: Chosen = EVERY) -> None:
        """BM25 finds the rows with the word and no other, dense vectors find every row."""
        arguments = {"k": DEPTH, "mode": mode, **self._asked(chosen)}
        hits = self._call(self.view, "search", word, **arguments)
        scores = [hit.score for hit in hits]
        _check(scores, sorted(scores, reverse=True))
        self._check_all(hits, self._found(word, mode, chosen))

    def search_many(self, words: Sequence[str], mode: str, chosen: Chosen = EVERY) -> None:
        """The same of several words at once."""
        arguments = {"k": DEPTH, "mode": mode, **self._asked(chosen)}
        answers = self._call(self.view, "search_many", words, **arguments)
        for word, hits in zip(words, answers, strict=True):
            self._check_all(hits, self._found(word, mode, chosen))

    def search_mmr(self, word: str, k: int, chosen: Chosen = EVERY) -> None:
        """Some rows, each as it is."""
        hits = self._call(self.view, "search_mmr", word, k=k, **self._asked(chosen))
        matching = self._matching(chosen)
        _check(len(hits), min(k, len(matching)))
        self._check_all(hits, {hit.id for hit in hits} & matching)

    def explain(self, word: str, id: str) -> None:
        """A word adds to the score of a row that has it."""
        if id not in self.rows:
            with pytest.raises(InvalidInputError):
                self._call(self.view, "explain", word, id)
            return
        terms = self._call(self.view, "explain", word, id)
        _check(sum(terms.values()) > 0, word in self.rows[id].text.split())

    def get(self, ids: Sequence[str], chosen: Chosen = EVERY) -> None:
        """By id, in order, and by filter."""
        found = self._call(self.view, "get", ids, filter=chosen.filter)
        matching = self._matching(chosen)
        _check([record.id for record in found], [one for one in ids if one in matching])
        self._check_each(found)

    def count(self, chosen: Chosen = EVERY) -> None:
        """How many."""
        _check(self._call(self.view, "count", **self._asked(chosen)), len(self._matching(chosen)))

    def scroll(self, chosen: Chosen = EVERY) -> None:
        """All of them, or those that match."""
        found = self._call(self.view, "scroll", **self._asked(chosen))
        self._check_all(list(found), self._matching(chosen))

    def get_matching(self, chosen: Chosen) -> None:
        """By filter alone."""
        found = self._call(self.view, "get", filter=self._asked(chosen)["filter"])
        self._check_all(found, self._matching(chosen))

    def read_through_langchain(self, ids: Sequence[str], word: str) -> None:
        """By id, and by word."""
        documents = self._call(self._langchain, "get_by_ids", ids)
        there = [one for one in dict.fromkeys(ids) if one in self.rows]
        _check([document.id for document in documents], there)
        owned = None if self._owner is None else {"owner": self._owner}
        found = self._call(
            self._langchain, "similarity_search", word, k=DEPTH, mode="sparse", filter=owned
        )
        _check({document.id for document in found}, self._found(word, "sparse", EVERY))
        for document in [*documents, *found]:
            row = self.rows[document.id]
            _check((document.page_content, document.metadata), (row.text, row.metadata))

    def read_through_llama_index(self, ids: Sequence[str], word: str) -> None:
        """By id, and by word."""
        nodes = self._call(self._llama_index, "get_nodes", list(ids))
        _check([node.node_id for node in nodes], [one for one in ids if one in self.rows])
        owned = MetadataFilters(filters=[MetadataFilter(key="owner", value=self._owner)])
        query = VectorStoreQuery(
            query_str=word,
            similarity_top_k=DEPTH,
            mode=VectorStoreQueryMode.TEXT_SEARCH,
            filters=None if self._owner is None else owned,
        )
        found = self._call(self._llama_index, "query", query)
        _check(set(found.ids), self._found(word, "sparse", EVERY))
        for node in [*nodes, *found.nodes]:
            row = self.rows[node.node_id]
            _check((node.get_content(), node.metadata), (row.text, row.metadata))

    # --- how -----------------------------------------------------------------------------------

    @property
    def _frameworks(self) -> dict[str, Any]:
        return {"langchain": self._langchain, "llama_index": self._llama_index}

    @property
    def _langchain(self) -> LangChainStore:
        return LangChainStore(store=self.view)

    @property
    def _llama_index(self) -> LlamaIndexStore:
        return LlamaIndexStore(store=self.view)

    def _call(self, target: object, name: str, *args: Any, **kwargs: Any) -> Any:
        self._calls += 1
        if self._calls % 2:
            return getattr(target, name)(*args, **kwargs)
        twin = getattr(target, f"async_{name}", None) or getattr(target, f"a{name}")
        return asyncio.run(_awaited(twin(*args, **kwargs)))

    def _asked(self, chosen: Chosen) -> dict[str, Any]:
        """Return a choice among the owner's rows as the store is told."""
        owned = None if self._owner is None else F("owner") == self._owner
        return {"filter": And([owned, chosen.filter]), "expr": chosen.expr}

    def _owned(self, record: Record) -> Record:
        """Return a record as its owner writes it."""
        if self._owner is None:
            return record
        return replace(record, metadata={**record.metadata, "owner": self._owner})

    def _seen(self, record: Record) -> Record:
        """Return a record as it should be there."""
        tenant = {} if self._tenant is None else {"tenant": self._tenant}
        return replace(record, metadata={**self._owned(record).metadata, **tenant})

    def _forget(self, ids: Iterable[str]) -> None:
        for one in ids:
            self.rows.pop(one, None)

    def _matching(self, chosen: Chosen) -> set[str]:
        return {one for one, row in self.rows.items() if chosen.matches(row)}

    def _found(self, word: str, mode: str, chosen: Chosen) -> set[str]:
        matching = self._matching(chosen)
        if mode != "sparse":
            return matching
        return {one for one in matching if word in self.rows[one].text.split()}

    def _check_all(self, found: Sequence[Any], wanted: set[str]) -> None:
        """Check that records or hits are those of these ids, each once and as it should be."""
        _check(sorted(str(one.id) for one in found), sorted(wanted))
        self._check_each(found)

    def _check_each(self, found: Iterable[Any]) -> None:
        for one in found:
            row = self.rows[one.id]
            stored = (one.text, one.metadata, one.document_id)
            _check(stored, (row.text, row.metadata, row.document_id))


def _check(found: object, wanted: object) -> None:
    """Check that the store gave what the model says; also where pytest rewrites no assertion."""
    assert found == wanted, f"the store gives {found!r}, the model {wanted!r}"


async def _awaited(answer: Any) -> Any:
    """Return what an async twin gives, all of it."""
    if isinstance(answer, AsyncIterator):
        return [one async for one in answer]
    return await answer
