"""A file says what searches do that say nothing, in core and in both frameworks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from hybridge import (
    ConfidenceWeighted,
    MilvusStore,
    ReciprocalRank,
    Record,
    SearchConfig,
    Weighted,
)
from hybridge.errors import InvalidInputError, StoreClosedError
from langchain_hybridge import MilvusVectorStore as LangChainStore
from llama_index_hybridge import MilvusVectorStore as LlamaIndexStore
from support.peers import ToyFunction

MakeStore = Callable[..., MilvusStore]

RECORDS = [
    Record(id="kite", text="a red kite above the hill"),
    Record(id="boat", text="a blue boat on the sea"),
    Record(id="tree", text="a green tree"),
]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A file by which BM25 alone is searched, and weak hits are left out."""
    path = tmp_path / "search.json"
    SearchConfig(search_fields=("sparse",), min_relevance=0.2).write(path, {"questions": 9})
    return str(path)


@pytest.mark.parametrize(
    "fusion",
    [
        None,
        ConfidenceWeighted(trust={"dense": 0.5}),
        ReciprocalRank(7),
        Weighted({"dense": 2, "sparse": 1}),
        Weighted(0.3),
        "milvus-rrf",
    ],
)
def test_what_is_written_is_read(fusion: Any, tmp_path: Path) -> None:
    """Every setting, and every fusion of Hybridge; the evidence is for people."""
    given = SearchConfig(("title", "sparse"), fusion, 150, "jina/some", 0.25)
    given.write(tmp_path / "search.json", {"questions": 12})
    assert SearchConfig.read(tmp_path / "search.json") == given


def test_searches_that_say_nothing_do_as_it_says(make_store: MakeStore, config: str) -> None:
    """What a call says goes first; a pickle needs the file no more."""
    make_store(dense=ToyFunction()).add(RECORDS)
    store = make_store(dense=ToyFunction(), config=config)
    [hit] = store.search("red kite")
    assert (hit.id, set(hit.scores)) == ("kite", {"sparse"})
    assert len(store.search("red kite", mode="hybrid", min_relevance=0.0)) == len(RECORDS)
    Path(config).unlink()
    again = pickle.loads(pickle.dumps(make_store(config=store.config)))
    assert [one.id for one in again.search("red kite")] == ["kite"]
    again.close()


def test_the_fusion_and_the_depth_are_those_of_the_file(make_store: MakeStore) -> None:
    """Scores of reciprocal ranks tell which fusion was asked for."""
    store = make_store(dense=ToyFunction(), config=SearchConfig(fusion=ReciprocalRank(0)))
    store.add(RECORDS)
    assert store.search("red kite", k=1)[0].score == 2.0
    assert store.search("red kite", k=1, fusion=ReciprocalRank(1))[0].score == 1.0


def test_a_view_is_configured_otherwise(make_store: MakeStore, config: str) -> None:
    """It shares the store, goes before `search_fields`, and is pickled as it is."""
    store = make_store(dense=ToyFunction(), search_fields=["dense"], config=config)
    store.add(RECORDS)
    plain = store.configured(SearchConfig())
    assert len(plain.search("red kite")) == len(RECORDS)
    assert set(store.search("red kite", min_relevance=0.0)[0].scores) == {"dense"}
    by_words = make_store(search_fields=["dense"]).configured(SearchConfig(("sparse",)))
    with pickle.loads(pickle.dumps(by_words)) as again:
        assert again.search_fields == ("sparse",)
    plain.close()
    with pytest.raises(StoreClosedError):
        store.count()


def test_a_reranker_that_there_is_not_is_refused(make_store: MakeStore) -> None:
    """When the store is made, not at the first search."""
    with pytest.raises(InvalidInputError, match="nobody/nothing"):
        make_store(config=SearchConfig(reranker="nobody/nothing"))


def test_both_frameworks_read_it(make_store: MakeStore, config: str, path: str) -> None:
    """LlamaIndex's default mode is what the file says; its other modes mean what they mean."""
    make_store(dense=ToyFunction()).add(RECORDS)
    langchain = LangChainStore(ToyFunction(), uri=path, config=config)
    assert [one.id for one in langchain.similarity_search("red kite")] == ["kite"]
    llama_index = LlamaIndexStore(ToyFunction(), uri=path, config=config)
    query = VectorStoreQuery(query_str="red kite", similarity_top_k=3)
    assert llama_index.query(query).ids == ["kite"]
    query.mode = VectorStoreQueryMode.HYBRID
    assert len(llama_index.query(query).ids or []) < len(RECORDS)
    langchain.close()
    llama_index.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        "{}",
        '{"hybridge_search": 2}',
        *(
            json.dumps({"hybridge_search": 1, key: value})
            for key, value in {
                "search_fields": "sparse",
                "mode": "sparse",
                "fusion": {"name": "Best"},
                "fetch_k": 0,
                "reranker": 7,
                "min_relevance": 2,
            }.items()
        ),
        '{"hybridge_search": 1, "fusion": {"name": "Weighted", "weight": 1}}',
        '{"hybridge_search": 1, "search_fields": [1]}',
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_the_file(wrong: str, tmp_path: Path) -> None:
    """Before anything is opened."""
    file = tmp_path / "search.json"
    file.write_text(wrong)
    with pytest.raises(InvalidInputError, match=r"search\.json"):
        MilvusStore(tmp_path / "milvus.db", config=file)


@pytest.mark.parametrize("wrong", ["missing.json", 7, {"min_relevance": 0.3}])
def test_what_is_no_file_is_refused(wrong: Any, tmp_path: Path) -> None:
    """A dictionary is no configuration."""
    with pytest.raises(InvalidInputError, match="config"):
        MilvusStore(tmp_path / "milvus.db", config=wrong)


def test_a_fusion_of_ones_own_stays_in_the_program(tmp_path: Path) -> None:
    """A file cannot hold it."""

    class Own:
        def fuse(self, rankings: Any) -> list[tuple[str, float]]:
            return list(next(iter(rankings.values())))

    with pytest.raises(InvalidInputError, match="cannot hold"):
        SearchConfig(fusion=Own()).write(tmp_path / "search.json", {})
