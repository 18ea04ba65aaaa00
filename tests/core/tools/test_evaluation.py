"""Comparing the ways to search on one's own questions: figures, proposals, files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hybridge import MilvusStore, Record, SearchConfig, Weighted
from hybridge.errors import InvalidInputError
from hybridge.tools import write_search_page
from hybridge.tools.evaluation import (
    Evaluation,
    Questions,
    evaluate,
    plot,
    read_beir,
    read_corpus,
    read_questions,
    write_page,
)
from hybridge.tools.evaluation.evaluate import proposed_of
from hybridge.tools.evaluation.measures import interval, measure, p_values
from support.peers import ToyFunction
from support.retrieval_quality import SHARED, load_collection, ndcg, needs_shared, recall

PLACES = ["river", "castle", "bridge", "market", "garden", "tower", "school", "harbour"]
COLOURS = ["red", "blue", "green", "golden"]


def documents() -> dict[str, str]:
    """Texts of words that meet in no two of them."""
    return {
        f"{colour}-{place}": f"the {colour} {place} of number {number} is old"
        for number, (colour, place) in enumerate((c, p) for c in COLOURS for p in PLACES)
    }


def questions() -> Questions:
    """A question for each document."""
    texts = {key: f"where is the {key.replace('-', ' ')}" for key in documents()}
    return Questions(texts, {key: {key: 1} for key in texts})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusStore]:
    """A collection whose BM25 is right and whose model knows nothing."""
    path = tmp_path_factory.mktemp("evaluation") / "milvus.db"
    with MilvusStore(path, dense=ToyFunction()) as store:
        store.add(Record(id=id, text=text) for id, text in documents().items())
        yield store


@pytest.fixture(scope="module")
def evaluation(store: MilvusStore) -> Evaluation:
    """What is found of it."""
    return evaluate(store, questions(), progress=False)


def test_every_way_is_measured(evaluation: Evaluation) -> None:
    """Each field, and the set of both by each fusion; the default is the first."""
    names = [row.setting.name for row in evaluation.rows]
    assert names[0] == "dense + sparse, ConfidenceWeighted"
    assert set(names[1:]) == {
        "dense",
        "sparse",
        "dense + sparse, ReciprocalRank",
        "dense + sparse, Weighted",
    }
    by_name = {row.setting.name: row for row in evaluation.rows}
    assert by_name["sparse"].measures["nDCG@10"].mean == 1.0
    for row in evaluation.rows:
        for one in row.measures.values():
            assert 0 <= one.low <= one.mean <= one.high <= 1
        assert 0 < row.latency.p50 <= row.latency.p95


def test_the_measures_are_those_of_trec_eval() -> None:
    """Rank by rank as the formulas say; a question that found nothing counts as 0."""
    qrels = {"a": {"1": 2, "2": 1, "9": 1}, "b": {"3": 1}, "c": {"4": 1}}
    rankings = {"a": ["7", "2", "1"], "b": ["3"], "c": []}
    values = measure(rankings, qrels, 10)
    for name, expected in {
        "nDCG@10": [ndcg(rankings[key], qrels[key]) for key in rankings],
        "Recall@10": [recall(rankings[key], qrels[key], 10) for key in rankings],
        "MRR@10": [0.5, 1.0, 0.0],
    }.items():
        np.testing.assert_allclose(values[name], expected, atol=1e-9)


def test_a_difference_is_judged_by_its_questions() -> None:
    """The same values differ by nothing; ten better questions of ten are no chance."""
    rng = np.random.default_rng(1)
    reference = rng.random(40)
    noisy, better = rng.permutation(reference), reference + 0.1
    alike, chance, sure = p_values([reference, noisy, better], reference)
    assert alike == 1.0
    assert sure < 0.001 < 0.05 < chance
    inside = interval(reference)
    assert inside.low < reference.mean() < inside.high


def test_another_way_is_proposed_only_if_it_is_surely_better(evaluation: Evaluation) -> None:
    """What is better by chance leaves the default."""
    assert evaluation.proposed == proposed_of(evaluation.rows, "nDCG@10")
    chosen = evaluation.rows[evaluation.proposed]
    if evaluation.proposed:
        assert chosen.p is not None
        assert chosen.p < 0.05
    assert "default" in str(evaluation)


def test_what_the_store_is_told_is_the_default(store: MilvusStore) -> None:
    """Its fields, fusion and depth; its least relevance keeps no row from being measured."""
    asked = dict([*questions().texts.items()][:3])
    told = SearchConfig(("dense", "sparse"), Weighted({"dense": 1, "sparse": 3}), 20, None, 1.0)
    few = Questions(asked, questions().qrels)
    found = evaluate(store.configured(told), few, progress=False)
    names = [row.setting.name for row in found.rows]
    assert names[0] == "dense + sparse, Weighted({'dense': 1.0, 'sparse': 3.0}), fetch_k 20"
    assert len(set(names)) == 6
    assert found.rows[names.index("sparse")].measures["nDCG@10"].mean == 1.0
    assert found.config() == replace(told, min_relevance=None)


def test_without_fusion_the_fields_that_are_named_are_the_default(store: MilvusStore) -> None:
    """It is compared once."""
    found = evaluate(store.configured(SearchConfig(("sparse",))), progress=False)
    assert [row.setting.name for row in found.rows].count("sparse") == 1
    assert found.rows[0].setting.name == "sparse"


@pytest.fixture(scope="module")
def by_words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MilvusStore, Evaluation]]:
    """A collection that is searched by BM25 alone, and what is found of it."""
    with MilvusStore(tmp_path_factory.mktemp("by_words") / "milvus.db") as store:
        store.add(Record(id=id, text=text) for id, text in documents().items())
        yield store, evaluate(store, questions(), progress=False)


def test_the_threshold_is_learned_and_tried_on_other_questions(
    by_words: tuple[MilvusStore, Evaluation],
) -> None:
    """Answers taken away and everyday questions stay below it."""
    threshold = by_words[1].threshold
    assert threshold is not None
    assert threshold.auc_off_topic > 0.99
    assert threshold.auc_removed > 0.9
    assert abs(threshold.held_out - threshold.accuracy) < 0.05
    assert threshold.is_reliable


def test_a_threshold_that_tells_little_is_not_proposed(evaluation: Evaluation) -> None:
    """Beside a model that knows nothing, what is no answer is as relevant as what is one."""
    assert evaluation.threshold is not None
    assert not evaluation.threshold.is_reliable
    assert "too few to rely on" in str(evaluation)
    assert evaluation.config().min_relevance is None


def test_what_is_proposed_opens_a_store(
    by_words: tuple[MilvusStore, Evaluation], tmp_path: Path
) -> None:
    """The file holds the settings, and what they rest on."""
    store, found = by_words
    found.write_config(tmp_path / "search.json")
    assert json.loads((tmp_path / "search.json").read_text())["evidence"]["questions"] == len(
        documents()
    )
    with MilvusStore(store.address.uri, config=tmp_path / "search.json") as opened:
        assert opened.config == found.config()
        assert opened.search("where is the red castle", k=1)[0].id == "red-castle"
        assert opened.search("Can my dog eat grapes?") == []


def test_pictures_and_pages_stand_alone(evaluation: Evaluation, tmp_path: Path) -> None:
    """A PNG; an HTML file that loads nothing."""
    plot(evaluation, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    write_page(evaluation, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "dense + sparse, ReciprocalRank" in page
    assert "<svg" in page
    assert "<script" not in page
    assert "src=" not in page


def test_without_questions_nothing_is_proposed(store: MilvusStore, tmp_path: Path) -> None:
    """Latency and health are told; questions drawn from documents would flatter BM25."""
    found = evaluate(store, progress=False)
    assert found.proposed is None
    assert found.threshold is None
    assert all(row.latency.p50 > 0 and not row.measures for row in found.rows)
    assert "Nothing is proposed" in str(found)
    with pytest.raises(InvalidInputError, match="without questions"):
        found.write_config(tmp_path / "search.json")
    with pytest.raises(InvalidInputError, match="without questions"):
        plot(found, tmp_path / "plot.png")


def test_few_questions_teach_no_threshold(store: MilvusStore) -> None:
    """It is said how many it takes."""
    some = questions()
    few = Questions({"red-castle": some.texts["red-castle"]}, some.qrels)
    found = evaluate(store, few, progress=False)
    assert found.threshold is None
    assert "it takes 20 questions" in str(found)
    assert found.config().min_relevance is None


def test_files_of_questions_are_read(tmp_path: Path) -> None:
    """A CSV with a line for each answer, and BEIR's layout."""
    (tmp_path / "questions.csv").write_text(
        "question,id,grade\nwhere?,a,2\nwhere?,b,1\nwhat?,c,\n", "utf-8"
    )
    read = read_questions(tmp_path / "questions.csv")
    assert read.qrels == {"where?": {"a": 2, "b": 1}, "what?": {"c": 1}}
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("q\td\ts\n1\ta\t1\n1\tb\t0\n2\tb\t0\n")
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "1", "text": "where?"}\n{"_id": "2", "text": "what?"}\n'
    )
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "A", "text": "is here"}\n')
    assert read_beir(tmp_path) == Questions({"1": "where?"}, {"1": {"a": 1}})
    assert list(read_corpus(tmp_path)) == [
        Record(id="a", text="A is here", metadata={"title": "A"})
    ]


