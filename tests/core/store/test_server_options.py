"""The settings of a server: checked before anything is made, sent as Milvus names them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hybridge import TLS, BM25EmbeddingFunction, DenseField, MilvusStore, ServerOptions, SparseField
from hybridge.errors import InvalidInputError
from hybridge.records import Record
from hybridge.store.indexes import DENSE_INDEXES
from support.engines import ServerOverLite, servers_over_lite

TTL = {"collection.ttl.seconds": 3600}


class Spied:
    """What a store asks of Milvus, by operation."""

    def __init__(self, store: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
        connection = store._session.collection().connection
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        call = connection.call

        def spying(operation: str, name: str, **arguments: Any) -> Any:
            self.calls.append((operation, name, arguments))
            return call(operation, name, **arguments)

        monkeypatch.setattr(connection, "call", spying)

    def arguments(self, operation: str) -> list[dict[str, Any]]:
        """The arguments of each call of an operation, in order."""
        return [arguments for asked, _, arguments in self.calls if asked == operation]


@contextmanager
def index_of_a_server() -> Iterator[None]:
    """Within the block the server's indexes are not exact, so that they have parameters."""
    ServerOverLite.exact_indexes = False
    try:
        yield
    finally:
        ServerOverLite.exact_indexes = True


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ({"consistency_level": "strong"}, "'Strong', 'Session', 'Bounded', 'Eventually'"),
        ({"consistency_level": 1}, "'Strong'"),
        ({"num_shards": 0}, "from 1 to 64"),
        ({"num_shards": True}, "a whole number"),
        ({"num_shards": 2.0}, "a whole number"),
        ({"replica_number": "2"}, "a whole number from 1"),
        ({"num_partitions": 5000}, "from 1 to 4096"),
        ({"properties": [1]}, "give a dictionary"),
        ({"properties": {"ttl": 3}}, "there is collection.ttl.seconds, mmap.enabled"),
        ({"properties": {3: 3}}, "there is no 3 here"),
        ({"properties": {"mmap.enabled": "true"}}, "give True or False"),
        ({"properties": {"collection.ttl.seconds": -1}}, "a whole number from 0"),
        ({"properties": {"collection.insertRate.max.mb": float("nan")}}, "a number from 0"),
        ({"tls": "ca.pem"}, "give a hybridge.TLS"),
    ],
)
def test_a_setting_that_there_is_not_is_refused(arguments: Any, allowed: str) -> None:
    """At once, with what it may be."""
    with pytest.raises(InvalidInputError, match=allowed):
        ServerOptions(**arguments)


def test_something_else_is_no_server_options(path: str) -> None:
    """A dictionary neither."""
    for other in ({"num_shards": 2}, "Strong", ServerOptions):
        with pytest.raises(InvalidInputError, match=r"give a hybridge\.ServerOptions"):
            MilvusStore(path, server=other)  # type: ignore[arg-type]


def test_rows_that_bm25_counts_may_not_expire(path: str) -> None:
    """Milvus would delete them behind the store's back; other functions count nothing."""
    expiring = ServerOptions(properties=TTL)
    unfitted = BM25EmbeddingFunction()
    for counted in (
        {},
        {"sparse": "bm25:de"},
        {"sparse": None, "fields": {"w": SparseField("bm25")}},
    ):
        with pytest.raises(InvalidInputError, match="goes on counting: give sparse="):
            MilvusStore(path, server=expiring, **counted)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="goes on counting"):
        MilvusStore(path, server=expiring, sparse=unfitted)
    unfitted.fit(["a word"])
    MilvusStore(path, server=expiring, sparse=unfitted)
    MilvusStore("http://127.0.0.1:9", server=expiring, sparse="milvus")
    MilvusStore(path, server=expiring, sparse=None, dim=2)
    MilvusStore(path, server=ServerOptions(properties={"collection.ttl.seconds": 0}))


def test_partitions_need_a_partition_key(path: str) -> None:
    """They are what tenants are spread over."""
    for options in (
        ServerOptions(num_partitions=8),
        ServerOptions(properties={"partitionkey.isolation": True}),
    ):
        with pytest.raises(InvalidInputError, match="give partition_key= as well"):
            MilvusStore(path, server=options)
        MilvusStore(path, server=options, partition_key="tenant")


