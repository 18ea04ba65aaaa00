"""The whole store against a plain Python model: whatever is done in whatever order, both agree.

Records come in through the core and both frameworks, with tenants and without; the store is closed
and opened again, and killed: a copy of its folder at any moment is what a killed process leaves.
`HYBRIDGE_MODEL` says how many histories the long run tries.
"""

from __future__ import annotations

import os
import shutil
import tempfile
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

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError
from support.modelled import (
    CHOICES,
    COLUMNS,
    DOCUMENTS,
    EVERY,
    FILTERS,
    IDS,
    MODES,
    THROUGH,
    WORDS,
    Chosen,
    Modelled,
)
from support.word_function import WordFunction

TENANTS = ("acme", "umbrella")
ids = st.sampled_from(IDS)
some_ids = st.lists(ids, max_size=4, unique=True)
words = st.sampled_from(WORDS)
modes = st.sampled_from(MODES)
metadata = st.fixed_dictionaries(
    {"year": st.integers(2020, 2023)}, optional={"tag": st.sampled_from(["x", "y", None])}
)
records = st.builds(
    Record,
    id=ids,
    text=st.lists(words, min_size=1, max_size=6).map(" ".join),
    metadata=metadata,
    document_id=st.sampled_from(DOCUMENTS),
)
distinct_records = st.lists(records, min_size=1, max_size=3, unique_by=lambda record: record.id)
tenants = st.sampled_from(TENANTS)
frameworks = st.sampled_from(THROUGH)
choices = st.sampled_from((EVERY, *CHOICES))


