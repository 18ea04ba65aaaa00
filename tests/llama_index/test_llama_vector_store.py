"""What the LlamaIndex vector store promises: writing, reading, deleting, every query mode."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge.errors import InvalidInputError
from hybridge.records import RerankResult
from llama_index_hybridge import MilvusVectorStore
from support.llama_embedding import embed

MakeVectorStore = Callable[..., MilvusVectorStore]

TEXTS = {
    "cat": "The cat sleeps on the sofa",
    "dog": "The dog runs in the park",
    "bird": "The bird sings in the morning",
    "fish": "A fish swims in the river",
}
DOCUMENTS = {"cat": "pets", "dog": "pets"}


def animals() -> list[TextNode]:
    """Four nodes with embeddings; two of them come from the document "pets"."""
    nodes = []
    for place, (name, text) in enumerate(TEXTS.items()):
        node = TextNode(id_=name, text=text, metadata={"place": place}, embedding=embed(text))
        if name in DOCUMENTS:
            source = RelatedNodeInfo(node_id=DOCUMENTS[name])
            node.relationships[NodeRelationship.SOURCE] = source
        nodes.append(node)
    return nodes


def ask(text: str | None, mode: str = "default", **arguments: object) -> VectorStoreQuery:
    """A query with the text's embedding, as LlamaIndex's retriever makes it."""
    needs_vector = mode not in ("sparse", "text_search")
    return VectorStoreQuery(
        query_str=text,
        query_embedding=embed(text) if text and needs_vector else None,
        mode=VectorStoreQueryMode(mode),
        **{"similarity_top_k": 2, **arguments},  # type: ignore[arg-type]
    )


@pytest.fixture
def zoo(vector_store: MilvusVectorStore) -> MilvusVectorStore:
    """A vector store with the four animals."""
    vector_store.add(animals())
    return vector_store


# --- writing and reading -------------------------------------------------------------------------


def test_add_returns_the_ids_in_order(vector_store: MilvusVectorStore) -> None:
    """`add` keeps the nodes' ids."""
    assert vector_store.add(animals()) == list(TEXTS)


def test_reading_before_anything_was_written(vector_store: MilvusVectorStore) -> None:
    """An empty vector store answers with nothing and deletes nothing."""
    assert vector_store.get_nodes() == []
    assert vector_store.query(ask("cat")).nodes == []
    vector_store.delete("pets")
    vector_store.delete_nodes(["cat"])
    vector_store.clear()


def test_get_nodes_by_id_in_order(zoo: MilvusVectorStore) -> None:
    """`get_nodes` returns nodes in the order asked for and leaves out missing ones."""
    assert [node.node_id for node in zoo.get_nodes(["dog", "nobody", "cat"])] == ["dog", "cat"]
    assert zoo.get_nodes([]) == []


def test_get_nodes_by_filter(zoo: MilvusVectorStore) -> None:
    """Ids and filters select together; without either every node comes."""
    late = MetadataFilters(filters=[MetadataFilter(key="place", value=1, operator=">=")])
    assert {node.node_id for node in zoo.get_nodes(filters=late)} == {"dog", "bird", "fish"}
    assert [node.node_id for node in zoo.get_nodes(["fish", "cat"], late)] == ["fish"]
    assert {node.node_id for node in zoo.get_nodes()} == set(TEXTS)


def test_delete_by_document(zoo: MilvusVectorStore) -> None:
    """`delete` takes the source document's id, and leaves the other nodes."""
    zoo.delete("pets")
    assert {node.node_id for node in zoo.get_nodes()} == {"bird", "fish"}


def test_delete_nodes(zoo: MilvusVectorStore) -> None:
    """`delete_nodes` takes ids, filters, or both; missing ids and empty lists are fine."""
    zoo.delete_nodes(["cat", "nobody"])
    zoo.delete_nodes([])
    first = MetadataFilters(filters=[MetadataFilter(key="place", value=1)])
    zoo.delete_nodes(["bird"], first)
    assert {node.node_id for node in zoo.get_nodes()} == {"dog", "bird", "fish"}
    zoo.delete_nodes(filters=first)
    assert {node.node_id for node in zoo.get_nodes()} == {"bird", "fish"}


