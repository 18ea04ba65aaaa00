"""What each origin reads, where no library but those of the tests is needed for it."""

from __future__ import annotations

import json
import pickle
import sys
import types
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import Record
from hybridge.errors import ApiError, InvalidInputError, MissingExtraError
from hybridge.tools import migrate
from hybridge.tools.origins import (
    Columns,
    FromChroma,
    FromFAISS,
    FromInMemory,
    FromJSONL,
    FromLanceDB,
    FromLlamaIndex,
    FromParquet,
    FromPGVector,
    FromQdrant,
    Origin,
)
from hybridge.tools.origins import origin as pages
from support.qdrant_server import KEY, QdrantServer

UNNAMED = {"size": 2, "distance": "Euclid"}
NAMED = {"text": {"size": 2, "distance": "Cosine"}, "title": {"size": 2, "distance": "Dot"}}


def read(origin: Origin) -> list[Record]:
    """All records of an origin, as many as it says."""
    found = list(origin.records())
    assert origin.count() == len(found)
    return found


def dense(record: Record) -> list[float]:
    """The vector of "dense"."""
    return record.vectors["dense"].tolist()


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page, so that a few rows are several."""
    for name, module in list(sys.modules.items()):
        if name.startswith(pages.__package__ or "") and hasattr(module, "PAGE"):
            monkeypatch.setattr(module, "PAGE", 3)


# --- files ---------------------------------------------------------------------------------------


def write(path: Path, *rows: Any) -> str:
    """A file of JSON lines."""
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    return str(path)


def test_lines_of_json(tmp_path: Path) -> None:
    """All keys that hold nothing else are metadata; a number is an id too."""
    path = write(
        tmp_path / "docs.jsonl",
        {"id": 1, "text": "one", "vector": [1, 0], "year": 2020, "tags": ["a"]},
        {"id": 2, "text": None, "vector": [0, 1], "year": None},
    )
    first, second = read(FromJSONL(path))
    assert first == Record(id="1", text="one", metadata={"year": 2020, "tags": ["a"]})
    assert dense(first) == [1.0, 0.0]
    assert second == Record(id="2", text="", metadata={"year": None})


def test_columns_of_other_names(tmp_path: Path) -> None:
    """Named by the user, metadata in one column, as JSON too; several vectors, sparse ones too."""
    row = {
        "key": "a",
        "body": "one",
        "meta": '{"year": 2020}',
        "v": [1, 0],
        "s": {"indices": [3, 5], "values": [0.5, 1.0]},
        "t": {"7": 2.0},
        "doc": "d",
        "head": "about",
    }
    columns = Columns(
        id="key",
        text="body",
        metadata="meta",
        vectors={"dense": "v", "splade": "s", "terms": "t"},
        document_id="doc",
        context="head",
    )
    [record] = read(FromJSONL(write(tmp_path / "docs.jsonl", row), columns))
    assert record == Record(
        id="a", text="one", metadata={"year": 2020}, document_id="d", context="about"
    )
    assert record.vectors["splade"] == {3: 0.5, 5: 1.0}
    assert record.vectors["terms"] == {7: 2.0}


def test_rows_without_ids_have_those_of_their_content(tmp_path: Path) -> None:
    """So that a move can be gone on with."""
    path = write(tmp_path / "docs.jsonl", {"text": "one", "vector": [1, 0]})
    origin = FromJSONL(path, Columns(id=None))
    assert [one.id for one in read(origin)] == [Record(text="one").content_id]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": 1, "vector": [1]}', r"line 1 of .* has no column 'text'.*Columns\(id="),
        ('{"id": 1,', "line 1 of .* is no JSON"),
        ("[1]", "line 1 of .* is a list"),
        ('{"id": 1, "text": "a", "vector": ["b"]}', "a vector is a list of numbers"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str, said: str) -> None:
    """With what is wrong with it."""
    path = tmp_path / "docs.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(InvalidInputError, match=said):
        list(FromJSONL(path).records())


def test_a_parquet_file(tmp_path: Path) -> None:
    """Read a page at a time; dates become what JSON holds."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"id": f"d{n}", "text": f"text {n}", "vector": [float(n), 1.0], "day": date(2026, 1, n + 1)}
        for n in range(7)
    ]
    path = tmp_path / "docs.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    found = read(FromParquet(path))
    assert [one.id for one in found] == [f"d{n}" for n in range(7)]
    assert found[6] == Record(id="d6", text="text 6", metadata={"day": "2026-01-07"})
    assert dense(found[6]) == [6.0, 1.0]
    with pytest.raises(InvalidInputError, match="has no column 'body', but"):
        list(FromParquet(path, Columns(text="body")).records())


# --- Qdrant's HTTP API ---------------------------------------------------------------------------


def test_a_server_of_qdrant_is_read_page_by_page(path: str) -> None:
    """As LangChain writes it, with the key in no text; and moved into a collection."""
    points = [
        {
            "id": n,
            "payload": {"page_content": f"text {n}", "metadata": {"n": n}},
            "vector": [n + 1, 1],
        }
        for n in range(8)
    ]
    with QdrantServer(UNNAMED, points) as server:
        origin = FromQdrant(server.url, "docs", api_key=KEY)
        found = read(origin)
        assert origin.metric_of("dense") == "L2"
        assert server.asked.count("/collections/docs/points/scroll") == 3
        assert migrate(origin, uri=path, progress=False).ok
    assert found[7] == Record(id="7", text="text 7", metadata={"n": 7})
    assert dense(found[7]) == [8.0, 1.0]
    assert KEY not in repr(origin)


