"""One collection, two frameworks: what one writes the other reads, updates and deletes.

Random nodes and documents, written through LlamaIndex and LangChain in random order over the same
few ids, each framework with a store of its own on the same path. A model says what every row must
be; both frameworks are compared with it after each step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")
pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")

from langchain_core.documents import Document
from llama_index.core.schema import (
    BaseNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)
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
from support.examples import examples
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
WriteDocument = tuple[Literal["document"], tuple[Document, str | None]]
Update = tuple[Literal["update node", "update document"], tuple[str, dict[str, Any]]]
Delete = tuple[Literal["delete node", "delete document", "delete source"], str]
Step = WriteNode | WriteDocument | Update | Delete


def with_id(node: BaseNode, name: str) -> BaseNode:
    """The node under one of the few ids, with an embedding."""
    node.id_ = name
    node.embedding = embed(name)
    return node


names = st.sampled_from(IDS)
documents = st.builds(Document, id=names, page_content=texts, metadata=metadata)
contexts = st.sampled_from([None, None, "", "a heading", "another heading"])
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("node"), st.builds(with_id, nodes, names)),
    st.tuples(st.just("document"), st.tuples(documents, contexts)),
    st.tuples(st.sampled_from(["update node", "update document"]), st.tuples(names, metadata)),
    st.tuples(st.sampled_from(["delete node", "delete document", "delete source"]), names),
)


@dataclass(frozen=True)
class Context:
    """The context of a row: given, or derived from a node's metadata."""

    text: str | None = None
    derived: bool = False

    def after_node(self, node: BaseNode) -> Context:
        """It is derived anew, unless it was given."""
        if self.text and not self.derived:
            return self
        text = node.get_metadata_str(MetadataMode.EMBED) or None
        return Context(text, derived=text is not None)

    def after_update(self, node: BaseNode, *, by_nodes: bool) -> Context:
        """A derived one follows other metadata, or goes where nobody derives it."""
        if not self.derived:
            return self
        return self.after_node(node) if by_nodes else Context()

    def after_document(self, given: str | None, same_metadata: bool) -> Context:
        """None keeps it, unless it was derived from other metadata; "" removes it."""
        if given is None:
            return Context() if self.derived and not same_metadata else self
        return Context(given or None)


def after_update(node: BaseNode, change: dict[str, Any]) -> BaseNode:
    """The node with changed metadata; what it says of other nodes stays."""
    changed = node.model_copy(deep=True)
    changed.metadata = {**node.metadata, **change}
    return changed


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
    contexts: dict[str, Context] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Change as the step says."""
        if step[0] == "node":
            node = step[1]
            self.rows[node.id_] = node.model_copy(update={"embedding": None})
            self.contexts[node.id_] = self.contexts.get(node.id_, Context()).after_node(node)
        elif step[0] == "document":
            self.overwrite(*step[1])
        elif step[0] == "update node" or step[0] == "update document":
            name, change = step[1]
            if name in self.rows:
                before, self.rows[name] = self.rows[name], after_update(self.rows[name], change)
                if self.rows[name].metadata != before.metadata:
                    context, by_nodes = self.contexts[name], step[0] == "update node"
                    self.contexts[name] = context.after_update(self.rows[name], by_nodes=by_nodes)
        elif step[0] == "delete source":
            self.rows = {n: node for n, node in self.rows.items() if document_id(node) != step[1]}
        else:
            self.rows.pop(step[1], None)
        self.contexts = {name: self.contexts[name] for name in self.rows}

    def overwrite(self, document: Document, given: str | None) -> None:
        """Put a document in the place of what has its id."""
        name = str(document.id)
        old = self.rows.get(name)
        fresh = TextNode(id_=name, text=document.page_content, metadata=document.metadata)
        same = old is not None and old.metadata == document.metadata
        self.rows[name] = fresh if old is None else after_overwrite(old, document)
        self.contexts[name] = self.contexts.get(name, Context()).after_document(given, same)


def document_id(node: BaseNode) -> str | None:
    """The id that a node is deleted by; a Document that was not split is its own source."""
    return node.ref_doc_id or (node.node_id if isinstance(node, LlamaIndexDocument) else None)


def apply(step: Step, shared: Shared) -> None:
    """Take a step through the framework that it belongs to."""
    if step[0] == "node":
        shared.nodes.add([step[1]])
    elif step[0] == "document":
        document, context = step[1]
        shared.documents.add_documents([document], contexts=[context])
    elif step[0] == "update node":
        name, change = step[1]
        shared.nodes.update([name], metadata=change)
    elif step[0] == "update document":
        name, change = step[1]
        shared.documents.update([name], metadata=change)
    elif step[0] == "delete source":
        shared.nodes.delete(step[1])
    elif step[0] == "delete node":
        shared.nodes.delete_nodes([step[1]])
    else:
        shared.documents.delete([step[1]])


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
    stored = {
        record.id: Context(record.context, (record.extra or {}).get("context") == "derived")
        for record in shared.nodes.client.get(IDS)
    }
    assert stored == model.contexts
    assert shared.nodes.client.check() == []


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
@settings(anything, max_examples=examples(30))
def test_nothing_is_lost(shared: Shared, given_steps: list[Step]) -> None:
    """Whatever either framework does, both see every row with all that was ever stored in it."""
    run(given_steps, shared)


@pytest.mark.long
@given(st.lists(steps, min_size=1, max_size=6))
@settings(anything, max_examples=examples(150))
def test_nothing_is_lost_long(shared: Shared, given_steps: list[Step]) -> None:
    """The same, more often."""
    run(given_steps, shared)


def test_changed_metadata_are_the_rows_own(shared: Shared) -> None:
    """What a node says of its source, in the same words, stays as the source was."""
    source = RelatedNodeInfo(node_id="report", metadata={"year": 2020})
    node = TextNode(
        id_="a", text="x", metadata={"year": 2020}, relationships={NodeRelationship.SOURCE: source}
    )
    for framework in (shared.nodes, shared.documents):
        shared.empty()
        shared.nodes.add([with_id(node, "a")])
        assert framework.update(["a", "missing"], metadata={"year": 2021}) == 1
        [read] = shared.nodes.get_nodes(["a"])
        assert (read.metadata, read.source_node) == ({"year": 2021}, source)


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
@settings(anything, max_examples=examples(8))
def test_both_rank_alike(shared: Shared, question: tuple[list[tuple[str, int]], str]) -> None:
    """For one query both return the same ids with the same relevance, in every mode and filter."""
    rank_alike(*question, shared)


@pytest.mark.long
@given(queries)
@settings(anything, max_examples=examples(50))
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
