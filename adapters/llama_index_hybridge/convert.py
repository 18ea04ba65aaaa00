"""LlamaIndex nodes to records and back, with nothing lost and nothing stored twice.

The row holds id, text, metadata and `document_id`: the node's `ref_doc_id`, or a Document's own id,
so that a Document that was not split can be deleted by it too. Its `extra` holds the rest of the
node, and only what differs from the default of its class:

    class_name   the node's class, unless it is a TextNode
    relations    by name ("source", "previous", ...): id, type, hash and metadata of the other node;
                 the source's id is `document_id`
    metadata     null: relations without metadata of their own have that of the row. When another
                 framework overwrites the row's metadata, the store puts the former one here
    offsets      [start_char_idx, end_char_idx]; the store drops them when the text is overwritten
    fields       plain fields: templates, excluded keys, an image's path, ...
    resources    of a `Node`: its text, image, audio and video resources, without the row's text
    object       of an IndexNode: a node, or a JSON value
    context      "derived": the row's context is the node's EMBED metadata string, which an index
                 embeds with the text, so that BM25 indexes it as well

Embeddings are stored as the row's vector and come back where they are asked for, as float32. A
class of your own comes back as the LlamaIndex class that it extends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageDocument,
    ImageNode,
    IndexNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeRelationship,
    ObjectType,
    RelatedNodeInfo,
    TextNode,
    TransformComponent,
)
from llama_index.core.storage.docstore.utils import json_to_doc
from llama_index.core.vector_stores.utils import metadata_dict_to_node

from hybridge import Hit, Record
from hybridge.arguments import parse_items, shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_list
from hybridge.store import CONTEXT, DERIVED, METADATA, OFFSETS, TEXT_BYTES, is_random_id

SCORES = "scores"

# Subclasses first: a class is stored as the first of these that it is.
_CLASSES: tuple[type[BaseNode], ...] = (
    ImageNode, IndexNode, TextNode, ImageDocument, Document, Node,
)  # fmt: skip
_BY_NAME = {cls.__name__: cls for cls in _CLASSES}
_RESOURCES = ("text_resource", "image_resource", "audio_resource", "video_resource")
_EMBEDDED = "metadata to embed"
_OFFSETS = ("start_char_idx", "end_char_idx")
_STORED_ELSEWHERE = {
    "id_", "text", "metadata", "embedding", "relationships", "obj", *_OFFSETS, *_RESOURCES,
}  # fmt: skip


# --- to records ----------------------------------------------------------------------------------


def nodes_to_records(nodes: Iterable[BaseNode]) -> list[Record]:
    """Return the records that hold nodes.

    Raises:
        InvalidInputError: If one is no LlamaIndex node, or there is no list of them.
    """
    return [node_to_record(node) for node in parse_items(nodes, object, "nodes")]


class ContentIds(TransformComponent):
    """Gives nodes ids that are made of their content: running a pipeline twice stores each once.

    A transformation for between splitter and embedding. Ids that were drawn at random, as
    LlamaIndex draws them, become `Record.content_id`; others stay. Relations among the nodes
    follow. Give documents ids of their own as well: a random one is another at every run, so that
    `delete` by it finds the last run's nodes only.
    """

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeContentIds"

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Return copies of the nodes with their ids."""
        given: list[BaseNode] = parse_items(nodes, BaseNode, "nodes")
        ids = {
            node.node_id: node_to_record(node).content_id
            for node in given
            if is_random_id(node.node_id)
        }
        return [_renamed(node, ids) for node in given]


def _renamed(node: BaseNode, ids: Mapping[str, str]) -> BaseNode:
    def follow(one: RelatedNodeInfo) -> RelatedNodeInfo:
        return one.model_copy(update={"node_id": ids.get(one.node_id, one.node_id)})

    relationships = {
        kind: [follow(one) for one in related] if isinstance(related, list) else follow(related)
        for kind, related in node.relationships.items()
    }
    new_id = ids.get(node.node_id, node.node_id)
    return node.model_copy(update={"id_": new_id, "relationships": relationships})


def node_to_record(node: BaseNode) -> Record:
    """Return the record that holds a node.

    Raises:
        InvalidInputError: If it is no LlamaIndex node, or its metadata cannot be formatted.
    """
    if not isinstance(node, _CLASSES):
        msg = f"{shown(node)} is a {type(node).__name__}: give LlamaIndex nodes"
        raise InvalidInputError(msg)
    try:
        context = node.get_metadata_str(mode=MetadataMode.EMBED) or None
        extra = dict(_extra(node)) | ({} if context is None else {CONTEXT: DERIVED})
    except Exception as error:  # whatever the `repr` of a value or a template raises
        msg = f"the metadata of node {node.id_!r:.80} cannot be formatted: {error!r:.200}"
        raise InvalidInputError(msg) from error
    _check_size(node, context, extra)
    return Record(
        id=node.id_,
        text=_text(node),
        metadata=node.metadata,
        document_id=_document_id(node),
        context=context,
        extra=extra,
        dense=node.embedding,  # type: ignore[arg-type]  # the store makes an array of it
    )


