"""Wrong types and values anywhere in a store raise errors of Hybridge's own, and change nothing.

A few hundred calls in the ordinary run; `HYBRIDGE_FUZZ=5000` makes that many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge import TLS, DenseField, MilvusStore, Record, ServerOptions, SparseField
from hybridge.errors import InvalidInputError
from support.odd_values import EXAMPLES, ODD, odd, only_errors_of_ours, real, some
from support.word_function import WordFunction


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusStore]:
    """A store with two dense fields and BM25, and a few rows."""
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    fields = {"title": DenseField(WordFunction(), source="title")}
    with MilvusStore(path, dense=WordFunction(), fields=fields) as made:
        made.add(Record(id=name, text=name, metadata={"title": name}) for name in ("fox", "safe"))
        yield made


SEARCH = (
    "k", "mode", "filter", "expr", "fusion", "fetch_k", "reranker", "with_vectors", "vector",
    "search_params",
)  # fmt: skip
MMR = ("k", "mode", "filter", "expr", "fusion", "fetch_k", "balance", "mmr_field", "vector")
RECORD = (
    "id", "text", "metadata", "document_id", "context", "extra", "dense", "sparse", "vectors",
)  # fmt: skip
ARGUMENTS = (
    "uri", "collection_name", "token", "db_name", "dense", "sparse", "fields", "search_fields",
    "config", "dim", "metadata_schema", "partition_key", "average_length", "timeout", "server",
)  # fmt: skip


def construct(arguments: dict[str, Any], path: str) -> None:
    """Make a store, and count its rows where that opens nothing new."""
    with MilvusStore(**{"uri": path, "timeout": 1, **arguments}):
        pass


CALLS: list[tuple[str, st.SearchStrategy[Any], Callable[[MilvusStore, Any], Any]]] = [
    ("search", st.tuples(odd, some(SEARCH)), lambda s, a: s.search(a[0], **a[1])),
    ("search a text", some(SEARCH), lambda s, a: s.search("fox", **a)),
    ("search_many", st.tuples(odd, odd), lambda s, a: s.search_many(a[0], vectors=a[1])),
    ("search_mmr", some(MMR), lambda s, a: s.search_mmr("fox", **a)),
    ("get", odd, lambda s, a: s.get(a)),
    ("get by filter", odd, lambda s, a: s.get(filter=a)),
    ("count", st.tuples(odd, odd), lambda s, a: s.count(a[0], expr=a[1])),
    ("scroll", st.tuples(odd, odd), lambda s, a: list(s.scroll(a[0], expr=a[1]))),
    ("delete", odd, lambda s, a: s.delete([a])),
    ("delete by document", odd, lambda s, a: s.delete(ids=["none"], document_id=a)),
    ("update", st.tuples(odd, odd), lambda s, a: s.update(a[0], metadata=a[1])),
    ("explain", st.tuples(odd, odd, odd), lambda s, a: s.explain(a[0], a[1], field=a[2])),
    ("for_tenant", odd, lambda s, a: s.for_tenant(a).count()),
    ("using", odd, lambda s, a: s.using(dense=a).search("fox")),
    ("add", st.tuples(odd, odd), lambda s, a: s.add(a[0], batch_size=a[1])),
    ("add a record", some(RECORD, 3), lambda s, a: s.add([Record(**{"id": "owl", **a})])),
]


@pytest.mark.parametrize(("name", "arguments", "call"), CALLS, ids=[name for name, _, _ in CALLS])
def test_a_call_with_odd_arguments_raises_errors_of_ours(
    store: MilvusStore,
    name: str,
    arguments: st.SearchStrategy[Any],
    call: Callable[[MilvusStore, Any], Any],
) -> None:
    """Whatever is passed, and "safe" is still there."""

    @settings(max_examples=max(8, EXAMPLES // len(CALLS)))
    @given(arguments)
    def fuzz(given_arguments: Any) -> None:
        with only_errors_of_ours():
            call(store, real(given_arguments))

    fuzz()
    assert [record.text for record in store.get(["safe"])] == ["safe"]


UNHASHABLE, ARRAY, NO_DIMENSIONS, LONG = [["a"]], np.ones(3), np.array(1.0), 10**5000
TOO_EARLY: dict[str, Callable[[MilvusStore], Any]] = {
    "compared": lambda s: s.search_many(vectors=ARRAY),
    "measured": lambda s: s.search_many(["fox"], vectors={"dense": ODD[-1]}),
    "formatted, a sparse index": lambda s: s.add([Record(sparse={10**400: 1.0})]),
    "formatted, a field of a record": lambda s: s.add([Record(vectors={LONG: [1.0]})]),  # type: ignore[dict-item]
    "formatted, a field of a store": lambda _: MilvusStore("none.db", fields={LONG: 3}),  # type: ignore[dict-item]
    "iterated, ids": lambda s: s.get(NO_DIMENSIONS),  # type: ignore[arg-type]
    "iterated, records": lambda s: s.add(NO_DIMENSIONS),  # type: ignore[arg-type]
    "hashed, a key": lambda s: s.add_column(UNHASHABLE, int),  # type: ignore[arg-type]
    "hashed, a field": lambda s: s.function(UNHASHABLE),  # type: ignore[arg-type]
    "truth, an index": lambda _: DenseField(index_params=ARRAY),  # type: ignore[arg-type]
    "truth, progress": lambda s: s.reencode_sparse(progress=ARRAY),  # type: ignore[arg-type]
    "a path of NUL": lambda _: TLS(ca="a\0b"),
    "a path of a surrogate": lambda _: TLS(ca="\ud800"),
}


@pytest.mark.parametrize("way", TOO_EARLY)
def test_nothing_is_looked_at_before_its_type(store: MilvusStore, way: str) -> None:
    """No value is hashed, compared, measured, iterated or formatted that cannot be."""
    with pytest.raises(InvalidInputError):
        TOO_EARLY[way](store)


@settings(max_examples=max(20, EXAMPLES // 4))
@given(arguments=some(ARGUMENTS, 2))
def test_a_store_of_odd_arguments_raises_errors_of_ours(
    tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, Any]
) -> None:
    """The constructor refuses what makes no sense."""
    with only_errors_of_ours():
        construct(real(arguments), str(tmp_path_factory.getbasetemp() / "none.db"))


@settings(max_examples=max(20, EXAMPLES // 4))
@given(kind=st.sampled_from([ServerOptions, TLS]), arguments=some(
    (
        "consistency_level", "num_shards", "replica_number", "num_partitions", "properties", "tls",
        "ca", "certificate", "key", "server_name",
    ), 2
))  # fmt: skip
def test_odd_settings_of_a_server_raise_errors_of_ours(
    kind: Any, arguments: dict[str, Any]
) -> None:
    """Each class takes what it has."""
    given = {name: value for name, value in real(arguments).items() if hasattr(kind, name)}
    with only_errors_of_ours():
        kind(**given)


@settings(max_examples=max(20, EXAMPLES // 4))
@given(kind=st.sampled_from([DenseField, SparseField]), function=odd, arguments=some(
    ("source", "dim", "metric", "index_type", "index_params", "name"), 2
))  # fmt: skip
def test_a_field_of_odd_arguments_raises_errors_of_ours(
    kind: Any, function: Any, arguments: dict[str, Any]
) -> None:
    """So does a field, and the store that is given it."""
    if kind is SparseField:
        arguments = {
            name: value for name, value in arguments.items() if name not in ("dim", "metric")
        }
    with only_errors_of_ours():
        field = kind(real(function), **real(arguments))
        MilvusStore("none.db", fields={"title": field}).close()
