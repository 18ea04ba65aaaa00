"""What the vector store promises about its life: construction, loops, closing, serialisation."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from hybridge import TLS, BM25EmbeddingFunction, MilvusStore, ServerOptions, Weighted
from hybridge.errors import CollectionMismatchError, InvalidInputError, StoreClosedError
from llama_index_hybridge import MilvusVectorStore
from support.llama_embedding import embed

MakeVectorStore = Callable[..., MilvusVectorStore]
SECRET = "a-token-that-nobody-may-see"
CAT = TextNode(id_="cat", text="the cat sleeps", embedding=embed("the cat sleeps"))
QUERY = VectorStoreQuery(
    query_str="cat", query_embedding=embed("cat"), mode=VectorStoreQueryMode.HYBRID
)


# --- construction --------------------------------------------------------------------------------


def test_constructing_needs_no_server_and_no_loop() -> None:
    """A vector store for a server that does not answer is made at once, in any thread."""
    made: list[MilvusVectorStore] = []
    thread = threading.Thread(
        target=lambda: made.append(MilvusVectorStore(uri="http://127.0.0.1:9", dim=4))
    )
    thread.start()
    thread.join()
    assert made[0].uri == "http://127.0.0.1:9"


def test_constructing_makes_no_file(tmp_path: Path) -> None:
    """Nothing is opened before the first call."""
    MilvusVectorStore(uri=tmp_path / "milvus.db")
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_ones_own(make_vector_store: MakeVectorStore, path: str) -> None:
    """`store=` uses an open MilvusStore, and `client` gives it back."""
    store = MilvusStore(path, collection_name="mine")
    vector_store = make_vector_store(store=store)
    assert vector_store.client is store
    assert vector_store.collection_name == "mine"
    vector_store.add([CAT])
    assert store.count() == 1


@pytest.mark.parametrize("arguments", [{"uri": "x.db"}, {"dim": 3}, {"sparse": None}])
def test_a_store_and_arguments_for_one(path: str, arguments: dict[str, object]) -> None:
    """`store=` beside an argument that it would ignore is refused."""
    with pytest.raises(InvalidInputError, match=next(iter(arguments))):
        MilvusVectorStore(store=MilvusStore(path), **arguments)  # type: ignore[arg-type]


def test_from_existing_collection(make_vector_store: MakeVectorStore, path: str) -> None:
    """An existing collection is adopted; one that is not there is an error that says where."""
    with pytest.raises(InvalidInputError, match="no collection 'animals'"):
        MilvusVectorStore.from_existing_collection("animals", uri=path)
    make_vector_store(collection_name="animals", sparse="bm25:ru").add([CAT])
    with MilvusVectorStore.from_existing_collection("animals", uri=path) as vector_store:
        assert vector_store.query(QUERY).ids == ["cat"]


def test_contradictions_are_refused(make_vector_store: MakeVectorStore) -> None:
    """An argument that contradicts the collection is an error that shows both."""
    make_vector_store().add([CAT])
    with pytest.raises(CollectionMismatchError, match="dim"):
        make_vector_store(dim=3).query(QUERY)


# --- loops and closing ---------------------------------------------------------------------------


def test_several_event_loops(vector_store: MilvusVectorStore) -> None:
    """One vector store serves any number of `asyncio.run` calls, and sync calls between them."""
    asyncio.run(vector_store.async_add([CAT]))
    assert vector_store.query(QUERY).ids == ["cat"]
    for _ in range(2):
        assert asyncio.run(vector_store.aquery(QUERY)).ids == ["cat"]


async def test_concurrent_queries(vector_store: MilvusVectorStore) -> None:
    """Fifty queries at once give the answer fifty times, and the loop is never blocked."""
    await vector_store.async_add([CAT])
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    results = await asyncio.gather(*(vector_store.aquery(QUERY) for _ in range(50)))
    ticking.cancel()
    assert [result.ids for result in results] == [["cat"]] * 50
    assert ticks > 5


def test_closed(make_vector_store: MakeVectorStore) -> None:
    """After `close` every call says so; closing twice is fine, and the path is free again."""
    with make_vector_store() as vector_store:
        vector_store.add([CAT])
    vector_store.close()
    with pytest.raises(StoreClosedError, match="closed"):
        vector_store.query(QUERY)
    assert make_vector_store().query(QUERY).ids == ["cat"]


async def test_closed_async(make_vector_store: MakeVectorStore) -> None:
    """`async with` closes too."""
    async with make_vector_store() as vector_store:
        await vector_store.async_add([CAT])
    with pytest.raises(StoreClosedError):
        await vector_store.aquery(QUERY)


def test_another_process_may_open_it(make_vector_store: MakeVectorStore, path: str) -> None:
    """`close` gives the path to other processes, which read what `persist` or `close` left."""
    vector_store = make_vector_store()
    vector_store.add([CAT])
    vector_store.persist("ignored")
    vector_store.close()
    program = f"""
        from llama_index_hybridge import MilvusVectorStore
        with MilvusVectorStore(uri={path!r}) as vector_store:
            print(vector_store.get_nodes()[0].text)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == CAT.text, done.stderr


