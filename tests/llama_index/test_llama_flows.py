"""Real LlamaIndex flows over the vector store: indices, refreshing, ingestion pipelines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.ingestion import DocstoreStrategy, IngestionCache, IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters

from hybridge import DefaultEmbeddingFunction
from llama_index_hybridge import DenseEmbedding, MilvusVectorStore
from support.llama_embedding import WordEmbedding

MakeVectorStore = Callable[..., MilvusVectorStore]

CATS = "Cats sleep on sofas. They purr when they are content. A cat has four legs."
DOGS = "Dogs run in parks. They bark at strangers. A dog has four legs."
BIRDS = "Birds sing in the morning. They build nests in trees. A bird has two legs."


def documents() -> list[Document]:
    """Three documents of three sentences each."""
    texts = {"cats": CATS, "dogs": DOGS, "birds": BIRDS}
    return [Document(id_=i, text=text, metadata={"topic": i}) for i, text in texts.items()]


def splitter() -> SentenceSplitter:
    """One node per sentence."""
    return SentenceSplitter(chunk_size=12, chunk_overlap=0)


def texts_of(vector_store: MilvusVectorStore) -> list[str]:
    """All texts that are stored, sorted."""
    return sorted(node.get_content() for node in vector_store.get_nodes())


def make_index(vector_store: MilvusVectorStore, **arguments: Any) -> VectorStoreIndex:
    """An index of the three documents."""
    return VectorStoreIndex.from_documents(
        documents(),
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=WordEmbedding(),
        transformations=[splitter()],
        **arguments,
    )


# --- indices -------------------------------------------------------------------------------------


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "mmr"])
def test_from_documents_and_retrieve(
    vector_store: MilvusVectorStore, mode: str, use_async: bool
) -> None:
    """An index of documents retrieves the right sentence in every mode."""
    index = make_index(vector_store, use_async=use_async)
    retriever = index.as_retriever(vector_store_query_mode=mode, similarity_top_k=2)
    found = retriever.retrieve("bark at strangers")
    assert "bark" in found[0].text
    assert found[0].node.ref_doc_id == "dogs"
    assert found[0].score is not None
    assert 0 <= found[0].score <= 1


def test_sparse_retrieval_calls_no_embedding(vector_store: MilvusVectorStore) -> None:
    """In sparse mode LlamaIndex embeds no query, and none is missed."""
    make_index(vector_store)
    embedding = WordEmbedding()
    index = VectorStoreIndex.from_vector_store(vector_store, embed_model=embedding)
    found = index.as_retriever(vector_store_query_mode="sparse").retrieve("nests")
    assert "nests" in found[0].text
    assert embedding.calls == []


def test_async_retrieval_embeds_async(vector_store: MilvusVectorStore) -> None:
    """`aretrieve` embeds through the embedding's own async methods; twice, in two loops."""
    make_index(vector_store)
    embedding = WordEmbedding()
    index = VectorStoreIndex.from_vector_store(vector_store, embed_model=embedding)
    retriever = index.as_retriever(vector_store_query_mode="hybrid")
    first = asyncio.run(retriever.aretrieve("cats purr"))
    assert first == asyncio.run(retriever.aretrieve("cats purr")) == retriever.retrieve("cats purr")
    assert embedding.calls == ["async", "async", "sync"]


def test_query_engine(vector_store: MilvusVectorStore) -> None:
    """A query engine answers from the nodes that were found, sync and async."""
    engine = make_index(vector_store).as_query_engine(
        llm=MockLLM(), similarity_top_k=1, vector_store_query_mode="hybrid"
    )
    response = engine.query("who has two legs, a bird?")
    assert "A bird has two legs" in str(response)
    again = asyncio.run(engine.aquery("who has two legs, a bird?"))
    assert [node.node_id for node in again.source_nodes] == [
        node.node_id for node in response.source_nodes
    ]


def test_the_real_model(vector_store: MilvusVectorStore) -> None:
    """all-MiniLM-L6-v2 finds a sentence that shares no word with the question."""
    index = VectorStoreIndex.from_documents(
        documents(),
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=DenseEmbedding(DefaultEmbeddingFunction()),
        transformations=[splitter()],
    )
    found = index.as_retriever(similarity_top_k=1).retrieve("feline happiness noise")
    assert "purr" in found[0].text


