"""Queries as LlamaIndex's users write them: depths, no mode, empty access lists, filters alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.schema import (
    ImageNode,
    IndexNode,
    NodeRelationship,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge import DenseField
from hybridge.errors import FilterError, InvalidInputError
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.llama_embedding import WordEmbedding, embed

MakeVectorStore = Callable[..., MilvusVectorStore]

TEXTS = {"a": "apple apple apple", "b": "apple apple pear", "c": "apple plum pear"}


def fruits(*, embedded: bool = True) -> list[TextNode]:
    """Three nodes of the documents "doc-a", "doc-b" and "doc-c"."""
    return [
        TextNode(
            id_=name,
            text=text,
            metadata={"place": place},
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"doc-{name}")},
            embedding=embed(text) if embedded else None,
        )
        for place, (name, text) in enumerate(TEXTS.items())
    ]


def only(place: int) -> MetadataFilters:
    """The node of that place."""
    return MetadataFilters(filters=[MetadataFilter(key="place", value=place)])


@pytest.fixture
def orchard(vector_store: MilvusVectorStore) -> MilvusVectorStore:
    """A vector store with dense vectors, BM25 and three nodes."""
    vector_store.add(fruits())
    return vector_store


@pytest.mark.parametrize("mode", ["sparse", "text_search"])
def test_sparse_top_k_is_how_many_nodes_a_sparse_query_returns(
    orchard: MilvusVectorStore, mode: str
) -> None:
    """Not only in hybrid mode."""
    query = VectorStoreQuery(
        query_str="apple", mode=VectorStoreQueryMode(mode), similarity_top_k=1, sparse_top_k=2
    )
    assert orchard.query(query).ids == ["a", "b"]


# --- no mode -------------------------------------------------------------------------------------


async def test_no_mode_searches_what_is_there(make_vector_store: MakeVectorStore) -> None:
    """`mode=None` works over any collection; an embedding without a place in it is left out."""
    title = DenseField(WordEmbedding(), source="place_name")
    collections = {
        "both": make_vector_store(collection_name="both"),
        "bm25": make_vector_store(collection_name="bm25"),
        "title": make_vector_store(collection_name="title", fields={"title": title}, sparse=None),
    }
    query = VectorStoreQuery(query_str="apple", query_embedding=embed("apple"), mode=None)  # type: ignore[arg-type]
    for name, vector_store in collections.items():
        nodes = fruits(embedded=name == "both")
        for node in nodes:
            node.metadata["place_name"] = node.text
        vector_store.add(nodes)
        found = vector_store.query(query)
        assert (found.ids or [""])[0] == "a"
        assert await vector_store.aquery(query) == found
        bundle = QueryBundle("apple", embedding=embed("apple"))
        retriever = MilvusRetriever(vector_store, similarity_top_k=1)
        assert [one.node_id for one in retriever.retrieve(bundle)] == ["a"]
        assert [one.node_id for one in await retriever.aretrieve(bundle)] == ["a"]


# --- access lists --------------------------------------------------------------------------------


def test_an_empty_list_of_documents_finds_nothing(orchard: MilvusVectorStore) -> None:
    """Whoever may read no document gets none, by both retrievers' words."""
    query = VectorStoreQuery(query_str="apple", query_embedding=embed("apple"))
    query.doc_ids = []
    assert orchard.query(query).ids == []
    for lists in ({"doc_ids": []}, {"node_ids": []}):
        assert MilvusRetriever(orchard, WordEmbedding(), **lists).retrieve("apple") == []


def test_a_retriever_takes_nodes_and_documents(orchard: MilvusVectorStore) -> None:
    """`node_ids` and `doc_ids` restrict together."""
    retriever = MilvusRetriever(orchard, WordEmbedding(), node_ids=["a", "b"], doc_ids=["doc-b"])
    assert [one.node_id for one in retriever.retrieve("apple")] == ["b"]


@pytest.mark.parametrize("given", [[7], [None], ["a", 7]])
def test_an_id_that_is_no_string_is_refused(orchard: MilvusVectorStore, given: Any) -> None:
    """A list that silently names nothing would be taken for one that matched nothing."""
    for lists in ({"doc_ids": given}, {"node_ids": given}):
        with pytest.raises(InvalidInputError, match="string"):
            orchard.query(
                VectorStoreQuery(query_str="apple", mode=VectorStoreQueryMode.SPARSE, **lists)
            )
        with pytest.raises(InvalidInputError, match="string"):
            MilvusRetriever(orchard, mode="sparse", **lists).retrieve("apple")


# --- filters alone -------------------------------------------------------------------------------


