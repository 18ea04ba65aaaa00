"""Four vector fields through LlamaIndex, on a path and on a server.

"dense" is LlamaIndex's own embedding, "title" a dense function of Hybridge over another source,
"sparse" BM25, and "terms" a tiny SPLADE as a LlamaIndex sparse embedding.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge import (
    ConfidenceWeighted,
    DenseField,
    ReciprocalRank,
    SparseField,
    SpladeEmbeddingFunction,
    Weighted,
)
from hybridge.errors import InvalidInputError
from hybridge.store import sparse_rows
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.letters import Letters
from support.llama_embedding import WordEmbedding, embed
from support.tiny_models import tiny_splade

ROWS: list[tuple[str, str, dict[str, Any]]] = [
    ("apples", "red apple fruit", {"title": "kkk", "year": 2001}),
    ("pears", "green pear fruit", {"title": "mmm", "year": 2002}),
    ("both", "red apple green pear", {"year": 2003}),
    ("letters", "a b c d e", {"title": "kmk", "year": 2004}),
]
EVERY = ["dense", "sparse", "title", "terms"]
MODES: list[Any] = [*EVERY, "hybrid", ["dense", "title"], EVERY]
FUSIONS: list[Any] = [
    None,
    ConfidenceWeighted(),
    ReciprocalRank(),
    Weighted({"dense": 0.4, "sparse": 0.1, "title": 0.2, "terms": 0.3}),
    "milvus-rrf",
    "milvus-weighted",
]


class Terms(BaseSparseEmbedding):
    """A LlamaIndex sparse embedding over SPLADE."""

    _function: SpladeEmbeddingFunction = PrivateAttr()

    def __init__(self, function: SpladeEmbeddingFunction) -> None:
        super().__init__(model_name="tiny-splade")
        self._function = function

    def _get_text_embedding(self, text: str) -> dict[int, float]:
        [row] = sparse_rows(self._function.encode_documents([text]))
        return dict(row)

    def _get_query_embedding(self, query: str) -> dict[int, float]:
        return self._get_text_embedding(query)

    async def _aget_text_embedding(self, text: str) -> dict[int, float]:
        return self._get_text_embedding(text)

    async def _aget_query_embedding(self, query: str) -> dict[int, float]:
        return self._get_text_embedding(query)


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Terms:
    """A tiny SPLADE."""
    return Terms(SpladeEmbeddingFunction(str(tiny_splade(tmp_path_factory.mktemp("splade")))))


@pytest.fixture(scope="module", params=["path", "server"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path of Milvus Lite, and a server."""
    if request.param == "path":
        return str(tmp_path_factory.mktemp("fields") / "fields.db")
    server: str = request.getfixturevalue("lite_server")
    return server


def make(
    where: str, name: str, terms: Terms, model: WordEmbedding | None, **arguments: Any
) -> MilvusVectorStore:
    """A vector store with four fields."""
    fields: dict[str, Any] = {
        "title": DenseField(Letters(26, "letters"), source="title"),
        "terms": SparseField(terms),  # type: ignore[arg-type]
    }
    return MilvusVectorStore(model, uri=where, collection_name=name, fields=fields, **arguments)


def nodes() -> list[TextNode]:
    """The rows as nodes without embeddings, whose metadata are not indexed with the text."""
    return [
        TextNode(
            id_=name, text=text, metadata=metadata, excluded_embed_metadata_keys=["title", "year"]
        )
        for name, text, metadata in ROWS
    ]


@pytest.fixture
def model() -> WordEmbedding:
    """LlamaIndex's own embedding, which notes its calls."""
    return WordEmbedding()


@pytest.fixture
def shelf(
    where: str, collection_name: str, terms: Terms, model: WordEmbedding
) -> Iterator[MilvusVectorStore]:
    """A vector store with four nodes, one of them without a title."""
    with make(where, collection_name, terms, model) as made:
        made.add(nodes())
        yield made
        made.client.drop()


def ask(text: str, **changes: Any) -> VectorStoreQuery:
    """A query of three nodes."""
    return VectorStoreQuery(**{"query_str": text, "similarity_top_k": 3, **changes})


async def test_every_mode_and_fusion_is_that_of_core(shelf: MilvusVectorStore) -> None:
    """The same nodes with the same relevance, sync and async, by query and by retriever."""
    for mode, fusion in product(MODES, FUSIONS):
        expected = shelf.client.search("kkk apple", k=3, mode=mode, fusion=fusion)
        found = shelf.query(ask("kkk apple"), mode=mode, fusion=fusion)
        assert found.ids == [hit.id for hit in expected]
        assert found.similarities == [hit.relevance for hit in expected]
        assert found == await shelf.aquery(ask("kkk apple"), mode=mode, fusion=fusion)
        retriever = MilvusRetriever(shelf, similarity_top_k=3, mode=mode, fusion=fusion)
        retrieved = retriever.retrieve("kkk apple")
        assert [one.node_id for one in retrieved] == found.ids
        assert retrieved == await retriever.aretrieve("kkk apple")


def test_an_embedding_belongs_to_the_field_that_is_named(shelf: MilvusVectorStore) -> None:
    """`embedding_field`, alone and in hybrid queries."""
    by_title = Letters(26).vector("kkk").tolist()
    found = shelf.query(ask("", query_str=None, query_embedding=by_title, embedding_field="title"))
    assert (found.ids or [])[:2] == ["apples", "letters"]
    hybrid = ask("pear", query_embedding=by_title, embedding_field="title", mode="hybrid")
    assert set(shelf.query(hybrid).ids or ()) >= {"apples", "pears"}