def test_cells_and_texts_may_hold_what_looks_like_an_end_of_line(tmp_path: Path) -> None:
    """A quoted cell of two lines; a line separator inside a text of JSON."""
    (tmp_path / "questions.csv").write_text('question,id\n"where is\nit?",a\n', "utf-8")
    assert list(read_questions(tmp_path / "questions.csv").texts) == ["where is\nit?"]
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "text": "one\u2028two"}\n', "utf-8")
    assert [record.text for record in read_corpus(tmp_path)] == ["one\u2028two"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no questions"),
        ("text,id\na,b\n", "line 2"),
        ("question,id\n,b\n", "line 2"),
        ("question,id,grade\na,b,much\n", "line 2"),
        ("question,id,grade\na,b,0\n", "no questions"),
    ],
)
def test_what_is_no_file_of_questions_is_refused(content: str, told: str, tmp_path: Path) -> None:
    """By its line."""
    (tmp_path / "questions.csv").write_text(content)
    with pytest.raises(InvalidInputError, match=told):
        read_questions(tmp_path / "questions.csv")


def test_questions_about_another_collection_are_refused(store: MilvusStore) -> None:
    """All their measures would be 0."""
    other = Questions({"1": "where?"}, {"1": {"no such row": 1}})
    with pytest.raises(InvalidInputError, match="no such row"):
        evaluate(store, other, progress=False)


