"""BM25 as a function of the server: what is sent, by a real client to a `milvus-lite server`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pymilvus.grpc_gen import common_pb2, schema_pb2

from hybridge import DenseField, MilvusStore, Record, SparseField
from hybridge.sparse.languages import find_language
from hybridge.store.bm25.milvus import milvus_analyzer
from support.engines import functions_over_lite
from support.relay import Answer, Call, relay


@pytest.fixture
def sent() -> list[Call]:
    """The calls that passed the relay."""
    return []


@pytest.fixture
def relayed(lite_server: str, collection_name: str, sent: list[Call]) -> Iterator[MilvusStore]:
    """A store whose calls are noted on their way."""

    def note(call: Call, answer: Answer) -> bytes:
        sent.append(call)
        return answer(call)

    fields = {"title": SparseField("milvus:ru", source="title"), "dense": DenseField(dim=2)}
    with (
        functions_over_lite(),
        relay(lite_server, note) as stand,
        MilvusStore(
            stand.uri, collection_name=collection_name, sparse="milvus", fields=fields
        ) as made,
    ):
        yield made


def requests(sent: list[Call], name: str, collection: str) -> list[Any]:
    """The requests of a method about a collection."""
    every = [call.request for call in sent if call.name == name]
    return [one for one in every if one.collection_name == collection]


def test_the_schema_has_the_functions(relayed: MilvusStore, sent: list[Call]) -> None:
    """An input with an analyzer for each, which no row may lack, and the vectors as its output."""
    relayed.add([Record(id="a", text="a word", dense=[1, 0])])
    [created] = requests(sent, "CreateCollection", relayed.collection_name)
    schema = schema_pb2.CollectionSchema.FromString(created.schema)
    columns = {one.name: one for one in schema.fields}
    for name, language in (("sparse", "english"), ("title", "russian")):
        [function] = [one for one in schema.functions if one.name == f"bm25_{name}"]
        assert function.type == schema_pb2.FunctionType.BM25
        assert list(function.input_field_names) == [f"input_{name}"]
        assert list(function.output_field_names) == [name]
        given = columns[f"input_{name}"]
        params = {pair.key: pair.value for pair in given.type_params}
        assert not given.nullable
        assert (params["enable_analyzer"], params["enable_match"]) == ("true", "true")
        assert params["max_length"] == "65535"
        assert json.loads(params["analyzer_params"]) == milvus_analyzer(find_language(language))
        assert columns[name].is_function_output
    assert not columns["text"].type_params[0].key.startswith("enable")
    assert {one.name for one in schema.functions} == {"bm25_sparse", "bm25_title"}


def test_the_index_is_that_of_bm25(relayed: MilvusStore, sent: list[Call]) -> None:
    """With the parameters that the store's own BM25 has."""
    relayed.add([Record(id="a", text="a word", dense=[1, 0])])
    indexes = {
        one.field_name: {pair.key: pair.value for pair in one.extra_params}
        for one in requests(sent, "CreateIndex", relayed.collection_name)
    }
    for name in ("sparse", "title"):
        assert indexes[name]["index_type"] == "SPARSE_INVERTED_INDEX"
        assert indexes[name]["metric_type"] == "BM25"
        assert (indexes[name]["bm25_k1"], indexes[name]["bm25_b"]) == ("1.5", "0.75")


def test_rows_go_with_their_texts_alone(relayed: MilvusStore, sent: list[Call]) -> None:
    """Context and text for one field, the metadata for another, "" where there is none."""
    relayed.add(
        [
            Record(id="a", text="a word", context="ctx", metadata={"title": "слово"}, dense=[1, 0]),
            Record(id="b", text="two", dense=[1, 0]),
        ]
    )
    [upserted] = requests(sent, "Upsert", relayed.collection_name)
    columns = {one.field_name: one for one in upserted.fields_data}
    assert not {"sparse", "title"} & columns.keys()
    assert list(columns["input_sparse"].scalars.string_data.data) == ["ctx\na word", "two"]
    assert list(columns["input_title"].scalars.string_data.data) == ["слово", ""]


def test_a_query_goes_as_its_text(relayed: MilvusStore, sent: list[Call]) -> None:
    """One placeholder of type VarChar per query, compared by BM25."""
    relayed.add([Record(id="a", text="a word", dense=[1, 0])])
    relayed.search_many(["word", "other"], mode="sparse")
    [asked] = requests(sent, "Search", relayed.collection_name)
    group = common_pb2.PlaceholderGroup.FromString(asked.placeholder_group)
    [placeholder] = group.placeholders
    assert placeholder.type == common_pb2.PlaceholderType.VarChar
    assert [value.decode() for value in placeholder.values] == ["word", "other"]
    params = {pair.key: pair.value for pair in asked.search_params}
    assert (params["anns_field"], params["metric_type"]) == ("sparse", "BM25")
