"""One collection, two frameworks: what one writes the other reads, updates and deletes.

Random nodes and documents, written through LlamaIndex and LangChain in random order over the same
few ids, each framework with a store of its own on the same path. A model says what every row must
be; both frameworks are compared with it after each step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")
pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")

from langchain_core.documents import Document
from llama_index.core.schema import BaseNode, MediaResource, Node, TextNode
from llama_index.core.schema import Document as LlamaIndexDocument
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

import langchain_hybridge
import llama_index_hybridge
from hybridge import F
from hybridge.filters import Filter
from support.llama_embedding import embed
from support.node_strategies import metadata, nodes, texts
from support.word_function import WordFunction

IDS = ["a", "b", "c"]


@dataclass
class Shared:
    """Both frameworks' vector stores on one path, each with a store of its own."""

    nodes: llama_index_hybridge.MilvusVectorStore
    documents: langchain_hybridge.MilvusVectorStore

    def empty(self) -> None:
        """Delete all rows."""
        self.nodes.clear()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Two vector stores on one new path."""
    path = tmp_path_factory.mktemp("shared") / "milvus.db"
    with (
        llama_index_hybridge.MilvusVectorStore(uri=path) as of_nodes,
        langchain_hybridge.MilvusVectorStore(WordFunction(), uri=path) as of_documents,
    ):
        yield Shared(of_nodes, of_documents)


# --- what is written, and what must come of it ---------------------------------------------------

WriteNode = tuple[Literal["node"], BaseNode]
WriteDocument = tuple[Literal["document"], Document]
Delete = tuple[Literal["delete node", "delete document", "delete source"], str]
Step = WriteNode | WriteDocument | Delete


def with_id(node: BaseNode, name: str) -> BaseNode:
    """The node under one of the few ids, with an embedding."""
    node.id_ = name
    node.embedding = embed(name)
    return node


names = st.sampled_from(IDS)
documents = st.builds(Document, id=names, page_content=texts, metadata=metadata)
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("node"), st.builds(with_id, nodes, names)),
    st.tuples(st.just("document"), documents),
    st.tuples(st.sampled_from(["delete node", "delete document", "delete source"]), names),
)


def after_overwrite(node: BaseNode, document: Document) -> BaseNode:
    """The node once LangChain has overwritten it: new text and metadata, all else kept."""
    text = document.page_content
    changed = node.model_copy(deep=True)
    changed.metadata = document.metadata
    if isinstance(changed, TextNode):
        if changed.text != text:
            changed.start_char_idx = changed.end_char_idx = None
        changed.text = text
    elif isinstance(changed, Node):
        had_text = changed.text_resource is not None and changed.text_resource.text is not None
        if had_text or text:
            fields = dict(changed.text_resource or MediaResource())
            changed.text_resource = MediaResource(**{**fields, "text": text})
    return changed


@dataclass
class Model:
    """What every row must be, as LlamaIndex sees it."""

    rows: dict[str, BaseNode] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Change as the step says."""
        kind, what = step
        if isinstance(what, BaseNode):
            self.rows[what.id_] = what.model_copy(update={"embedding": None})
        elif isinstance(what, Document):
            name = str(what.id)
            old = self.rows.get(name)
            fresh = TextNode(id_=name, text=what.page_content, metadata=what.metadata)
            self.rows[name] = fresh if old is None else after_overwrite(old, what)
        elif kind == "delete source":
            self.rows = {n: node for n, node in self.rows.items() if document_id(node) != what}
        else:
            self.rows.pop(what, None)


def document_id(node: BaseNode) -> str | None:
    """The id that a node is deleted by; a Document that was not split is its own source."""
    return node.ref_doc_id or (node.node_id if isinstance(node, LlamaIndexDocument) else None)


def apply(step: Step, shared: Shared) -> None:
    """Take a step through the framework that it belongs to."""
    kind, what = step
    if isinstance(what, BaseNode):
        shared.nodes.add([what])
    elif isinstance(what, Document):
        shared.documents.add_documents([what])
    elif kind == "delete source":
        shared.nodes.delete(what)
    elif kind == "delete node":
        shared.nodes.delete_nodes([what])
    else:
        shared.documents.delete([what])


