"""The whole store against a plain Python model: whatever is done in whatever order, both agree.

Records come in through the core and both frameworks, with tenants and without; the store is closed
and opened again, and killed: a copy of its folder at any moment is what a killed process leaves.
`HYBRIDGE_MODEL` says how many histories the long run tries.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from llama_index.core.schema import TextNode

from hybridge import DOCUMENT_ID, ROW_ID, F, MilvusStore, Record
from langchain_hybridge import MilvusVectorStore as LangChainStore
from llama_index_hybridge import MilvusVectorStore as LlamaIndexStore

TENANTS = ("acme", "umbrella")
WORDS = ("fox", "owl", "kite", "boat", "house")
ids = st.sampled_from(["a", "b", "c", 'say "d"', "e\\", "ü", "gg"])
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
metadata = st.fixed_dictionaries(
    {"year": st.integers(2020, 2023)}, optional={"tag": st.sampled_from(["x", "y", None])}
)
documents = st.sampled_from([None, "doc1", "doc2"])
records = st.builds(Record, id=ids, text=texts, metadata=metadata, document_id=documents)
tenants = st.sampled_from(TENANTS)
filters = st.sampled_from(
    [
        (F("year") >= 2022, lambda record: record.metadata["year"] >= 2022),
        (F("tag") == "x", lambda record: record.metadata.get("tag") == "x"),
        (F("tag") != "x", lambda record: record.metadata.get("tag") != "x"),
        (DOCUMENT_ID == "doc1", lambda record: record.document_id == "doc1"),
        (ROW_ID.isin(["a", "e\\"]), lambda record: record.id in ("a", "e\\")),
    ]
)


class Model(RuleBasedStateMachine):
    """A store, and what it should hold: the records of each tenant, by id."""

    @initialize(partitioned=st.booleans())
    def open(self, partitioned: bool) -> None:
        """Begin with nothing, with tenants or with a single nameless one."""
        self.folder = Path(tempfile.mkdtemp())
        self.path, self.lives = self.folder / "0.db", 0
        self.arguments: dict[str, Any] = {"metadata_schema": {"year": int}}
        if partitioned:
            self.arguments["partition_key"] = "tenant"
        self.names = TENANTS if partitioned else (None,)
        self.rows: dict[str | None, dict[str, Record]] = {name: {} for name in self.names}
        self.store = MilvusStore(self.path, **self.arguments)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def name(self, tenant: str) -> str | None:
        """Return a tenant, where there are any."""
        return tenant if tenant in self.names else None

    def view(self, tenant: str | None) -> MilvusStore:
        """Return the store as a tenant has it."""
        return self.store if tenant is None else self.store.for_tenant(tenant)

    def put(
        self, tenant: str | None, written: Sequence[Record], *, says_document: bool = False
    ) -> None:
        """Note what an `add` has written: the last of each id, with what that leaves out kept."""
        for record in {record.id: record for record in written}.values():
            old = self.rows[tenant].get(str(record.id))
            kept = record.document_id
            if kept is None and old is not None and not says_document:
                kept = old.document_id
            own = {} if tenant is None else {"tenant": tenant}
            self.rows[tenant][str(record.id)] = Record(
                id=record.id,
                text=record.text,
                metadata={**record.metadata, **own},
                document_id=kept,
            )

    # --- what is done --------------------------------------------------------------------------

    @rule(tenant=tenants, written=st.lists(records, max_size=5))
    def add(self, tenant: str, written: list[Record]) -> None:
        """Through a view, or the store where there are no tenants."""
        owner = self.name(tenant)
        assert self.view(owner).add(written) == [record.id for record in written]
        self.put(owner, written)

    @rule(written=st.lists(st.tuples(tenants, records), max_size=4))
    def add_for_all(self, written: list[tuple[str, Record]]) -> None:
        """Through the store, each record naming its tenant."""
        self.store.add(
            [
                replace(record, metadata={**record.metadata, "tenant": tenant})
                if self.name(tenant)
                else record
                for tenant, record in written
            ]
        )
        for name in self.names:
            self.put(name, [record for tenant, record in written if self.name(tenant) == name])

    @rule(
        tenant=tenants, written=st.lists(records, min_size=1, max_size=3, unique_by=lambda r: r.id)
    )
    def add_through_langchain(self, tenant: str, written: list[Record]) -> None:
        """As texts with metadata and ids."""
        store = LangChainStore(store=self.view(self.name(tenant)))
        store.add_texts(
            [record.text for record in written],
            metadatas=[dict(record.metadata) for record in written],
            ids=[str(record.id) for record in written],
        )
        self.put(self.name(tenant), [replace(one, document_id=None) for one in written])

    @rule(
        tenant=tenants, written=st.lists(records, min_size=1, max_size=3, unique_by=lambda r: r.id)
    )
    def add_through_llama_index(self, tenant: str, written: list[Record]) -> None:
        """As nodes, which say that they have no source document."""
        store = LlamaIndexStore(store=self.view(self.name(tenant)))
        hidden = ["year", "tag", "tenant"]
        store.add(
            [
                TextNode(
                    id_=str(record.id),
                    text=record.text,
                    metadata=dict(record.metadata),
                    excluded_embed_metadata_keys=hidden,
                )
                for record in written
            ]
        )
        nameless = [replace(one, document_id=None) for one in written]
        self.put(self.name(tenant), nameless, says_document=True)

    @rule(tenant=tenants, some=st.lists(ids, max_size=3), change=metadata)
    def update(self, tenant: str, some: list[str], change: dict[str, Any]) -> None:
        """Other metadata for rows that are there."""
        rows = self.rows[self.name(tenant)]
        there = {one for one in some if one in rows}
        assert self.view(self.name(tenant)).update(some, metadata=change) == len(there)
        for one in there:
            rows[one] = replace(rows[one], metadata={**rows[one].metadata, **change})

    @rule(tenant=tenants, some=st.lists(ids, max_size=4))
    def delete(self, tenant: str, some: list[str]) -> None:
        """By id."""
        rows = self.rows[self.name(tenant)]
        there = {one for one in some if one in rows}
        assert self.view(self.name(tenant)).delete(some) == len(there)
        for one in there:
            del rows[one]

    @rule(tenant=tenants, chosen=filters)
    def delete_matching(self, tenant: str, chosen: Any) -> None:
        """By filter."""
        tree, matches = chosen
        rows = self.rows[self.name(tenant)]
        gone = [one for one, record in rows.items() if matches(record)]
        assert self.view(self.name(tenant)).delete(filter=tree) == len(gone)
        for one in gone:
            del rows[one]

    @rule(tenant=tenants)
    def clear(self, tenant: str) -> None:
        """All rows of a tenant, or all."""
        self.view(self.name(tenant)).clear()
        self.rows[self.name(tenant)] = {}

    @rule()
    def flush(self) -> None:
        """Which changes nothing."""
        self.store.flush()

    @rule()
    def reopen(self) -> None:
        """Close it, and open it by other arguments: it has what it was made with."""
        self.store.close()
        self.arguments = {} if any(self.rows.values()) else self.arguments
        self.store = MilvusStore(self.path, **self.arguments)

    @precondition(lambda self: self.path.exists())
    @rule()
    def crash(self) -> None:
        """Go on with what a process leaves that is killed now."""
        self.lives += 1
        left = self.folder / f"{self.lives}.db"
        shutil.copytree(self.path, left)
        self.store.close()
        self.path = left
        self.store = MilvusStore(self.path, **self.arguments)
        assert not any(self.rows.values()) or self.store.check() == []

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        """Each is there, as it was written."""
        for tenant, rows in getattr(self, "rows", {}).items():
            view = self.view(tenant) if any(self.rows.values()) else self.store
            found = {str(record.id): record for record in view.scroll()}
            assert found.keys() == rows.keys()
            for row_id, record in rows.items():
                stored = found[row_id]
                assert (stored.text, stored.metadata, stored.document_id) == (
                    record.text,
                    record.metadata,
                    record.document_id,
                )
            assert view.count() == len(rows)

    @rule(tenant=tenants, word=st.sampled_from(WORDS), chosen=st.none() | filters)
    def search(self, tenant: str, word: str, chosen: Any) -> None:
        """Every row with the word, and no other."""
        tree, matches = chosen or (None, lambda _: True)
        rows = self.rows[self.name(tenant)]
        wanted = {one for one, row in rows.items() if word in row.text.split() and matches(row)}
        if any(self.rows.values()):
            hits = self.view(self.name(tenant)).search(word, k=50, mode="sparse", filter=tree)
            assert {hit.id for hit in hits} == wanted
            assert all(hit.text == rows[hit.id].text for hit in hits)

    @rule()
    def check(self) -> None:
        """BM25 counts the live rows."""
        if any(self.rows.values()):
            assert self.store.check() == []


untimed = [HealthCheck.too_slow, HealthCheck.filter_too_much]


def histories(number: int) -> None:
    """Try so many histories."""
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=number,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=untimed,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
            print_blob=True,
        ),
    )


def test_the_store_is_its_model() -> None:
    """Some histories."""
    histories(6)


@pytest.mark.long
def test_the_store_is_its_model_long() -> None:
    """Many."""
    histories(int(os.environ.get("HYBRIDGE_MODEL", "40")))
