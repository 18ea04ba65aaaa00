"""Hypothesis strategies for LlamaIndex nodes of every class, and for what they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st
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

# Keys that other integrations use for themselves.
TAKEN_KEYS = ["id", "text", "doc_id", "document_id", "ref_doc_id", "metadata", "_node_content"]

characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=60)
# Often the same few, so that nodes of one document meet.
ids = st.sampled_from(["a", "b", "c"]) | st.text(characters, min_size=1, max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
metadata = st.dictionaries(st.sampled_from(TAKEN_KEYS) | texts, values, max_size=4)


@st.composite
def related_infos(draw: st.DrawFn, own: dict[str, Any]) -> RelatedNodeInfo:
    """Another node as a node knows it; often with the same metadata, as node parsers make it."""
    return RelatedNodeInfo(
        node_id=draw(ids),
        node_type=draw(st.none() | st.sampled_from(ObjectType) | texts),
        metadata=draw(st.just(own) | metadata),
        hash=draw(st.none() | texts),
    )


@st.composite
def relationships(draw: st.DrawFn, own: dict[str, Any]) -> dict[NodeRelationship, Any]:
    """Single relations, and lists of children."""
    one = related_infos(own)
    kinds = draw(st.lists(st.sampled_from(NodeRelationship), unique=True))
    return {
        kind: draw(st.lists(one, max_size=3) if kind is NodeRelationship.CHILD else one)
        for kind in kinds
    }


@st.composite
def fields_of_all(draw: st.DrawFn) -> dict[str, Any]:
    """The fields that every node has."""
    own = draw(metadata)
    fields: dict[str, Any] = {
        "id_": draw(ids),
        "metadata": own,
        "relationships": draw(relationships(own)),
    }
    if draw(st.booleans()):
        fields["excluded_embed_metadata_keys"] = draw(st.lists(texts, max_size=2))
        fields["excluded_llm_metadata_keys"] = draw(st.lists(texts, max_size=2))
        fields["metadata_template"] = draw(st.sampled_from(["{key}={value}", "{value}\n"]))
        fields["metadata_separator"] = draw(texts)
        fields["text_template"] = draw(st.sampled_from(["{content}", "<{metadata_str}> {content}"]))
    return fields


@st.composite
def fields_of_text(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of a TextNode and of what extends it."""
    offsets = st.none() | st.integers(0, 10**6)
    return draw(fields_of_all()) | {
        "text": draw(texts),
        "mimetype": draw(st.just("text/plain") | texts),
        "start_char_idx": draw(offsets),
        "end_char_idx": draw(offsets),
    }


paths = st.sampled_from(["/a/b.png", "c.mp3", "films/d.mp4"])
urls = st.sampled_from(["http://example.com/a.png", "https://example.com/?q=a b"])
resources = st.builds(
    MediaResource,
    data=st.none() | st.binary(max_size=20),
    text=st.none() | texts,
    path=st.none() | paths.map(Path),
    url=st.none() | urls,
    mimetype=st.none() | st.sampled_from(["image/png", "text/markdown"]),
    embeddings=st.none() | st.just({"dense": [0.5, 0.25]}),
)


@st.composite
def text_nodes(draw: st.DrawFn) -> TextNode:
    """A TextNode."""
    return TextNode(**draw(fields_of_text()))


@st.composite
def image_nodes(draw: st.DrawFn) -> ImageNode:
    """An ImageNode, with what it knows of its image."""
    return ImageNode(
        **draw(fields_of_text()),
        image=draw(st.none() | texts),
        image_path=draw(st.none() | paths),
        image_url=draw(st.none() | urls),
        text_embedding=draw(st.none() | st.just([0.5, 0.25])),
    )


@st.composite
def index_nodes(draw: st.DrawFn) -> IndexNode:
    """An IndexNode that stands for nothing, for a JSON value, or for another node."""
    return IndexNode(
        **draw(fields_of_text()), index_id=draw(texts), obj=draw(values | text_nodes())
    )


@st.composite
def media_nodes(draw: st.DrawFn) -> Node:
    """A Node or a Document with any of the four resources."""
    names = ("text_resource", "image_resource", "audio_resource", "video_resource")
    made = {name: draw(st.none() | resources) for name in names}
    kind = draw(st.sampled_from([Node, Document]))
    return kind(**draw(fields_of_all()), **made)


nodes: st.SearchStrategy[BaseNode] = text_nodes() | image_nodes() | index_nodes() | media_nodes()
