"""Random rows and filters over the same few keys and values, so that they often meet."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import strategies as st

from hybridge.filters import DOCUMENT_ID, ROW_ID, TEXT, And, Comparison, F, Filter, Not, Or
from hybridge.filters.operators import (
    BARE_OPERATORS,
    LIST_OPERATORS,
    OPERATORS,
    TEXT_OPERATORS,
    Operator,
)
from hybridge.filters.tree import Field
from hybridge.records import Record
from support.hostile import HOSTILE

PROMOTED: dict[str, type[str] | type[int] | type[float] | type[bool]] = {
    "year": int,
    "source": str,
    "rating": float,
    "draft": bool,
}
"""The metadata keys that have a column, and its type."""

QUERIES = [("word", [1.0, 2.0]), ("filler", [-1.0, 0.5])]
"""Texts and vectors that `distinct_records` are asked by."""

STRINGS = ("", "a", "b", "ab", "A", "é", "É", "\uffff", "\U0001f600", "1", "true", *HOSTILE[::12])
INTEGERS = (0, 1, -1, 2, 5, 2020, 2**31, 2**53, 2**53 + 1, -(2**63), 2**63 - 1)
FLOATS = (0.0, -0.0, 1.0, 0.5, 5.5, -1e-300, 5e-324, 1e300, 2.0**53, 1.7976931348623157e308)
BOOLEANS = (True, False)
POOLS: dict[type, tuple[object, ...]] = {
    str: STRINGS,
    int: INTEGERS,
    float: FLOATS,
    bool: BOOLEANS,
}
OTHER_KEYS = ("free", "a.b", "id", "meta_year", '"] or id != "', "not", "a\nb", "")
COMPILED_OPERATORS: tuple[Operator, ...] = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")
ROW_IDS = tuple(f"row {n}" for n in range(40)) + HOSTILE[::14]

scalars = st.one_of(
    st.none(), *(st.sampled_from(pool) for pool in POOLS.values()),
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
texts = st.sampled_from(STRINGS)
patterns = st.lists(st.sampled_from(["%", "_", "\\", "a", "é", "\n", '"', "1"]), max_size=5).map(
    "".join
)
FIELDS: tuple[tuple[Field, tuple[object, ...]], ...] = (
    *((F(key), POOLS[kind]) for key, kind in PROMOTED.items()),
    *((F(key), STRINGS + INTEGERS) for key in OTHER_KEYS),
    (F("author", "name"), STRINGS),
    (ROW_ID, ROW_IDS),
    (DOCUMENT_ID, STRINGS),
    (TEXT, STRINGS),
)
"""Every field, and values that rows have in it."""

PROMOTED_OR_ROW = [*FIELDS[: len(PROMOTED)], *FIELDS[-3:]]


def values_for(operator: Operator, found: tuple[object, ...]) -> st.SearchStrategy[object]:
    """Return values that `operator` takes, half of them such as rows have in the field."""
    if operator in BARE_OPERATORS:
        return st.none()
    if operator in TEXT_OPERATORS:
        return patterns if operator in ("like", "ilike") else texts
    value = st.sampled_from(found) | scalars
    lists = st.lists(value, max_size=6)
    return lists if operator in LIST_OPERATORS else st.one_of(value, value, value, lists)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """One comparison of any field by any operator; mostly of fields that have a column."""
    field, found = draw(st.sampled_from(FIELDS) | st.sampled_from(PROMOTED_OR_ROW))
    operator = draw(st.sampled_from(OPERATORS) | st.sampled_from(COMPILED_OPERATORS))
    return field.compare(operator, draw(values_for(operator, found)))


@st.composite
def json_comparisons(draw: st.DrawFn) -> Comparison:
    """One comparison of a metadata key by any operator, with any value that rows have in it."""
    field = draw(st.sampled_from([F("free"), F("a.b"), F("not"), F("author", "name")]))
    operator = draw(st.sampled_from(OPERATORS))
    return field.compare(operator, draw(values_for(operator, sum(POOLS.values(), ()))))


def _trees(leaves: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=4).map(And),
            st.lists(inner, min_size=2, max_size=4).map(Or),
            st.lists(st.none() | inner, max_size=1).map(Or),
        ),
        max_leaves=12,
    )


elements = json_comparisons().map(F("acl").has)

trees = _trees(comparisons() | elements)
json_trees = _trees(json_comparisons() | elements)


def random_records(seed: int, count: int) -> list[Record]:
    """Return `count` records with the ids of `ROW_IDS`, different for each seed."""
    random = Random(seed)
    return [_record(random, id) for id in ROW_IDS[:count]]


def distinct_records(seed: int, count: int) -> list[Record]:
    """Return random records of which no two score alike for one of `QUERIES`."""
    rng = np.random.default_rng(seed)
    return [
        Record(
            id=record.id,
            text="word " * (1 + place % 7) + "filler " * (1 + place),
            document_id=record.document_id,
            metadata={
                key: value
                for key, value in record.metadata.items()
                if key != "year" or type(value) is int
            },
            dense=rng.normal(size=2),
        )
        for place, record in enumerate(random_records(seed, count))
    ]


def _record(random: Random, id: str) -> Record:
    metadata: dict[str, object] = {
        key: random.choice([*POOLS[kind], None]) for key, kind in PROMOTED.items()
    }
    metadata |= {key: _json(random) for key in OTHER_KEYS}
    metadata["acl"] = random.choice([None, [], [1, {"free": _json(random), "a.b": "x"}]])
    metadata["author"] = random.choice([None, "a", {}, {"name": _json(random)}])
    kept = {key: value for key, value in metadata.items() if random.random() < 0.75}
    document_id = random.choice([*STRINGS, None])
    return Record(id=id, text=random.choice(STRINGS), document_id=document_id, metadata=kept)


def _json(random: Random, depth: int = 0) -> object:
    kind = random.randrange(6 if depth else 8)
    if kind == 6:
        return [_json(random, depth + 1) for _ in range(random.randrange(4))]
    if kind == 7:
        return {
            random.choice(STRINGS): _json(random, depth + 1) for _ in range(random.randrange(3))
        }
    pools = (STRINGS, STRINGS, INTEGERS, FLOATS, BOOLEANS, (None,))
    return random.choice(pools[kind])
