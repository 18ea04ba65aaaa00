"""What `MilvusTranslator` makes of structured queries: core's filters, with core's meaning."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import HOSTILE_STRINGS
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.structured_query import (
    Comparator,
    Comparison,
    FilterDirective,
    Operation,
    Operator,
    StructuredQuery,
)
from langchain_support import MakeVectorStore, WordEmbeddings, ids

from hybridge import F, Record
from hybridge.errors import FilterError
from hybridge.filters import And, Not, Or, match
from langchain_hybridge import MilvusTranslator
