"""The `$` spelling of filters."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import FilterError
from hybridge.filters import (
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
    as_filter,
    from_dictionary,
    match,
)
from hybridge.filters.names import path_name
from hybridge.filters.operators import BARE_OPERATORS, OPERATORS
from hybridge.filters.tree import MAX_DEPTH, RowKey
from support.filter_strategies import random_records, trees

A, YEAR, ACL = F("a"), F("year"), F("acl")
GROUP_1 = F("group") == "g1"


@pytest.mark.parametrize(
    ("mapping", "tree"),
    [
        ({}, None),
        ({"a": 1}, A == 1),
        ({"a": "x", "year": 2020}, (A == "x") & (YEAR == 2020)),
        ({"a.b": True}, F("a.b") == True),  # noqa: E712
        ({"year": {"$gte": 2020, "$lt": 2025}}, (YEAR >= 2020) & (YEAR < 2025)),
        ({"year": {"$not": {"$gte": 2020}}}, ~(YEAR >= 2020)),
        ({"year": {"$in": [1, 2]}}, YEAR.isin([1, 2])),
        ({"a": {"$eq": None}}, A == None),  # noqa: E711
        ({"a": {"$eq": ["x"]}}, A == ["x"]),
        ({"a": {"$exists": True}}, A.exists()),
        ({"a": {"$exists": False}}, ~A.exists()),
        ({"a": {"$is_empty": True}}, A.is_empty()),
        ({"a": {"$is_empty": False}}, ~A.is_empty()),
        ({"$or": [{"a": 1}, {"year": 2}]}, (A == 1) | (YEAR == 2)),
        ({"$and": [{"a": 1}, {"year": 2}]}, (A == 1) & (YEAR == 2)),
        ({"$not": {"a": 1, "year": 2}}, ~((A == 1) & (YEAR == 2))),
        ({"a": 1, "$or": [{"a": 2}, {"a": 3}]}, And([A == 1, Or([A == 2, A == 3])])),
        ({"$or": [{"a": 1}, YEAR >= 2]}, (A == 1) | (YEAR >= 2)),
        ({"$id": "x", "id": "y"}, (ROW_ID == "x") & (F("id") == "y")),
        ({"$document_id": {"$in": ["x"]}}, DOCUMENT_ID.isin(["x"])),
        ({"$text": {"$not": {"$contains": "x"}}}, ~TEXT.contains("x")),
        ({"$text": {"$contains": "x"}}, TEXT.contains("x")),
        ({"$or": [], "$and": ({},), "$not": {}}, None),
        ({"$not": [{}, {}]}, None),
        ({"$not": [{"a": 1}, {"year": 2}]}, ~((A == 1) | (YEAR == 2))),
        ({"year": {"$between": [2020, 2025]}}, YEAR.between(2020, 2025)),
        ({"year": {"$not": {"$between": (2020, 2025)}}}, ~((YEAR >= 2020) & (YEAR <= 2025))),
        ({"a": {"$ilike": "X%"}}, A.ilike("X%")),
        ({"not": {"$gte": 1}}, F("not") >= 1),
        ({"or": "x"}, F("or") == "x"),
        ({"$.a.b": 1}, F("a", "b") == 1),
        ({"$.a['b.c'].d": {"$gte": 1}}, F("a", "b.c", "d") >= 1),
        ({'$["$id"]["it\'s"]': 1}, F("$id", "it's") == 1),
        ({"acl": {"$elemMatch": {"group": "g1", "w": True}}}, ACL.has(GROUP_1 & (F("w") == True))),  # noqa: E712
        ({"acl": {"$elemMatch": {}}}, ACL.has(And([]))),
        ({"$.acl[*].group": "g1"}, ACL.has(GROUP_1)),
        ({"$.acl[*].group": {"$not": {"$eq": "g1"}}}, ACL.has(~GROUP_1)),
        ({"$.a[*].acl[*].group": "g1"}, A.has(ACL.has(GROUP_1))),
        ({"$or": [{}, {"a": 1}, None]}, Or([A == 1])),
    ],
)
def test_spelling(mapping: Mapping[str, object], tree: Filter | None) -> None:
    """Each mapping spells the tree beside it."""
    assert from_dictionary(mapping) == tree
    assert as_filter(mapping) == tree


@pytest.mark.parametrize("operator", [op for op in OPERATORS if op not in BARE_OPERATORS])
def test_every_operator_has_a_spelling(operator: str) -> None:
    """`$` and the operator's name spell it."""
    value = ["x"] if operator in ("in", "nin", "any", "all") else "x"
    expected = Comparison(("a",), operator, value)  # type: ignore[arg-type]
    assert from_dictionary({"a": {f"${operator}": value}}) == expected


@given(trees, st.integers(0, 2**32))
def test_spelling_keeps_the_meaning(tree: Filter, seed: int) -> None:
    """A tree that is spelled as a mapping selects the same rows."""
    spelled = _spelled(tree)
    for row in random_records(seed, count=5):
        assert spelled is None or match(from_dictionary(spelled), row) is match(tree, row)


