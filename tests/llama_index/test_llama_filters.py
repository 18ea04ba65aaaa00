"""LlamaIndex's filters reach the store with LlamaIndex's meaning, every operator and condition."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from hybridge import Record
from hybridge.errors import FilterError
from hybridge.filters import match, path_name
from llama_index_hybridge import MilvusVectorStore
from llama_index_hybridge.filters import make_filter
from support.examples import examples
from support.hostile import HOSTILE
from support.llama_embedding import embed

ROWS = {
    "plain": {"key": "a", "year": 5},
    "longer": {"key": "ab", "year": 6},
    "list": {"key": ["a", "b"], "year": 7},
    "none": {"key": None},
    "missing": {"year": 5},
    "empty": {"key": ""},
    "upper": {"key": "A"},
}
LIST_OPERATORS = {FilterOperator.IN, FilterOperator.NIN, FilterOperator.ANY, FilterOperator.ALL}


def value_for(operator: FilterOperator) -> str | list[str] | None:
    """A value that the operator takes."""
    if operator is FilterOperator.IS_EMPTY:
        return None
    return ["a", "b"] if operator in LIST_OPERATORS else "a"


def holds(filters: MetadataFilters | MetadataFilter, metadata: dict[str, object]) -> bool:
    """What LlamaIndex itself says, with groups in groups; where it raises, nothing holds."""
    if isinstance(filters, MetadataFilter):
        try:
            single = MetadataFilters(filters=[filters])
            return build_metadata_filter_fn(lambda _: metadata, single)("id")
        except TypeError:
            return False
    members = [holds(member, metadata) for member in filters.filters]
    if filters.condition is FilterCondition.OR:
        return any(members)
    return not any(members) if filters.condition is FilterCondition.NOT else all(members)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusVectorStore]:
    """A vector store with a node for each kind of value."""
    path = tmp_path_factory.mktemp("filters") / "milvus.db"
    with MilvusVectorStore(uri=path, metadata_schema={"year": int}) as vector_store:
        vector_store.add(
            [
                TextNode(id_=name, text=f"word {name}", metadata=row, embedding=embed(name))
                for name, row in ROWS.items()
            ]
        )
        yield vector_store


@pytest.mark.parametrize("condition", [*FilterCondition, None])
@pytest.mark.parametrize("operator", FilterOperator)
def test_every_operator_under_every_condition(
    rows: MilvusVectorStore, operator: FilterOperator, condition: FilterCondition | None
) -> None:
    """`get_nodes` selects just the rows for which LlamaIndex's own filter function holds."""
    single = MetadataFilter(key="key", operator=operator, value=value_for(operator))
    recent = MetadataFilter(key="year", operator=FilterOperator.GT, value=5)
    for members in ([single], [single, recent]):
        filters = MetadataFilters(filters=members, condition=condition)
        expected = {name for name, row in ROWS.items() if holds(filters, row)}
        assert {node.node_id for node in rows.get_nodes(filters=filters)} == expected


@pytest.mark.parametrize("mode", ["default", "sparse", "hybrid", "mmr"])
def test_every_mode_filters(rows: MilvusVectorStore, mode: str) -> None:
    """A query returns every node that matches and none that does not."""
    filters = MetadataFilters(
        filters=[
            MetadataFilter(key="key", operator=FilterOperator.CONTAINS, value="a"),
            MetadataFilters(
                filters=[MetadataFilter(key="year", value=6)], condition=FilterCondition.NOT
            ),
        ]
    )
    query = VectorStoreQuery(
        query_str="word",
        query_embedding=None if mode == "sparse" else embed("word"),
        similarity_top_k=10,
        mode=VectorStoreQueryMode(mode),
        filters=filters,
    )
    assert set(rows.query(query).ids or ()) == {"plain", "list"}


leaves = st.builds(
    MetadataFilter,
    key=st.sampled_from(["key", "year", "other"]),
    operator=st.sampled_from(
        [FilterOperator.EQ, FilterOperator.NE, FilterOperator.CONTAINS, FilterOperator.IS_EMPTY]
    ),
    value=st.sampled_from(["a", "A", ""]),
)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        MetadataFilters,
        filters=st.lists(inner, min_size=1, max_size=3),
        condition=st.sampled_from(FilterCondition),
    ),
    max_leaves=8,
)


@given(st.builds(MetadataFilters, filters=st.lists(trees, min_size=1, max_size=3)))
@settings(max_examples=examples(100), deadline=None)
def test_groups_in_groups(filters: MetadataFilters) -> None:
    """Any nesting of and, or, not means what its words say."""
    tree = make_filter(filters)
    for name, row in ROWS.items():
        assert match(tree, Record(id=name, metadata=row)) is holds(filters, row)


def test_not_of_one_and_of_two(rows: MilvusVectorStore) -> None:
    """NOT negates a single filter, and of several it selects what matches none."""
    members = [MetadataFilter(key="year", value=5), MetadataFilter(key="year", value=6)]
    for count, excluded in ((1, {"plain", "missing"}), (2, {"plain", "missing", "longer"})):
        filters = MetadataFilters(filters=members[:count], condition=FilterCondition.NOT)
        found = {node.node_id for node in rows.get_nodes(filters=filters)}
        assert found == set(ROWS) - excluded


def test_equal_to_none_drops_nothing(rows: MilvusVectorStore) -> None:
    """`EQ None` selects no row, as in SimpleVectorStore; it is not dropped."""
    filters = MetadataFilters(filters=[MetadataFilter(key="key", value=None)])
    assert rows.get_nodes(filters=filters) == []
    filters = MetadataFilters(
        filters=[MetadataFilter(key="key", value=None, operator=FilterOperator.NE)]
    )
    assert len(rows.get_nodes(filters=filters)) == len(ROWS)


def test_a_value_that_does_not_suit(rows: MilvusVectorStore) -> None:
    """IN with a string that is no list is an error, not a search in the string."""
    filters = MetadataFilters(
        filters=[MetadataFilter(key="key", value="abc", operator=FilterOperator.IN)]
    )
    with pytest.raises(FilterError):
        rows.get_nodes(filters=filters)


def hostile_node(text: str) -> TextNode:
    """A node whose id, source document, metadata key and value are all `text`."""
    source = RelatedNodeInfo(node_id=text)
    return TextNode(
        id_=text,
        text="word",
        metadata={text: text},
        relationships={NodeRelationship.SOURCE: source},
    )


def test_hostile_strings_are_only_strings(vector_store: MilvusVectorStore) -> None:
    """Ids, keys and values that look like expressions select and delete their row and no other."""
    vector_store.add([hostile_node(text) for text in HOSTILE])
    left = set(HOSTILE)
    for text in HOSTILE[::7]:
        key = path_name([text]) if text.startswith("$") else text
        filters = MetadataFilters(filters=[MetadataFilter(key=key, value=text)])
        for only in ({"filters": filters}, {"node_ids": [text]}, {"doc_ids": [text]}):
            query = VectorStoreQuery(
                query_str="word", similarity_top_k=5, mode=VectorStoreQueryMode.SPARSE, **only
            )
            assert vector_store.query(query).ids == [text]
        vector_store.delete(text)
        left.remove(text)
    assert {node.node_id for node in vector_store.get_nodes()} == left
