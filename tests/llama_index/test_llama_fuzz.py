"""Wrong types and values anywhere in the LlamaIndex adapter raise errors of Hybridge's own.

Pydantic's at the construction of LlamaIndex's own classes aside. A few hundred calls in the
ordinary run; `HYBRIDGE_FUZZ=5000` makes that many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.bridge.pydantic import ValidationError
from llama_index.core.schema import QueryBundle, TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge import DenseField
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.llama_embedding import WordEmbedding, embed
from support.odd_values import EXAMPLES, odd, only_errors_of_ours, real, some

MODES = ("default", "sparse", "hybrid", "text_search", "semantic_hybrid", "mmr")
QUERY = (
    "query_embedding", "similarity_top_k", "doc_ids", "node_ids", "query_str", "output_fields",
    "embedding_field", "mode", "alpha", "filters", "mmr_threshold", "sparse_top_k", "hybrid_top_k",
)  # fmt: skip
OPTIONS = (
    "mode", "fusion", "reranker", "expr", "fetch_k", "mmr_threshold", "mmr_prefetch_k",
    "search_params",
)  # fmt: skip
NODE = (
    "id_", "text", "metadata", "embedding", "start_char_idx", "excluded_embed_metadata_keys",
    "metadata_template", "metadata_separator", "relationships",
)  # fmt: skip
ADD = ("batch_size", "progress", "whatever")
MAKE = (
    "embed_model", "store", "tenant", "fusion", "reranker", "uri", "collection_name", "token",
    "db_name", "sparse", "fields", "search_fields",
    "config", "dim", "metadata_schema", "partition_key",
    "average_length", "timeout", "server",
)  # fmt: skip
RETRIEVER = (
    "embed_model", "similarity_top_k", "mode", "filters", "expr", "fusion", "fetch_k", "reranker",
    "score_threshold", "search_params",
)  # fmt: skip


@pytest.fixture(scope="module")
def vector_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusVectorStore]:
    """A vector store with two dense fields and BM25, and a few nodes."""
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    model = WordEmbedding()
    fields = {"title": DenseField(model, source="title")}  # type: ignore[arg-type]
    with MilvusVectorStore(model, uri=path, fields=fields) as made:
        made.add([TextNode(id_=one, text=one, metadata={"title": one}) for one in ("fox", "safe")])
        yield made


def node(given_fields: dict[str, Any]) -> TextNode:
    """A node with odd fields, as far as Pydantic takes them."""
    try:
        return TextNode(**{"id_": "owl", "text": "owl", **given_fields})
    except ValidationError:
        return TextNode(id_="owl", metadata={"deep": list(given_fields.values())})


def filters(value: Any) -> Any:
    """Filters by an odd value, or the odd value itself where Pydantic refuses it."""
    try:
        return MetadataFilters(filters=[MetadataFilter(key="title", value=value, operator="in")])
    except ValidationError:
        return value


def query(given_fields: dict[str, Any], mode: str = "hybrid") -> VectorStoreQuery:
    """A query with odd fields; it is a dataclass, which checks nothing."""
    whole: dict[str, Any] = {
        "query_str": "fox",
        "query_embedding": embed("fox"),
        "mode": VectorStoreQueryMode(mode),
        **given_fields,
    }
    return VectorStoreQuery(**whole)


def retrieve(vector_store: MilvusVectorStore, arguments: dict[str, Any], text: Any) -> Any:
    """Make a retriever with an odd argument, and ask it."""
    return MilvusRetriever(vector_store, **arguments).retrieve(text)


async def aretrieve(vector_store: MilvusVectorStore, arguments: dict[str, Any], text: Any) -> Any:
    """The same, awaited."""
    return await MilvusRetriever(vector_store, **arguments).aretrieve(text)


modes = st.sampled_from(MODES)
Call = Callable[[MilvusVectorStore, Any], Any]
CALLS: list[tuple[str, st.SearchStrategy[Any], Call]] = [
    ("query", st.tuples(some(QUERY), modes), lambda s, a: s.query(query(*a))),
    ("query what", odd, lambda s, a: s.query(a)),
    (
        "query with",
        st.tuples(modes, some(OPTIONS)),
        lambda s, a: s.query(query({}, a[0]), **a[1]),
    ),
    ("add", st.tuples(odd, some(ADD)), lambda s, a: s.add(a[0], **a[1])),
    ("add a node", some(NODE, 3), lambda s, a: s.add([node(a)])),
    ("get", st.tuples(odd, odd), lambda s, a: s.get_nodes(a[0], filters(a[1]))),
    ("get with", odd, lambda s, a: s.get_nodes(["fox"], with_embeddings=a)),
    ("get by", odd, lambda s, a: s.get_nodes(filters=a)),
    ("update", st.tuples(odd, odd), lambda s, a: s.update(a[0], metadata=a[1])),
    ("delete", odd, lambda s, a: s.delete(a, expr='id == "none"')),
    (
        "delete nodes",
        st.tuples(odd, odd),
        lambda s, a: s.delete_nodes([a[0]], filters(a[1]), document_id="none"),
    ),
    (
        "delete by",
        st.tuples(odd, odd),
        lambda s, a: s.delete_nodes(["none"], document_id=a[0], expr=a[1]),
    ),
    ("for_tenant", odd, lambda s, a: s.for_tenant(a).get_nodes()),
    ("retrieve", some(RETRIEVER), lambda s, a: retrieve(s, a, "fox")),
    ("retrieve bundle", odd, lambda s, a: retrieve(s, {}, QueryBundle("fox", embedding=a))),
    ("retrieve what", odd, lambda s, a: retrieve(s, {}, QueryBundle(a))),
]
ASYNC_CALLS: list[tuple[str, st.SearchStrategy[Any], Call]] = [
    ("aquery", st.tuples(some(QUERY), modes), lambda s, a: s.aquery(query(*a))),
    (
        "aquery with",
        st.tuples(modes, some(OPTIONS)),
        lambda s, a: s.aquery(query({}, a[0]), **a[1]),
    ),
    ("aadd", st.tuples(odd, some(ADD)), lambda s, a: s.async_add(a[0], **a[1])),
    ("aget", st.tuples(odd, odd), lambda s, a: s.aget_nodes(a[0], filters(a[1]))),
    ("aupdate", st.tuples(odd, odd), lambda s, a: s.aupdate(a[0], metadata=a[1])),
    ("adelete", odd, lambda s, a: s.adelete_nodes([a], document_id="none")),
    ("aretrieve", some(RETRIEVER), lambda s, a: aretrieve(s, a, "fox")),
]
EACH = max(5, EXAMPLES // len(CALLS + ASYNC_CALLS))


def is_whole(vector_store: MilvusVectorStore) -> bool:
    """Whether "safe" is still there."""
    return [one.get_content() for one in vector_store.get_nodes(["safe"])] == ["safe"]


@pytest.mark.parametrize(("name", "arguments", "call"), CALLS, ids=[name for name, _, _ in CALLS])
def test_a_call_with_odd_arguments_raises_errors_of_ours(
    vector_store: MilvusVectorStore, name: str, arguments: st.SearchStrategy[Any], call: Call
) -> None:
    """Whatever is passed, and "safe" is still there."""

    @settings(max_examples=EACH)
    @given(arguments)
    def fuzz(given_arguments: Any) -> None:
        with only_errors_of_ours():
            call(vector_store, real(given_arguments))

    fuzz()
    assert is_whole(vector_store)


@pytest.mark.parametrize(
    ("name", "arguments", "call"), ASYNC_CALLS, ids=[name for name, _, _ in ASYNC_CALLS]
)
def test_an_awaited_call_does_so_too(
    vector_store: MilvusVectorStore, name: str, arguments: st.SearchStrategy[Any], call: Call
) -> None:
    """The async twins are checked as early."""

    async def awaited(given_arguments: Any) -> None:
        await call(vector_store, real(given_arguments))

    @settings(max_examples=EACH)
    @given(arguments)
    def fuzz(given_arguments: Any) -> None:
        with only_errors_of_ours():
            asyncio.run(awaited(given_arguments))

    fuzz()
    assert is_whole(vector_store)


@settings(max_examples=max(20, EXAMPLES // 4))
@given(arguments=some(MAKE, 2))
def test_a_vector_store_of_odd_arguments_raises_errors_of_ours(
    tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, Any]
) -> None:
    """The constructor refuses what makes no sense."""
    path = str(tmp_path_factory.getbasetemp() / "none.db")
    with only_errors_of_ours():
        MilvusVectorStore(**{"uri": path, "timeout": 1, **real(arguments)}).close()
