"""How filter trees are written, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from enum import Enum
from functools import reduce
from operator import and_

import numpy as np
import pytest
from hypothesis import given

from hybridge.errors import FilterError
from hybridge.filters import DOCUMENT_ID, ROW_ID, And, Comparison, F, Filter, Not, Or
from hybridge.filters.tree import MAX_DEPTH, RowKey
from support.filter_strategies import trees

A, B, C = F("a") == 1, F("b") == 2, F("c") == 3


class Color(str, Enum):
    """A string with a `repr` of its own."""

    RED = "red"


@pytest.mark.parametrize(
    ("written", "operator", "value"),
    [
        (F("k") == "x", "eq", "x"),
        (F("k") != None, "ne", None),  # noqa: E711
        (F("k") > 1, "gt", 1),
        (F("k") >= 1.5, "gte", 1.5),
        (F("k") < 1, "lt", 1),
        (F("k") <= 1, "lte", 1),
        (F("k") >= 2020, "gte", 2020),
        (F("k").isin([1, "a"]), "in", (1, "a")),
        (F("k").isin(range(2)), "in", (0, 1)),
        (F("k").not_in([True]), "nin", (True,)),
        (F("k").contains("x"), "contains", "x"),
        (F("k").any(["x"]), "any", ("x",)),
        (F("k").all([]), "all", ()),
        (F("k").like("a%"), "like", "a%"),
        (F("k").text_match("a"), "text_match", "a"),
        (F("k").text_match_insensitive("a"), "text_match_insensitive", "a"),
        (F("k").is_empty(), "is_empty", None),
        (F("k").exists(), "exists", None),
        (F("k") == ["a", "b"], "eq", ("a", "b")),
    ],
)
def test_short_spelling(written: Comparison, operator: str, value: object) -> None:
    """Each operator and method of a field makes the comparison it names."""
    assert written == Comparison(("k",), operator, value)  # type: ignore[arg-type]


def test_keys_are_literal() -> None:
    """A dot is a dot, nesting takes several keys, and the row's columns are no metadata keys."""
    assert (F("a.b") == 1).key == ("a.b",)
    assert (F("a", "b") == 1).key == ("a", "b")
    assert (ROW_ID == "x").key is RowKey.ID
    assert (DOCUMENT_ID == "x").key is RowKey.DOCUMENT_ID
    assert (F("id") == "x") != (ROW_ID == "x")


def test_chains_stay_flat() -> None:
    """Filters joined one by one make one group."""
    assert A & B & C == A & (B & C) == And([A, B, C])
    assert Or([A, B, C]) == A | B | C
    assert And([Or([A, B]), C]) == (A | B) & C
    assert reduce(and_, [A] * 1000).depth == 2
    assert Not(A) == ~A


def test_empty_groups_and_none_are_dropped() -> None:
    """What says nothing is left out of a group, at any depth."""
    nothing: list[Filter] = [And([]), Or([]), Not(And([])), Or([And([Or([])])]), And([None])]
    assert all(tree.empty for tree in nothing)
    assert Or([None, *nothing, A]) == Or([A])
    assert not A.empty
    assert not Not(A).empty


@given(trees)
def test_trees_are_values(tree: Filter) -> None:
    """A tree equals its copy, hashes like it, survives pickling and has a `repr` that shows it."""
    copy = pickle.loads(pickle.dumps(tree))
    assert copy == tree
    assert hash(copy) == hash(tree)
    assert repr(copy) == repr(tree)


def test_groups_of_different_kinds_differ() -> None:
    """And is not Or, whatever they hold."""
    groups: list[Filter] = [And([A, B]), Or([A, B])]
    assert groups[0] != groups[1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: A and B,
        lambda: A or B,
        lambda: not A,
        lambda: bool(And([])),
        lambda: 1 < F("a") < 3,
        lambda: F("a") in [1, 2],
    ],
)
def test_trees_have_no_truth_value(wrong: Callable[[], object]) -> None:
    """Python's and, or, not and chained comparisons raise instead of losing a half."""
    with pytest.raises(FilterError, match="join filters with"):
        wrong()


def test_trees_are_immutable() -> None:
    """A tree cannot be changed after it was made."""
    with pytest.raises(AttributeError):
        A.value = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        And([A]).filters = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        object(),
        {"a": 1},
        b"a",
        np.timedelta64(1, "s"),
        [[1]],
        [float("nan")],
        F("b"),
        A,
    ],
)
def test_values_must_be_json(value: object) -> None:
    """Only finite JSON scalars and lists of them can be compared with."""
    with pytest.raises(FilterError, match="cannot compare with"):
        F("a").compare("eq", value)


@pytest.mark.parametrize("operator", ["in", "nin", "any", "all"])
@pytest.mark.parametrize("value", ["abc", 1, None, {"a": 1}])
def test_list_operators_need_a_list(operator: str, value: object) -> None:
    """A string is not taken for the list of its characters."""
    with pytest.raises(FilterError, match="a list of values is needed"):
        F("a").compare(operator, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("operator", ["like", "text_match", "text_match_insensitive"])
def test_text_operators_need_a_string(operator: str) -> None:
    """Text is matched with text."""
    with pytest.raises(FilterError, match="needs a string"):
        F("a").compare(operator, 1)  # type: ignore[arg-type]


def test_bare_operators_take_no_value() -> None:
    """`exists` False is `~exists`, and says so."""
    with pytest.raises(FilterError, match="negate it with ~"):
        F("a").compare("exists", False)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_lone_surrogates_are_refused(text: str) -> None:
    """What cannot be encoded is refused before it could be sent."""
    with pytest.raises(FilterError, match="lone surrogate"):
        F("a").compare("eq", text)
    with pytest.raises(FilterError, match="lone surrogate"):
        F(text)


def test_values_become_plain() -> None:
    """Subclasses of JSON types keep their value and lose their own spelling."""
    values = [(F("a") == value).value for value in (Color.RED, np.float64(1.5))]
    assert values == ["red", 1.5]
    assert [type(value) for value in values] == [str, float]


@pytest.mark.parametrize("path", [(), (1,), ("a", None)])
def test_keys_must_be_strings(path: tuple[str, ...]) -> None:
    """A key is one string or more."""
    with pytest.raises(FilterError, match="is not a key"):
        F(*path)


def test_unknown_operator_is_refused() -> None:
    """The error lists the operators there are."""
    with pytest.raises(FilterError, match="text_match_insensitive"):
        F("a").compare("regex", "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("member", [F("a"), {"a": 1}, "a == 1", True])
def test_members_must_be_filters(member: Filter) -> None:
    """Groups and negations hold filters only."""
    for make in (lambda: And([member]), lambda: Or([member]), lambda: Not(member)):
        with pytest.raises(FilterError, match="is not a filter"):
            make()


def test_depth_is_bounded() -> None:
    """The deepest tree can be hashed, shown and pickled; one level more is refused."""
    tree: Filter = A
    for _ in range(MAX_DEPTH - 1):
        tree = ~tree
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert repr(tree).count("Not") == MAX_DEPTH - 1
    with pytest.raises(FilterError, match="levels deep"):
        Not(tree)
    with pytest.raises(FilterError, match="levels deep"):
        And([tree])
