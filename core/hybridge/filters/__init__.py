"""Filters: one tree, one meaning, whatever the framework, the engine or the spelling."""

from __future__ import annotations

from hybridge.filters.compile import (
    ID_COLUMN,
    Column,
    Compiled,
    compile_filter,
    conjunction,
    ids_expression,
    is_decimal,
)
from hybridge.filters.dictionary import as_filter, from_dictionary
from hybridge.filters.fitting import fit_value
from hybridge.filters.match import match, match_all
from hybridge.filters.names import compare_named, path_name
from hybridge.filters.operators import LIST_OPERATORS, Operator
from hybridge.filters.quoting import quote
from hybridge.filters.tree import (
    DOCUMENT_ID,
    ROW_ID,
    TEXT,
    And,
    Comparison,
    F,
    Filter,
    HasElement,
    Not,
    Or,
    RowKey,
    keys_of,
    row_keys,
)

__all__ = [
    "DOCUMENT_ID",
    "ID_COLUMN",
    "LIST_OPERATORS",
    "ROW_ID",
    "TEXT",
    "And",
    "Column",
    "Comparison",
    "Compiled",
    "F",
    "Filter",
    "HasElement",
    "Not",
    "Operator",
    "Or",
    "RowKey",
    "as_filter",
    "compare_named",
    "compile_filter",
    "conjunction",
    "fit_value",
    "from_dictionary",
    "ids_expression",
    "is_decimal",
    "keys_of",
    "match",
    "match_all",
    "path_name",
    "quote",
    "row_keys",
]
