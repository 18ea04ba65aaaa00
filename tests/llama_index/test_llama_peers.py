"""What went wrong elsewhere, row by row, and goes right here.

Each test stands for a failure that was seen in LlamaIndex's own Milvus store, its Jina reranker or
its BM25 retriever.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
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

from hybridge.errors import AuthenticationError, RateLimitError
from hybridge.store.engine.pymilvus_import import pymilvus
from llama_index_hybridge import JinaRerank, MilvusRetriever, MilvusVectorStore
from support.jina_server import KEY, JinaServer, refuse, silence
from support.llama_embedding import WordEmbedding, embed

MakeVectorStore = Callable[..., MilvusVectorStore]


def node(name: str, text: str = "", document: str | None = None, **metadata: object) -> TextNode:
    """A node with an embedding."""
    relationships = {}
    if document is not None:
        relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=document)
    return TextNode(
        id_=name,
        text=text or name,
        metadata=metadata,
        relationships=relationships,
        embedding=embed(text or name),
    )


def ask(mode: str, text: str, k: int = 3) -> VectorStoreQuery:
    """A query as LlamaIndex's retriever makes it."""
    vector = None if mode in ("sparse", "text_search") else embed(text)
    return VectorStoreQuery(
        query_str=text,
        query_embedding=vector,
        similarity_top_k=k,
        mode=VectorStoreQueryMode(mode),
    )


def only(key: str, value: object, operator: str = "==") -> MetadataFilters:
    """One filter."""
    return MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=operator)])


def ids(vector_store: MilvusVectorStore, filters: MetadataFilters | None = None) -> set[str]:
    """The ids of the nodes that match."""
    return {one.node_id for one in vector_store.get_nodes(filters=filters)}


# --- filters -------------------------------------------------------------------------------------


def test_a_crafted_id_deletes_nothing(vector_store: MilvusVectorStore) -> None:
    """The id that emptied a collection elsewhere is an id that is not there."""
    vector_store.add([node("a", document="d", year=1), node("b", year=2)])
    crafted = 'zz"] or year > 0 or doc_id in ["zz'
    vector_store.delete(crafted)
    vector_store.delete_nodes([crafted])
    assert ids(vector_store) == {"a", "b"}


def test_not_negates(vector_store: MilvusVectorStore) -> None:
    """NOT is neither forgotten with one filter nor a syntax error with two."""
    vector_store.add([node("a", year=1), node("b", year=2), node("c", year=3)])
    members = [MetadataFilter(key="year", value=year) for year in (1, 2)]
    negated = [MetadataFilters(filters=members[:n], condition=FilterCondition.NOT) for n in (1, 2)]
    assert [ids(vector_store, one) for one in negated] == [{"b", "c"}, {"c"}]


def test_equal_to_none_is_a_filter(vector_store: MilvusVectorStore) -> None:
    """`EQ None` is not dropped: it selects nothing, as in SimpleVectorStore."""
    vector_store.add([node("a", year=1)])
    assert ids(vector_store, only("year", None)) == set()


KEYS = ["a key", "a.b", "in", "not", "id", 'say "hi"', "back\\slash", "\n"]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_and_any_value(vector_store: MilvusVectorStore, key: str) -> None:
    """Keys and values with spaces, dots, quotes, backslashes, newlines or reserved words work."""
    vector_store.add([node("a", **{key: key}), node("b", **{key: "other"})])
    assert ids(vector_store, only(key, key)) == {"a"}


def test_text_match_is_a_substring(vector_store: MilvusVectorStore) -> None:
    """TEXT_MATCH finds the middle of a string too, and there is one that ignores case."""
    vector_store.add([node("a", title="The Big Book"), node("b", title="Small")])
    assert ids(vector_store, only("title", "Big", FilterOperator.TEXT_MATCH)) == {"a"}
    insensitive = FilterOperator.TEXT_MATCH_INSENSITIVE
    assert ids(vector_store, only("title", "bIG bOOK", insensitive)) == {"a"}


# --- searching -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sparse", "text_search"])
def test_sparse_modes_work_on_milvus_lite(vector_store: MilvusVectorStore, mode: str) -> None:
    """They work out of the box, and no similarity is negative."""
    vector_store.add([node("a", "the cat"), node("b", "the cat and the dog"), node("c", "a bird")])
    result = vector_store.query(ask(mode, "cat"))
    assert set(result.ids or ()) == {"a", "b"}
    assert all(value > 0 for value in result.similarities or ())