async def test_mmr_compares_the_field_that_it_searches(shelf: MilvusVectorStore) -> None:
    """Of the titles that are alike, one is chosen; nodes without one cannot be."""
    query = ask(
        "kkk",
        similarity_top_k=2,
        mode=VectorStoreQueryMode.MMR,
        mmr_threshold=0.1,
        embedding_field="title",
    )
    assert shelf.query(query).ids == ["apples", "pears"]
    assert await shelf.aquery(query) == shelf.query(query)


def test_filters_hold_in_every_field(shelf: MilvusVectorStore) -> None:
    """And nodes that lack a field are not found by it."""
    late = MetadataFilter(key="year", value=2002, operator=FilterOperator.GT)
    for mode in MODES:
        query = ask("apple kkk", filters=MetadataFilters(filters=[late]))
        assert set(shelf.query(query, mode=mode).ids or ()) <= {"both", "letters"}
    assert "both" not in (shelf.query(ask("mmm", similarity_top_k=9), mode="title").ids or ())


def test_reopening_needs_the_functions_again(
    shelf: MilvusVectorStore, where: str, terms: Terms, model: WordEmbedding
) -> None:
    """Fields are read back; what only an object can make must be passed, and the error says so."""
    name = shelf.client.collection_name
    with MilvusVectorStore.from_existing_collection(name, uri=where, embed_model=model) as again:
        assert again.query(ask("red apple fruit", similarity_top_k=1)).ids == ["apples"]
        with pytest.raises(InvalidInputError, match=r"fields=\{'terms':"):
            again.query(ask("apple"), mode="terms")
    with make(where, name, terms, model) as whole:
        assert whole.query(ask("kkk"), mode=EVERY) == shelf.query(ask("kkk"), mode=EVERY)


async def test_changing_metadata_encodes_only_what_they_make(
    shelf: MilvusVectorStore, model: WordEmbedding
) -> None:
    """The embedding of the text is not asked."""
    model.calls.clear()
    assert shelf.update(["apples", "gone"], metadata={"title": "zzz"}) == 1
    assert await shelf.aupdate(["pears"], metadata=[{"year": 1999}]) == 1
    assert model.calls == []
    assert shelf.query(ask("zzz", similarity_top_k=1), mode="title").ids == ["apples"]
    [pears] = shelf.get_nodes(["pears"])
    assert pears.metadata == {"title": "mmm", "year": 1999}


async def test_read_change_write(shelf: MilvusVectorStore, model: WordEmbedding) -> None:
    """Nodes read with their embeddings are added again as they are, and nothing is embedded."""
    model.calls.clear()
    before = shelf.query(ask("red apple"), mode="hybrid")
    read = shelf.get_nodes(["apples", "both"], with_embeddings=True)
    assert [node.embedding for node in read] == [
        pytest.approx(embed(text)) for name, text, _ in ROWS if name in ("apples", "both")
    ]
    assert all(node.embedding is None for node in shelf.get_nodes(["apples", "both"]))
    for node in read:
        node.metadata["seen"] = 1
        node.excluded_embed_metadata_keys.append("seen")
    shelf.delete_nodes(["apples", "both"])
    assert shelf.add(read) == ["apples", "both"]
    assert await shelf.async_add(read) == ["apples", "both"]
    model.calls.clear()
    everything = MetadataFilters(filters=[MetadataFilter(key="seen", value=1)])
    found = await shelf.aget_nodes(filters=everything, with_embeddings=True)
    assert [node.embedding for node in found] == [node.embedding for node in read]
    after = shelf.query(ask("red apple"), mode="hybrid")
    assert (after.ids, after.similarities) == (before.ids, pytest.approx(before.similarities))
    assert model.calls == ["sync"]  # the query alone


def test_bm25_sees_what_is_embedded(where: str, collection_name: str) -> None:
    """The metadata that a node shows to embeddings are indexed with its text, others are not."""
    with MilvusVectorStore(uri=where, collection_name=collection_name) as shelf:
        shelf.add(
            [
                TextNode(
                    id_=name,
                    text="boundary layer flow",
                    metadata={"title": title, "secret": f"hidden{name}"},
                    excluded_embed_metadata_keys=["secret"],
                    embedding=embed(name),
                )
                for name, title in (("wing", "slender delta wings"), ("cone", "blunt cones"))
            ]
        )
        for text, name in (("delta wing", "wing"), ("blunt cone", "cone")):
            found = shelf.query(ask(text, mode=VectorStoreQueryMode.SPARSE))
            assert found.ids == [name]
            assert (found.nodes or ())[0].get_content() == "boundary layer flow"
        assert shelf.query(ask("hiddenwing", mode=VectorStoreQueryMode.SPARSE)).ids == []
        shelf.client.drop()


def test_tenants_have_ids_of_their_own(
    where: str, collection_name: str, terms: Terms, model: WordEmbedding
) -> None:
    """Two tenants use one id, and neither finds the other's in any field."""
    with make(where, collection_name, terms, model, partition_key="owner") as shelf:
        first, second = shelf.for_tenant("first"), shelf.for_tenant("second")
        first.add([TextNode(id_="a", text="red apple", metadata={"title": "kkk"})])
        second.add([TextNode(id_="a", text="green pear", metadata={"title": "mmm"})])
        for mode in MODES:
            found = second.query(ask("red apple kkk"), mode=mode)
            assert [node.get_content() for node in found.nodes or ()] in (["green pear"], [])
        first.delete_nodes(["a"])
        assert [node.get_content() for node in second.get_nodes(["a"])] == ["green pear"]
        with pytest.raises(InvalidInputError, match="for_tenant"):
            shelf.get_nodes(["a"])
        shelf.client.drop()
