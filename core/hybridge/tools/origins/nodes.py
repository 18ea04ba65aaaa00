"""LlamaIndex nodes as other vector stores and docstores keep them.

They become what our LlamaIndex adapter writes, so that they come back as the same nodes. The
adapter, which alone knows LlamaIndex, is loaded when the first node is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from hybridge.extras import import_extra
from hybridge.records import Record

_CONTENT = "_node_content"


def holds_node(metadata: Mapping[str, Any] | None) -> TypeGuard[Mapping[str, Any]]:
    """Say whether metadata hold a node, as LlamaIndex's vector stores write them."""
    return metadata is not None and isinstance(metadata.get(_CONTENT), str)


def node_to_record(metadata: Mapping[str, Any], text: str | None) -> Record:
    """Return the record of a node that metadata hold.

    Args:
        metadata: The metadata.
        text: Its text, where that is kept apart.

    Raises:
        MissingExtraError: If LlamaIndex is not installed.
    """
    record: Record = _adapter().metadata_to_record(metadata, text)
    return record


def stored_to_record(stored: Mapping[str, Any]) -> Record:
    """Return the record of a node as a docstore keeps it.

    Raises:
        MissingExtraError: If LlamaIndex is not installed.
    """
    record: Record = _adapter().stored_to_record(stored)
    return record


def _adapter() -> Any:
    return import_extra("llama_index_hybridge.convert", "a LlamaIndex node", "llama-index")