def test_filters_reach_the_store(vector_store: MilvusVectorStore) -> None:
    """Filters, alpha and the final count given to a retriever are honoured."""
    index = make_index(vector_store)
    topic = MetadataFilters(filters=[MetadataFilter(key="topic", value="cats")])
    retriever = index.as_retriever(
        vector_store_query_mode="hybrid",
        similarity_top_k=1,
        hybrid_top_k=3,
        sparse_top_k=5,
        alpha=0.2,
        filters=topic,
    )
    found = retriever.retrieve("legs")
    assert len(found) == 3
    assert {node.metadata["topic"] for node in found} == {"cats"}


def test_insert_and_delete(vector_store: MilvusVectorStore) -> None:
    """Documents are inserted and deleted one by one."""
    index = make_index(vector_store)
    before = texts_of(vector_store)
    index.insert(Document(id_="fish", text="Fish swim in rivers."))
    assert len(texts_of(vector_store)) == len(before) + 1
    index.delete_ref_doc("fish")
    assert texts_of(vector_store) == before
    asyncio.run(index.ainsert(Document(id_="fish", text="Fish swim in rivers.")))
    assert len(texts_of(vector_store)) == len(before) + 1
    asyncio.run(index.adelete_ref_doc("fish"))
    assert texts_of(vector_store) == before


def test_update_ref_doc(vector_store: MilvusVectorStore) -> None:
    """An updated document replaces its nodes, sync and async, twice in a row."""
    index = make_index(vector_store)
    rest = [text for text in texts_of(vector_store) if text not in CATS]
    for text in ("Lions roar.", "Tigers hunt."):
        index.update_ref_doc(Document(id_="cats", text=text))
        assert texts_of(vector_store) == sorted([*rest, text])
        asyncio.run(index.aupdate_ref_doc(Document(id_="cats", text=f"{text} Loudly.")))
        assert texts_of(vector_store) == sorted([*rest, f"{text} Loudly."])


def test_refresh_without_duplicates(vector_store: MilvusVectorStore) -> None:
    """Refreshing adds what is new, replaces what changed, and repeats nothing.

    `store_nodes_override=True` lets LlamaIndex's docstore forget a deleted document, so that it is
    added again.
    """
    index = make_index(vector_store, store_nodes_override=True)
    before = texts_of(vector_store)
    assert index.refresh_ref_docs(documents()) == [False, False, False]
    assert texts_of(vector_store) == before
    changed = documents()
    changed[0] = Document(id_="cats", text="Lions roar.")
    assert index.refresh_ref_docs(changed) == [True, False, False]
    assert texts_of(vector_store).count("Lions roar.") == 1
    assert not any(text in CATS for text in texts_of(vector_store))
    index.delete_ref_doc("dogs", delete_from_docstore=True)
    assert not any(text in DOGS for text in texts_of(vector_store))
    assert index.refresh_ref_docs(changed) == [False, True, False]
    assert sum(text in DOGS for text in texts_of(vector_store)) == 3


def test_storage_context_round_trip(vector_store: MilvusVectorStore, tmp_path: Any) -> None:
    """A persisted storage context loads, with the vector store given anew."""
    index = make_index(vector_store)
    index.storage_context.persist(tmp_path / "storage")
    context = StorageContext.from_defaults(
        vector_store=vector_store, persist_dir=str(tmp_path / "storage")
    )
    again = load_index_from_storage(context, embed_model=WordEmbedding())
    assert "purr" in again.as_retriever(similarity_top_k=1).retrieve("purr when content")[0].text


# --- ingestion pipelines -------------------------------------------------------------------------


def pipeline(vector_store: MilvusVectorStore, **arguments: Any) -> IngestionPipeline:
    """A pipeline that splits, embeds and stores."""
    return IngestionPipeline(
        transformations=[splitter(), WordEmbedding()], vector_store=vector_store, **arguments
    )