def _spelled(tree: Filter) -> dict[str, object] | None:
    """Spell a tree; a key of several parts, or one that begins with `$`, as a path."""
    if isinstance(tree, Comparison):
        if isinstance(tree.key, RowKey):
            key = f"${tree.key.value}"
        elif len(tree.key) > 1 or tree.key[0].startswith("$"):
            key = path_name(tree.key)
        else:
            key = tree.key[0]
        bare = tree.operator in BARE_OPERATORS
        value = list(tree.value) if isinstance(tree.value, tuple) else tree.value
        return {key: {f"${tree.operator}": True if bare else value}}
    if isinstance(tree, Not):
        inner = _spelled(tree.filter)
        return None if inner is None else {"$not": inner}
    if isinstance(tree, HasElement):
        inner = _spelled(tree.filter)
        return None if inner is None else {path_name(tree.key): {"$elemMatch": inner}}
    members = [_spelled(member) for member in tree.filters]
    if None in members or not members:
        return None
    return {"$and" if isinstance(tree, And) else "$or": members}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"a": {"$regex": "x"}}, r"unknown operator '\$regex' under 'a'.*\$text_match_insensitive"),
        (
            {"$nor": [{"a": 1}]},
            r"unknown '\$nor' beside the keys \(write .*\); there are \$and, \$or, \$not,",
        ),
        ({"$text": {"$search": "x"}}, r"unknown operator '\$search' under '\$text'"),
        ({"$id": ["x"]}, r"\$in"),
        ({"a": {"$id": "x"}}, r"unknown operator '\$id'"),
        ({"$gte": 5}, r"unknown '\$gte' beside the keys"),
        ({"a": {"b": 1}}, r"'\$\.a\.b'"),
        ({"a.x": {"b c": 1}}, r"""\$\['a\.x'\]\.b c"""),
        ({"year": {"gte": 1}}, r"write \$gte"),
        ({"a": {"$regex": "x"}}, r"write \$like"),
        ({"a": {"$notIn": ["x"]}}, r"write \$nin"),
        ({"a": {"$startsWith": "x"}}, r"'\$like': 'text%'"),
        ({"or": [{"a": 1}, {"b": 2}]}, r"write '\$or' for the group"),
        ({"AND": [{"a": 1}]}, r"write '\$and' for the group"),
        ({"not": {"a": 1}}, r"write '\$not' for the group"),
        ({"must_not": [{"a": 1}]}, r"write '\$not' for the group"),
        ({"year": {"$between": [1]}}, r"takes \[lowest, highest\]"),
        ({"year": {"$between": 1}}, r"takes \[lowest, highest\]"),
        ({"$.": 1}, r"'\$\.' is no key: write \$\.author\.name"),
        ({"$.a[0].b": 1}, "is no key"),
        ({"$.a[*]": 1}, "is no key"),
        ({"$[*].a": 1}, "is no key"),
        ({"$.a..b": 1}, "is no key"),
        ({"acl": {"$elemMatch": 1}}, "is not a filter"),
        ({"acl": {"$elemMatch": {"$id": "x"}}}, "keys of their own"),
        ({"a": {}}, "what does 'a'"),
        ({"a": {"$gte": 1, "b": 2}}, "what does 'a'"),
        ({"a": {"$not": {"b": 1}}}, "what does 'a'"),
        ({"a": ["x"]}, r"\$in"),
        ({"a": None}, r"\$exists"),
        ({"a": object()}, "cannot compare with"),
        ({"a": {"$in": "x"}}, "a list of values is needed"),
        ({"a": {"$exists": 1}}, "takes True or False"),
        ({"$or": {"a": 1}}, "takes a list of filters"),
        ({"$or": "a"}, "takes a list of filters"),
        ({"$or": [1]}, "is not a filter"),
        ({"$not": [1]}, "is not a filter"),
        ({1: 2}, "is not a string"),
    ],
)
def test_refused(mapping: Mapping[str, object], message: str) -> None:
    """What cannot be understood, or could be understood in two ways, is refused."""
    with pytest.raises(FilterError, match=message):
        from_dictionary(mapping)


@pytest.mark.parametrize("value", ["a == 1", 1, [], [{"a": 1}], F("a")])
def test_what_is_no_filter(value: Mapping[str, object]) -> None:
    """A raw expression, a list or a bare field is no filter, and the error says what is."""
    with pytest.raises(FilterError, match="goes into expr="):
        as_filter(value)


def test_trees_pass_through() -> None:
    """A tree stays itself, and what restricts nothing becomes None."""
    assert as_filter(tree := YEAR >= 2020) is tree
    assert as_filter(None) is None
    assert as_filter(Not(Or([]))) is None


@pytest.mark.parametrize("word", ["$not", "$and"])
@pytest.mark.parametrize("under", [False, True])
def test_bottomless_mapping_is_refused(word: str, under: bool) -> None:
    """A mapping nested too deeply, or into itself, is refused before Python runs out of stack."""
    endless: dict[str, object] = {}
    endless[word] = [endless] if word == "$and" else endless
    mapping = {"a": endless} if under and word == "$not" else endless
    with pytest.raises(FilterError, match=f"more than {MAX_DEPTH} levels deep"):
        from_dictionary(mapping)
