"""Nodes as records: nothing is lost, nothing is stored twice, nothing collides."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageNode,
    IndexNode,
    MediaResource,
    Node,
    NodeRelationship,
    ObjectType,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.vector_stores.utils import node_to_metadata_dict

from hybridge import Record
from hybridge.errors import InvalidInputError
from llama_index_hybridge import MilvusVectorStore
from llama_index_hybridge.convert import node_to_record, record_to_node
from support.examples import examples
from support.llama_embedding import embed
from support.node_strategies import TAKEN_KEYS, nodes

METADATA = {"file_name": "report.pdf", "page": 12, "author": "Jane Doe"}


def passed_through_json(record: Record) -> Record:
    """The record with metadata and extra as JSON brings them back."""
    return replace(
        record,
        metadata=json.loads(json.dumps(record.metadata)),
        extra=json.loads(json.dumps(record.extra)),
        document_id=record.document_id or None,
    )


def chunk() -> TextNode:
    """A node of 500 characters as a node parser makes it: the middle one of three."""
    source = Document(text="x" * 5000, metadata=METADATA)
    before, node, after = (TextNode(text="words " * 83 + "of", metadata=METADATA) for _ in range(3))
    node.relationships = {
        NodeRelationship.SOURCE: source.as_related_node_info(),
        NodeRelationship.PREVIOUS: before.as_related_node_info(),
        NodeRelationship.NEXT: after.as_related_node_info(),
    }
    node.start_char_idx, node.end_char_idx = 500, 1000
    assert len(node.text) == 500
    return node


@given(nodes)
@settings(max_examples=examples(150), deadline=None)
def test_a_node_comes_back_equal_in_every_field(node: BaseNode) -> None:
    """Any node becomes a record and, through JSON, the same node of the same class again."""
    again = record_to_node(passed_through_json(node_to_record(node)))
    assert type(again) is type(node)
    assert again == node
    assert repr(again) == repr(node)
    assert again.hash == node.hash


@given(node=nodes)
@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_node_comes_back_equal_from_milvus(
    vector_store: MilvusVectorStore, node: BaseNode
) -> None:
    """The same through the engine, where nodes of equal ids overwrite each other."""
    node.embedding = embed("any")
    vector_store.add([node])
    [again] = vector_store.get_nodes([node.node_id])
    node.embedding = None
    assert again == node
    assert repr(again) == repr(node)


EXAMPLES = [
    TextNode(id_="a", text="t", start_char_idx=3, text_template="{content}", mimetype="text/html"),
    IndexNode(id_="a", text="t", index_id="other", obj=TextNode(id_="b", text="u")),
    ImageNode(id_="a", text="t", image_path="/a/b.png", image_url="http://example.com/c.png"),
    Node(
        id_="a",
        text_resource=MediaResource(text="t", mimetype="text/markdown"),
        image_resource=MediaResource(data=b"\x89PNG\r\n\x1a\n", url="http://example.com/c"),  # type: ignore[arg-type]
    ),
    Document(id_="a", text="t", metadata={"a": None}),
]


@pytest.mark.parametrize("node", EXAMPLES, ids=lambda node: type(node).__name__)
def test_every_class_comes_back(vector_store: MilvusVectorStore, node: BaseNode) -> None:
    """TextNode, IndexNode, ImageNode, Node and Document keep their class and fields."""
    vector_store.add([node])
    assert vector_store.get_nodes() == [node]


def test_a_class_of_ones_own(vector_store: MilvusVectorStore) -> None:
    """A class that extends TextNode comes back as a TextNode."""

    class MyNode(TextNode):
        mine: int = 3

    vector_store.add([MyNode(id_="a", text="t")])
    assert vector_store.get_nodes() == [TextNode(id_="a", text="t")]


def test_an_object_that_cannot_be_stored_is_named(vector_store: MilvusVectorStore) -> None:
    """An IndexNode that stands for what JSON cannot hold is refused before anything is sent."""
    node = IndexNode(text="t", index_id="a", obj=object())
    with pytest.raises(InvalidInputError, match=r"extra\['object'\]"):
        vector_store.add([TextNode(text="fine"), node])
    assert not vector_store.client.exists()


@pytest.mark.parametrize("kind", [TextNode, Document])
def test_keys_do_not_collide(vector_store: MilvusVectorStore, kind: type[BaseNode]) -> None:
    """Metadata keys that other integrations use for themselves are keys like any other."""
    metadata = {key: f"my {key}" for key in TAKEN_KEYS}
    node = kind(id_="a", text="t", metadata=metadata)
    vector_store.add([node])
    assert vector_store.get_nodes() == [node]


# --- economy -------------------------------------------------------------------------------------


def test_a_row_is_three_fifths_of_the_peer_s() -> None:
    """500 characters, three keys, three relations: at most 60 % of what the peer's layout takes."""
    node = chunk()
    theirs = node_to_metadata_dict(node, remove_text=True) | {"text": node.text}
    record = node_to_record(node)
    ours = {
        "id": record.id,
        "text": record.text,
        "metadata": record.metadata,
        "document_id": record.document_id,
        "extra": record.extra,
    }
    assert record_to_node(passed_through_json(record)) == node
    size, peer = (
        len(json.dumps(row, ensure_ascii=False, separators=(",", ":"))) for row in (ours, theirs)
    )
    assert size <= 0.6 * peer


