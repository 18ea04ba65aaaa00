"""A LlamaIndex node as LlamaIndex writes it: JSON in other stores' rows, `_node_content`.

A row of ours keeps a node's id, text, metadata and document in columns, and the rest in `extra`
(`llama_index_hybridge.convert` says how). Both say the same, so that one can be made of the other
without LlamaIndex. Names, numbers and fields are those of `llama_index.core.schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hybridge.narrowing import is_list, is_mapping
from hybridge.records import Record

CONTENT, TYPE = "_node_content", "_node_type"
OFFSETS, CLASS = "offsets", "class_name"

_RELATIONS = {"1": "source", "2": "previous", "3": "next", "4": "parent", "5": "child"}
_TYPES = {"1": "TEXT", "2": "IMAGE", "3": "INDEX", "4": "DOCUMENT", "5": "MULTIMODAL"}
_NUMBERS = {name: number for numbered in (_RELATIONS, _TYPES) for number, name in numbered.items()}
_PLACES = ("start_char_idx", "end_char_idx")
_RESOURCES = ("text_resource", "image_resource", "audio_resource", "video_resource")
_RENAMED = {"metadata_seperator": "metadata_separator"}
_ELSEWHERE = {
    "id_", "embedding", "metadata", "text", "relationships", CLASS, "obj", *_PLACES, *_RESOURCES,
}  # fmt: skip


def parse_content(value: object) -> Mapping[str, Any] | None:
    """Return the content of a node, given as JSON; None where it is none."""
    try:
        content: object = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return content if is_mapping(content) and "id_" in content else None


def record_of(content: Mapping[str, Any], row_id: str, text: str | None = None) -> Record:
    """Return the record that holds a node.

    Args:
        content: The node as LlamaIndex writes it.
        row_id: The id of the record.
        text: Its text, where that is kept beside it.
    """
    relations = _unpacked(content.get("relationships") or {}, _relation)
    source = relations.get("source")
    document_id = source.get("id") if is_mapping(source) else None
    own = _own_text(content)
    return Record(
        id=row_id,
        text=own if text is None else text,
        metadata=content.get("metadata") or {},
        document_id=document_id,
        extra=_extra(content, relations, kept_beside=text is not None and not own),
    )


def content_of(record: Record) -> dict[str, Any]:
    """Return a record as LlamaIndex writes its node, without the text, which is kept beside it."""
    extra: Mapping[str, Any] = record.extra or {}
    start, end = extra.get(OFFSETS, (None, None))
    relations: dict[str, Any] = {**extra.get("relations", {})}
    if record.document_id and not relations and not extra:
        relations = {"source": {"metadata": {}}}
    shared = extra.get("metadata")

    def related(one: Mapping[str, Any]) -> dict[str, Any]:
        kind = _NUMBERS.get(one.get("type", ""), one.get("other_type"))
        metadata = one.get("metadata", record.metadata if shared is None else shared)
        own = {"node_id": one.get("id", record.document_id), "node_type": kind}
        return {**own, "metadata": metadata, "hash": one.get("hash"), CLASS: "RelatedNodeInfo"}

    content: dict[str, Any] = {
        **extra.get("fields", {}),
        "id_": record.id,
        "embedding": None,
        "metadata": dict(record.metadata),
        "relationships": {
            _NUMBERS[name]: [related(one) for one in many] if is_list(many) else related(many)
            for name, many in relations.items()
        },
        CLASS: extra.get(CLASS, "TextNode"),
        **extra.get("resources", {}),
    }
    if "object" in extra:
        content["obj"] = extra["object"].get("value")
    return {**content, "text": "", _PLACES[0]: start, _PLACES[1]: end}


def _own_text(content: Mapping[str, Any]) -> str:
    resource = content.get("text_resource")
    text = resource.get("text") if is_mapping(resource) else content.get("text")
    return text if isinstance(text, str) else ""


def _extra(
    content: Mapping[str, Any], relations: Mapping[str, Any], *, kept_beside: bool
) -> dict[str, Any]:
    """Return what a record has no column for, as far as the node has it."""
    fields = {
        _RENAMED.get(name, name): value
        for name, value in content.items()
        if name not in _ELSEWHERE and value is not None
    }
    resources = {name: content[name] for name in _RESOURCES if content.get(name) is not None}
    text = resources.get("text_resource")
    if is_mapping(text):
        others = {name: value for name, value in text.items() if name != "text" and value}
        resources["text_resource"] = others
        if not others and (kept_beside or text.get("text") is not None):
            del resources["text_resource"]
    name, offsets = content.get(CLASS, "TextNode"), [content.get(place) for place in _PLACES]
    said: dict[str, Any] = {
        CLASS: None if name == "TextNode" else name,
        "relations": _packed(relations),
        OFFSETS: None if offsets == [None, None] else offsets,
        "fields": fields,
        "resources": resources,
        "object": None if content.get("obj") is None else {"value": content["obj"]},
    }
    return {name: value for name, value in said.items() if value}


def _packed(relations: Mapping[str, Any]) -> dict[str, Any]:
    """Return relations as `extra` has them: the source's id is the document's."""
    source = relations.get("source")
    if not is_mapping(source):
        return dict(relations)
    return {**relations, "source": {key: value for key, value in source.items() if key != "id"}}


def _unpacked(
    relationships: Mapping[str, Any], unpack: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    return {
        _RELATIONS[number]: [unpack(one) for one in related]
        if is_list(related)
        else unpack(related)
        for number, related in relationships.items()
        if number in _RELATIONS
    }


def _relation(related: Mapping[str, Any]) -> dict[str, Any]:
    kind = related.get("node_type")
    said = {
        "id": related.get("node_id"),
        "type": _TYPES.get(str(kind)),
        "other_type": None if str(kind) in _TYPES else kind,
        "hash": related.get("hash"),
    }
    known = {name: value for name, value in said.items() if value is not None}
    return {**known, "metadata": related.get("metadata") or {}}