@pytest.mark.parametrize(
    ("index_type", "index_params", "message"),
    [
        ("TREE", {}, "choose one of AUTOINDEX, FLAT, HNSW"),
        (None, {"M": 16}, "give index_type= as well"),
        ("HNSW", {"m": 16}, "there is M, efConstruction"),
        ("HNSW", {"M": 1}, "from 2 to 2048"),
        ("HNSW", {"M": "16"}, "a whole number"),
        ("HNSW", [16], "give a dictionary"),
        ("FLAT", {"nlist": 16}, "there is none"),
        ("IVF_PQ", {"nbits": 65}, "from 1 to 64"),
        ("IVF_PQ", {"m": 3}, "m=3 does not divide 8"),
        ("SCANN", {"with_raw_data": 1}, "True or False"),
        ("DISKANN", {"search_list": 16}, "there is none"),
    ],
)
def test_an_index_that_milvus_lacks_is_refused(
    index_type: Any, index_params: Any, message: str
) -> None:
    """Type, parameters and ranges are those that Milvus documents."""
    with pytest.raises(InvalidInputError, match=message):
        DenseField(dim=8, index_type=index_type, index_params=index_params)


def test_sparse_indexes_are_checked_too() -> None:
    """Their algorithm is one of three; a ratio is below 1."""
    SparseField(index_type="SPARSE_WAND", index_params={"drop_ratio_build": 0.2})
    for index_type, params, message in (
        ("HNSW", {}, "choose one of SPARSE_INVERTED_INDEX, SPARSE_WAND, AUTOINDEX"),
        ("SPARSE_INVERTED_INDEX", {"inverted_index_algo": "WAND"}, "'DAAT_MAXSCORE', 'DAAT_WAND'"),
        ("SPARSE_INVERTED_INDEX", {"drop_ratio_build": 1.0}, "a number from 0 to"),
        ("AUTOINDEX", {"drop_ratio_build": 0.1}, "there is none"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            SparseField(index_type=index_type, index_params=params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (16, "give a dictionary"),
        ({"efs": 16}, "there is no 'efs' here; there is ef,"),
        ({"ef": 0}, "a whole number from 1"),
        ({"dense": {"ef": 16}, "nprobe": 8}, "give a dictionary"),
        ({"dense": {"efs": 8}}, "search_params\\['dense'\\]: there is no 'efs'"),
        ({"title": {"ef": 16}}, "'ef' of 'title' belongs to no index that is searched"),
        ({"dense": {"nprobe": 16}}, "'nprobe' of 'dense' belongs to no index"),
        (
            {"nprobe": 16},
            "'nprobe' belongs to no index that is searched, which are {'dense': 'HNSW",
        ),
    ],
)
def test_search_parameters_that_nothing_knows_are_refused(
    make_store: Callable[..., MilvusStore], params: Any, message: str
) -> None:
    """On a path too, so that a program that runs there runs on a server."""
    fields = {"dense": DenseField(dim=2, index_type="HNSW")}
    store = make_store(fields=fields)
    store.add([Record(id="a", text="a word", dense=[1, 0])])
    with pytest.raises(InvalidInputError, match=message):
        store.search("word", vector=[1, 0], search_params=params)


# --- what is sent --------------------------------------------------------------------------------


def test_a_collection_is_made_as_the_options_say(
    lite_server: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards, partitions and properties are the collection's, replicas its companion's too."""
    options = ServerOptions(
        num_shards=2, replica_number=1, num_partitions=8, properties={"mmap.enabled": True}
    )
    with (
        servers_over_lite(),
        MilvusStore(
            lite_server, collection_name=collection_name, partition_key="tenant", server=options
        ) as store,
    ):
        spied = Spied(store, monkeypatch)
        store.add([Record(id="a", text="a word", metadata={"tenant": "acme"})])
        companion, rows = spied.arguments("create_collection")
        assert rows["num_shards"] == 2
        assert rows["num_partitions"] == 8
        assert rows["properties"] == {"mmap.enabled": "true"}
        assert companion.keys().isdisjoint({"num_shards", "num_partitions", "properties"})
        assert spied.arguments("load_collection") == [{"replica_number": 1}] * 2
        assert [hit.id for hit in store.for_tenant("acme").search("word")] == ["a"]


def test_a_new_field_has_the_index_that_was_asked_for() -> None:
    """Type and parameters; the default where nothing was said; an exact one where need be."""
    asked = DenseField(dim=8, index_type="IVF_PQ", index_params={"m": 4, "nbits": 8}).new("dense")
    assert asked.index(exact=False) == {
        "field_name": "dense",
        "metric_type": "COSINE",
        "index_type": "IVF_PQ",
        "params": {"m": 4, "nbits": 8},
    }
    assert asked.index(exact=True)["index_type"] == "FLAT"
    assert DenseField(dim=8).new("dense").index(exact=False)["index_type"] == "AUTOINDEX"
    words = SparseField(
        index_type="SPARSE_INVERTED_INDEX", index_params={"inverted_index_algo": "DAAT_WAND"}
    ).new("words")
    assert words.index(exact=False)["params"] == {"inverted_index_algo": "DAAT_WAND"}
    assert "params" not in words.index(exact=True)


def test_clearing_keeps_the_index(make_store: Callable[..., MilvusStore]) -> None:
    """It is made anew from the layout, which knows it, by whoever opens the collection."""
    params = {"M": 32, "efConstruction": 100}
    store = make_store(fields={"dense": DenseField(dim=2, index_type="HNSW", index_params=params)})
    store.add([Record(id="a", text="a word", dense=[1, 0])])
    store.close()
    store = make_store()
    store.clear()
    found = store._session.find()
    assert found is not None
    field = found.layout.fields["dense"]
    assert (field.index_type, field.index_params) == ("HNSW", params)


def test_searches_carry_their_parameters(
    lite_server: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each field gets what its index knows, never less than the depth that it is read to."""
    fields = {"dense": DenseField(dim=2, index_type="HNSW")}
    options = ServerOptions(consistency_level="Bounded")
    with (
        servers_over_lite(),
        MilvusStore(
            lite_server, collection_name=collection_name, fields=fields, server=options
        ) as store,
    ):
        store.add([Record(id="a", text="a word", dense=[1, 0])])
        spied = Spied(store, monkeypatch)
        with index_of_a_server():
            store.search("word", vector=[1, 0], mode="dense", search_params={"ef": 128})
            store.search("word", vector=[1, 0], search_params={"ef": 7, "drop_ratio_search": 0})
            store.search(
                "word", vector=[1, 0], fusion="milvus-rrf", search_params={"dense": {"ef": 300}}
            )
        alone, dense, sparse = spied.arguments("search")
        assert alone["search_params"] == {"metric_type": "COSINE", "params": {"ef": 128}}
        assert dense["search_params"]["params"] == {"ef": 100}
        assert sparse["search_params"]["params"] == {"drop_ratio_search": 0}
        [fused] = spied.arguments("hybrid_search")
        assert [{k: v for k, v in one.param.items() if v} for one in fused["reqs"]] == [
            {"metric_type": "COSINE", "params": {"ef": 300}},
            {"metric_type": "IP"},
        ]
        assert {one["consistency_level"] for one in [alone, dense, sparse, fused]} == {"Bounded"}
        assert all("consistency_level" not in one for one in spied.arguments("query"))


# --- on a path -----------------------------------------------------------------------------------


def test_a_path_takes_every_setting_and_has_none(
    make_store: Callable[..., MilvusStore], caplog: pytest.LogCaptureFixture
) -> None:
    """One program runs on both; what would mislead is said."""
    options = ServerOptions(
        consistency_level="Eventually", num_shards=4, replica_number=2, properties=TTL
    )
    for index_type in DENSE_INDEXES:
        fields = {"dense": DenseField(dim=8, index_type=index_type)}
        store = make_store(collection_name=index_type, fields=fields, sparse=None, server=options)
        with caplog.at_level(logging.WARNING, "hybridge"):
            store.add([Record(id="a", text="a word", dense=[1] * 8)])
        assert "collection.ttl.seconds has no effect" in caplog.text
        [hit] = store.search(vector=[1] * 8)
        assert hit.id == "a"


# --- TLS -----------------------------------------------------------------------------------------


def test_files_of_tls_are_checked(tmp_path: Path) -> None:
    """They are there, are PEM, and come with what they need; what is in them is not shown."""
    secret = tmp_path / "key.pem"
    secret.write_text("-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n")
    ca = tmp_path / "ca.pem"
    ca.write_text("-----BEGIN CERTIFICATE-----\nMIIca\n-----END CERTIFICATE-----\n")
    other = tmp_path / "ca.der"
    other.write_bytes(b"\x30\x82")
    for arguments, message in (
        ({"ca": tmp_path / "no.pem"}, "cannot be read .*No such file"),
        ({"ca": tmp_path}, "cannot be read"),
        ({"ca": other}, "is no PEM file: convert it"),
        ({"ca": 3}, "give the path of a PEM file"),
        ({"certificate": ca, "ca": ca}, "belong together"),
        ({"key": secret, "ca": ca}, "belong together"),
        ({"certificate": ca, "key": secret}, "give ca= as well"),
        ({"server_name": ""}, "must not be empty"),
    ):
        with pytest.raises(InvalidInputError, match=message) as caught:
            TLS(**arguments)  # type: ignore[arg-type]
        assert "MIIsecret" not in str(caught.value)
    made = ServerOptions(tls=TLS(ca=ca, certificate=ca, key=secret, server_name="milvus"))
    assert "MIIsecret" not in repr(made)
    assert ServerOptions.from_json(made.to_json()) == made
