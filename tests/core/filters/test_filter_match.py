"""What a filter means, row by row."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    TEXT,
    And,
    Comparison,
    F,
    Filter,
    Not,
    Or,
    match,
    match_all,
    row_keys,
)
from hybridge.filters.operators import BARE_OPERATORS, LIST_OPERATORS, OPERATORS, Operator
from hybridge.records import Record
from support.filter_strategies import random_records, trees

K = F("k")


def holds(tree: Filter, value: object) -> bool:
    """Evaluate `tree` over a row that has `value` under "k"."""
    return match(tree, Record(id="r", metadata={"k": value}))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("metadata", [{}, {"k": None}, {"K": 1}])
def test_missing_satisfies_only_the_negative_operators(
    operator: Operator, metadata: dict[str, object]
) -> None:
    """A missing key and None are the same: only ne, nin and is_empty hold."""
    lists, bare = operator in LIST_OPERATORS, operator in BARE_OPERATORS
    values = [[], ["x"], [None]] if lists else [None] if bare else ["", "x"]
    found = {match(K.compare(operator, value), Record(metadata=metadata)) for value in values}
    assert found == {operator in ("ne", "nin", "is_empty")}


@pytest.mark.parametrize(
    ("tree", "yes", "no"),
    [
        (K == 1, [1, 1.0, True], ["1", 2, [1], {}]),
        (K == "a", ["a"], ["A", "ab", ["a"]]),
        (K == None, [], ["", 0, False, []]),  # noqa: E711
        (K == ["a", "b"], [["a", "b"]], [["b", "a"], "ab", ["a"]]),
        (K != 1, ["1", 2, [1]], [1, 1.0, True]),
        (K > 1, [2, 1.5], [1, True, "2", [2], {}]),
        (K >= 1, [1, True, 1.0], [0, "1"]),
        (K < "b", ["a", "", "B"], ["b", "c", 0]),
        (K <= "b", ["a", "b"], ["ba"]),
        (K < "\U0001f600", ["\uffff"], ["\U0001f601"]),
        (K.compare("gt", [1, 1]), [[1, 2], [2]], [[1], [1, 1], 5, "z"]),
        (K > None, [], [1, "a"]),
        (K > 2**53, [2**53 + 1], [2.0**53]),
        (K.isin([1, "a", None]), [1, True, "a"], [2, "b", ["a"], {}]),
        (K.isin([]), [], [1, "a"]),
        (K.not_in([1, "a"]), [2, "b", [1], {"a": 1}], [1, 1.0, "a"]),
        (K.not_in([]), [1, "a"], []),
        (K.contains("a"), ["a", "bab", ["a"], [1, "a"], {"a": 1}], ["b", [], ["ab"], 1, True]),
        (K.contains(1), [[1], [True]], ["1", 1, ["1"]]),
        (K.contains(""), ["", "x", [""]], [[], 0]),
        (K.any(["a", 1]), ["ba", ["a"], [1, 2], {"a": 0}], ["b", 1, [], ["b"]]),
        (K.any([]), [], ["a", ["a"]]),
        (K.all(["a", "b"]), ["ab", ["b", "c", "a"]], ["a", ["a"], 1]),
        (K.all([]), ["a", [], 1], []),
        (K.text_match("Ab"), ["xAby", "Ab"], ["ab", ["Ab"], 1]),
        (K.text_match_insensitive("Ab"), ["xaBy", "AB"], ["b", ["ab"], 1]),
        (K.is_empty(), ["", []], [0, False, {}, " ", [""]]),
        (K.exists(), ["", [], 0, False, {}], []),
        (K.like("a%"), ["a", "ab", "a\nb"], ["A", "ba", ["a"], 1]),
        (K.like("%a"), ["a", "ba", "\na"], ["ab"]),
        (K.like("a_c"), ["abc", "a\nc", "a_c", "a%c"], ["ac", "abbc"]),
        (K.like("%b%c%"), ["abc", "bc", "bxxcx"], ["cb", "b"]),
        (K.like("%ab%ab%"), ["abab", "xabxabx"], ["aba", "ab"]),
        (K.like("a%a"), ["aa", "aba"], ["a"]),
        (K.like(r"100\%"), ["100%"], ["1000", r"100\%"]),
        (K.like(r"a\_b"), ["a_b"], ["axb"]),
        (K.like(r"a\\b"), [r"a\b"], ["ab"]),
        (K.like("a\\"), ["a\\"], ["a"]),
        (K.like(""), [""], ["a"]),
        (K.like("%"), ["", "a", "\n"], [1, []]),
        (K.like("[a-z].*"), ["[a-z].*"], ["ab"]),
        (K.ilike("A%"), ["a", "Ab"], ["ba", ["a"]]),
        (K.ilike(r"100\%"), ["100%"], ["1000"]),
        (K.between(1, 3), [1, 2.5, 3], [0, 4, "2"]),
        (K.between("2024-01", "2024-03"), ["2024-02-09"], ["2024-03-01", 2024]),
        (
            K.has(F("g") == 1),
            [[{"g": 0}, {"g": 1}], [1, {"g": 1}]],
            [{"g": 1}, [{"g": 2}], [[{"g": 1}]], "g"],
        ),
        (K.has((F("g") == 1) & (F("w") == 2)), [[{"g": 1, "w": 2}]], [[{"g": 1}, {"w": 2}], []]),
        (K.has(F("g") != 1), [[{"g": 1}, {"g": 2}], [{}]], [[{"g": 1}], []]),
        (~K.has(F("g") == 1), [[{"g": 2}], [], "x"], [[{"g": 1}]]),
        (K.has(And([])), [[{}]], [[], [1], {}]),
    ],
)
def test_operator(tree: Comparison, yes: list[object], no: list[object]) -> None:
    """Each operator holds for the values listed first and fails for those listed second."""
    assert [value for value in yes if not holds(tree, value)] == []
    assert [value for value in no if holds(tree, value)] == []


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (F("author", "name") == "x", True),
        (F("author.name") == "y", True),
        (F("author", "name", "first").exists(), False),
        (F("author", "missing").is_empty(), True),
        (F("list", "0").exists(), False),
        (F("id") == "metadata id", True),
        (ROW_ID == "r", True),
        (ROW_ID.like("_"), True),
        (DOCUMENT_ID == "d", True),
        (F("document_id").exists(), False),
        (TEXT.contains("own"), True),
        (F("text").exists(), False),
    ],
)
def test_keys(tree: Comparison, expected: bool) -> None:
    """Keys are literal, paths go through mappings only, and the row's columns are its own."""
    metadata = {"author": {"name": "x"}, "author.name": "y", "list": [1], "id": "metadata id"}
    assert (
        match(tree, Record(id="r", text="its own text", document_id="d", metadata=metadata))
        is expected
    )


