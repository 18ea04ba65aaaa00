"""Filters: one tree, one meaning, whatever the framework, the engine or the spelling."""

from __future__ import annotations

from hybridge.filters.compile import (
    Column,
    Compiled,
    compile_filter,
    conjunction,
    ids_expression,
)
from hybridge.filters.dictionary import as_filter, from_dictionary
from hybridge.filters.fitting import fit_value
from hybridge.filters.match import match, match_all
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
    Not,
    Or,
    row_keys,
)

__all__ = [
    "DOCUMENT_ID",
    "LIST_OPERATORS",
    "ROW_ID",
    "TEXT",
    "And",
    "Column",
    "Comparison",
    "Compiled",
    "F",
    "Filter",
    "Not",
    "Operator",
    "Or",
    "as_filter",
    "compile_filter",
    "conjunction",
    "fit_value",
    "from_dictionary",
    "ids_expression",
    "match",
    "match_all",
    "quote",
    "row_keys",
]
