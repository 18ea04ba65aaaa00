"""What `MilvusTranslator` makes of structured queries: core's filters, with core's meaning."""

from __future__ import annotations

from typing import Any

import pytest
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

from hybridge import F, Record
from hybridge.errors import FilterError
from hybridge.filters import And, Not, Or, match
from langchain_hybridge import MilvusTranslator
from support.hostile import HOSTILE
from support.langchain_support import MakeVectorStore, WordEmbeddings, ids

FILM: dict[str, Any] = {
    "year": 1999,
    "genre": "sci-fi",
    "tags": ["bullet", "time"],
    "note": None,
    "director": {"name": "Ann"},
    "a.b": 1,
    "acl": [{"group": "g1"}, {"group": "g2"}],
}


def holds(directive: FilterDirective, metadata: dict[str, Any] = FILM) -> bool:
    """Say whether the translation selects a document."""
    return match(directive.accept(MilvusTranslator()), Record(id="x", metadata=metadata))


@pytest.mark.parametrize(
    ("comparator", "attribute", "value", "expected"),
    [
        (Comparator.EQ, "year", 1999, True),
        (Comparator.EQ, "genre", "drama", False),
        (Comparator.NE, "genre", "drama", True),
        (Comparator.NE, "missing", "x", True),
        (Comparator.GT, "year", 1999, False),
        (Comparator.GTE, "year", 1999, True),
        (Comparator.LT, "year", 2000, True),
        (Comparator.LTE, "year", 1998, False),
        (Comparator.CONTAIN, "tags", "time", True),
        (Comparator.CONTAIN, "genre", "sci", True),
        (Comparator.CONTAIN, "tags", "tim", False),
        (Comparator.LIKE, "genre", "sci%", True),
        (Comparator.LIKE, "genre", "sci", False),
        (Comparator.IN, "year", [1999, 2003], True),
        (Comparator.IN, "genre", "sci-fi", True),
        (Comparator.NIN, "year", [1999, 2003], False),
        (Comparator.NIN, "genre", "drama", True),
        (Comparator.GT, "note", 1, False),
        (Comparator.EQ, "$.director.name", "Ann", True),
        (Comparator.EQ, "director.name", "Ann", False),
        (Comparator.EQ, "a.b", 1, True),
        (Comparator.EQ, "$['a.b']", 1, True),
        (Comparator.EQ, "$.acl[*].group", "g2", True),
        (Comparator.IN, "$.acl[*].group", ["g3"], False),
    ],
)
def test_every_comparator(
    comparator: Comparator, attribute: str, value: Any, expected: bool
) -> None:
    """Each selects what `hybridge.filters.match` says."""
    assert holds(Comparison(comparator, attribute, value)) is expected


def test_every_comparator_and_operator_is_allowed() -> None:
    """A language model is told of all of them, and none raises."""
    translator = MilvusTranslator()
    assert set(translator.allowed_comparators) == set(Comparator)
    assert set(translator.allowed_operators) == set(Operator)
    for comparator in Comparator:
        holds(Comparison(comparator, "genre", "x"))


def test_operators_nest() -> None:
    """and, or and not, to any depth."""
    new = Comparison(Comparator.GT, "year", 2000)
    scifi = Comparison(Comparator.EQ, "genre", "sci-fi")
    translate = MilvusTranslator().visit_operation
    assert translate(Operation(Operator.AND, [new, scifi])) == And(
        [F("year") > 2000, F("genre") == "sci-fi"]
    )
    assert translate(Operation(Operator.OR, [new, Operation(Operator.NOT, [scifi])])) == Or(
        [F("year") > 2000, Not(Or([F("genre") == "sci-fi"]))]
    )


TRUTHS = st.lists(st.booleans(), min_size=1, max_size=4)


@given(TRUTHS)
def test_operators_have_the_meaning_of_their_names(truths: list[bool]) -> None:
    """and: all hold; or: some; not: none of them."""
    arguments: list[FilterDirective] = [
        Comparison(Comparator.EQ, "year", 1999 if truth else 0) for truth in truths
    ]
    assert holds(Operation(Operator.AND, arguments)) is all(truths)
    assert holds(Operation(Operator.OR, arguments)) is any(truths)
    assert holds(Operation(Operator.NOT, arguments)) is not any(truths)


def test_dates_are_compared_as_iso_strings() -> None:
    """LangChain's parser wraps them in a dictionary."""
    for kind, value in (("date", "2024-05-01"), ("datetime", "2024-05-01T10:00:00")):
        after = Comparison(Comparator.GT, "seen", {kind: value, "type": kind})
        assert holds(after, {"seen": "2024-05-02"})
        assert not holds(after, {"seen": "2024-04-30"})


def test_a_structured_query_becomes_a_text_and_arguments() -> None:
    """Without a filter there are none; the limit is LangChain's to apply."""
    translate = MilvusTranslator().visit_structured_query
    assert translate(StructuredQuery("dinosaurs", None)) == ("dinosaurs", {})
    condition = Comparison(Comparator.EQ, "year", 1993)
    assert translate(StructuredQuery("dinosaurs", condition, 3)) == (
        "dinosaurs",
        {"filter": F("year") == 1993},
    )


def test_a_value_that_does_not_suit_is_an_error() -> None:
    """Rather than a filter that selects nothing."""
    with pytest.raises(FilterError, match="like needs a string"):
        holds(Comparison(Comparator.LIKE, "genre", 7))


def test_no_string_breaks_out(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """Whatever a model writes as a value or an attribute selects by equality, no more."""
    vector_store = make_vector_store(embeddings, metadata_schema={"name": str})
    strings = list(HOSTILE)
    vector_store.add_texts(
        ["text"] * len(strings),
        [{"name": text, "also": text} for text in strings],
        ids=[str(place) for place in range(len(strings))],
    )
    for place in range(0, len(strings), 11):
        for attribute in ("name", "also"):
            wanted = Comparison(Comparator.EQ, attribute, strings[place])
            assert ids(vector_store.scroll(wanted)) == [str(place)], strings[place]
    assert list(vector_store.scroll(Comparison(Comparator.EQ, '"] or id != "', "x"))) == []