def test_delete_nodes_needs_a_selector(zoo: MilvusVectorStore) -> None:
    """Without ids and filters, or with filters that filter nothing, nothing is deleted."""
    for arguments in ({}, {"filters": MetadataFilters(filters=[])}):
        with pytest.raises(InvalidInputError, match="selector"):
            zoo.delete_nodes(**arguments)
    assert len(zoo.get_nodes()) == 4


def test_clear_then_add(zoo: MilvusVectorStore) -> None:
    """After `clear` there is nothing to find, and new nodes are found again in every mode."""
    zoo.clear()
    assert zoo.get_nodes() == []
    assert zoo.query(ask("cat", "hybrid")).ids == []
    zoo.add(animals()[:1])
    for mode in ("default", "sparse", "hybrid"):
        assert zoo.query(ask("cat", mode)).ids == ["cat"]


def test_clear_keeps_the_analyzer(make_vector_store: MakeVectorStore) -> None:
    """A Russian collection is Russian still after `clear`, though nobody says so again."""
    russian = make_vector_store(sparse="bm25:ru")
    russian.add([TextNode(text="кошки спят")])
    adopting = make_vector_store()
    adopting.clear()
    adopting.add([TextNode(id_="a", text="кошки спят")])
    assert adopting.query(ask("кошка", "sparse")).ids == ["a"]


def test_nodes_without_embeddings(make_vector_store: MakeVectorStore) -> None:
    """A collection that starts with nodes without embeddings is searched by BM25 alone."""
    vector_store = make_vector_store()
    vector_store.add([TextNode(id_=name, text=text) for name, text in TEXTS.items()])
    assert vector_store.query(ask("river", "sparse")).ids == ["fish"]


def test_foreign_objects_are_refused(vector_store: MilvusVectorStore) -> None:
    """What is no node is refused by name."""
    with pytest.raises(InvalidInputError, match="LlamaIndex node"):
        vector_store.add(["text"])  # type: ignore[list-item]


# --- query modes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "mmr"])
def test_every_mode_finds_the_answer(zoo: MilvusVectorStore, mode: str) -> None:
    """The best node comes first, with similarities in [0, 1] that agree with the order."""
    result = zoo.query(ask("where does the dog run, park", mode))
    assert result.ids is not None
    assert result.similarities is not None
    assert result.ids[0] == "dog"
    assert [node.node_id for node in result.nodes or ()] == result.ids
    assert all(0 <= value <= 1 for value in result.similarities)
    if mode != "mmr":
        assert result.similarities == sorted(result.similarities, reverse=True)


def test_similarities_are_relevances(zoo: MilvusVectorStore) -> None:
    """A node's similarity is the relevance of the store's hit."""
    query = ask("cat on the sofa", "hybrid")
    hits = zoo.client.search(query.query_str, vector=query.query_embedding, k=2, mode="hybrid")
    result = zoo.query(query)
    assert (result.ids, result.similarities) == (
        [hit.id for hit in hits],
        [hit.relevance for hit in hits],
    )


def test_sparse_modes_need_no_embedding(zoo: MilvusVectorStore) -> None:
    """Sparse and text search take the text alone, as LlamaIndex's retriever passes it."""
    for mode in ("sparse", "text_search"):
        query = ask("fish", mode)
        assert query.query_embedding is None
        assert zoo.query(query).ids == ["fish"]


def test_dense_mode_needs_an_embedding(zoo: MilvusVectorStore) -> None:
    """A dense query without an embedding is an error that says what to pass."""
    with pytest.raises(InvalidInputError, match="vector"):
        zoo.query(VectorStoreQuery(query_str="cat"))


@pytest.mark.parametrize("mode", ["svm", "logistic_regression", "linear_regression"])
def test_other_modes_are_refused(zoo: MilvusVectorStore, mode: str) -> None:
    """An unsupported mode is an error that names the supported ones."""
    with pytest.raises(InvalidInputError, match=r"default, sparse, .*hybrid.*mmr"):
        zoo.query(ask("cat", mode))


