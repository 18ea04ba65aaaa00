"""Wrong types and values: filters, fusions and sparse functions raise nothing but our own errors.

`HYBRIDGE_FUZZ` sets the number of examples of each test.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge.errors import HybridgeError
from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    TEXT,
    And,
    Column,
    Comparison,
    F,
    Not,
    Or,
    as_filter,
    compile_filter,
    from_dictionary,
    ids_expression,
    match,
    match_all,
    quote,
    row_keys,
)
from hybridge.filters.operators import OPERATORS
from hybridge.records import Record
from hybridge.retrieval.fusion import ConfidenceWeighted, ReciprocalRank, Weighted, confidence
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.retrieval.reranking import pool_size, reranked
from hybridge.sparse import BM25EmbeddingFunction, build_default_analyzer
from hybridge.sparse.analyzer import as_analyzer
from hybridge.sparse.languages import find_language
from hybridge.sparse.parameter_file import read_parameters
from hybridge.sparse.weighting import Weighting

fuzzed = settings(
    max_examples=int(os.environ.get("HYBRIDGE_FUZZ", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Color(str, Enum):
    """A string enumeration."""

    RED = "red"


class Hostile:
    """An object that fails wherever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def _nested(levels: int, kind: type[list[Any]] | type[dict[str, Any]]) -> object:
    nested: object = 1
    for _ in range(levels):
        nested = [nested] if kind is list else {"a": nested}
    return nested


