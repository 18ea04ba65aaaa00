"""What an index is measured by: every row compared with every query."""

from __future__ import annotations

import numpy as np
import pytest

from hybridge.store import DenseField, Metric
from hybridge.tools.exact import Nearest, scores


@pytest.mark.parametrize("metric", ["COSINE", "IP", "L2"])
def test_scores_are_those_of_the_field(metric: Metric) -> None:
    """The same figures as a search by that metric gives."""
    rng = np.random.default_rng(1)
    queries, rows = rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
    field = DenseField(metric=metric)
    expected = [[field.score(query, row) for row in rows] for query in queries]
    np.testing.assert_allclose(scores(queries, rows, metric), expected, atol=1e-9)


def test_pages_add_up() -> None:
    """What is nearest of all is nearest of what is left of each page."""
    rng = np.random.default_rng(2)
    queries, rows = rng.normal(size=(5, 4)), rng.normal(size=(60, 4))
    nearest = Nearest(queries, "IP", 3)
    for start in range(0, 60, 7):
        nearest.show(rows[start : start + 7])
    found = [rows[np.argsort(-(rows @ query))[:3]] for query in queries]
    assert nearest.count(found) == nearest.wanted == 15
    assert nearest.count([some[:2] for some in found]) == 10


def test_a_row_that_is_as_near_is_as_good() -> None:
    """Of two equal rows either may be found; a farther one is none of them."""
    nearest = Nearest([[1.0, 0.0]], "COSINE", 1)
    nearest.show([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    assert nearest.count([[[3.0, 0.0]]]) == 1
    assert nearest.count([[[0.0, 1.0]]]) == 0
    assert nearest.count([[]]) == 0
