"""What the fusions promise: the definition, its edge cases, and what no ranking may change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.retrieval.fusion import (
    ConfidenceWeighted,
    Fusion,
    ReciprocalRank,
    Weighted,
    confidence,
)

scores = st.lists(st.floats(-1e3, 1e3), max_size=60).map(lambda values: sorted(values)[::-1])
rankings = st.dictionaries(
    st.sampled_from(["dense", "sparse"]),
    scores.flatmap(
        lambda values: st.permutations([f"r{i}" for i in range(len(values))]).map(
            lambda ids: list(zip(ids, values, strict=True))
        )
    ),
)
fusions = st.sampled_from(
    [ConfidenceWeighted(), ReciprocalRank(), ReciprocalRank(k=0), Weighted(), Weighted(dense=1)]
)


@given(fusions, rankings)
def test_every_row_found_comes_out_once_in_order(
    fusion: Fusion, legs: dict[str, list[tuple[str, float]]]
) -> None:
    """No row is lost, invented or doubled, and scores descend and are finite."""
    fused = fusion.fuse(legs)
    assert sorted(row for row, _ in fused) == sorted({r for leg in legs.values() for r, _ in leg})
    values = [score for _, score in fused]
    assert values == sorted(values, reverse=True)
    assert all(math.isfinite(value) for value in values)


@given(rankings)
def test_weighted_fusions_lie_in_0_1(legs: dict[str, list[tuple[str, float]]]) -> None:
    """Min-max mixtures are relevances as they stand."""
    for fusion in (ConfidenceWeighted(), Weighted(dense=0.3)):
        assert all(-1e-9 <= score <= 1 + 1e-9 for _, score in fusion.fuse(legs))


@given(scores, st.floats(0.01, 100), st.floats(-100, 100))
def test_confidence_ignores_scale_and_offset(
    values: list[float], scale: float, offset: float
) -> None:
    """A leg is not more confident because its scores are larger."""
    first = confidence(values)
    second = confidence([scale * value + offset for value in values])
    spread = np.ptp(values) if values else 0
    if first is not None and second is not None and spread > 1:
        assert second == pytest.approx(first, rel=1e-3, abs=1e-3)


def test_confidence_is_the_height_of_the_best_above_the_tail() -> None:
    """C = (v[0] - mean(tail)) / std(tail), the tail being v[10:] of a long list."""
    values = [9.0] + [5.0] * 9 + [1.0, 3.0] * 20
    assert confidence(values) == pytest.approx((9 - 2) / 1)


def test_confidence_takes_the_second_half_of_a_short_list() -> None:
    """Tail = v[n // 2:] where n <= 20."""
    assert confidence([8.0, 7.0, 3.0, 1.0]) == pytest.approx((8 - 2) / 1)


def test_confidence_sees_only_the_first_100_scores() -> None:
    """A deeper list does not change the weights."""
    values = [9.0] + [5.0] * 9 + [1.0, 3.0] * 45
    assert confidence(values + [-50.0] * 50) == confidence(values)


@pytest.mark.parametrize("values", [[], [1.0, 0.5, 0.2], [1.0] * 30, [5.0, 4.0, 1.0, 1.0]])
def test_confidence_is_undefined_without_a_tail(values: list[float]) -> None:
    """Fewer than 4 scores, or a tail without spread, say nothing."""
    assert confidence(values) is None


def test_confidence_is_capped() -> None:
    """One outlier does not silence the other leg altogether."""
    assert confidence([1e3, 3.0, 2.0, 1.0]) == 30


def test_a_confident_leg_outweighs_a_flat_one() -> None:
    """The weights are the confidences, normalised."""
    dense = [("flat", 1.0), ("b", 0.99), ("c", 0.2), ("d", 0.1), ("e", 0.0)]
    sparse = [("sharp", 90.0), ("v", 1.5), ("w", 1.2), ("x", 1.1), ("y", 1.0)]
    confidences = [confidence([score for _, score in leg]) for leg in (dense, sparse)]
    assert confidences[0] is not None
    assert confidences[1] is not None
    fused = dict(ConfidenceWeighted().fuse({"dense": dense, "sparse": sparse}))
    assert fused["sharp"] == pytest.approx(confidences[1] / sum(confidences))  # type: ignore[arg-type]
    assert fused["flat"] == pytest.approx(confidences[0] / sum(confidences))  # type: ignore[arg-type]


def test_weights_are_equal_if_any_leg_has_no_confidence() -> None:
    """One undefined confidence makes the mixture even."""
    sparse = [("a", 90.0), ("b", 1.5), ("c", 1.2), ("d", 1.1)]
    fused = dict(ConfidenceWeighted().fuse({"dense": [("x", 0.9)], "sparse": sparse}))
    assert fused["x"] == pytest.approx(0.5)
    assert fused["a"] == pytest.approx(0.5)


def test_an_empty_leg_is_left_out() -> None:
    """With one leg the fusion is that leg's min-max."""
    fused = ConfidenceWeighted().fuse({"dense": [("a", 0.9), ("b", 0.1)], "sparse": []})
    assert fused == [("a", pytest.approx(1.0)), ("b", pytest.approx(0.0))]


def test_ties_go_to_more_legs_then_higher_dense_score_then_id() -> None:
    """Equal fused scores have one order, whatever the engine's."""
    legs = {
        "dense": [("z", 0.9), ("both", 0.5), ("y", 0.5), ("x", 0.5)],
        "sparse": [("w", 9.0), ("both", 1.0)],
    }
    order = [row for row, _ in Weighted(dense=0.5).fuse(legs)]
    assert order == ["z", "w", "both", "x", "y"]


def test_reciprocal_rank_is_the_published_formula() -> None:
    """1 / (k + rank), summed over legs."""
    fused = ReciprocalRank(k=60).fuse({"dense": [("a", 1), ("b", 0)], "sparse": [("b", 5)]})
    assert fused == [("b", pytest.approx(1 / 62 + 1 / 61)), ("a", pytest.approx(1 / 61))]


def test_weighted_with_one_side_only_ranks_by_it() -> None:
    """Weighted(dense=0) is the sparse order."""
    legs = {"dense": [("a", 1.0), ("b", 0.5)], "sparse": [("b", 3.0), ("a", 1.0)]}
    assert [row for row, _ in Weighted(dense=0).fuse(legs)] == ["b", "a"]
    assert [row for row, _ in Weighted(dense=1).fuse(legs)] == ["a", "b"]


@pytest.mark.parametrize("make", [lambda: Weighted(dense=1.5), lambda: ReciprocalRank(k=-1)])
def test_impossible_settings_are_refused(make: object) -> None:
    """A weight outside [0, 1] or a negative k is an error."""
    with pytest.raises(InvalidInputError):
        make()  # type: ignore[operator]
