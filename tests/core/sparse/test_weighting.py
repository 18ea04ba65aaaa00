"""The formulas of BM25."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.weighting import Weighting


@given(st.integers(1, 10**7), st.data())
def test_lucene_idf_is_positive_and_falls_with_the_frequency(
    documents: int, data: st.DataObject
) -> None:
    """The idf is ln(1 + (N - df + 0.5) / (df + 0.5)): above 0, and lower for more documents."""
    frequency = data.draw(st.integers(1, documents))
    [rare, common] = Weighting().query_weights(
        np.array([frequency, documents]), Statistics(documents)
    )
    assert rare == pytest.approx(math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)))
    assert 0 < common <= rare


def test_okapi_replaces_a_negative_idf_by_a_share_of_the_mean() -> None:
    """A term of most documents gets epsilon times the mean idf of all terms."""
    statistics = Statistics(4, 10, {0: 1, 1: 1, 2: 4})
    raw = [math.log(4 - df + 0.5) - math.log(df + 0.5) for df in (1, 1, 4)]
    weights = Weighting(idf="okapi", epsilon=0.5).query_weights(np.array([1, 4]), statistics)
    assert weights.tolist() == [raw[0], 0.5 * (sum(raw) / 3)]


def test_okapi_follows_changing_statistics() -> None:
    """The mean idf is that of the counts as they are now."""
    weighting = Weighting(idf="okapi")
    statistics = Statistics(3, 3, {0: 3})
    before = weighting.query_weights(np.array([3]), statistics)
    statistics.add(Statistics(2, 4, {1: 1, 2: 1}))
    after = weighting.query_weights(np.array([3]), statistics)
    fresh = Statistics(5, 7, {0: 3, 1: 1, 2: 1})
    assert after == weighting.query_weights(np.array([3]), fresh) != before


@given(
    count=st.integers(1, 1000),
    length=st.integers(1, 10_000),
    average=st.floats(0.1, 1000),
    k1=st.floats(0, 10),
    b=st.floats(0, 1),
)
def test_document_weights_saturate(
    count: int, length: int, average: float, k1: float, b: float
) -> None:
    """A weight is tf(k1 + 1) / (tf + k1(1 - b + b·dl/avgdl)), above 0 and at most tf(k1 + 1)/tf."""
    weighting = Weighting(k1=k1, b=b)
    [weight] = weighting.document_weights(np.array([float(count)]), np.array([length]), average)
    norm = k1 * (1 - b + b * length / average)
    assert weight == pytest.approx(count * (k1 + 1) / (count + norm))
    assert 0 < weight <= (k1 + 1) * (1 + 1e-12)


@pytest.mark.parametrize(
    "arguments",
    [
        {"k1": -0.1},
        {"k1": math.nan},
        {"k1": "1.5"},
        {"b": 1.1},
        {"b": -0.1},
        {"b": None},
        {"epsilon": math.inf},
        {"idf": "bm25+"},
    ],
)
def test_parameters_out_of_range_are_refused(arguments: dict[str, Any]) -> None:
    """An impossible parameter is refused by name and value."""
    [(name, value)] = arguments.items()
    with pytest.raises(InvalidInputError, match=name) as refusal:
        Weighting(**arguments)
    assert repr(value) in str(refusal.value)
