"""Hostile strings are data: as ids, values, keys and document ids they name their rows only."""

from __future__ import annotations

from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from milvus_lite.search.filter.tokens import TokenKind, tokenize

from hybridge.errors import FilterError
from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    Column,
    F,
    compile_filter,
    ids_expression,
    match,
    quote,
)
from hybridge.records import Record
from support.filter_collection import COLUMNS, Collection
from support.hostile import HOSTILE

RECORDS = [
    Record(id=text, document_id=text, metadata={"source": text, "free": text, text: n})
    for n, text in enumerate(HOSTILE)
]


@pytest.fixture(scope="module")
def hostile_rows(collection: Collection) -> Collection:
    """One row per hostile string, which is its id, document id, column value and metadata key."""
    collection.replace(RECORDS)
    return collection


def test_corpus_is_large_and_distinct() -> None:
    """The corpus holds at least 100 different strings, each fit to be an id."""
    assert len(set(HOSTILE)) == len(HOSTILE) >= 100
    assert all(0 < len(text.encode()) <= 512 for text in HOSTILE)


def test_rows_come_back_as_written(hostile_rows: Collection) -> None:
    """Every hostile row is there, with the strings that were written."""
    stored = {record.id: record for record in hostile_rows.query("")}
    assert stored == {record.id: record for record in RECORDS}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_string_names_its_row_only(hostile_rows: Collection, text: str) -> None:
    """By id, document id and column, each string selects its own row and no other."""
    assert hostile_rows.ids(ids_expression([text])) == [text]
    for field in (ROW_ID, DOCUMENT_ID, F("source")):
        compiled = compile_filter(field == text, COLUMNS)
        assert compiled.residual is None
        assert hostile_rows.ids(compiled.expression) == [text]


def test_hostile_string_negated_leaves_the_others(hostile_rows: Collection) -> None:
    """Unequal to a string is every row but its own; ids, document ids and a column take turns."""
    for text, field in zip(HOSTILE, cycle((ROW_ID, DOCUMENT_ID, F("source"))), strict=False):
        others = sorted(set(HOSTILE) - {text})
        assert hostile_rows.ids(compile_filter(field != text, COLUMNS).expression) == others


def test_hostile_strings_outside_columns(hostile_rows: Collection) -> None:
    """As keys, and as values of keys without a column, the strings are looked up literally."""
    rows = hostile_rows.query("")
    for text in HOSTILE:
        assert [row.id for row in rows if match(F("free") == text, row)] == [text]
        assert [row.id for row in rows if match(F(text).exists(), row)] == [text]


def test_all_hostile_strings_in_one_list(hostile_rows: Collection) -> None:
    """Lists of hostile strings select exactly the rows they name."""
    half = HOSTILE[::2]
    assert hostile_rows.ids(ids_expression(half)) == sorted(half)
    for field in (ROW_ID, DOCUMENT_ID, F("source")):
        assert hostile_rows.select(field.isin(half)) == set(half)
        assert hostile_rows.select(field.not_in(half)) == set(HOSTILE) - set(half)


def test_strings_that_name_no_row_select_none(hostile_rows: Collection) -> None:
    """Strings that are nobody's id, document id or value find nothing, whatever they say."""
    for text in HOSTILE:
        for field in (ROW_ID, DOCUMENT_ID, F("source")):
            assert hostile_rows.select(field == f'{text}" or "{text}') == set()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoted_text_is_one_string_literal(text: str) -> None:
    """The engine's own tokenizer reads a quoted text as one string, and that string is the text."""
    literal, end = tokenize(quote(text))
    assert (literal.kind, literal.value) == (TokenKind.STRING, text)
    assert end.kind == TokenKind.EOF


@pytest.mark.parametrize("name", ["", "meta year", 'x" or id != "', "a.b", "1a", "é", "a\n"])
def test_column_name_must_be_a_name(name: str) -> None:
    """A column name that would not stay a name in an expression is refused."""
    with pytest.raises(FilterError, match="cannot name a column"):
        Column(name, str)