def test_alpha_weighs_the_legs(zoo: MilvusVectorStore) -> None:
    """alpha=1 ranks by the vector, alpha=0 by BM25."""
    query = ask("dog park", "hybrid", similarity_top_k=4)
    query.query_embedding = embed(TEXTS["fish"])
    orders = {}
    for alpha in (0.0, 1.0):
        query.alpha = alpha
        orders[alpha] = (zoo.query(query).ids or [])[0]
    assert orders == {0.0: "dog", 1.0: "fish"}


def test_alpha_outside_its_range(zoo: MilvusVectorStore) -> None:
    """alpha=2 is refused."""
    with pytest.raises(InvalidInputError, match=r"\[0, 1\]"):
        zoo.query(ask("dog", "hybrid", alpha=2.0))


def test_hybrid_top_k_is_the_final_count(zoo: MilvusVectorStore) -> None:
    """A hybrid query returns hybrid_top_k nodes; in other modes similarity_top_k counts."""
    query = ask("the animal in the park", "hybrid", similarity_top_k=1, hybrid_top_k=3)
    assert len(zoo.query(query).ids or []) == 3
    query.mode = VectorStoreQueryMode.DEFAULT
    assert len(zoo.query(query).ids or []) == 1


def test_sparse_top_k_is_the_sparse_leg_s_depth(vector_store: MilvusVectorStore) -> None:
    """With sparse_top_k=1 only the best BM25 row takes part in the fusion."""
    texts = {"a": "apple apple apple", "b": "apple apple pear", "c": "apple plum pear"}
    vector_store.add([TextNode(id_=i, text=t, embedding=embed(t)) for i, t in texts.items()])
    query = ask("apple", "hybrid", similarity_top_k=3, alpha=0.0)
    every = vector_store.query(query)
    assert every.ids == ["a", "b", "c"]
    query.sparse_top_k = 1
    query.query_embedding = embed("plum pear")
    found = vector_store.query(query)
    assert found.ids == ["a", "c", "b"]  # the others as the dense leg has them


def test_a_leg_is_read_deeper_than_k(vector_store: MilvusVectorStore) -> None:
    """The best fused row is found though it is best in neither leg."""
    words = [f"word{place}" for place in range(30)]
    good = TextNode(id_="good", text="needle hay", embedding=embed("pin cushion"))
    by_text = [TextNode(text=f"needle {w}", embedding=embed(w)) for w in words[:10]]
    by_vector = [TextNode(text=w, embedding=embed(f"pin {w}")) for w in words[10:20]]
    vector_store.add([*by_text, *by_vector, good])
    query = VectorStoreQuery(
        query_str="needle hay",
        query_embedding=embed("pin cushion"),
        similarity_top_k=1,
        mode=VectorStoreQueryMode.HYBRID,
        alpha=0.5,
    )
    assert vector_store.query(query).ids == ["good"]


def longest_first(query: str, documents: list[str], top_k: int = 5) -> list[RerankResult]:
    """A reranker that likes long documents."""
    order = sorted(range(len(documents)), key=lambda index: -len(documents[index]))
    return [RerankResult(documents[i], 1 / (2 + p), i) for p, i in enumerate(order[:top_k])]


def test_semantic_hybrid_reranks(make_vector_store: MakeVectorStore) -> None:
    """semantic_hybrid is hybrid search, then the reranker; its scores become similarities."""
    vector_store = make_vector_store(reranker=longest_first)
    vector_store.add(animals())
    result = vector_store.query(ask("the", "semantic_hybrid", similarity_top_k=2))
    assert result.ids == ["bird", "cat"]
    assert result.similarities == [1 / 2, 1 / 3]


