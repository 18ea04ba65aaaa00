"""What the fusions promise: the definition, its edge cases, and what no ranking may change."""

from __future__ import annotations

import math
import pickle
from typing import Any

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
    st.sampled_from(["dense", "sparse", "title", "terms"]),
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
    fusion: Fusion, found: dict[str, list[tuple[str, float]]]
) -> None:
    """No row is lost, invented or doubled, and scores descend and are finite."""
    fused = fusion.fuse(found)
    assert sorted(row for row, _ in fused) == sorted({r for one in found.values() for r, _ in one})
    values = [score for _, score in fused]
    assert values == sorted(values, reverse=True)
    assert all(math.isfinite(value) for value in values)


@given(rankings)
def test_weighted_fusions_lie_in_0_1(found: dict[str, list[tuple[str, float]]]) -> None:
    """Min-max mixtures are relevances as they stand."""
    for fusion in (ConfidenceWeighted(), Weighted(dense=0.3)):
        assert all(-1e-9 <= score <= 1 + 1e-9 for _, score in fusion.fuse(found))


def _ranked(prefix: str, *values: float) -> list[tuple[str, float]]:
    return [(f"{prefix}{place}", value) for place, value in enumerate(values)]


def _weights(found: dict[str, list[tuple[str, float]]]) -> dict[str, float]:
    """What the fusion gives to each ranking's best row, which no other ranking has."""
    fused = dict(ConfidenceWeighted().fuse(found))
    return {name: fused[ranking[0][0]] for name, ranking in found.items()}


INFORMATIVE = (90.0, 8.0, 1.5, 1.0, 0.5)
LESS_INFORMATIVE = (5.0, 4.0, 2.0, 1.0, 0.0)


@pytest.mark.parametrize("n", [1, 2])
def test_a_ranking_whose_scores_do_not_differ_is_left_out(n: int) -> None:
    """It tells its rows apart by nothing; they still come out, last."""
    found = {"flat": _ranked("f", *[3.0] * 9), "a": _ranked("a", *INFORMATIVE)}
    if n > 1:
        found["b"] = _ranked("b", *LESS_INFORMATIVE)
    weights = _weights(found)
    assert weights["flat"] == 0
    assert sum(weights.values()) == pytest.approx(1)
    del found["flat"]
    assert _weights(found) == {name: weights[name] for name in found}


def test_flat_rankings_alone_are_even() -> None:
    """Where nothing tells anything apart, rows found by more fields come first."""
    fused = ConfidenceWeighted().fuse({"a": _ranked("", 1, 1, 1, 1), "b": _ranked("", 2, 2, 2, 2)})
    assert fused == [(str(place), pytest.approx(1)) for place in range(4)]


def test_a_ranking_too_short_to_tell_weighs_an_equal_share() -> None:
    """A rare word's few rows get 1/n, and the others keep their proportions in the rest."""
    found = {"a": _ranked("a", *INFORMATIVE), "b": _ranked("b", *LESS_INFORMATIVE)}
    before = _weights(found)
    after = _weights({"rare": _ranked("r", 7.0, 6.0, 5.0), **found})
    assert after["rare"] == pytest.approx(1 / 3)
    assert after["a"] / after["b"] == pytest.approx(before["a"] / before["b"])
    assert sum(after.values()) == pytest.approx(1)


def test_a_ranking_with_an_even_lower_half_is_no_flat_one() -> None:
    """BM25 often ends in ties; what stands above them is evidence."""
    weights = _weights({"ties": _ranked("t", 9, 8, 1, 1, 1), "a": _ranked("a", *INFORMATIVE)})
    assert weights == {"ties": pytest.approx(0.5), "a": pytest.approx(0.5)}


def test_of_three_the_one_that_no_other_agrees_with_weighs_less() -> None:
    """Random scores may stand far above their tail, but other fields do not find those rows."""
    found = {
        "dense": _ranked("", *INFORMATIVE),
        "sparse": _ranked("", *LESS_INFORMATIVE),
        "noise": _ranked("n", *INFORMATIVE),
    }
    fused = dict(ConfidenceWeighted().fuse(found))
    assert fused["n0"] == 0
    assert fused["0"] == pytest.approx(1)


