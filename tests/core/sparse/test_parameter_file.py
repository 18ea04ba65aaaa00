"""Saving and loading a fitted BM25."""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.parameter_file import Parameters, recover_statistics
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.weighting import Idf, Weighting

CORPUS = ["The river flows past the bank.", "A bank lends money.", "", "rivers and rivers"]
TEXTS = ["river bank", "money lends", "", "unknown rivers"]


def _like_pymilvus_model(path: Path) -> None:
    """Take from a file of ours what `pymilvus.model` does not write."""
    content = json.loads(path.read_text("utf-8"))
    del content["hybridge"]
    path.write_text(json.dumps(content), "utf-8")


def _assert_equal(a: BM25EmbeddingFunction, b: BM25EmbeddingFunction) -> None:
    assert (a.dim, a.weighting) == (b.dim, b.weighting)
    for x, y in (
        (a.encode_documents(TEXTS), b.encode_documents(TEXTS)),
        (a.encode_queries(TEXTS), b.encode_queries(TEXTS)),
    ):
        np.testing.assert_array_equal(x.toarray(), y.toarray())


@pytest.mark.parametrize("idf", ["lucene", "okapi"])
def test_a_loaded_function_encodes_and_grows_like_the_saved_one(idf: Idf, tmp_path: Path) -> None:
    """A file holds everything but the analyzer: vectors, weighting, and the counts to go on."""
    saved = BM25EmbeddingFunction("en", CORPUS, 1.2, 0.5, 0.1, idf=idf)
    saved.partial_fit(["long river " * 20])
    saved.save(tmp_path / "bm25.json")
    loaded = BM25EmbeddingFunction("en")
    loaded.load(str(tmp_path / "bm25.json"))
    _assert_equal(loaded, saved)
    for function in (saved, loaded):
        function.partial_fit(["new money"])
    _assert_equal(loaded, saved)


def test_a_file_has_the_keys_of_pymilvus_model(tmp_path: Path) -> None:
    """The keys that `pymilvus.model` reads are there with its meanings, Lucene's idf included."""
    BM25EmbeddingFunction("en", CORPUS).save(tmp_path / "bm25.json")
    content = json.loads((tmp_path / "bm25.json").read_text("utf-8"))
    assert content["version"] == "v1"
    assert (content["corpus_size"], content["avgdl"]) == (4, 9 / 4)
    assert content["idf_word"] == ["river", "flow", "past", "bank", "lend", "money"]
    assert content["idf_value"] == pytest.approx(
        np.log(1 + (4 - np.array([2, 1, 1, 2, 1, 1]) + 0.5) / (np.array([2, 1, 1, 2, 1, 1]) + 0.5))
    )
    assert (content["k1"], content["b"], content["epsilon"]) == (1.5, 0.75, 0.25)


def test_another_analyzer_is_refused_by_both_names(tmp_path: Path) -> None:
    """Terms of one analyzer are never looked up with another's; what was fitted stays."""
    english = BM25EmbeddingFunction("en", CORPUS)
    english.save(tmp_path / "bm25.json")
    russian = BM25EmbeddingFunction("ru", ["Река"])
    with pytest.raises(InvalidInputError, match="was made with the analyzer") as refusal:
        russian.load(tmp_path / "bm25.json")
    for function in (english, russian):
        assert function.analyzer.identity in str(refusal.value)
    assert russian.dim == 1


def test_a_file_of_another_version_of_the_analyzer_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With a warning that names both: an upgrade locks no file."""
    path, function = tmp_path / "bm25.json", BM25EmbeddingFunction("en", CORPUS)
    function.save(path)
    old = "words 1, stop words English closed classes 1, Snowball english (PyStemmer 2.2.0.3)"
    path.write_text(path.read_text("utf-8").replace(function.analyzer.identity, old), "utf-8")
    loaded = BM25EmbeddingFunction("en")
    loaded.load(path)
    assert old in caplog.text
    assert "fit anew" in caplog.text
    vectors = (one.encode_queries(["a river bank"]) for one in (function, loaded))
    assert next(vectors).toarray().tolist() == next(vectors).toarray().tolist()


def test_counts_are_recovered_where_no_idf_was_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file without counts grows like the original, if its idf tell them."""
    saved = BM25EmbeddingFunction("en", ["river bank", "flow", "lend money", "sea"], idf="okapi")
    saved.save(tmp_path / "bm25.json")
    _like_pymilvus_model(tmp_path / "bm25.json")
    loaded = BM25EmbeddingFunction("en")
    with caplog.at_level(logging.WARNING, "hybridge"):
        loaded.load(tmp_path / "bm25.json")
    assert "does not name its analyzer" in caplog.text
    for function in (saved, loaded):
        function.partial_fit(["new money"])
    _assert_equal(loaded, saved)


