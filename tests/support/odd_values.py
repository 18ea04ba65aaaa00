"""Values of wrong types, and wrong values of right types, for tests that pass them anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hybridge import AUTO, TEXT, DenseField, F, HybridgeError, Record, SparseField, Weighted
from support.word_function import WordFunction

EXAMPLES = int(os.environ.get("HYBRIDGE_FUZZ", "150"))
"""How many odd calls a test file makes; `HYBRIDGE_FUZZ=5000` makes that many."""


def deep(levels: int) -> list[Any]:
    """A list inside a list, as many levels deep."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


class Hostile:
    """An object that fails at whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __len__(self) -> int:
        return -1


ODD: list[Any] = [
    None, True, False, 0, -1, 1, 3, 10**400, -(10**400), 2**63, 1.5, float("nan"), float("inf"),
    "", "a", "fox", "hybrid", "dense", "title", "a\0b", "\ud800", "x" * 600, "http://[bad",
    "http://a b", "./\0.db", b"bytes", bytearray(b"x"), (), [], {}, set(), {"a"}, frozenset({1}),
    [None], [1], ["a"], [["a"]], [b"a"], {"a": 1}, {1: 2.0}, {1: float("nan")}, {-1: 1.0},
    {2**40: 1.0}, {"a": {"$eq": 1}}, {"$and": 3}, {"$nope": 1}, {"a": {"$in": 3}}, {None: 1},
    {"dense": [1, 2]}, {"dense": None}, {"nope": [1.0]}, [1.0, 2.0], [10**400], [float("nan")],
    ["x", "y"], np.ones(3), np.ones((2, 2)), np.array(["a"]), np.float32(1), np.int64(3),
    np.array([]), object(), object, print, int, ValueError, deep(2000), range(3), iter([1]),
    Record(text="a"), [Record(text="a"), 3], F("a") == 1, F("a"), TEXT, AUTO, Weighted(),
    DenseField(), DenseField(source="title"), SparseField("bm25"), {"title": DenseField(dim=3)},
    {"title": 3}, {"a b": DenseField(dim=3)}, {"id": DenseField(dim=3)}, {"year": int},
    {"year": "int"}, {"a b": str}, WordFunction(), WordFunction, lambda *_, **__: 1,
    lambda query, documents, top_k=5: 3, 1j, slice(3), NotImplemented, ..., type, memoryview(b"x"),
    10**5000, {10**5000: [1.0]}, {10**400: 1.0}, np.array(1.0), {"dense": [["a"]]}, {"a": [["a"]]},
    "id == 3", "id ==", 'id == "', "(((", "nope > 3", "metadata", "1 == 1) or (1 == 1", Hostile(),
]  # fmt: skip


class Odd(int):
    """The place of an odd value: Hypothesis cannot write every value itself."""

    def __repr__(self) -> str:
        return f"Odd({int(self)})"


odd = st.integers(0, len(ODD) - 1).map(Odd)


def real(value: Any) -> Any:
    """The values that stand at the places in a structure."""
    if isinstance(value, Odd):
        return ODD[value]
    if isinstance(value, dict):
        return {name: real(one) for name, one in value.items()}
    return tuple(map(real, value)) if isinstance(value, tuple) else value


@contextmanager
def only_errors_of_ours() -> Iterator[None]:
    """Let a block raise errors of Hybridge, which say something, and no others."""
    try:
        yield
    except HybridgeError as error:
        if not str(error):
            msg = f"a {type(error).__name__} without a message"
            raise AssertionError(msg) from error


def some(names: tuple[str, ...], most: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """A few of the arguments, with odd values."""
    return st.dictionaries(st.sampled_from(names), odd, min_size=1, max_size=most)
