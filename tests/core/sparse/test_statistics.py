"""Statistics as a value."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.sparse.statistics import Statistics


def _of(documents: list[set[int]]) -> Statistics:
    """Count documents that are given as the sets of their terms, each term once."""
    statistics = Statistics()
    for terms in documents:
        statistics.add(Statistics(1, len(terms), dict.fromkeys(terms, 1)))
    return statistics


corpora = st.lists(st.sets(st.integers(0, 6)), max_size=6)
statistics_of_corpora = corpora.map(_of)


@given(statistics_of_corpora, statistics_of_corpora)
def test_merge_is_commutative(a: Statistics, b: Statistics) -> None:
    """The order of two corpora does not matter."""
    assert a.merge(b) == b.merge(a)


@given(statistics_of_corpora, statistics_of_corpora, statistics_of_corpora)
def test_merge_is_associative(a: Statistics, b: Statistics, c: Statistics) -> None:
    """How three corpora are grouped does not matter."""
    assert a.merge(b).merge(c) == a.merge(b.merge(c))


@given(corpora, corpora)
def test_merge_counts_both_corpora(a: list[set[int]], b: list[set[int]]) -> None:
    """The merged counts are those of one corpus after the other, and neither side changes."""
    ours, theirs = _of(a), _of(b)
    assert ours.merge(theirs) == _of(a + b)
    assert (ours, theirs) == (_of(a), _of(b))


@given(corpora, corpora)
def test_remove_undoes_add(a: list[set[int]], b: list[set[int]]) -> None:
    """What was added and removed again leaves no trace, terms that no document holds included."""
    statistics = _of(a)
    statistics.add(_of(b))
    statistics.remove(_of(b))
    assert statistics == _of(a)
    assert all(statistics.frequencies.values())


@given(statistics_of_corpora, statistics_of_corpora)
def test_removing_what_was_never_counted_fails_and_changes_nothing(
    a: Statistics, b: Statistics
) -> None:
    """A removal that would leave a negative count is an error, before anything is changed."""
    before = copy.deepcopy(a)
    impossible = (
        b.documents > a.documents
        or b.tokens > a.tokens
        or any(count > a.frequencies.get(term, 0) for term, count in b.frequencies.items())
    )
    if impossible:
        with pytest.raises(InvalidInputError, match="cannot remove"):
            a.remove(b)
        assert a == before
    else:
        a.remove(b)
        a.add(b)
        assert a == before


def test_statistics_can_be_added_to_themselves() -> None:
    """Adding and removing an object to and from itself counts it twice and not at all."""
    statistics = _of([{1, 2}, {2}])
    statistics.add(statistics)
    assert statistics == _of([{1, 2}, {2}] * 2)
    statistics.remove(statistics)
    assert statistics == Statistics()


def test_average_length_of_nothing_is_zero() -> None:
    """The mean is that of all documents, those without a term included; 0 for none."""
    assert Statistics().average_length == 0.0
    assert _of([{1, 2, 3}, set()]).average_length == 1.5


def test_a_derived_value_is_kept_until_the_counts_change() -> None:
    """`derive` computes once, and again after add and after remove."""
    calls = []

    def documents(statistics: Statistics) -> float:
        calls.append(statistics.documents)
        return float(statistics.documents)

    statistics = _of([{1}])
    assert statistics.derive(documents) == statistics.derive(documents) == 1
    statistics.add(_of([{2}]))
    assert statistics.derive(documents) == 2
    statistics.remove(_of([{2}]))
    assert statistics.derive(documents) == 1
    assert calls == [1, 2, 1]
