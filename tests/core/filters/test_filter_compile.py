"""What the engine is asked, and what is left to `match`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    TEXT,
    And,
    Column,
    Compiled,
    F,
    Filter,
    Not,
    Or,
    compile_filter,
    ids_expression,
    match,
    quote,
)
from hybridge.filters.tree import RowKey
from support.filter_collection import COLUMNS
from support.filter_strategies import OTHER_KEYS, json_trees, random_records, trees
from support.json_path_expressions import evaluate

YEAR, SOURCE, RATING, DRAFT, FREE = map(F, ("year", "source", "rating", "draft", "free"))


@pytest.mark.parametrize(
    ("tree", "expression"),
    [
        (YEAR == 5, "meta_year == 5"),
        (YEAR == 5.0, "meta_year == 5"),
        (YEAR == True, "meta_year == 1"),  # noqa: E712
        (YEAR != 5, "(meta_year != 5 or meta_year is null)"),
        (YEAR != 5.5, ""),
        (YEAR == 2**63, "id in []"),
        (YEAR == -(2**63), "meta_year == -9223372036854775807 - 1"),
        (YEAR > -(2**63), "meta_year > -9223372036854775807 - 1"),
        (YEAR.isin([1, "a", None, 2.0, 2.5]), "meta_year in [1, 2]"),
        (YEAR.not_in([1, 2]), "(meta_year not in [1, 2] or meta_year is null)"),
        (~YEAR.isin([1, 2]), "(meta_year not in [1, 2] or meta_year is null)"),
        (~YEAR.not_in([1, 2]), "meta_year in [1, 2]"),
        (YEAR.isin([]), "id in []"),
        (YEAR.not_in([]), ""),
        (YEAR > 5, "meta_year > 5"),
        (~(YEAR > 5), "(meta_year <= 5 or meta_year is null)"),
        (~~(YEAR > 5), "meta_year > 5"),
        (YEAR.exists(), "meta_year is not null"),
        (~YEAR.exists(), "meta_year is null"),
        (YEAR.is_empty(), "meta_year is null"),
        (SOURCE.is_empty(), '(meta_source == "" or meta_source is null)'),
        (~SOURCE.is_empty(), 'meta_source != ""'),
        (SOURCE >= 'a"', r'meta_source >= "a\""'),
        (RATING == 1, "meta_rating == 1.0"),
        (RATING > 1e300, "meta_rating > 1e+300"),
        (RATING == 0, "meta_rating == 0.0"),
        (RATING.isin([-0.0, 1]), "meta_rating in [-0.0, 1.0, 0.0]"),
        (RATING == 2**53 + 1, "id in []"),
        (RATING == 10**400, "id in []"),
        (DRAFT == True, "meta_draft == true"),  # noqa: E712
        (DRAFT == 0, "meta_draft == false"),
        (DRAFT.isin([True, False]), "meta_draft in [true, false]"),
        (ROW_ID.isin(["a", "b"]), 'id in ["a", "b"]'),
        (ROW_ID != "a", 'id != "a"'),
        (ROW_ID.exists(), ""),
        (~ROW_ID.exists(), "id in []"),
        (DOCUMENT_ID != "d", '(document_id != "d" or document_id is null)'),
        (TEXT != "a", 'text != "a"'),
        (TEXT >= "a", 'text >= "a"'),
        (TEXT.is_empty(), 'text == ""'),
        (F("text").exists() | TEXT.exists(), ""),
        ((YEAR > 1) & (SOURCE == "a"), '(meta_year > 1 and meta_source == "a")'),
        (~((YEAR > 1) & (SOURCE == "a")).filters[0], "(meta_year <= 1 or meta_year is null)"),
        (~(YEAR.exists() | SOURCE.exists()), "(meta_year is null and meta_source is null)"),
        (~(YEAR.exists() & SOURCE.exists()), "(meta_year is null or meta_source is null)"),
        ((YEAR > 1) | (YEAR != None), ""),  # noqa: E711
        ((FREE == 1) | (YEAR != None), ""),  # noqa: E711
    ],
)
def test_exact_expressions(tree: Filter, expression: str) -> None:
    """What the columns can answer exactly is one expression, with no residual."""
    assert compile_filter(tree, COLUMNS) == Compiled(expression)


@pytest.mark.parametrize(
    "tree",
    [
        FREE == 1,
        F("year", "inner") == 1,
        F("id") == "a",
        F("meta_year") == 5,
        YEAR > 5.5,
        YEAR > "a",
        DRAFT > False,
        SOURCE.contains("a"),
        SOURCE.like("a%"),
        SOURCE.text_match("a"),
        TEXT.contains("a"),
        TEXT.like("a%"),
        Or([YEAR == 1, FREE == 1]),
    ],
)
def test_what_is_left_to_match(tree: Filter) -> None:
    """What no column answers exactly restricts nothing and is left whole, negated or not."""
    assert compile_filter(tree, COLUMNS) == Compiled("", tree)
    if not isinstance(tree, Or):
        assert compile_filter(~tree, COLUMNS) == Compiled("", Not(tree))


def test_and_is_split() -> None:
    """A conjunction sends what it can and leaves the rest, under negation too."""
    tree = And([YEAR == 1, FREE == 1, SOURCE == "a", FREE != 2])
    expression = '(meta_year == 1 and meta_source == "a")'
    assert compile_filter(tree, COLUMNS) == Compiled(expression, And([FREE == 1, FREE != 2]))
    either = ~Or([YEAR > 1, FREE == 1])
    expression = "(meta_year <= 1 or meta_year is null)"
    assert compile_filter(either, COLUMNS) == Compiled(expression, Not(FREE == 1))


def test_or_is_sent_when_every_branch_restricts() -> None:
    """A disjunction with inexact branches is narrowed by what they send, and left whole."""
    tree = Or([YEAR == 1, And([YEAR == 2, FREE == 1])])
    assert compile_filter(tree, COLUMNS) == Compiled("(meta_year == 1 or meta_year == 2)", tree)


def test_without_columns_only_the_rows_own_are_sent() -> None:
    """A collection without promoted keys answers ids and document ids."""
    tree = (YEAR == 1) & (ROW_ID == "a")
    assert compile_filter(tree, {}) == Compiled('id == "a"', YEAR == 1)


def test_columns_of_the_rows_own_may_have_other_names() -> None:
    """A collection of another layout names its columns; what it lacks is left to `match`."""
    own = {RowKey.ID: Column("pk", str, nullable=False), RowKey.TEXT: Column("body", str)}
    tree = (ROW_ID == "a") & (TEXT != "b") & (DOCUMENT_ID == "c") & (ROW_ID != 1)
    expression = '(pk == "a" and (body != "b" or body is null))'
    assert compile_filter(tree, {}, own) == Compiled(expression, DOCUMENT_ID == "c")
    assert compile_filter(TEXT == 1, {}, own) == Compiled("pk in []")
    assert ids_expression(["a"], own[RowKey.ID]) == 'pk in ["a"]'


def test_escapes() -> None:
    r"""Backslash, quote, newline, carriage return and tab are escaped, and nothing else."""
    assert quote("\\ \" \n \r \t \x00 ' é {} %") == '"\\\\ \\" \\n \\r \\t \x00 \' é {} %"'
    assert ids_expression([]) == "id in []"
    assert ids_expression(['a"]', "b"]) == r'id in ["a\"]", "b"]'


@given(trees, st.integers(0, 2**32))
def test_residual_is_all_that_is_missing(tree: Filter, seed: int) -> None:
    """Every matching row satisfies the residual, so it can only remove rows."""
    residual = compile_filter(tree, COLUMNS).residual
    for row in random_records(seed, count=20):
        assert match(residual, row) or not match(tree, row)


K = 'metadata["free"]'


@pytest.mark.parametrize(
    ("tree", "expression"),
    [
        (FREE == 5, f"{K} == 5.0"),
        (FREE == 1, f"({K} == 1.0 or {K} == true)"),
        (FREE == False, f"({K} in [0.0, -0.0] or {K} == false)"),  # noqa: E712
        (FREE == 'a"b', rf'{K} == "a\"b"'),
        (~(FREE != "a"), f'{K} == "a"'),
        (FREE.isin(["a", "b", 2, 2.0, 5.5, None]), f'({K} in ["a", "b"] or {K} in [2.0, 5.5])'),
        (~FREE.not_in(["a"]), f'{K} == "a"'),
        (FREE > 5, f"{K} > 5.0"),
        (FREE >= 0.5, f"({K} >= 0.5 or {K} == true)"),
        (FREE < 2**53, f"({K} <= 9007199254740992.0 or {K} == false or {K} == true)"),
        (FREE > 10**400, f"{K} >= 1.7976931348623157e+308"),
        (FREE <= "a", f'{K} <= "a"'),
        (FREE.like("ab%c"), f'{K} like "ab%"'),
        (FREE.like("_b"), f'{K} >= ""'),
        (FREE.text_match("a"), f'{K} >= ""'),
        (FREE.contains(2), f"json_contains({K}, 2.0)"),
        (FREE.any([2, 3]), f"(json_contains({K}, 2.0) or json_contains({K}, 3.0))"),
        (FREE.all([2, "a"]), f"json_contains({K}, 2.0)"),
        (F("a b", "é") == "x", 'metadata["a b"]["é"] == "x"'),
        ((FREE == 5) & (F("other") != 1), f"{K} == 5.0"),
        (~((FREE != 5) | (F("other") != "x")), f'({K} == 5.0 and metadata["other"] == "x")'),
        ((YEAR == 1) | (FREE == 5), f"(meta_year == 1 or {K} == 5.0)"),
        (YEAR > 5.5, 'metadata["year"] > 5.5'),
    ],
)
def test_json_paths_narrow_what_is_selected(tree: Filter, expression: str) -> None:
    """A key without a column is a path into the metadata on a server; `match` still decides."""
    compiled = compile_filter(tree, COLUMNS, json_paths=True)
    assert compiled.expression == expression
    assert compiled.residual is not None


@pytest.mark.parametrize(
    "tree",
    [
        FREE != 5,
        ~(FREE == 5),
        FREE.not_in([5]),
        ~(FREE > 5),
        FREE.is_empty(),
        ~FREE.is_empty(),
        FREE.exists(),
        ~FREE.exists(),
        FREE == [5],
        FREE > [5],
        FREE == None,  # noqa: E711
        FREE == "\U00020000",
        FREE.contains("a"),
        FREE.contains(None),
        FREE.any([5, "a"]),
        (FREE == 5) | (FREE != 6),
        *(
            F(key) == 5
            for key in ("", 'a"b', "a\\b", "a[", "a]b", "a/b", "a~b", "a\nb", "\U0001f600")
        ),
        F("a", "b]") == 5,
    ],
)
def test_what_no_json_path_tells_selects_every_row(tree: Filter) -> None:
    """Missing values, keys that a server reads otherwise, and what it cannot tell apart."""
    assert compile_filter(tree, COLUMNS, json_paths=True) == compile_filter(tree, COLUMNS)
    assert compile_filter(tree, COLUMNS).expression == ""


@given(json_trees, st.integers(0, 2**32))
def test_json_paths_select_every_matching_row(tree: Filter, seed: int) -> None:
    """Whatever the rows hold under the keys, the expression is a superset of what matches."""
    compiled = compile_filter(tree, {}, {}, json_paths=True)
    for row in random_records(seed, count=20):
        if match(tree, row):
            assert not compiled.expression or evaluate(compiled.expression, row.metadata)


@pytest.mark.parametrize("key", OTHER_KEYS)
def test_hostile_keys_and_values_stay_data(key: str) -> None:
    """A key is sent only where it is read back as it is; a value is always quoted."""
    expression = compile_filter(F(key) == 'x" or id != "', {}, json_paths=True).expression
    assert expression in ("", rf'metadata["{key}"] == "x\" or id != \""')