def test_three_that_have_nothing_in_common_weigh_by_confidence() -> None:
    """Without any agreement the confidences are all there is."""
    found = {name: _ranked(name, *INFORMATIVE) for name in "abc"}
    assert _weights(found) == {name: pytest.approx(1 / 3) for name in "abc"}


@given(scores, st.floats(0.01, 100), st.floats(-100, 100))
def test_confidence_ignores_scale_and_offset(
    values: list[float], scale: float, offset: float
) -> None:
    """A ranking is not more confident because its scores are larger."""
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
    """One outlier does not silence the other ranking altogether."""
    assert confidence([1e3, 3.0, 2.0, 1.0]) == 30


def test_a_confident_ranking_outweighs_a_flat_one() -> None:
    """The weights are the confidences, normalised."""
    dense = [("flat", 1.0), ("b", 0.99), ("c", 0.2), ("d", 0.1), ("e", 0.0)]
    sparse = [("sharp", 90.0), ("v", 1.5), ("w", 1.2), ("x", 1.1), ("y", 1.0)]
    confidences = [confidence([score for _, score in ranking]) for ranking in (dense, sparse)]
    assert confidences[0] is not None
    assert confidences[1] is not None
    fused = dict(ConfidenceWeighted().fuse({"dense": dense, "sparse": sparse}))
    assert fused["sharp"] == pytest.approx(confidences[1] / sum(confidences))  # type: ignore[arg-type]
    assert fused["flat"] == pytest.approx(confidences[0] / sum(confidences))  # type: ignore[arg-type]


def test_weights_of_two_are_equal_if_one_is_too_short_to_tell() -> None:
    """One undefined confidence makes the mixture even."""
    sparse = [("a", 90.0), ("b", 1.5), ("c", 1.2), ("d", 1.1)]
    fused = dict(ConfidenceWeighted().fuse({"dense": [("x", 0.9)], "sparse": sparse}))
    assert fused["x"] == pytest.approx(0.5)
    assert fused["a"] == pytest.approx(0.5)


def test_an_empty_ranking_is_left_out() -> None:
    """With one ranking the fusion is its min-max."""
    fused = ConfidenceWeighted().fuse({"dense": [("a", 0.9), ("b", 0.1)], "sparse": []})
    assert fused == [("a", pytest.approx(1.0)), ("b", pytest.approx(0.0))]


def test_ties_go_to_more_fields_then_higher_dense_score_then_id() -> None:
    """Equal fused scores have one order, whatever the engine's."""
    found = {
        "dense": [("z", 0.9), ("both", 0.5), ("y", 0.5), ("x", 0.5)],
        "sparse": [("w", 9.0), ("both", 1.0)],
    }
    order = [row for row, _ in Weighted(dense=0.5).fuse(found)]
    assert order == ["z", "w", "both", "x", "y"]


def test_reciprocal_rank_is_the_published_formula() -> None:
    """1 / (k + rank), summed over rankings."""
    fused = ReciprocalRank(k=60).fuse({"dense": [("a", 1), ("b", 0)], "sparse": [("b", 5)]})
    assert fused == [("b", pytest.approx(1 / 62 + 1 / 61)), ("a", pytest.approx(1 / 61))]


def test_weighted_with_one_side_only_ranks_by_it() -> None:
    """Weighted(dense=0) is the sparse order."""
    found = {"dense": [("a", 1.0), ("b", 0.5)], "sparse": [("b", 3.0), ("a", 1.0)]}
    assert [row for row, _ in Weighted(dense=0).fuse(found)] == ["b", "a"]
    assert [row for row, _ in Weighted(dense=1).fuse(found)] == ["a", "b"]


def test_one_weight_is_that_of_dense_and_the_others_share_the_rest() -> None:
    """`Weighted(.5)` and `Weighted(dense=.5)` are the same, for any number of fields."""
    found = {name: [(name, 2.0), ("last", 1.0)] for name in ("dense", "sparse", "title")}
    fused = dict(Weighted(0.4).fuse(found))
    assert fused["dense"] == pytest.approx(0.4)
    assert fused["sparse"] == fused["title"] == pytest.approx(0.3)
    assert Weighted(0.4) == Weighted(dense=0.4) != Weighted()
    del found["dense"]
    assert dict(Weighted(0.4).fuse(found))["title"] == pytest.approx(0.5)