def metadata_to_record(metadata: Mapping[str, Any], text: str | None) -> Record:
    """Return the record of a node as LlamaIndex's other vector stores keep it in metadata.

    Args:
        metadata: What `node_to_metadata_dict` made.
        text: The node's text, where it is kept apart.
    """
    return node_to_record(metadata_dict_to_node(dict(metadata), text))


def stored_to_record(stored: Mapping[str, Any]) -> Record:
    """Return the record of a node as LlamaIndex's docstores keep it, by `doc_to_json`."""
    return node_to_record(json_to_doc(dict(stored)))


def _check_size(node: BaseNode, context: str | None, extra: Mapping[str, Any]) -> None:
    """Refuse what Milvus has no room for by the name that the node has for it.

    Raises:
        InvalidInputError: If a file is inline, or the metadata to embed are, and it is too large.
    """
    held = {name: one.get("data") for name, one in extra.get("resources", {}).items() if one}
    held["image"] = extra.get("fields", {}).get("image")
    held[_EMBEDDED] = context
    for name, value in held.items():
        size = len(value.encode()) if isinstance(value, str) else 0
        if size > TEXT_BYTES:
            cure = (
                "name the long keys in excluded_embed_metadata_keys"
                if name == _EMBEDDED
                else "keep the file elsewhere and give its path or url (image_path=, image_url=)"
            )
            msg = f"node {node.id_!r:.80}: its {name} has {size:,} bytes, and Milvus takes "
            raise InvalidInputError(f"{msg}{TEXT_BYTES:,}: {cure}")


def derived_context(record: Record) -> str | None:
    """Return the context that a row gets when its metadata change: the node's EMBED metadata."""
    return record_to_node(record).get_metadata_str(mode=MetadataMode.EMBED) or None


def _document_id(node: BaseNode) -> str:
    """Return the source's id; a Document that was not split is its own source."""
    source = node.relationships.get(NodeRelationship.SOURCE)
    if isinstance(source, RelatedNodeInfo):
        return source.node_id
    return node.id_ if isinstance(node, Document) else ""


def _text(node: BaseNode) -> str:
    # `get_content` would format all metadata before it leaves them out.
    if isinstance(node, TextNode):
        return node.text
    resource = cast("Node", node).text_resource
    return (resource.text or "") if resource else ""


def _extra(node: BaseNode) -> Iterator[tuple[str, Any]]:
    """Yield the entries of `extra` that have something to say."""
    cls = next(cls for cls in _CLASSES if isinstance(node, cls))
    if cls is not TextNode:
        yield "class_name", cls.__name__
    if node.relationships:
        relations = _pack_relations(node)
        yield "relations", relations
        if any("metadata" not in one for many in relations.values() for one in _listed(many)):
            yield METADATA, None
    if isinstance(node, TextNode):
        offsets = [node.start_char_idx, node.end_char_idx]
        if offsets != [None, None]:
            yield OFFSETS, offsets
    fields = {
        name: value for name, default in _fields(cls) if (value := getattr(node, name)) != default
    }
    if fields:
        yield "fields", fields
    if isinstance(node, Node):
        if resources := dict(_pack_resources(node)):
            yield "resources", resources
    elif isinstance(node, IndexNode) and node.obj is not None:
        yield "object", _pack_object(node.obj)


@lru_cache
def _fields(cls: type[BaseNode]) -> tuple[tuple[str, Any], ...]:
    """Return the plain fields of a class with their defaults."""
    return tuple(
        (name, field.get_default(call_default_factory=True))
        for name, field in cls.model_fields.items()
        if name not in _STORED_ELSEWHERE
    )


def _pack_relations(node: BaseNode) -> dict[str, Any]:
    # Written out, since {"a": 1} == {"a": True}.
    own = repr(node.metadata)
    packed: dict[str, Any] = {}
    for relationship, related in node.relationships.items():
        name = relationship.name.lower()
        if isinstance(related, list):
            packed[name] = [_pack_relation(one, own) for one in related]
        else:
            packed[name] = _pack_relation(related, own)
    source = packed.get("source")
    if isinstance(source, dict):
        del source["id"]
    return packed


def _pack_relation(related: RelatedNodeInfo, own: str) -> dict[str, Any]:
    packed: dict[str, Any] = {"id": related.node_id}
    if isinstance(related.node_type, ObjectType):
        packed["type"] = related.node_type.name
    elif related.node_type is not None:
        packed["other_type"] = related.node_type
    if related.hash is not None:
        packed["hash"] = related.hash
    if repr(related.metadata) != own:
        packed["metadata"] = related.metadata
    return packed