def run(pipe: IngestionPipeline, given: list[Document], use_async: bool) -> None:
    """Run a pipeline, in an event loop of its own if it is to be async."""
    if use_async:
        asyncio.run(pipe.arun(documents=given))
    else:
        pipe.run(documents=given)


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("strategy", DocstoreStrategy)
def test_every_docstore_strategy(
    vector_store: MilvusVectorStore, strategy: DocstoreStrategy, use_async: bool
) -> None:
    """Running twice stores nothing twice; a changed document is replaced, a missing one deleted."""
    pipe = pipeline(vector_store, docstore=SimpleDocumentStore(), docstore_strategy=strategy)
    run(pipe, documents(), use_async)
    before = texts_of(vector_store)
    assert len(before) == 9
    run(pipe, documents(), use_async)
    assert texts_of(vector_store) == before
    run(pipe, [Document(id_="cats", text="Lions roar."), documents()[1]], use_async)
    after = texts_of(vector_store)
    assert "Lions roar." in after
    kept = {"cats": CATS, "dogs": DOGS, "birds": BIRDS}
    if strategy is not DocstoreStrategy.DUPLICATES_ONLY:
        del kept["cats"]
    if strategy is DocstoreStrategy.UPSERTS_AND_DELETE:
        del kept["birds"]
    assert len(after) == 1 + 3 * len(kept)
    after.remove("Lions roar.")
    assert all(any(text in whole for whole in kept.values()) for text in after)


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("strategy", DocstoreStrategy)
def test_each_tenant_ingests_the_same_documents(
    make_vector_store: MakeVectorStore, strategy: DocstoreStrategy, use_async: bool
) -> None:
    """Whole, so with the same ids: what one changes and deletes, the other keeps."""
    whole = make_vector_store(partition_key="tenant")
    views = [whole.for_tenant(name) for name in ("acme", "umbrella")]
    pipes = [
        IngestionPipeline(
            transformations=[WordEmbedding()],
            vector_store=view,
            docstore=SimpleDocumentStore(),
            docstore_strategy=strategy,
        )
        for view in views
    ]
    for pipe in (*pipes, *reversed(pipes)):
        run(pipe, documents(), use_async)
    assert [texts_of(view) for view in views] == [sorted([CATS, DOGS, BIRDS])] * 2
    changed = [Document(id_="cats", text="Lions roar."), documents()[1]]
    left = {"Lions roar.", DOGS, BIRDS}
    if strategy is DocstoreStrategy.UPSERTS_AND_DELETE:
        left.remove(BIRDS)
    run(pipes[1], changed, use_async)
    assert [texts_of(view) for view in views] == [sorted([CATS, DOGS, BIRDS]), sorted(left)]
    for pipe in pipes:
        run(pipe, changed, use_async)
    assert [texts_of(view) for view in views] == [sorted(left)] * 2


@pytest.mark.parametrize("use_async", [False, True])
def test_pipeline_with_cache(vector_store: MilvusVectorStore, use_async: bool) -> None:
    """What comes from a pipeline's cache is stored as well; ids are upserted, not doubled."""
    cache = IngestionCache()
    run(pipeline(vector_store, cache=cache), documents(), use_async)
    nodes = vector_store.get_nodes()
    run(pipeline(vector_store, cache=cache), documents(), use_async)
    assert {node.node_id for node in vector_store.get_nodes()} == {node.node_id for node in nodes}
    vector_store.clear()
    run(pipeline(vector_store, cache=cache), documents(), use_async)
    assert sorted(vector_store.get_nodes(), key=lambda node: node.node_id) == sorted(
        nodes, key=lambda node: node.node_id
    )


def test_whole_documents_are_deleted_too(vector_store: MilvusVectorStore) -> None:
    """A document that went in whole goes when it is missing, or deleted by its id."""
    pipe = IngestionPipeline(
        transformations=[WordEmbedding()],
        vector_store=vector_store,
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS_AND_DELETE,
    )
    pipe.run(documents=documents())
    pipe.run(documents=documents()[:2])
    assert texts_of(vector_store) == sorted([CATS, DOGS])
    vector_store.delete("cats")
    assert texts_of(vector_store) == [DOGS]


def test_whole_documents_without_a_splitter(vector_store: MilvusVectorStore) -> None:
    """Documents that go in whole come out as Documents, and a second run overwrites them."""
    pipe = IngestionPipeline(transformations=[WordEmbedding()], vector_store=vector_store)
    for _ in range(2):
        pipe.run(documents=documents())
    found = sorted(vector_store.get_nodes(), key=lambda node: node.node_id)
    assert found == sorted(documents(), key=lambda node: node.node_id)