def test_a_reranker_by_name(
    make_vector_store: MakeVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reranker may be named, and then it is part of the dictionary; nonsense is refused."""
    monkeypatch.setenv("JINA_API_KEY", "some-key")
    name = "jina/jina-reranker-v2-base-multilingual"
    assert make_vector_store(reranker=name).to_dict()["reranker"] == name
    for nonsense in ("nobody/nothing", 3):
        with pytest.raises(InvalidInputError):
            make_vector_store(reranker=nonsense)


def test_semantic_hybrid_without_a_reranker(zoo: MilvusVectorStore) -> None:
    """Without a reranker the error says how to give one."""
    with pytest.raises(InvalidInputError, match="reranker="):
        zoo.query(ask("cat", "semantic_hybrid"))


def test_mmr_threshold(vector_store: MilvusVectorStore) -> None:
    """Threshold 1 is relevance alone, 0 diversity alone; from the query or its arguments."""
    texts = {"a": "red red apple", "b": "red red apple pie", "c": "blue sky red"}
    vector_store.add([TextNode(id_=i, text=t, embedding=embed(t)) for i, t in texts.items()])
    query = ask("red red apple", "mmr", similarity_top_k=2, mmr_threshold=1.0)
    assert vector_store.query(query).ids == ["a", "b"]
    query.mmr_threshold = 0.0
    assert vector_store.query(query).ids == ["a", "c"]
    assert vector_store.query(query, mmr_threshold=1.0).ids == ["a", "b"]
    assert vector_store.query(query, mmr_prefetch_k=2).ids == ["a", "b"]


@pytest.mark.parametrize("mode", ["default", "sparse", "hybrid", "mmr"])
def test_node_ids_and_doc_ids(zoo: MilvusVectorStore, mode: str) -> None:
    """node_ids, doc_ids and filters restrict together.

    An empty list of documents finds nothing. One of nodes restricts nothing: that is what
    `index.as_retriever()` passes where an index holds text nodes only.
    """
    text = "the cat, the dog, the bird, the fish"
    assert set(zoo.query(ask(text, mode, similarity_top_k=9, doc_ids=["pets"])).ids or ()) == {
        "cat",
        "dog",
    }
    query = ask(text, mode, similarity_top_k=9, doc_ids=["pets"], node_ids=["dog", "bird"])
    assert zoo.query(query).ids == ["dog"]
    query.filters = MetadataFilters(filters=[MetadataFilter(key="place", value=0)])
    assert zoo.query(query).ids == []
    everything = ask(text, mode, similarity_top_k=9, node_ids=[])
    assert set(zoo.query(everything).ids or ()) == set(TEXTS)
    assert zoo.query(ask(text, mode, similarity_top_k=9, doc_ids=[])).ids == []


def test_expr_and_fusion_go_through(zoo: MilvusVectorStore) -> None:
    """A raw Milvus expression and a fusion may be given with a query."""
    query = ask("the cat in the park", "hybrid", similarity_top_k=4)
    assert zoo.query(query, expr='id == "fish"', fusion="milvus-rrf").ids == ["fish"]
    with pytest.raises(InvalidInputError, match="surprise"):
        zoo.query(query, surprise=True)


def test_what_a_query_may_not_ask(zoo: MilvusVectorStore) -> None:
    """output_fields and embedding_field, which nodes that come back whole do not need."""
    with pytest.raises(InvalidInputError, match="output_fields"):
        zoo.query(ask("cat", output_fields=["text"]))


# --- async ---------------------------------------------------------------------------------------


async def test_async_twins(vector_store: MilvusVectorStore) -> None:
    """Every async method does what its sync twin does."""
    assert await vector_store.async_add(animals()) == list(TEXTS)
    assert [node.node_id for node in await vector_store.aget_nodes(["dog"])] == ["dog"]
    query = ask("the cat on the sofa", "hybrid")
    assert await vector_store.aquery(query) == vector_store.query(query)
    await vector_store.adelete("pets")
    first = MetadataFilters(filters=[MetadataFilter(key="place", value=2)])
    await vector_store.adelete_nodes(["bird"], filters=first)
    assert {node.node_id for node in await vector_store.aget_nodes()} == {"fish"}
    await vector_store.adelete_nodes(filters=MetadataFilters(filters=[]), document_id="nothing")
    await vector_store.aclear()
    assert await vector_store.aget_nodes() == []
    await vector_store.aclose()