def _pack_resources(node: Node) -> Iterator[tuple[str, Any]]:
    """Yield the resources; a `text_resource` that is the row's text and no more is left out."""
    for name in _RESOURCES:
        resource: MediaResource | None = getattr(node, name)
        packed = None if resource is None else _pack_resource(resource)
        if name != "text_resource":
            if packed is not None:
                yield name, packed
        elif packed is None:
            yield name, None
        else:
            has_text = packed.pop("text", None) is not None
            if packed or not has_text:
                yield name, packed | ({} if has_text else {"text": None})


def _pack_resource(resource: MediaResource) -> dict[str, Any]:
    packed = {
        name: value
        for name in MediaResource.model_fields
        if (value := getattr(resource, name)) is not None
    }
    if "data" in packed:
        packed["data"] = packed["data"].decode("ascii")  # base64, which the class sees to
    return packed | {name: str(packed[name]) for name in ("path", "url") if name in packed}


def _pack_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, BaseNode):
        return {"value": value}
    record = node_to_record(value)
    names = ("id", "text", "metadata", "document_id", "extra")
    return {"node": {name: getattr(record, name) for name in names}, "embedding": value.embedding}


# --- from records --------------------------------------------------------------------------------


def record_to_node(record: Record | Hit) -> BaseNode:
    """Return the node that a row holds; a row that another framework wrote is a TextNode."""
    extra = record.extra or {}
    cls = _BY_NAME[extra.get("class_name", "TextNode")]
    fields: dict[str, Any] = {
        "id_": record.id,
        "metadata": dict(record.metadata),
        "relationships": _unpack_relations(record, extra),
        **extra.get("fields", {}),
    }
    if issubclass(cls, Node):
        fields |= _unpack_resources(record.text, extra.get("resources", {}))
    else:
        fields["text"] = record.text
        fields |= zip(_OFFSETS, extra.get(OFFSETS, ()), strict=False)
    if record.dense is not None:
        fields["embedding"] = record.dense.tolist()
    if "object" in extra:
        fields["obj"] = _unpack_object(extra["object"])
    return cls(**fields)


def is_kept_by_index(record: Record) -> bool:
    """Whether a row holds a node that an index keeps too, although the store holds its text."""
    name = (record.extra or {}).get("class_name", "TextNode")
    return issubclass(_BY_NAME[name], (ImageNode, IndexNode))


def hit_to_node(hit: Hit, with_scores: bool) -> BaseNode:
    """Return the node of a hit.

    Args:
        hit: The hit.
        with_scores: Whether the node's metadata get "scores": the score, rank and relevance of each
            field that found it. Neither embeddings nor prompts see them.
    """
    node = record_to_node(hit)
    if with_scores:
        node.metadata[SCORES] = {name: one._asdict() for name, one in hit.scores.items()}
        node.excluded_embed_metadata_keys = [*node.excluded_embed_metadata_keys, SCORES]
        node.excluded_llm_metadata_keys = [*node.excluded_llm_metadata_keys, SCORES]
    return node


def _unpack_relations(record: Record | Hit, extra: Mapping[str, Any]) -> dict[Any, Any]:
    packed: Mapping[str, Any] = extra.get("relations", {})
    if not extra and record.document_id:
        packed = {"source": {"metadata": {}}}
    shared = extra.get(METADATA)
    shared = record.metadata if shared is None else shared

    def unpack(one: Mapping[str, Any]) -> RelatedNodeInfo:
        kind = ObjectType[one["type"]] if "type" in one else one.get("other_type")
        return RelatedNodeInfo(
            node_id=one.get("id", record.document_id),
            node_type=kind,
            metadata=dict(one.get("metadata", shared)),
            hash=one.get("hash"),
        )

    return {
        NodeRelationship[name.upper()]: (
            [unpack(one) for one in related] if is_list(related) else unpack(related)
        )
        for name, related in packed.items()
    }


def _unpack_resources(text: str, packed: Mapping[str, Any]) -> dict[str, MediaResource]:
    resources = {name: _unpack_resource(one) for name, one in packed.items() if one is not None}
    own = packed.get("text_resource", {})
    # Text that another framework has put in place of none is text.
    if text or (own is not None and "text" not in own):
        resources["text_resource"] = _unpack_resource({**(own or {}), "text": text})
    return resources


def _unpack_resource(packed: Mapping[str, Any]) -> MediaResource:
    fields = dict(packed)
    if "data" in fields:
        fields["data"] = fields["data"].encode("ascii")
    return MediaResource(**fields)


def _unpack_object(packed: Mapping[str, Any]) -> Any:
    if "value" in packed:
        return packed["value"]
    node = record_to_node(Record(**packed["node"]))
    node.embedding = packed["embedding"]
    return node


def _listed(related: Any) -> list[Any]:
    return related if is_list(related) else [related]