def test_a_question_in_every_mode_is_one_page(store: MilvusStore, tmp_path: Path) -> None:
    """Scores, relevances and the terms that match; what the texts hold is text."""
    write_search_page(store, "the red <castle>", tmp_path / "search.html", k=3)
    page = (tmp_path / "search.html").read_text("utf-8")
    for told in ("dense + sparse", "red-castle", "relevance", "sparse terms: ", "&lt;castle&gt;"):
        assert told in page
    assert "<castle>" not in page
    assert "src=" not in page


def test_a_collection_that_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    """An empty one, and one whose fields no text can search."""
    with MilvusStore(tmp_path / "milvus.db", sparse=None, dim=2) as store:
        with pytest.raises(InvalidInputError, match="no rows"):
            evaluate(store, questions(), progress=False)
        store.add([Record(id="a", text="a", dense=[1.0, 0.0])])
        with pytest.raises(InvalidInputError, match="searched by a text"):
            evaluate(store, questions(), progress=False)
        with pytest.raises(InvalidInputError, match="read_beir"):
            evaluate(store, {"a": "b"}, progress=False)  # type: ignore[arg-type]


@pytest.mark.long
@needs_shared
def test_cranfield_is_scored_as_by_the_formulas(tmp_path: Path) -> None:
    """BM25's nDCG@10 equals that of this project's own formulas; a half's threshold holds."""
    collection = load_collection("cranfield")
    folder = SHARED / "data" / "cranfield"
    with MilvusStore(tmp_path / "milvus.db") as store:
        store.add(read_corpus(folder))
        found = evaluate(store, read_beir(folder), progress=False)
        queries = list(collection.queries.values())
        answers = store.search_many(queries, k=10, mode="sparse")
        expected = [
            ndcg([hit.id for hit in hits], collection.qrels[query])
            for query, hits in zip(collection.queries, answers, strict=True)
        ]
        [row] = found.rows
        assert row.measures["nDCG@10"].mean == pytest.approx(np.mean(expected), abs=1e-6)
        plot(found, tmp_path / "plot.png")
    assert found.threshold is not None
    assert abs(found.threshold.held_out - found.threshold.accuracy) < 0.03