def test_counts_that_cannot_be_recovered_are_not_made_up(tmp_path: Path) -> None:
    """Where common terms' idf was replaced, the file encodes and saves, and refuses to grow."""
    saved = BM25EmbeddingFunction("en", ["river bank", "river flow", "river"], idf="okapi")
    saved.save(tmp_path / "bm25.json")
    _like_pymilvus_model(tmp_path / "bm25.json")
    loaded = BM25EmbeddingFunction("en")
    for _ in range(2):
        loaded.load(tmp_path / "bm25.json")
        _assert_equal(loaded, saved)
        with pytest.raises(InvalidInputError, match="fit on the whole corpus"):
            loaded.partial_fit(["new"])
        for merge in (loaded.merge, saved.merge):
            with pytest.raises(InvalidInputError, match="document frequencies"):
                merge(saved if merge == loaded.merge else loaded)
        loaded.save(tmp_path / "bm25.json")
    loaded.fit(CORPUS)
    loaded.partial_fit(["new"])


@given(st.integers(1, 10**6), st.data())
def test_recovered_frequencies_are_exact(documents: int, data: st.DataObject) -> None:
    """Any frequency of up to half of a million documents comes back from its idf."""
    most = max(1, documents // 2)
    frequencies = np.array(data.draw(st.lists(st.integers(1, most), min_size=1, max_size=5)))
    statistics = Statistics(
        documents, int(frequencies.sum()), dict(enumerate(frequencies.tolist()))
    )
    weighting = Weighting(idf="okapi")
    recovered = recover_statistics(
        Parameters(
            documents=documents,
            average_length=statistics.average_length,
            terms=[str(index) for index in range(len(frequencies))],
            idf=weighting.query_weights(frequencies, statistics),
            weighting=weighting,
            analyzer=None,
            statistics=None,
        )
    )
    if documents > 1:  # in a single document every term is too common
        assert recovered == statistics


def _without(key: str) -> Any:
    return lambda content: {name: value for name, value in content.items() if name != key}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: [], "BM25 parameters"),
        (_without("version"), "no 'version'"),
        (_without("idf_word"), "no 'idf_word'"),
        (lambda content: content | {"version": "v2"}, "'v2'"),
        (lambda content: content | {"idf_value": [1.0]}, "one to one"),
        (lambda content: content | {"idf_word": ["river"] * 6}, "one to one"),
        (lambda content: content | {"idf_value": [float("nan")] * 6}, "no float32"),
        (lambda content: _without("hybridge")(content) | {"corpus_size": 0}, "no documents"),
        (lambda content: content | {"k1": -1}, "k1"),
        (
            lambda content: (
                content
                | {
                    "hybridge": content["hybridge"]
                    | {"counts": {"tokens": 9, "frequencies": [9] * 6}}
                }
            ),
            "no corpus has",
        ),
        (
            lambda content: (
                content
                | {"hybridge": content["hybridge"] | {"counts": {"tokens": 9, "frequencies": [1]}}}
            ),
            "one to one",
        ),
    ],
)
def test_a_damaged_file_is_refused(change: Any, reason: str, tmp_path: Path) -> None:
    """A file that cannot be a fitted BM25 is an error that names it and what is wrong."""
    path = tmp_path / "bm25.json"
    BM25EmbeddingFunction("en", CORPUS).save(path)
    path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")))), "utf-8")
    with pytest.raises(InvalidInputError, match=reason) as refusal:
        BM25EmbeddingFunction("en").load(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00"])
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    """What is no JSON is an error that names the file."""
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(InvalidInputError, match="Give a file that `save` wrote"):
        BM25EmbeddingFunction("en").load(tmp_path / "other")


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    """Loading from and saving to nowhere are errors of ours that name the path."""
    nowhere = tmp_path / "missing" / "bm25.json"
    with pytest.raises(InvalidInputError, match=r"cannot read .*missing"):
        BM25EmbeddingFunction("en").load(nowhere)
    with pytest.raises(InvalidInputError, match=r"cannot write .*missing"):
        BM25EmbeddingFunction("en", CORPUS).save(nowhere)


def test_saving_replaces_a_file_at_once(tmp_path: Path) -> None:
    """A file is replaced whole, keeps a link to it, has usual permissions and leaves no draft."""
    target, link = tmp_path / "bm25.json", tmp_path / "link.json"
    BM25EmbeddingFunction("en", ["old"]).save(target)
    link.symlink_to(target)
    with target.open(encoding="utf-8") as reader:
        BM25EmbeddingFunction("en", CORPUS).save(link)
        assert json.load(reader)["idf_word"] == ["old"]
    assert link.is_symlink()
    assert len(json.loads(target.read_text("utf-8"))["idf_word"]) == 6
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bm25.json", "link.json"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    """Where the place cannot be replaced, what is there stays, and no draft is left."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInputError, match="choose another place"):
        BM25EmbeddingFunction("en", CORPUS).save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
