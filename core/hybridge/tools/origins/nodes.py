"""LlamaIndex nodes as other vector stores and docstores keep them.

They become what our LlamaIndex adapter writes, contexts and the defaults of each class included, so
that they are its own nodes from then on. The adapter, which alone knows LlamaIndex, is loaded when
the first node is read. (`hybridge.store.node_content` reads rows that stay where they are, at each
search and without LlamaIndex: it keeps what they say, and derives nothing.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from hybridge.extras import import_extra
from hybridge.records import Record
from hybridge.store.node_content import CONTENT


def holds_node(metadata: Mapping[str, Any] | None) -> TypeGuard[Mapping[str, Any]]:
    """Say whether metadata hold a node, as LlamaIndex's vector stores write them."""
    return metadata is not None and isinstance(metadata.get(CONTENT), str)


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
