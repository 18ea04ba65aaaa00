"""Wrong types and values anywhere in the LangChain adapter raise errors of Hybridge's own.

Pydantic's at the construction of a retriever aside. A few hundred calls in the ordinary run;
`HYBRIDGE_FUZZ=5000` makes that many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from pydantic import ValidationError

from hybridge import DenseField
from langchain_hybridge import MilvusRetriever, MilvusVectorStore
from support.langchain_support import WordEmbeddings
from support.odd_values import EXAMPLES, odd, only_errors_of_ours, real, some

SEARCH = (
    "k", "mode", "filter", "expr", "fusion", "fetch_k", "reranker", "with_scores", "with_vectors",
    "with_context", "search_params", "nonsense",
)  # fmt: skip
SCORE = (*SEARCH, "score_threshold")
MMR = ("k", "fetch_k", "lambda_mult", "mode", "filter", "expr", "fusion", "with_vectors")
ADD = ("metadatas", "ids", "contexts", "context_key", "batch_size", "progress")
MAKE = (
    "embedding", "store", "mode", "k", "fetch_k", "fusion", "context_key", "uri",
    "collection_name", "token", "db_name", "sparse", "fields", "search_fields", "config", "dim",
    "metadata_schema", "partition_key", "average_length", "timeout", "server",
)  # fmt: skip
RETRIEVER = (*SCORE[:-2], "score_threshold")


@pytest.fixture(scope="module")
def vector_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusVectorStore]:
    """A vector store with two dense fields and BM25, and a few documents."""
    embeddings = WordEmbeddings()
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    fields = {"title": DenseField(embeddings, source="title")}  # type: ignore[arg-type]
    with MilvusVectorStore(embeddings, uri=path, fields=fields) as made:
        made.add_texts(["fox", "safe"], [{"title": "fox"}, {"title": "safe"}], ids=["fox", "safe"])
        yield made


def document(*given: Any) -> Document:
    """A document of an odd id, text and metadata, as far as Pydantic takes them."""
    try:
        return Document(id=given[0], page_content=given[1], metadata=given[2])
    except ValidationError:
        return Document(page_content="owl", metadata={"deep": given[2]}, id="owl")


Call = Callable[[MilvusVectorStore, Any], Any]
CALLS: list[tuple[str, st.SearchStrategy[Any], Call]] = [
    ("search", some(SEARCH), lambda s, a: s.similarity_search("fox", **a)),
    ("search what", st.tuples(odd, odd), lambda s, a: s.similarity_search(a[0], a[1])),
    ("score", some(SEARCH), lambda s, a: s.similarity_search_with_score("fox", **a)),
    ("relevance", some(SCORE), lambda s, a: s.similarity_search_with_relevance_scores("fox", **a)),
    (
        "by vector",
        st.tuples(odd, some(("query", *SEARCH))),
        lambda s, a: s.similarity_search_by_vector(a[0], **a[1]),
    ),
    (
        "score by vector",
        st.tuples(odd, odd),
        lambda s, a: s.similarity_search_with_score_by_vector(a[0], query=a[1]),
    ),
    ("mmr", some(MMR), lambda s, a: s.max_marginal_relevance_search("fox", **a)),
    (
        "mmr by vector",
        st.tuples(odd, some(("query", *MMR))),
        lambda s, a: s.max_marginal_relevance_search_by_vector(a[0], **a[1]),
    ),
    (
        "search by type",
        st.tuples(odd, some(SEARCH)),
        lambda s, a: s.search(a[0], "similarity", **a[1]),
    ),
    ("get", odd, lambda s, a: s.get_by_ids(a)),
    ("scroll", st.tuples(odd, odd), lambda s, a: list(s.scroll(a[0], expr=a[1]))),
    ("add texts", st.tuples(odd, some(ADD, 3)), lambda s, a: s.add_texts(a[0], **a[1])),
    ("add a text", some(ADD, 3), lambda s, a: s.add_texts(["owl"], **{"ids": ["owl"], **a})),
    (
        "add a document",
        st.tuples(odd, odd, odd),
        lambda s, a: s.add_documents([document(*a)]),
    ),
    ("update", st.tuples(odd, odd), lambda s, a: s.update(a[0], metadata=a[1])),
    ("delete", odd, lambda s, a: s.delete([a])),
    (
        "delete by",
        st.tuples(odd, odd),
        lambda s, a: s.delete(["none"], filter=a[0], expr=a[1]),
    ),
    ("for_tenant", odd, lambda s, a: s.for_tenant(a).similarity_search("fox")),
    (
        "invoke",
        st.tuples(odd, some(RETRIEVER)),
        lambda s, a: MilvusRetriever(vectorstore=s).invoke(a[0], **a[1]),
    ),
    (
        "invoke a text",
        some(RETRIEVER),
        lambda s, a: MilvusRetriever(vectorstore=s).invoke("fox", **a),
    ),
    (
        "batch",
        st.tuples(odd, some(RETRIEVER, 1)),
        lambda s, a: MilvusRetriever(vectorstore=s).batch(a[0], **a[1]),
    ),
]
ASYNC_CALLS: list[tuple[str, st.SearchStrategy[Any], Call]] = [
    ("asearch", some(SEARCH), lambda s, a: s.asimilarity_search("fox", **a)),
    ("asearch what", odd, lambda s, a: s.asimilarity_search(a)),
    (
        "arelevance",
        some(SCORE),
        lambda s, a: s.asimilarity_search_with_relevance_scores("fox", **a),
    ),
    ("ammr", some(MMR), lambda s, a: s.amax_marginal_relevance_search("fox", **a)),
    ("aadd", st.tuples(odd, some(ADD, 3)), lambda s, a: s.aadd_texts(a[0], **a[1])),
    ("aupdate", st.tuples(odd, odd), lambda s, a: s.aupdate(a[0], metadata=a[1])),
    (
        "ainvoke",
        st.tuples(odd, some(RETRIEVER)),
        lambda s, a: MilvusRetriever(vectorstore=s).ainvoke(a[0], **a[1]),
    ),
    (
        "abatch",
        st.tuples(odd, some(RETRIEVER, 1)),
        lambda s, a: MilvusRetriever(vectorstore=s).abatch(a[0], **a[1]),
    ),
]
EACH = max(5, EXAMPLES // len(CALLS + ASYNC_CALLS))


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
    assert [document.page_content for document in vector_store.get_by_ids(["safe"])] == ["safe"]


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
    assert [document.page_content for document in vector_store.get_by_ids(["safe"])] == ["safe"]


@settings(max_examples=max(20, EXAMPLES // 4))
@given(arguments=some(MAKE, 2))
def test_a_vector_store_of_odd_arguments_raises_errors_of_ours(
    tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, Any]
) -> None:
    """The constructor refuses what makes no sense."""
    path = str(tmp_path_factory.getbasetemp() / "none.db")
    with only_errors_of_ours():
        MilvusVectorStore(**{"uri": path, "timeout": 1, **real(arguments)}).close()


@settings(max_examples=max(20, EXAMPLES // 4))
@given(arguments=some(RETRIEVER[:-2], 2))
def test_a_retriever_of_odd_arguments_raises_errors_of_ours(
    vector_store: MilvusVectorStore, arguments: dict[str, Any]
) -> None:
    """So does a retriever that Pydantic lets pass."""
    try:
        retriever = MilvusRetriever(vectorstore=vector_store, **real(arguments))
    except ValidationError:
        return
    with only_errors_of_ours():
        retriever.invoke("fox")
