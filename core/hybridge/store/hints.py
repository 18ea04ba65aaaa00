"""What is said where a filter finds nothing: that a key with dots may have been meant as a path."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from hybridge.filters import Filter, keys_of, path_name
from hybridge.narrowing import is_mapping, is_tuple
from hybridge.store.session import Opened

logger = logging.getLogger("hybridge")


def hint_at_paths(tree: Filter | None, opened: Opened) -> None:
    """Warn of keys that no row has, while rows have what their parts lead to.

    Each key is looked for once, in the first page of rows.

    Args:
        tree: The filter that found nothing.
        opened: The collection.
    """
    state, known = opened.collection.shared, opened.layout.columns
    dotted = {key[0] for key in keys_of(tree) if is_tuple(key) and len(key) == 1 and "." in key[0]}
    keys = sorted(dotted - state.looked_up - known.keys())
    if not keys:
        return
    state.looked_up.update(keys)
    rows: list[dict[str, Any]] = next(opened.collection.select("", ["metadata"]), [])
    for key in keys:
        path = key.split(".")
        if not any(key in row["metadata"] for row in rows) and any(
            _leads(path, row["metadata"]) for row in rows
        ):
            logger.warning(
                "no row has the metadata key %r, which a filter asks for, but rows have %s: write "
                "the latter in dictionaries, or F(%s)",
                key,
                path_name(path),
                ", ".join(map(repr, path)),
            )


def _leads(path: list[str], metadata: Mapping[str, Any]) -> bool:
    found: Any = metadata
    for part in path:
        if not is_mapping(found) or part not in found:
            return False
        found = found[part]
    return True