def test_missing_document_id() -> None:
    """A row without a document id is like one without a key."""
    assert match(DOCUMENT_ID != "d", Record(id="r"))
    assert not match(DOCUMENT_ID == "d", Record(id="r"))


@pytest.mark.parametrize("tree", [None, And([]), Or([]), Not(Or([])), Not(Not(And([])))])
def test_no_filter_selects_every_row(tree: Filter | None) -> None:
    """None and groups without members match whatever there is, negated or not."""
    assert match(tree, Record())


@given(st.none() | trees, st.integers(0, 2**32))
def test_match_all_keeps_the_rows_that_match(tree: Filter | None, seed: int) -> None:
    """The rows that match, in their order; every row for no filter."""
    rows = random_records(seed, count=20)
    assert match_all(tree, iter(rows)) == [row for row in rows if match(tree, row)]


def test_row_keys_are_what_a_tree_reads_beside_metadata() -> None:
    """Whoever fetches rows for `match` knows which columns it needs."""
    tree = Not(Or([F("text") == 1, And([TEXT == "a", ROW_ID == "b"])]))
    assert row_keys(tree) == {TEXT.key, ROW_ID.key}
    assert row_keys(None) == row_keys(F("id") == 1) == frozenset()


@given(trees, st.integers(0, 2**32))
def test_logic_is_two_valued(tree: Filter, seed: int) -> None:
    """Negation is the exact complement, and De Morgan's laws hold."""
    for row in random_records(seed, count=5):
        found = match(tree, row)
        assert match(~~tree, row) is found
        if not tree.empty:
            assert match(~tree, row) is not found
        assert match(~(tree | K.exists()), row) is match(Or([]) & ~tree & ~K.exists(), row)


@given(st.text("ab%_\\\n", max_size=12), st.text("ab\n%", max_size=12))
def test_like_is_its_regular_expression(pattern: str, text: str) -> None:
    """The parts between `%`, found one by one, fit what the whole pattern fits."""
    signs = re.findall(r"\\.|.", pattern, flags=re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign[-1])) for sign in signs)
    assert holds(K.like(pattern), text) is (re.fullmatch(regex, text, re.DOTALL) is not None)


@pytest.mark.parametrize("count", [99, 100, 101, 5000])
def test_like_takes_any_number_of_wildcards(count: int) -> None:
    """A hundred parts and more are each looked for, in order."""
    assert holds(K.like("%a%b" * count + "%"), "ab" * count)
    assert holds(K.like("%a" * count + "0%"), "a" * count + "0")
    assert not holds(K.like("%a" * count + "0%"), "a" * count)
    assert not holds(K.like("%a%b" * count), "ab" * (count - 1) + "ba")


def test_like_takes_time_linear_in_the_text() -> None:
    """A pattern with many wildcards does not try every way of placing them."""
    assert not holds(K.like("%a" * 40 + "%b"), "a" * 5000)