def test_weights_by_field_are_normalised_over_what_is_searched() -> None:
    """Any unit will do, and weights of fields that are not searched do not matter."""
    fusion = Weighted({"title": 3, "dense": 6, "other": 5})
    fused = dict(fusion.fuse({"title": [("t", 1.0)], "dense": [("d", 0.5)]}))
    assert fused == {"d": pytest.approx(2 / 3), "t": pytest.approx(1 / 3)}
    assert fusion == Weighted({"other": 5, "dense": 6, "title": 3})
    assert len({fusion, Weighted({"other": 5, "dense": 6, "title": 3}), Weighted(0.5)}) == 2
    assert pickle.loads(pickle.dumps(fusion)) == fusion
    assert repr(Weighted({"a": 1})) == "Weighted({'a': 1.0})"
    assert repr(Weighted(0.25)) == "Weighted(dense=0.25)"


def test_a_searched_field_without_a_weight_is_refused_by_name() -> None:
    """Before the search already, by rankings that are still empty."""
    with pytest.raises(InvalidInputError, match="no weight for 'title'"):
        Weighted({"dense": 1}).fuse({"dense": (), "title": ()})
    with pytest.raises(InvalidInputError, match="no weight above 0"):
        Weighted({"dense": 1, "title": 0}).fuse({"title": ()})
    assert Weighted({"dense": 1}).fuse({"dense": ()}) == []


@pytest.mark.parametrize(
    "weights",
    [{}, {"a": 0.0}, {"a": -1, "b": 2}, {"a": math.nan}, {"a": math.inf}, {"a": "1"}, {"a": True},
     {1: 1.0}, -0.1, 1.1, math.nan, "0.5", None, [0.5]],
)  # fmt: skip
def test_impossible_weights_are_refused(weights: object) -> None:
    """Negative ones, those that are not finite or no numbers, and nothing but zeros."""
    with pytest.raises(InvalidInputError, match="Weighted"):
        Weighted(weights)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda: Weighted(dense=1.5), lambda: ReciprocalRank(k=-1)])
def test_impossible_settings_are_refused(make: object) -> None:
    """A weight outside [0, 1] or a negative k is an error."""
    with pytest.raises(InvalidInputError):
        make()  # type: ignore[operator]


# --- trust ---------------------------------------------------------------------------------------


def test_a_field_that_is_not_trusted_is_left_out() -> None:
    """What is left is the other ranking; its own rows come last. Alone it is all there is."""
    good = [(f"g{n}", 9.0 - n) for n in range(6)]
    noise = [(f"n{n}", 99.0 if n == 0 else 1.0 - n / 100) for n in range(30)]
    fused = ConfidenceWeighted(trust={"noise": 0}).fuse({"good": good, "noise": noise})
    assert [row for row, _ in fused[:5]] == [row for row, _ in good[:5]]
    assert dict(fused)["n0"] == 0
    for short in (good[:2], []):  # one too short to tell is trusted all the same
        fused = ConfidenceWeighted(trust={"noise": 0}).fuse({"good": short, "noise": noise})
        assert fused[0][0] == ("g0" if short else "n0")


def test_trust_multiplies_a_confidence() -> None:
    """Of 1 it changes nothing; less of it is less weight; scores stay in [0, 1]."""
    first = [(f"a{n}", 9.0 - n * n / 9) for n in range(8)]
    second = [(f"b{n}", 9.0 - n * n / 9) for n in range(8)]
    rankings = {"first": first, "second": second}
    plain = ConfidenceWeighted().fuse(rankings)
    assert ConfidenceWeighted(trust={"first": 1, "other": 0}).fuse(rankings) == plain
    less = dict(ConfidenceWeighted(trust={"first": 0.5}).fuse(rankings))
    assert less["a0"] == pytest.approx(1 / 3)
    assert less["b0"] == pytest.approx(2 / 3)
    short = dict(ConfidenceWeighted(trust={"first": 0.5}).fuse({**rankings, "first": first[:2]}))
    assert short["a0"] == pytest.approx(1 / 4)
    assert short["b0"] == pytest.approx(3 / 4)


@pytest.mark.parametrize("trust", [{"dense": 2}, {"dense": "1"}, 0.5, ["dense"]])
def test_an_impossible_trust_is_refused(trust: Any) -> None:
    """It maps fields to numbers from 0 to 1."""
    with pytest.raises(InvalidInputError, match="trust"):
        ConfidenceWeighted(trust=trust)
