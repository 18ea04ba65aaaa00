"""What a model function's vectors depend on beside its model: its `settings`.

A name such as "openai/text-embedding-3-small" says nothing of the length that was asked for, or of
an instruction that is put before each text. So every function of Hybridge says it in `settings`:
with them the name makes the same function again, from a collection's layout or a pickle, and caches
tell one function from another by them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from hybridge.narrowing import is_list, is_mapping, is_path, is_tuple

HARMLESS = frozenset(
    {
        "dimensions", "task", "late_chunking", "query_instruction", "doc_instruction",
        "normalize_embeddings", "max_length", "use_fp16", "k_tokens_query", "k_tokens_document",
        "backend", "runtime", "dimension", "document_task", "input_type", "long_text_mode",
        "normalize", "query_task", "truncate", "truncate_dim",
    }
)  # fmt: skip
"""The settings that may be read from a collection: others would run code, or send texts and a key
to wherever somebody wrote there."""

_SECRET = re.compile(r"token$|key|secret|password|auth", re.IGNORECASE)


def given_settings(function: Callable[..., Any], /, **given: Any) -> dict[str, Any]:
    """Return the arguments that differ from the defaults of a constructor, as JSON, no secret.

    Args:
        function: The class.
        **given: Those of its arguments that its results depend on.
    """
    parameters = signature(function).parameters
    defaults = {name: one.default for name, one in parameters.items()}
    changed = {name: value for name, value in given.items() if value != defaults.get(name)}
    plain: dict[str, Any] = _plain(changed)
    return plain


def settings_of(function: object) -> dict[str, Any]:
    """Return the settings of a function, where it says some."""
    settings: object = getattr(function, "settings", None)
    return dict(settings) if is_mapping(settings) else {}


def _plain(value: Any) -> Any:
    if is_mapping(value):
        named: Mapping[Any, Any] = value
        return {str(k): _plain(one) for k, one in named.items() if not _SECRET.search(str(k))}
    if is_list(value) or is_tuple(value):
        return [_plain(one) for one in value]
    if is_path(value) and not isinstance(value, str):
        return os.fspath(value)
    if isinstance(value, str) and value.startswith("http"):
        return value.partition("?")[0]  # a query may hold a key
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