def test_hybrid_honours_what_it_is_given(vector_store: MilvusVectorStore) -> None:
    """alpha, sparse_top_k and hybrid_top_k change the answer."""
    texts = {"a": "cat cat cat", "b": "cat cat dog", "c": "cat dog bird"}
    vector_store.add([node(name, text) for name, text in texts.items()])
    query = ask("hybrid", "cat", k=2)
    query.query_embedding = embed("cat dog bird")
    query.alpha = 1.0
    assert vector_store.query(query).ids == ["c", "b"]
    query.alpha = 0.0
    assert vector_store.query(query).ids == ["a", "b"]
    query.hybrid_top_k = 3
    assert vector_store.query(query).ids == ["a", "b", "c"]
    query.sparse_top_k = 1
    nodes = vector_store.query(query, with_scores=True).nodes or []
    assert ["sparse" in node.metadata["scores"] for node in nodes] == [True, False, False]


def test_mmr_honours_its_threshold(vector_store: MilvusVectorStore) -> None:
    """The threshold decides between likeness and variety."""
    vector_store.add([node("a", "red apple"), node("b", "red apple pie"), node("c", "red sky")])
    query = ask("mmr", "red apple", k=2)
    answers = {}
    for threshold in (0.0, 1.0):
        query.mmr_threshold = threshold
        answers[threshold] = vector_store.query(query).ids
    assert answers == {0.0: ["a", "c"], 1.0: ["a", "b"]}


def test_similarities_are_similarities(vector_store: MilvusVectorStore) -> None:
    """The same vector has similarity 1 whatever its length, and higher is better."""
    long = TextNode(id_="long", text="x", embedding=[10 * one for one in embed("cat")])
    vector_store.add([long, node("far", "bird")])
    result = vector_store.query(ask("default", "cat"))
    assert result.ids == ["long", "far"]
    assert result.similarities is not None
    assert result.similarities[0] == pytest.approx(1.0)
    assert 0 <= result.similarities[1] < 0.9


# --- async and life ------------------------------------------------------------------------------


def test_async_in_any_loop(vector_store: MilvusVectorStore) -> None:
    """Constructed without a loop, used in three; queries are embedded by the async encoder."""
    embedding = WordEmbedding()
    asyncio.run(vector_store.async_add([node("a", "the cat")]))
    retriever = MilvusRetriever(vector_store, embedding)
    for _ in range(2):
        assert asyncio.run(retriever.aretrieve("cat"))[0].node_id == "a"
    assert embedding.calls == ["async", "async"]


def test_life_cycle(make_vector_store: MakeVectorStore) -> None:
    """close, clear then add, to_json, and reopening a sparse collection without its function."""
    vector_store = make_vector_store(sparse="bm25:ru")
    vector_store.add([node("a", "кошки спят")])
    vector_store.clear()
    vector_store.add([node("b", "кошки спят")])
    json.loads(vector_store.to_json())
    vector_store.close()
    assert make_vector_store().query(ask("sparse", "кошка")).ids == ["b"]


# --- storage -------------------------------------------------------------------------------------


def test_large_nodes_fit(vector_store: MilvusVectorStore) -> None:
    """60,000 bytes of text beside 40,000 of metadata fit, since neither is stored twice."""
    large = TextNode(id_="a", text="x" * 60_000, metadata={"notes": "y" * 40_000})
    source = RelatedNodeInfo(node_id="d", metadata=large.metadata)
    large.relationships[NodeRelationship.SOURCE] = source
    vector_store.add([large])
    assert vector_store.get_nodes() == [large]


def test_metadata_keys_are_the_user_s(vector_store: MilvusVectorStore) -> None:
    """Keys named id, text and doc_id come back, and can be filtered on."""
    mine = node("a", document="d")
    mine.metadata = {"id": "1", "text": "2", "doc_id": "3"}
    vector_store.add([mine])
    [found] = vector_store.get_nodes(filters=only("doc_id", "3"))
    assert found.metadata == {"id": "1", "text": "2", "doc_id": "3"}
    assert (found.node_id, found.get_content(), found.ref_doc_id) == ("a", "a", "d")


def test_foreign_collections_are_not_misread(make_vector_store: MakeVectorStore, path: str) -> None:
    """A collection of another program has its own ids, and nothing of it is deleted silently."""
    client = pymilvus().MilvusClient(path)
    client.create_collection("foreign", dimension=4)
    client.insert("foreign", [{"id": 7, "vector": [1.0, 0, 0, 0], "text": "a cat", "n": 1}])
    client.close()
    vector_store = make_vector_store(collection_name="foreign")
    [node] = vector_store.get_nodes()
    assert (node.node_id, node.get_content(), node.metadata) == ("7", "a cat", {"n": 1})
    vector_store.delete("d")
    assert len(vector_store.get_nodes()) == 1


