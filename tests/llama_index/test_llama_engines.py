"""LlamaIndex's own retrievers and query engines over the vector store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import HierarchicalNodeParser, SentenceSplitter, get_leaf_nodes
from llama_index.core.query_engine import (
    CitationQueryEngine,
    RetrieverQueryEngine,
    SubQuestionQueryEngine,
)
from llama_index.core.question_gen.types import BaseQuestionGenerator, SubQuestion
from llama_index.core.retrievers import (
    AutoMergingRetriever,
    QueryFusionRetriever,
    RecursiveRetriever,
)
from llama_index.core.schema import IndexNode, QueryBundle, TextNode
from llama_index.core.tools import QueryEngineTool, ToolMetadata

from hybridge.records import RerankResult
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore, Rerank
from support.llama_embedding import WordEmbedding

SENTENCES = [
    "Cats sleep on sofas.",
    "They purr when content.",
    "Dogs run in parks.",
    "They bark at strangers.",
    "Birds sing in the morning.",
    "They build nests in trees.",
]


@pytest.fixture
def index(vector_store: MilvusVectorStore, embedding: WordEmbedding) -> VectorStoreIndex:
    """An index of six sentences from three documents."""
    pairs = zip(("cats", "dogs", "birds"), SENTENCES[::2], SENTENCES[1::2], strict=True)
    return VectorStoreIndex.from_documents(
        [Document(id_=name, text=f"{first} {second}") for name, first, second in pairs],
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=embedding,
        transformations=[SentenceSplitter(chunk_size=8, chunk_overlap=0)],
    )


@pytest.mark.parametrize("mode", ["reciprocal_rerank", "relative_score", "dist_based_score"])
@pytest.mark.parametrize("use_async", [False, True])
def test_query_fusion_retriever(index: VectorStoreIndex, mode: str, use_async: bool) -> None:
    """LlamaIndex fuses our retrievers' results, whatever it makes of the scores."""
    retrievers = [
        index.as_retriever(vector_store_query_mode=kind, similarity_top_k=3)
        for kind in ("default", "sparse")
    ]
    fusion = QueryFusionRetriever(
        retrievers,
        llm=MockLLM(),
        mode=mode,  # type: ignore[arg-type]
        num_queries=1,
        similarity_top_k=2,
        use_async=use_async,
    )
    assert "bark" in fusion.retrieve("who do they bark at, strangers")[0].text


def test_recursive_retriever(vector_store: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """An IndexNode leads to the query engine that it stands for."""
    summaries = [
        IndexNode(text="about cats", index_id="cats"),
        IndexNode(text="about dogs", index_id="dogs"),
    ]
    storage = StorageContext.from_defaults(vector_store=vector_store)
    index = VectorStoreIndex(summaries, storage_context=storage, embed_model=embedding)
    engines = {
        name: VectorStoreIndex([TextNode(text=text)], embed_model=embedding).as_query_engine(
            llm=MockLLM()
        )
        for name, text in (("cats", "Cats purr."), ("dogs", "Dogs bark."))
    }
    retriever = RecursiveRetriever(
        "root",
        retriever_dict={"root": index.as_retriever(similarity_top_k=1)},
        query_engine_dict=engines,
    )
    assert "Dogs bark." in retriever.retrieve("about dogs")[0].text
    direct = RecursiveRetriever(
        "root",
        retriever_dict={"root": MilvusRetriever(vector_store, embedding, similarity_top_k=1)},
        query_engine_dict=engines,
    )
    assert "Cats purr." in direct.retrieve("about cats")[0].text


def test_objects_of_an_index(vector_store: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Objects given to an index are retrieved from, sync and async."""
    inner = VectorStoreIndex([TextNode(text="Cats purr.")], embed_model=embedding).as_retriever()
    index = VectorStoreIndex(
        objects=[IndexNode(text="about cats", index_id="cats", obj=inner)],
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=embedding,
    )
    retriever = index.as_retriever(similarity_top_k=1)
    assert retriever.retrieve("cats")[0].text == "Cats purr."
    assert asyncio.run(retriever.aretrieve("cats"))[0].text == "Cats purr."


def test_auto_merging_retriever(vector_store: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Leaves that come from the store know their parents, so they are merged into them."""
    parser = HierarchicalNodeParser.from_defaults(chunk_sizes=[64, 16], chunk_overlap=0)
    nodes = parser.get_nodes_from_documents([Document(text=" ".join(SENTENCES))])
    storage = StorageContext.from_defaults(vector_store=vector_store)
    storage.docstore.add_documents(nodes)
    leaves = get_leaf_nodes(nodes)
    index = VectorStoreIndex(leaves, storage_context=storage, embed_model=embedding)
    base = index.as_retriever(similarity_top_k=len(leaves))
    merged = AutoMergingRetriever(base, storage).retrieve("cats dogs birds")
    assert len(leaves) > 1
    assert [node.text for node in merged] == [" ".join(SENTENCES)]


class TwoQuestions(BaseQuestionGenerator):
    """Asks about cats, then about dogs."""

    def generate(self, tools: Sequence[ToolMetadata], query: QueryBundle) -> list[SubQuestion]:
        """Return the two questions."""
        texts = ("where do cats sleep", "where do dogs run")
        return [SubQuestion(sub_question=text, tool_name="animals") for text in texts]

    async def agenerate(
        self, tools: Sequence[ToolMetadata], query: QueryBundle
    ) -> list[SubQuestion]:
        """Async twin of `generate`."""
        return self.generate(tools, query)

    def _get_prompts(self) -> dict[str, object]:
        return {}

    def _update_prompts(self, prompts: dict[str, object]) -> None:
        pass


@pytest.mark.parametrize("use_async", [False, True])
def test_sub_question_engine(index: VectorStoreIndex, use_async: bool) -> None:
    """Each sub-question is answered from its own sources."""
    engine = index.as_query_engine(
        llm=MockLLM(), vector_store_query_mode="hybrid", similarity_top_k=1
    )
    tool = QueryEngineTool.from_defaults(engine, name="animals", description="about animals")
    whole = SubQuestionQueryEngine.from_defaults(
        [tool], llm=MockLLM(), question_gen=TwoQuestions(), use_async=use_async, verbose=False
    )
    sources = [node.text for node in whole.query("cats and dogs").source_nodes]
    assert any("Cats sleep" in text for text in sources)
    assert any("Dogs run" in text for text in sources)


def test_citation_engine(index: VectorStoreIndex) -> None:
    """A citation engine numbers the sources that the store returned."""
    engine = CitationQueryEngine.from_args(
        index, llm=MockLLM(), retriever=index.as_retriever(vector_store_query_mode="hybrid")
    )
    response = engine.query("they build nests")
    assert response.source_nodes[0].text.startswith("Source 1:\nThey build nests in trees.")


def test_reranked_engine(vector_store: MilvusVectorStore, index: VectorStoreIndex) -> None:
    """A rerank postprocessor orders what the retriever found."""

    def by_strangers(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        scores = [float("strangers" in text) for text in documents]
        order = sorted(range(len(documents)), key=lambda i: -scores[i])
        return [RerankResult(documents[i], scores[i], i) for i in order[:top_k]]

    engine = RetrieverQueryEngine.from_args(
        index.as_retriever(similarity_top_k=6),
        llm=MockLLM(),
        node_postprocessors=[Rerank(by_strangers, top_n=1)],
    )
    for response in (engine.query("animals"), asyncio.run(engine.aquery("animals"))):
        assert [node.text for node in response.source_nodes] == ["They bark at strangers."]