RECURSIVE: dict[str, object] = {}
RECURSIVE["$not"] = RECURSIVE
ODD: tuple[object, ...] = (
    None, True, 0, -1, 1, 10**400, -(10**400), 1.5, -0.0, float("nan"), float("inf"), 1j,
    "", "a", "$gte", "$not", "en", "bm25", "\ud800", "a\x00b", "\U0001f600", "%" * 200, b"a",
    bytearray(b"a"), [], ["a"], [1, "a", None], [["a"]], [{}], (), ("a",), set(), {"a"}, {("a",)},
    frozenset(), range(3), {}, {"a": 1}, {"$gte": 1}, {1: 2}, {None: 1}, RECURSIVE,
    _nested(100_000, list), _nested(100_000, dict), [_nested(5_000, list)],
    np.float64(1), np.float32("nan"), np.int64(1), np.bool_(True), np.str_("a"), np.array(1.0),
    np.array([1, 2]), np.zeros((2, 2)), np.array(["a"]), np.array([object()]), Decimal(1),
    Fraction(1, 3), Color.RED, object(), Hostile(), int, str, list, Path("x"), Path("a\x00b"),
    F("a"), ROW_ID, F("a") == 1, ~(F("a") > 1), And([]), Record(),
    lambda *_, **__: ["a"], lambda *_, **__: 5,
)  # fmt: skip
# By their places, since Hypothesis cannot print some of them.
odd = st.integers(0, len(ODD) - 1).map(ODD.__getitem__)
values = odd | st.text(max_size=3) | st.lists(odd, max_size=3)
names = st.sampled_from(["a", "$and", "$or", "$not", "$id", "$text", "$eq", "$in", "$exists"]) | (
    st.sampled_from([f"${name}" for name in OPERATORS]) | st.text(max_size=2)
)
dictionaries = st.recursive(
    values | st.dictionaries(names, values, max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
COLUMNS = {"a": Column("meta_a", int), "s": Column("meta_s", str), "f": Column("meta_f", float)}
ROWS = [
    Record(id="r", text="own", metadata={"a": value, "s": value})
    for value in ("x", 1, 10**400, 1.5, True, [1, "x"], {"x": [1]}, None, [[1]], _nested(900, list))
]


def _only_ours(call: Callable[[], object]) -> object:
    """Call, and return what comes of it, None after an error of ours; any other gets through."""
    try:
        return call()
    except HybridgeError:
        return None


def _use_filter(tree: Any) -> None:
    """Do with a filter all that can be done with one."""
    compiled = compile_filter(tree, COLUMNS)
    assert match_all(tree, ROWS) == [row for row in ROWS if match(tree, row)]
    match_all(compiled.residual, ROWS)
    row_keys(tree)
    hash(tree)
    repr(tree)


@fuzzed
@given(dictionaries)
def test_dictionaries(value: Any) -> None:
    """Whatever is given as a filter is one, and can be used, or is refused."""
    for read in (as_filter, from_dictionary):
        tree = _only_ours(lambda read=read: read(value))  # type: ignore[misc]
        _use_filter(tree)


@fuzzed
@given(values, values | st.sampled_from(OPERATORS), values)
def test_comparisons(key: Any, operator: Any, value: Any) -> None:
    """Keys, operators and values of any type."""
    makers: list[Callable[[], object]] = [
        lambda: F(key),
        lambda: F(*key),
        lambda: F("a").compare(operator, value),
        lambda: Comparison(key, operator, value),
        lambda: Comparison(("a",), operator, value),
        lambda: TEXT.compare(operator, value),
    ]
    if not isinstance(key, (list, tuple, str)):
        del makers[1]  # Python itself unpacks the arguments
    for make in makers:
        made = _only_ours(make)
        if isinstance(made, Comparison):
            _use_filter(made)


@fuzzed
@given(values)
def test_trees(value: Any) -> None:
    """Groups, operators and every function that takes a tree or ids."""
    tree = F("a") == 1
    calls: list[Callable[[], object]] = [
        lambda: And(value), lambda: Or([value]), lambda: Not(value), lambda: tree & value,
        lambda: tree | value, lambda: compile_filter(value, {}), lambda: match(value, ROWS[0]),
        lambda: match_all(value, ROWS), lambda: row_keys(value), lambda: ids_expression(value),
        lambda: quote(value), lambda: Column(value, int), lambda: Column("a", value),
        lambda: value == DOCUMENT_ID, lambda: value != ROW_ID, lambda: F("a") < value,
        lambda: F("s").isin(value), lambda: F("s").like(value), lambda: F("s").any(value),
    ]  # fmt: skip
    for call in calls:
        made = _only_ours(call)
        if isinstance(made, (Comparison, And, Or, Not)):
            _use_filter(made)


scores = st.sampled_from([0.0, 1, -1e308, 1e308, 10**400, float("nan"), "a", None, np.float32(2)])
pairs = st.tuples(st.sampled_from(["r", "s", 1, None]) | odd, scores) | values
rankings = st.dictionaries(
    st.sampled_from(["dense", "sparse", "x"]) | st.integers(), st.lists(pairs)
)


@fuzzed
@given(rankings | values, values, st.dictionaries(st.text(max_size=1) | st.integers(), odd))
def test_fusions(ranked: Any, value: Any, weights: Any) -> None:
    """Rankings, weights and constants of any type."""
    makers: list[Callable[[], Any]] = [
        ConfidenceWeighted, ReciprocalRank, Weighted, lambda: ReciprocalRank(value),
        lambda: Weighted(value), lambda: Weighted(dense=value), lambda: Weighted(weights),
    ]  # fmt: skip
    for make in makers:
        fusion: Any = _only_ours(make)
        if fusion is not None:
            repr(fusion)
            _only_ours(lambda fusion=fusion: fusion.fuse(ranked))  # type: ignore[misc]


@fuzzed
@given(values, values, values)
def test_other_retrieval(first: Any, second: Any, third: Any) -> None:
    """Confidence, MMR, pools and rerankers that answer anything."""
    vectors, relevance = np.eye(2, dtype=np.float32), np.ones(2, np.float32)
    calls: list[Callable[[], object]] = [
        lambda: confidence(first), lambda: pool_size(first),
        lambda: maximal_marginal_relevance(first, vectors, 2),
        lambda: maximal_marginal_relevance(relevance, first, 2),
        lambda: maximal_marginal_relevance(relevance, vectors, first, second),
        lambda: reranked(lambda *_, **__: first, "q", ["a"], 1),
        lambda: reranked(first, second, third, 1),
        lambda: reranked(lambda *_, **__: [], "q", ["a"], first),
    ]  # fmt: skip
    for call in calls:
        _only_ours(call)


@fuzzed
@given(values, st.sampled_from(["analyzer", "corpus", "k1", "b", "epsilon", "num_workers", "idf"]))
def test_bm25_constructor(value: Any, name: str) -> None:
    """Each argument of any type."""
    _only_ours(lambda: BM25EmbeddingFunction(**{name: value}))
    _only_ours(lambda: Weighting(**{"k1" if name not in ("b", "idf", "epsilon") else name: value}))


@fuzzed
@given(values, values)
def test_bm25_methods(value: Any, other: Any) -> None:
    """Texts and functions of any type, before a fit and after it."""
    for corpus in (None, ["a cat", "a dog"]):
        function = BM25EmbeddingFunction(corpus=corpus)
        for call in (
            function.encode_documents, function.encode_queries, function.partial_fit,
            function.fit_encode, function.merge, function.fit,
        ):  # fmt: skip
            _only_ours(lambda call=call: call(value))  # type: ignore[misc]
        _only_ours(lambda function=function: function.fit(value, progress=other))  # type: ignore[misc]
    with_function = BM25EmbeddingFunction(lambda text: value)
    _only_ours(lambda: with_function.fit(["x"]))


@fuzzed
@given(values, values)
def test_analyzers(value: Any, other: Any) -> None:
    """Languages, stop words and texts of any type."""
    for call in (as_analyzer, build_default_analyzer, find_language):
        _only_ours(lambda call=call: call(value))  # type: ignore[misc]
    _only_ours(lambda: build_default_analyzer("en", stop_words=value))
    analyzer = _only_ours(lambda: as_analyzer(value))
    if analyzer is not None:
        _only_ours(lambda: analyzer(other))  # type: ignore[operator]


@fuzzed
@given(values)
def test_paths(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    """Paths of any type, NUL in them included."""
    function = BM25EmbeddingFunction(corpus=["a cat"])
    if isinstance(value, (str, bytes, Path)):
        folder = tmp_path_factory.getbasetemp()
        text = os.fsdecode(value) if not isinstance(value, str) else value
        value = Path(folder, "fuzz", text.strip("/.")) if text else value
    for call in (function.save, function.load, read_parameters):
        _only_ours(lambda call=call: call(value))  # type: ignore[misc]


ENTRIES = (
    "version", "corpus_size", "avgdl", "idf_word", "idf_value", "k1", "b", "epsilon", "hybridge",
    "analyzer", "idf", "counts", "tokens", "frequencies",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from([10**400, 2**63, -1, "v1", "okapi", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)  # fmt: skip


@fuzzed
@given(st.sampled_from(ENTRIES), json_values, st.booleans())
def test_parameter_files(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object, removed: bool
) -> None:
    """Files in which an entry is anything, or missing."""
    import json

    path = tmp_path_factory.getbasetemp() / "parameters.json"
    BM25EmbeddingFunction(corpus=["a cat", "a dog"]).save(path)
    content = json.loads(path.read_text("utf-8"))
    for place in (content, content["hybridge"], content["hybridge"]["counts"]):
        if isinstance(place, dict) and name in place:
            place[name] = value
            if removed:
                del place[name]
    path.write_text(json.dumps(content), "utf-8")

    def use() -> None:
        function = BM25EmbeddingFunction()
        function.load(path)
        function.encode_queries(["a cat"])
        function.encode_documents(["a cat"])
        function.partial_fit(["a bird"])

    _only_ours(use)


def test_integers_too_long_to_print() -> None:
    """Beyond 4,300 digits Python refuses to print an integer; ours says so, with no such repr."""
    longest, number = F("a") == 10**4200, 10**5000
    _use_filter(longest)
    calls: list[Callable[[], object]] = [
        lambda: F("a") == number, lambda: as_filter({"a": {"$in": [number]}}),
        lambda: as_filter({"a": {number: 1}}), lambda: as_filter({number: 1}),  # type: ignore[dict-item]
        lambda: Weighting(k1=number), lambda: Weighted({"a": number}), lambda: F(number),  # type: ignore[arg-type]
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(HybridgeError):
            call()


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[" * 100_000, b"1", b"[]", b'{"version": "v1"}', b"1" * 5000]
)
def test_files_of_something_else(tmp_path: Path, content: bytes) -> None:
    """A file that is no parameter file is refused, deep nesting included."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(HybridgeError):
        BM25EmbeddingFunction().load(path)