def test_named_vectors_of_qdrant_become_fields() -> None:
    """Those that are named, each with its own metric; sparse ones too."""
    sparse = {"indices": [4], "values": [0.5]}
    vector = {"text": [1, 0], "title": [0, 1], "terms": sparse}
    points = [{"id": "u", "payload": {"body": "one", "year": 2020}, "vector": vector}]
    names = {"dense": "text", "heading": "title", "terms": "terms"}
    with QdrantServer(NAMED, points) as server:
        plain = FromQdrant(server.url, "docs", text="body", metadata=None, api_key=KEY)
        with pytest.raises(InvalidInputError, match=r"\['text', 'title'\]: say which one"):
            list(plain.records())
        origin = FromQdrant(server.url, "docs", names, "body", None, KEY)
        [record] = read(origin)
        assert [origin.metric_of(one) for one in ("dense", "heading")] == ["COSINE", "IP"]
    assert record == Record(id="u", text="one", metadata={"year": 2020})
    assert dense(record) == [1.0, 0.0]
    assert record.vectors["terms"] == {4: 0.5}


def test_what_qdrant_cannot_give_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text where it is looked for, no key, no collection, a metric that Milvus has not."""
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    points = [{"id": 1, "payload": {"body": "one"}, "vector": [1, 0]}]
    with QdrantServer({"size": 2, "distance": "Manhattan"}, points) as server:
        origin = FromQdrant(server.url, "docs")
        with pytest.raises(InvalidInputError, match=r"no 'page_content', but \['body'\]: name"):
            list(origin.records())
        with pytest.raises(InvalidInputError, match="Manhattan, which Milvus has not"):
            origin.metric_of("dense")
        with pytest.raises(ApiError, match="Not found"):
            FromQdrant(server.url, "other").count()
        with pytest.raises(ApiError, match="QDRANT_API_KEY"):
            FromQdrant(server.url, "docs", api_key="another-secret").count()


# --- pickles and missing libraries ---------------------------------------------------------------


def test_a_faiss_folder_is_read_only_where_its_pickle_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any class of LangChain; the reason is said where it is not allowed."""
    faiss = pytest.importorskip("faiss")
    write_faiss(tmp_path, monkeypatch, faiss.IndexFlatL2(2), count=5)
    with pytest.raises(InvalidInputError, match="runs whatever code its author put into it"):
        list(FromFAISS(tmp_path).records())
    origin = FromFAISS(tmp_path, allow_pickle=True)
    found = read(origin)
    assert found[4] == Record(id="d4", text="text 4", metadata={"n": 4})
    assert dense(found[4]) == [4.0, 1.0]
    assert origin.metric == "L2"
    write_faiss(tmp_path, monkeypatch, faiss.IndexFlatIP(2), count=5, documents=4)
    assert origin.metric == "IP"
    with pytest.raises(InvalidInputError, match=r"vector 4 of .* has no document"):
        list(origin.records())


def write_faiss(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    index: Any,
    count: int,
    documents: int | None = None,
) -> None:
    """What LangChain's `FAISS.save_local` writes, in classes of LangChain's names."""
    import faiss

    vectors = np.array([[n, 1] for n in range(count)], np.float32)
    index.add(vectors)
    faiss.write_index(index, str(folder / "index.faiss"))
    module = types.ModuleType("langchain_docstore")
    for name in ("Document", "InMemoryDocstore"):
        setattr(module, name, type(name, (), {"__module__": module.__name__}))
    docstore, made = module.InMemoryDocstore(), {}
    for n in range(count if documents is None else documents):
        made[f"d{n}"] = module.Document()
        made[f"d{n}"].__dict__.update(page_content=f"text {n}", metadata={"n": n})
    docstore._dict = made
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        written = pickle.dumps((docstore, {n: f"d{n}" for n in range(count)}))
    (folder / "index.pkl").write_bytes(written)


@pytest.mark.parametrize(
    ("origin", "library", "cure"),
    [
        (FromChroma("./chroma", "docs"), "chromadb", "pip install chromadb"),
        (FromQdrant("./qdrant", "docs"), "qdrant_client", "pip install qdrant-client"),
        (FromLanceDB("./lance", "docs"), "lancedb", "pip install lancedb"),
        (FromFAISS("./faiss"), "faiss", "pip install faiss-cpu"),
        (FromParquet("docs.parquet"), "pyarrow.parquet", "pip install pyarrow"),
        (FromPGVector("postgresql://u@h/d", "docs"), "psycopg", r"pip install psycopg\[binary\]"),
    ],
)
def test_a_missing_library_is_named(
    origin: Origin, library: str, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=f"{cure}$"):
        origin.count()


def test_the_password_of_a_database_is_not_shown() -> None:
    """Reports are printed."""
    assert "secret" not in repr(FromPGVector("postgresql://me:secret@host/db", "docs"))


def test_a_folder_or_an_object_of_something_else_is_refused(tmp_path: Path) -> None:
    """With what to give."""
    with pytest.raises(InvalidInputError, match=r"no .*vector_store\.json: give the folder"):
        FromLlamaIndex(tmp_path).count()
    for other in (object(), write(tmp_path / "x.json", {"a": 1})):
        with pytest.raises(InvalidInputError, match="takes an InMemoryVectorStore, or the file"):
            FromInMemory(other).count()
