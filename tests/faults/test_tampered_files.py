"""A BM25 parameter file that was changed by hand is loaded whole or refused by an error of ours.

`HYBRIDGE_FUZZ` sets the number of examples of each test.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.sparse import BM25EmbeddingFunction

fuzzed = settings(
    max_examples=int(os.environ.get("HYBRIDGE_FUZZ", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

CORPUS = ["the red kite", "a red plain and a kite", "plains over plains", "milvus"]
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 3, 2**31, 2**53 + 2, 2**63, 10**400, -(10**400), 0.5, -0.0, 1e-320, 1e308, -1e308,
    float("nan"), float("inf"), -float("inf"), True,
)  # fmt: skip
OTHERS: tuple[Any, ...] = (
    None, "", "v1", "lucene", "okapi", "1", "NaN", "\ud800", "a\x00b", [], {}, [None], [[1]], [{}],
    {"a": 1}, ["red", "red"], [1e308] * 3, [[1, 2], [3]], "x" * 10_000,
)  # fmt: skip
values = st.sampled_from(NUMBERS + OTHERS) | st.floats() | st.integers() | st.text(max_size=3)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where something can be changed in a value of JSON."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield (*at, key)
        yield from places(inner, (*at, key))


@st.composite
def tampered(draw: st.DrawFn, good: Any) -> Any:
    """A good value, of which up to three parts are gone, replaced or wrapped."""
    content = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(content))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        part = content
        for key in way:
            part = part[key]
        change = draw(st.sampled_from(["drop", "replace", "replace", "wrap", "repeat"]))
        if change == "drop":
            del part[last]
        elif change == "replace":
            part[last] = copy.deepcopy(draw(values))
        else:
            part[last] = [copy.deepcopy(part[last]) for _ in range(1 if change == "wrap" else 2)]
    return content


def fitted(**settings: Any) -> BM25EmbeddingFunction:
    """A function that knows the corpus."""
    function = BM25EmbeddingFunction(**settings)
    function.fit(CORPUS)
    return function


@pytest.fixture(scope="module", params=["lucene", "okapi", "pymilvus.model"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The content of a file of ours, or of one of `pymilvus.model`."""
    path = tmp_path_factory.mktemp("good") / "bm25.json"
    fitted(idf="lucene" if request.param == "lucene" else "okapi").save(path)
    content = json.loads(path.read_text("utf-8"))
    if request.param == "pymilvus.model":
        del content["hybridge"]
    return content


def check_load(path: Path) -> None:
    """Load a file; what is loaded works throughout, and what is refused changes nothing."""
    function = fitted()
    before = function.encode_queries(["red kite"]).toarray()
    refusal = None
    try:
        function.load(path)
    except InvalidInputError as error:
        refusal = str(error)
    if refusal is not None:
        assert path.name in refusal
        assert np.array_equal(function.encode_queries(["red kite"]).toarray(), before)
        return
    for encoded in (function.encode_queries(["red kite"]), function.encode_documents(CORPUS)):
        assert np.isfinite(encoded.toarray()).all()
    function.save(path)
    function.load(path)
    with suppress(InvalidInputError):  # some files do not tell the counts
        function.partial_fit(CORPUS)


@fuzzed
@given(data=st.data())
def test_a_changed_value(data: st.DataObject, good: Any, tmp_path: Path) -> None:
    """Keys dropped, types exchanged, numbers out of all proportion, lists in lists."""
    path = tmp_path / "bm25.json"
    path.write_text(json.dumps(data.draw(tampered(good))), "utf-8")
    check_load(path)


def test_an_idf_that_no_corpus_has(good: Any, tmp_path: Path) -> None:
    """Its exponential is no number."""
    path = tmp_path / "bm25.json"
    path.write_text(json.dumps({**good, "idf_value": [710.0, -1e6, 0.0, 1.0]}), "utf-8")
    check_load(path)


@fuzzed
@given(data=st.data())
def test_changed_bytes(data: st.DataObject, good: Any, tmp_path: Path) -> None:
    """Truncated, or with other bytes in its middle."""
    path = tmp_path / "bm25.json"
    content = json.dumps(good).encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)) | st.just(len(content)))
    path.write_bytes(content[:start] + data.draw(st.binary(max_size=4)) + content[end:])
    check_load(path)


@pytest.mark.parametrize(
    "average", [1e308, 2.0**53, -1.0, 0.0, 1e-320, float("nan"), float("inf"), "3"]
)
def test_an_average_length_that_no_corpus_has(average: Any, good: Any, tmp_path: Path) -> None:
    """It would weigh every document alike, or none."""
    path = tmp_path / "bm25.json"
    path.write_text(json.dumps({**good, "avgdl": average}), "utf-8")
    with pytest.raises(InvalidInputError, match=r"bm25\.json"):
        BM25EmbeddingFunction().load(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "1", '"v1"', "{}", "[" * 100_000, '{"version":' * 999]
)
def test_something_else(content: str, tmp_path: Path) -> None:
    """Whatever it is, the error names the file and says what to give."""
    path = tmp_path / "bm25.json"
    path.write_text(content, "utf-8")
    with pytest.raises(InvalidInputError, match=r"(?s)bm25\.json.*`save` wrote"):
        BM25EmbeddingFunction().load(path)