async def test_filters_alone(orchard: MilvusVectorStore) -> None:
    """Without text and embedding the first rows that match are the answer, without similarities."""
    query = VectorStoreQuery(filters=only(1), query_str="")
    for found in (orchard.query(query), await orchard.aquery(query)):
        assert (found.ids, found.similarities) == (["b"], None)
        assert [one.node_id for one in found.nodes or ()] == ["b"]
    query = VectorStoreQuery(doc_ids=["doc-a", "doc-c"], similarity_top_k=1)
    assert len(orchard.query(query).ids or ()) == 1
    assert orchard.query(VectorStoreQuery(), expr='id == "c"').ids == ["c"]
    embedding = WordEmbedding()
    retriever = MilvusRetriever(orchard, embedding, filters=only(2))
    assert [one.node_id for one in retriever.retrieve("")] == ["c"]
    assert [one.node_id for one in await retriever.aretrieve("")] == ["c"]
    assert embedding.calls == []


def test_nothing_to_search_for_and_no_filter(orchard: MilvusVectorStore) -> None:
    """That is an error still, as is a number of rows that is none."""
    with pytest.raises(InvalidInputError):
        orchard.query(VectorStoreQuery())
    with pytest.raises(InvalidInputError, match="similarity_top_k"):
        orchard.query(VectorStoreQuery(filters=only(1), similarity_top_k=0))


# --- filters that a language model wrote ---------------------------------------------------------


@pytest.fixture
def typed(make_vector_store: MakeVectorStore) -> MilvusVectorStore:
    """One node in a collection with a typed column of each kind."""
    schema = {"year": int, "price": float, "sold": bool, "code": str}
    vector_store = make_vector_store(metadata_schema=schema)
    metadata = {"year": 2000, "price": 1.5, "sold": True, "code": "7", "free": 3}
    vector_store.add([TextNode(id_="a", text="apple", metadata=metadata)])
    return vector_store


def where(key: str, operator: str, value: Any) -> MetadataFilters:
    """One filter, in a group of its own."""
    one = MetadataFilter(key=key, value=value, operator=FilterOperator(operator))
    return MetadataFilters(filters=[MetadataFilters(filters=[one])])


async def test_a_column_says_what_a_model_meant(typed: MilvusVectorStore) -> None:
    """Values are cast to the type of their column; a key without one is taken literally."""
    for key, operator, value, matches in (
        ("year", "==", "2000", True),
        ("year", ">", "1999.5", True),
        ("year", "<", " 2000 ", False),
        ("year", "in", "2000", True),
        ("year", "in", ["1999", "2000"], True),
        ("year", "nin", "2000", False),
        ("price", "<=", "1.5", True),
        ("sold", "==", "true", True),
        ("sold", "!=", "False", True),
        ("code", "==", 7, True),
        ("code", "in", "7", True),
        ("code", "text_match", "7", True),
        ("free", "==", "3", False),
    ):
        found = typed.get_nodes(filters=where(key, operator, value))
        assert bool(found) is matches, (key, operator, value)


async def test_columns_count_in_every_call(typed: MilvusVectorStore) -> None:
    """Queries, retrievers and deletions, sync and async."""
    filters = where("year", "in", "2000")
    query = VectorStoreQuery(query_str="apple", mode=VectorStoreQueryMode.SPARSE, filters=filters)
    retriever = MilvusRetriever(typed, mode="sparse", filters=filters)
    assert typed.query(query).ids == (await typed.aquery(query)).ids == ["a"]
    assert len(retriever.retrieve("apple")) == len(await retriever.aretrieve("apple")) == 1
    await typed.adelete_nodes(filters=where("year", "==", "1999"))
    assert len(typed.get_nodes()) == 1
    typed.delete_nodes(filters=filters)
    assert typed.get_nodes() == []


def test_what_a_column_cannot_hold_is_an_error(typed: MilvusVectorStore) -> None:
    """An agent is told what to write; it is never given nothing for an answer."""
    for key, operator, value in (
        ("year", "==", "last year"),
        ("year", "in", ["x"]),
        ("price", ">", "nan"),
        ("sold", "==", "1"),
    ):
        with pytest.raises(FilterError, match=f"{key}.*write"):
            typed.get_nodes(filters=where(key, operator, value))
    with pytest.raises(FilterError, match="put a single value in a list"):
        typed.get_nodes(filters=where("free", "in", "3"))  # nothing says its type


def unchecked(**fields: Any) -> MetadataFilters:
    """A filter that pydantic has not seen, in a group of its own."""
    one: dict[str, Any] = {"key": "place", "value": 1, "operator": FilterOperator.EQ} | fields
    given = MetadataFilter.model_construct(**one)
    return MetadataFilters.model_construct(filters=[given], condition=FilterCondition.AND)