# --- the Jina reranker ---------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[JinaServer]:
    """A Jina server."""
    with JinaServer() as server:
        yield server


def retrieved(count: int = 3) -> list[NodeWithScore]:
    """Some retrieved nodes."""
    return [NodeWithScore(node=TextNode(text=f"text {n}"), score=0.5) for n in range(count)]


def test_jina_429_is_an_error_that_says_so(server: JinaServer) -> None:
    """Too many requests is a RateLimitError with the API's words, not a KeyError."""
    server.then(*[refuse(402, {"message": "quota used up"})] * 4)
    with pytest.raises(RateLimitError, match="quota used up"):
        JinaRerank(api_key=KEY, base_url=server.base_url).postprocess_nodes(
            retrieved(), query_str="q"
        )


def test_jina_429_is_tried_again(server: JinaServer) -> None:
    """A passing 429 is waited for and not seen."""
    server.then(refuse(429, {"detail": "slow down"}, retry_after="0"))
    rerank = JinaRerank(api_key=KEY, base_url=server.base_url, top_n=2)
    assert len(rerank.postprocess_nodes(retrieved(), query_str="text")) == 2
    assert len(server.requests) == 2


def test_jina_does_not_wait_for_ever(server: JinaServer) -> None:
    """A server that never answers is given up."""
    server.then(silence)
    rerank = JinaRerank(api_key=KEY, base_url=server.base_url, timeout=0.2)
    assert len(rerank.postprocess_nodes(retrieved(), query_str="text")) == 3


def test_jina_long_lists_go_in_batches(server: JinaServer) -> None:
    """More documents than the API takes at once are split, and come back as one ranking."""
    rerank = JinaRerank(api_key=KEY, base_url=server.base_url, top_n=3)
    nodes = retrieved(2500)
    ranked = rerank.postprocess_nodes(nodes, query_str="2400")
    assert ranked[0].text == "text 2400"
    assert len(server.requests) == 2


def test_jina_secrets_and_events(server: JinaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """to_dict holds no key, from_dict works, and empty input leaves no event open."""
    monkeypatch.setenv("JINA_API_KEY", KEY)
    debug = LlamaDebugHandler(print_trace_on_end=False)
    data = JinaRerank(base_url=server.base_url).to_dict()
    assert KEY not in str(data)
    rerank = JinaRerank.from_dict(data, callback_manager=CallbackManager([debug]))
    assert rerank.postprocess_nodes([], query_str="q") == []
    assert [len(pair) for pair in debug.get_event_pairs(CBEventType.RERANKING)] == [2]


def test_jina_wrong_key(server: JinaServer) -> None:
    """A refused key is an AuthenticationError."""
    with pytest.raises(AuthenticationError):
        JinaRerank(api_key="wrong", base_url=server.base_url).postprocess_nodes(
            retrieved(), query_str="q"
        )


# --- the BM25 retriever --------------------------------------------------------------------------


def test_bm25_follows_the_rows(make_vector_store: MakeVectorStore) -> None:
    """Added and deleted documents count at once, in the collection's language; no zero scores."""
    vector_store = make_vector_store(sparse="bm25:ru")
    index = VectorStoreIndex.from_documents(
        [Document(id_="a", text="кошки спят"), Document(id_="b", text="собаки лают")],
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=WordEmbedding(),
    )
    retriever = MilvusRetriever(vector_store, mode="sparse")
    assert [one.text for one in retriever.retrieve("кошка")] == ["кошки спят"]
    index.insert(Document(id_="c", text="кошка бежит"))
    assert len(retriever.retrieve("кошка")) == 2
    index.delete_ref_doc("a")
    assert [one.text for one in retriever.retrieve("кошка")] == ["кошка бежит"]
    assert all((one.score or 0) > 0 for one in retriever.retrieve("кошка"))


def test_bm25_leaves_out_what_is_filtered_out(vector_store: MilvusVectorStore) -> None:
    """A filtered search returns matching nodes only."""
    vector_store.add([node("a", "the cat", year=1), node("b", "the cat", year=2)])
    retriever = MilvusRetriever(vector_store, mode="sparse", filters=only("year", 2))
    assert [one.node_id for one in retriever.retrieve("cat")] == ["b"]