def test_on_a_server(lite_server: str, collection_name: str) -> None:
    """On a server the same calls work, from several loops and concurrently."""
    with MilvusVectorStore(uri=lite_server, collection_name=collection_name) as vector_store:
        asyncio.run(vector_store.async_add([CAT]))

        async def ask_often() -> list[object]:
            results = await asyncio.gather(*(vector_store.aquery(QUERY) for _ in range(20)))
            return [result.ids for result in results]

        for _ in range(2):
            assert asyncio.run(ask_often()) == [["cat"]] * 20
        vector_store.clear()
        vector_store.add([CAT])
        assert vector_store.get_nodes()[0].node_id == "cat"
        vector_store.client.drop()


# --- serialisation -------------------------------------------------------------------------------


def test_dictionary_round_trip(make_vector_store: MakeVectorStore) -> None:
    """`from_dict(to_dict())` and `from_json(to_json())` open the same collection the same way."""
    arguments = {"collection_name": "animals", "sparse": "bm25:ru", "timeout": 9.0}
    server = ServerOptions(num_shards=2, tls=TLS(server_name="milvus"))
    vector_store = make_vector_store(metadata_schema={"year": int}, server=server, **arguments)
    vector_store.add([CAT])
    dictionary = vector_store.to_dict()
    assert dictionary["class_name"] == vector_store.class_name()
    for again in (
        MilvusVectorStore.from_dict(dictionary),
        MilvusVectorStore.from_json(vector_store.to_json()),
        pickle.loads(pickle.dumps(vector_store)),
    ):
        with again:
            assert again.to_dict() == dictionary
            assert dictionary["metadata_schema"] == {"year": "int"}
            assert again._arguments["server"] == server
            assert again.query(QUERY).ids == ["cat"]


def test_a_demand_for_no_sparse_vectors_survives(make_vector_store: MakeVectorStore) -> None:
    """`sparse=None` is kept, and `sparse` left out stays left out."""
    assert make_vector_store(sparse=None).to_dict()["sparse"] is None
    assert "sparse" not in make_vector_store().to_dict()


def test_objects_are_pickled_but_not_in_the_dictionary(make_vector_store: MakeVectorStore) -> None:
    """A fusion and a sparse function go into pickles; `from_dict` takes them again."""
    function = BM25EmbeddingFunction()
    function.fit(["the cat sleeps", "the dog runs"])
    vector_store = make_vector_store(sparse=function, fusion=Weighted(0.3))
    vector_store.add([CAT])
    json.dumps(vector_store.to_dict())
    again = MilvusVectorStore.from_dict(vector_store.to_dict(), fusion=Weighted(0.3))
    loaded = pickle.loads(pickle.dumps(vector_store))
    with again, loaded:
        assert again.fusion == loaded.fusion == Weighted(0.3)
        assert loaded.query(QUERY).ids == ["cat"]


def test_overwrite_happens_once(make_vector_store: MakeVectorStore) -> None:
    """A vector store that was made with overwrite=True does not drop its rows when it is loaded."""
    vector_store = make_vector_store(overwrite=True)
    vector_store.add([CAT])
    with MilvusVectorStore.from_dict(vector_store.to_dict()) as again:
        assert again.query(QUERY).ids == ["cat"]
    with pickle.loads(pickle.dumps(vector_store)) as loaded:
        assert loaded.query(QUERY).ids == ["cat"]


def test_tenants_stay_apart(make_vector_store: MakeVectorStore) -> None:
    """A tenant's view sees its own nodes only, be it loaded from a dictionary or a pickle."""
    whole = make_vector_store(partition_key="owner")
    for owner in ("acme", "other"):
        mine = CAT.model_copy(update={"id_": owner, "metadata": {}})
        whole.for_tenant(owner).add([mine])
    assert {node.node_id for node in whole.get_nodes()} == {"acme", "other"}
    assert "tenant" not in whole.to_dict()
    view = whole.for_tenant("acme")
    wrapped = make_vector_store(store=view.client)
    loaded = [
        MilvusVectorStore.from_dict(view.to_dict()),
        MilvusVectorStore.from_dict(wrapped.to_dict()),
        pickle.loads(pickle.dumps(view)),
    ]
    for again in (view, wrapped, *loaded):
        assert [node.node_id for node in again.get_nodes()] == ["acme"]
        assert again.query(QUERY).ids == ["acme"]
        assert again.to_dict()["tenant"] == "acme"
    for again in loaded:
        again.close()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither token nor credentials are ever shown; `MILVUS_TOKEN` is read again."""
    vector_store = MilvusVectorStore(uri=f"http://user:{SECRET}@127.0.0.1:9", token=SECRET)
    shown = [
        repr(vector_store),
        str(vector_store),
        str(vector_store.to_dict()),
        vector_store.to_json(),
        str(pickle.dumps(vector_store)),
        str(vector_store.model_dump()),
    ]
    assert all(SECRET not in text for text in shown)
    monkeypatch.setenv("MILVUS_TOKEN", "from-the-environment")
    for again in (
        MilvusVectorStore.from_dict(vector_store.to_dict()),
        pickle.loads(pickle.dumps(vector_store)),
    ):
        assert again.client.address.token == "from-the-environment"


def test_copies_share_the_store(vector_store: MilvusVectorStore) -> None:
    """A copy, shallow or deep as LlamaIndex makes them, is the same collection."""
    vector_store.add([CAT])
    for copied in (vector_store.model_copy(), vector_store.model_copy(deep=True)):
        assert copied.client is vector_store.client