def test_nothing_is_stored_twice() -> None:
    """Text, metadata, id and document id each stand once in the whole row."""
    record = node_to_record(chunk())
    extra = json.dumps(record.extra)
    for once in (record.text, record.id, record.document_id, *METADATA, "report.pdf", "Jane Doe"):
        assert json.dumps(once)[1:-1] not in extra


def test_a_plain_node_needs_nothing_extra() -> None:
    """A node with nothing but text has an empty `extra`, one with metadata a derived context."""
    assert node_to_record(TextNode(text="t")).extra == {}
    record = node_to_record(TextNode(text="t", metadata={"a": 1, "b": 2}))
    assert (record.context, record.extra) == ("a: 1\nb: 2", {"context": "derived"})
    hidden = TextNode(text="t", metadata={"a": 1}, excluded_embed_metadata_keys=["a"])
    assert node_to_record(hidden).context is None


# --- rows that change ----------------------------------------------------------------------------


def test_a_row_of_another_framework_is_a_text_node(vector_store: MilvusVectorStore) -> None:
    """A row without `extra` is a TextNode with its id, text, metadata and source document."""
    store = vector_store.client
    store.add([Record(id="a", text="t", metadata=METADATA), Record(id="b", document_id="doc")])
    plain, sourced = vector_store.get_nodes(["a", "b"])
    assert plain == TextNode(id_="a", text="t", metadata=METADATA)
    source = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc")}
    assert sourced == TextNode(id_="b", relationships=source)


def test_relationships_survive_an_overwrite(vector_store: MilvusVectorStore) -> None:
    """When another framework changes text and metadata, relations stay equal and offsets go."""
    node = chunk()
    vector_store.add([node])
    for text, metadata in ((node.text, {"page": 13}), ("new", {"page": 14}), ("newer", METADATA)):
        vector_store.client.add([Record(id=node.id_, text=text, metadata=metadata)])
        [again] = vector_store.get_nodes([node.id_])
        assert isinstance(again, TextNode)
        assert (again.text, again.metadata) == (text, metadata)
        assert again.relationships == node.relationships
        offsets = (500, 1000) if text == node.text else (None, None)
        assert (again.start_char_idx, again.end_char_idx) == offsets


def test_an_overwritten_node_forgets_its_former_relations(vector_store: MilvusVectorStore) -> None:
    """LlamaIndex overwriting its own node stores what the new node says, and no more."""
    node = chunk()
    vector_store.add([node])
    bare = TextNode(id_=node.id_, text="bare")
    vector_store.add([bare])
    assert vector_store.get_nodes() == [bare]
    vector_store.delete(str(node.ref_doc_id))
    assert vector_store.get_nodes() == [bare]


def test_text_of_another_framework_in_a_node_without_any(
    make_vector_store: Callable[..., MilvusVectorStore],
) -> None:
    """A Node without text that another framework gave a text has that text."""
    vector_store = make_vector_store()
    vector_store.add([Node(id_="a")])
    vector_store.client.add([Record(id="a", text="new")])
    [again] = vector_store.get_nodes()
    assert again == Node(id_="a", text_resource=MediaResource(text="new"))


def test_node_types_keep_their_kind() -> None:
    """A relation's type stays an ObjectType or a string, whichever it was."""
    for kind in (ObjectType.IMAGE, "my own", None):
        node = TextNode(
            relationships={NodeRelationship.NEXT: RelatedNodeInfo(node_id="b", node_type=kind)}
        )
        again = record_to_node(passed_through_json(node_to_record(node)))
        assert again.next_node is not None
        assert type(again.next_node.node_type) is type(kind)