def check(model: Model, shared: Shared) -> None:
    """Compare both frameworks with the model: ids, text, metadata, and all that nodes have."""
    by_nodes = {node.node_id: node for node in shared.nodes.get_nodes(IDS)}
    assert by_nodes == model.rows
    assert {name: repr(node) for name, node in by_nodes.items()} == {
        name: repr(node) for name, node in model.rows.items()
    }
    by_documents = {one.id: one for one in shared.documents.get_by_ids(IDS)}
    assert set(by_documents) == set(model.rows)
    for name, document in by_documents.items():
        node = model.rows[str(name)]
        assert document.page_content == node.get_content()
        assert repr(document.metadata) == repr(node.metadata)


def run(given_steps: Sequence[Step], shared: Shared) -> None:
    """Take the steps and check after each."""
    shared.empty()
    model = Model()
    for step in given_steps:
        apply(step, shared)
        model.take(step)
        check(model, shared)


anything = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(st.lists(steps, min_size=1, max_size=6))
@settings(anything, max_examples=100)
def test_nothing_is_lost(shared: Shared, given_steps: list[Step]) -> None:
    """Whatever either framework does, both see every row with all that was ever stored in it."""
    run(given_steps, shared)


@pytest.mark.long
@given(st.lists(steps, min_size=1, max_size=6))
@settings(anything, max_examples=int(os.environ.get("HYBRIDGE_HISTORIES", "400")))
def test_nothing_is_lost_long(shared: Shared, given_steps: list[Step]) -> None:
    """The same, more often."""
    run(given_steps, shared)


# --- ranking -------------------------------------------------------------------------------------

WORDS = ["cat", "dog", "bird", "fish", "sofa", "park"]
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
years = st.integers(2020, 2022)
FILTERS: list[tuple[MetadataFilters | None, Filter | None]] = [
    (None, None),
    (MetadataFilters(filters=[MetadataFilter(key="year", value=2021)]), F("year") == 2021),
    (
        MetadataFilters(filters=[MetadataFilter(key="year", value=2021, operator=">=")]),
        F("year") >= 2021,
    ),
]


def rank_alike(rows: list[tuple[str, int]], query: str, shared: Shared) -> None:
    """Store rows in turn through both, and ask both in every mode under every filter."""
    shared.empty()
    for place, (text, year) in enumerate(rows):
        if place % 2:
            document = Document(id=str(place), page_content=text, metadata={"year": year})
            shared.documents.add_documents([document])
        else:
            own = {"year": year}
            shared.nodes.add(
                [TextNode(id_=str(place), text=text, metadata=own, embedding=embed(text))]
            )
    for mode in ("default", "sparse", "hybrid"):
        for by_nodes, by_documents in FILTERS:
            answer = shared.nodes.query(
                VectorStoreQuery(
                    query_str=query,
                    query_embedding=None if mode == "sparse" else embed(query),
                    similarity_top_k=4,
                    mode=VectorStoreQueryMode(mode),
                    filters=by_nodes,
                )
            )
            core: Any = "dense" if mode == "default" else mode
            scored = shared.documents.similarity_search_with_relevance_scores(
                query, k=4, mode=core, filter=by_documents
            )
            assert answer.ids == [document.id for document, _ in scored]
            assert answer.similarities == [relevance for _, relevance in scored]


queries = st.tuples(st.lists(st.tuples(phrases, years), min_size=1, max_size=8), phrases)


@given(queries)
@settings(anything, max_examples=25)
def test_both_rank_alike(shared: Shared, question: tuple[list[tuple[str, int]], str]) -> None:
    """For one query both return the same ids with the same relevance, in every mode and filter."""
    rank_alike(*question, shared)


@pytest.mark.long
@given(queries)
@settings(anything, max_examples=100)
def test_both_rank_alike_long(shared: Shared, question: tuple[list[tuple[str, int]], str]) -> None:
    """The same, more often."""
    rank_alike(*question, shared)


def test_mmr_alike(shared: Shared) -> None:
    """Both choose the same rows by maximal marginal relevance."""
    shared.empty()
    shared.documents.add_texts(
        ["cat cat dog", "cat cat dog bird", "cat sofa", "park"], ids=["0", "1", "2", "3"]
    )
    query = VectorStoreQuery(
        query_str="cat dog",
        query_embedding=embed("cat dog"),
        similarity_top_k=3,
        mode=VectorStoreQueryMode.MMR,
        mmr_threshold=0.3,
    )
    found = shared.documents.max_marginal_relevance_search(
        "cat dog", k=3, lambda_mult=0.3, mode="dense"
    )
    assert shared.nodes.query(query).ids == [document.id for document in found]