def test_filters_that_pydantic_has_not_seen(orchard: MilvusVectorStore) -> None:
    """What means something is taken, the rest is refused by name."""
    assert [one.node_id for one in orchard.get_nodes(filters=unchecked(operator="=="))] == ["b"]
    either = unchecked()
    either.filters.append(MetadataFilter(key="place", value=2))
    either.condition = "or"  # type: ignore[assignment]
    assert [one.node_id for one in orchard.get_nodes(filters=either)] == ["b", "c"]
    for odd in (
        unchecked(operator="~="),
        unchecked(operator=["=="]),
        unchecked(operator=None),
        unchecked(key=["place"]),
        unchecked(key=None),
        MetadataFilters.model_construct(filters=[{"key": "place"}], condition="and"),
        MetadataFilters.model_construct(filters="place", condition="and"),
        MetadataFilters.model_construct(filters=None, condition="and"),
        MetadataFilters.model_construct(filters=[], condition="xor"),
        MetadataFilters.model_construct(filters=[], condition=["or"]),
    ):
        with pytest.raises(InvalidInputError):
            orchard.get_nodes(filters=odd)


def test_paths_into_nested_metadata(vector_store: MilvusVectorStore) -> None:
    """As everywhere: `$.` leads into mappings, what else starts with `$` is checked."""
    metadata = {"author": {"name": "Ann"}, "$odd": 1, "a.b": 2}
    vector_store.add([TextNode(id_="a", text="apple", metadata=metadata), TextNode(id_="b")])
    for key, value in (("$.author.name", "Ann"), ("$['$odd']", 1), ("a.b", 2), ("$id", "a")):
        found = vector_store.get_nodes(filters=where(key, "==", value))
        assert [one.node_id for one in found] == ["a"], key
    for key in ("$odd", "$.author[", "$"):
        with pytest.raises(FilterError, match="is no key"):
            vector_store.get_nodes(filters=where(key, "==", 1))


async def test_deletions_know_their_arguments(orchard: MilvusVectorStore) -> None:
    """An argument that there is not is answered, and nothing is deleted."""
    odd: dict[str, Any]
    for odd, cure in (
        ({"foo": 1}, "it has expr, filter"),
        ({"filters": only(1)}, "call delete_nodes"),
    ):
        with pytest.raises(InvalidInputError, match=cure):
            orchard.delete("doc-a", **odd)
        with pytest.raises(InvalidInputError, match=cure):
            await orchard.adelete("doc-a", **odd)
    for odd, cure in (
        ({"foo": 1}, "it has document_id, expr"),
        ({"filter": {"place": 1}}, "write filters="),
        ({"ref_doc_id": "doc-a"}, "write document_id="),
    ):
        with pytest.raises(InvalidInputError, match=cure):
            orchard.delete_nodes(["a"], **odd)
        with pytest.raises(InvalidInputError, match=cure):
            await orchard.adelete_nodes(["a"], **odd)
    assert len(orchard.get_nodes()) == 3
    orchard.delete("doc-a", expr='id == "a"')
    orchard.delete_nodes(["b"], document_id="doc-b")
    assert [one.node_id for one in orchard.get_nodes()] == ["c"]


# --- indexes over nodes of several classes -------------------------------------------------------


@pytest.mark.parametrize("mode", ["default", "sparse", "hybrid"])
async def test_an_index_finds_text_beside_other_nodes(
    vector_store: MilvusVectorStore, mode: str
) -> None:
    """`index.as_retriever()` passes the ids of its IndexNodes and ImageNodes, and means all."""
    embedding = WordEmbedding()
    index = VectorStoreIndex(
        nodes=[*fruits(), ImageNode(id_="image", text="apple picture", image_path="a.png")],
        objects=[
            IndexNode(
                id_="t", text="apple table", index_id="t", obj=TextNode(id_="row", text="row")
            )
        ],
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=embedding,
    )
    retriever = index.as_retriever(vector_store_query_mode=mode, similarity_top_k=9)
    for found in (retriever.retrieve("apple"), await retriever.aretrieve("apple")):
        assert {one.node_id for one in found} == {"a", "b", "c", "image", "row"}


def test_lists_of_nodes_restrict(vector_store: MilvusVectorStore) -> None:
    """Where a text node is on the list, or nothing that is there; a retriever's always."""
    image = ImageNode(id_="image", text="apple", embedding=embed("apple"))
    vector_store.add([*fruits(), image])
    sparse = {"query_str": "apple", "mode": VectorStoreQueryMode.SPARSE, "similarity_top_k": 9}
    for given, found in (
        (["a"], {"a"}),
        (["image", "b"], {"image", "b"}),
        (["gone"], set()),
        (["image"], {"a", "b", "c", "image"}),
        (["image", "gone"], {"a", "b", "c", "image"}),
        ([], {"a", "b", "c", "image"}),
    ):
        assert (
            set(vector_store.query(VectorStoreQuery(node_ids=given, **sparse)).ids or ()) == found
        )
    retriever = MilvusRetriever(vector_store, mode="sparse", node_ids=["image"])
    assert [one.node_id for one in retriever.retrieve("apple")] == ["image"]