class Model(RuleBasedStateMachine):
    """A store, and what it should hold: the rows of each tenant."""

    @initialize(partitioned=st.booleans())
    def open(self, partitioned: bool) -> None:
        """Begin with nothing, with tenants or with a single nameless one."""
        self.folder = Path(tempfile.mkdtemp())
        self.path, self.lives = self.folder / "0.db", 0
        self.function = WordFunction()
        self.arguments: dict[str, Any] = {"metadata_schema": COLUMNS}
        if partitioned:
            self.arguments["partition_key"] = "tenant"
        self.names = TENANTS if partitioned else (None,)
        self.is_made = False
        self.store = MilvusStore(self.path, dense=self.function, **self.arguments)
        self.owners = {name: Modelled(self.view(name), name) for name in self.names}

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def view(self, name: str | None) -> MilvusStore:
        """Return the store as a tenant has it."""
        return self.store if name is None else self.store.for_tenant(name)

    def owner(self, tenant: str) -> Modelled:
        """Return the rows of a tenant, where there are any."""
        return self.owners[tenant if tenant in self.names else None]

    def made(self) -> bool:
        """Whether there is a collection."""
        self.is_made = self.is_made or any(owner.rows for owner in self.owners.values())
        return self.is_made

    def become(self, store: MilvusStore) -> None:
        """Go on with another store of the same rows."""
        self.store = store
        for name, owner in self.owners.items():
            owner.view = self.view(name)

    # --- what is written -----------------------------------------------------------------------

    @rule(tenant=tenants, written=st.lists(records, max_size=5))
    def add(self, tenant: str, written: list[Record]) -> None:
        """Through a view, or the store where there are no tenants."""
        self.owner(tenant).add(written)

    @rule(written=st.lists(st.tuples(tenants, records), max_size=4))
    def add_for_all(self, written: list[tuple[str, Record]]) -> None:
        """Through the store, each record naming its tenant."""
        self.store.add(
            [
                replace(record, metadata={**record.metadata, "tenant": tenant})
                if tenant in self.names
                else record
                for tenant, record in written
            ]
        )
        for tenant, record in written:
            self.owner(tenant).note([record])

    @rule(tenant=tenants, written=distinct_records)
    def add_through_langchain(self, tenant: str, written: list[Record]) -> None:
        """As texts with metadata and ids."""
        self.owner(tenant).add_through_langchain(written)

    @rule(tenant=tenants, written=distinct_records)
    def add_through_llama_index(self, tenant: str, written: list[Record]) -> None:
        """As nodes, which say that they have no source document."""
        self.owner(tenant).add_through_llama_index(written)

    @rule(tenant=tenants, some=some_ids, change=metadata, through=frameworks)
    def update(self, tenant: str, some: list[str], change: dict[str, Any], through: str) -> None:
        """Other metadata for rows that are there, the same for all."""
        self.owner(tenant).update(some, [change], through)

    @rule(tenant=tenants, changes=st.dictionaries(ids, metadata, min_size=2, max_size=3))
    def update_each(self, tenant: str, changes: dict[str, dict[str, Any]]) -> None:
        """Other metadata for each row."""
        self.owner(tenant).update(list(changes), list(changes.values()))

    @rule(tenant=tenants, some=some_ids)
    def delete(self, tenant: str, some: list[str]) -> None:
        """By id."""
        self.owner(tenant).delete(some)

    @rule(tenant=tenants, chosen=st.sampled_from(CHOICES))
    def delete_matching(self, tenant: str, chosen: Chosen) -> None:
        """By filter or expression."""
        self.owner(tenant).delete_matching(chosen)

    @rule(tenant=tenants, document=st.sampled_from(DOCUMENTS[1:]), through=frameworks)
    def delete_document(self, tenant: str, document: str, through: str) -> None:
        """By source document."""
        self.owner(tenant).delete_document(document, through)

    @rule(tenant=tenants, some=some_ids)
    def delete_through_langchain(self, tenant: str, some: list[str]) -> None:
        """By id."""
        self.owner(tenant).delete_through_langchain(some)

    @rule(tenant=tenants, some=some_ids)
    def delete_through_llama_index(self, tenant: str, some: list[str]) -> None:
        """By id."""
        self.owner(tenant).delete_through_llama_index(some)

    @rule(tenant=tenants)
    def clear(self, tenant: str) -> None:
        """All rows of a tenant, or all."""
        self.made()
        self.owner(tenant).clear()

    # --- what becomes of the store -------------------------------------------------------------

    @rule()
    def flush(self) -> None:
        """Which changes nothing."""
        self.store.flush()

    @precondition(made)
    @rule()
    def mend(self) -> None:
        """Nothing that is not as it was."""
        self.store.rebuild_statistics()
        self.store.reencode_sparse()

    @rule()
    def drop(self) -> None:
        """Whatever is written next makes the collection anew, as it was."""
        self.store.drop()
        for owner in self.owners.values():
            owner.rows.clear()
        self.is_made = False
        self.store.close()
        self.become(MilvusStore(self.path, dense=self.function, **self.arguments))

    @rule(by_arguments=st.booleans())
    def reopen(self, by_arguments: bool) -> None:
        """Close it, and open it with the arguments or without: it has what it was made with."""
        self.store.close()
        if by_arguments or not self.made():
            self.become(MilvusStore(self.path, dense=self.function, **self.arguments))
        else:
            self.become(MilvusStore.open(self.path).using(dense=self.function))

    @precondition(lambda self: self.path.exists())
    @rule()
    def crash(self) -> None:
        """Go on with what a process leaves that is killed now."""
        self.lives += 1
        left = self.folder / f"{self.lives}.db"
        shutil.copytree(self.path, left)
        self.store.close()
        self.path = left
        self.become(MilvusStore(self.path, dense=self.function, **self.arguments))
        assert not self.made() or self.store.check() == []

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        """Each is there, as it was written."""
        for owner in getattr(self, "owners", {}).values():
            owner.scroll()
            owner.count()

    @rule(tenant=tenants, word=words, mode=modes, chosen=choices)
    def search(self, tenant: str, word: str, mode: str, chosen: Chosen) -> None:
        """By one word, in every mode."""
        self.owner(tenant).search(word, mode, chosen)

    @rule(tenant=tenants, some=st.lists(words, max_size=3), mode=modes, chosen=choices)
    def search_many(self, tenant: str, some: list[str], mode: str, chosen: Chosen) -> None:
        """By several words at once."""
        self.owner(tenant).search_many(some, mode, chosen)

    @rule(tenant=tenants, word=words, k=st.integers(1, 8), chosen=choices)
    def search_mmr(self, tenant: str, word: str, k: int, chosen: Chosen) -> None:
        """For rows that are unlike each other."""
        self.owner(tenant).search_mmr(word, k, chosen)

    @rule(tenant=tenants, word=words, row_id=ids)
    def explain(self, tenant: str, word: str, row_id: str) -> None:
        """What a word adds to a row's score."""
        self.owner(tenant).explain(word, row_id)

    @rule(tenant=tenants, some=some_ids, chosen=choices, by_filter=st.sampled_from(FILTERS))
    def read(self, tenant: str, some: list[str], chosen: Chosen, by_filter: Chosen) -> None:
        """By id, by filter, by expression."""
        owner = self.owner(tenant)
        owner.get(some, by_filter)
        owner.get_matching(by_filter)
        owner.count(chosen)
        owner.scroll(chosen)

    @rule(tenant=tenants, some=some_ids, word=words)
    def read_through_frameworks(self, tenant: str, some: list[str], word: str) -> None:
        """What either has written, both read."""
        self.owner(tenant).read_through_langchain(some, word)
        self.owner(tenant).read_through_llama_index(some, word)

    @rule()
    def look(self) -> None:
        """Whether it is there, and whether BM25 counts the live rows."""
        assert self.store.exists() == self.made()
        if self.made():
            assert self.store.check() == []

    @rule()
    def add_column(self) -> None:
        """Milvus Lite cannot."""
        with pytest.raises(InvalidInputError, match="cannot be added"):
            self.store.add_column("pages", int)


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
