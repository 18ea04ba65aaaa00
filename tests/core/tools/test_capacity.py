"""What a collection costs follows from its size by formulas that the page has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.tools.capacity import plan_capacity

SIZES = st.floats(1, 1e11)


def test_the_published_example_is_met() -> None:
    """A million vectors of 768 numbers: 3.3 GB of HNSW, and one performance-optimized unit."""
    capacity = plan_capacity(1e6, dim=768, queries_per_second=500)
    assert capacity.memory_bytes == 1e6 * (4 * 768 + 8 * 30)
    assert (capacity.unit, capacity.units, capacity.machine_hours) == (
        "performance-optimized",
        1,
        730,
    )


@given(SIZES, st.floats(1.0, 10.0))
def test_more_documents_never_cost_less(documents: float, times: float) -> None:
    """In any of the figures; per document, terms and so their memory grow ever slower."""
    one, more = plan_capacity(documents), plan_capacity(documents * times)
    for name in ("stored_bytes", "memory_bytes", "ingest_hours", "calls", "terms", "units"):
        assert getattr(one, name) <= getattr(more, name)
    assert more.terms / more.documents <= one.terms / one.documents + 1


def test_the_design_changes_with_the_size() -> None:
    """The server's own BM25 for ten billion, shards for a hundred million."""
    small, large, huge = ("\n".join(plan_capacity(n).lines()) for n in (1e6, 1e8, 1e10))
    assert "index:" not in small
    assert "num_shards=2" in large
    assert "the store's own" in large
    assert 'sparse="milvus"' in huge
    assert "several collections" in huge


@pytest.mark.parametrize("name", ["documents", "dim", "queries_per_second", "words"])
def test_a_size_is_a_number_above_0(name: str) -> None:
    """Or it is refused."""
    with pytest.raises(InvalidInputError, match="above 0"):
        plan_capacity(**{"documents": 1, name: -1})
