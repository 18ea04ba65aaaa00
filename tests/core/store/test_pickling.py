"""Copies of a store are views of it; pickles hold functions by name, and no secret."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from hybridge import (
    BM25EmbeddingFunction,
    DenseField,
    MilvusStore,
    OpenAIEmbeddingFunction,
    Record,
    ServerOptions,
    plain_value,
)
from hybridge.errors import InvalidInputError, StoreClosedError
from hybridge.function_settings import given_settings, settings_of
from support.letters import Letters

MakeStore = Callable[..., MilvusStore]
SECRET = "a-key-that-nobody-may-see"
ROW = Record(id="a", text="apple", metadata={"owner": "acme", "year": 2000})


def test_copies_share_the_store(make_store: MakeStore) -> None:
    """A copy, shallow or deep, sees the same rows, and closing one closes all."""
    store = make_store()
    store.add([ROW])
    deep = copy.deepcopy({"store": store})["store"]
    shallow = copy.copy(store)
    assert [hit.id for hit in deep.search("apple")] == ["a"]
    shallow.add([Record(id="b", text="apple")])
    assert deep.count() == 2
    deep.close()
    with pytest.raises(StoreClosedError):
        store.count()


def test_a_pickle_opens_the_same_collection(make_store: MakeStore) -> None:
    """Address, arguments, tenant, and a BM25 of one's own come back."""
    own = BM25EmbeddingFunction()
    own.fit(["apple pie", "pear"])
    store = make_store(
        sparse=own,
        metadata_schema={"year": int},
        partition_key="owner",
        timeout=9.0,
        server=ServerOptions(num_shards=2),
        search_fields=["sparse"],
    )
    store.add([ROW, Record(id="a", text="apple", metadata={"owner": "other"})])
    view = store.for_tenant("acme")
    for loaded, rows in ((store, 2), (view, 1)):
        with pickle.loads(pickle.dumps(loaded)) as again:
            assert again.count() == rows
            assert (again.address, again.collection_name) == (store.address, store.collection_name)
            assert again.tenant == loaded.tenant
    assert [hit.id for hit in view.search("apple")] == ["a"]
    with pytest.raises(StoreClosedError):
        again.count()


def test_functions_are_pickled_by_name_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their settings, and without the key: that is read again where the pickle is loaded."""
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    url = "http://127.0.0.1:9/v1"
    function = OpenAIEmbeddingFunction(
        "text-embedding-3-small", SECRET, url, dimensions=256, batch_size=7
    )
    assert function.settings == {"dimensions": 256, "base_url": url}
    store = MilvusStore(
        f"http://user:{SECRET}@127.0.0.1:9?key={SECRET}",
        token=SECRET,
        fields={"title": DenseField(function, source="title")},
    ).using(dense=function)
    data = pickle.dumps(store)
    assert SECRET.encode() not in data
    again = pickle.loads(data)
    for made in (again.dense, again.function("title")):
        assert (made.model_name, made.settings) == (function.model_name, function.settings)
    with pytest.raises(InvalidInputError, match="Letters"):
        pickle.dumps(store.using(title=Letters()))
    with pytest.raises(InvalidInputError, match="'dense' is a Letters"):
        pickle.dumps(MilvusStore("./never.db", dense=Letters()))


def test_settings_hold_what_differs_and_no_secret() -> None:
    """Defaults are left out, and all that may hold a key; what is left is JSON."""

    def function(model: str, size: int = 3, **options: Any) -> None:
        pass

    given: dict[str, Any] = {
        "size": 3,
        "revision": "main",
        "token": SECRET,
        "api_key": SECRET,
        "model_kwargs": {"hf_token": SECRET, "dtype": np.float16, "shape": (1, 2)},
        "base_url": f"https://host/v1?key={SECRET}",
    }
    assert given_settings(function, **given) == {
        "revision": "main",
        "model_kwargs": {"dtype": str(np.float16), "shape": [1, 2]},
        "base_url": "https://host/v1",
    }
    assert settings_of(object()) == {}


def test_an_encoder_is_pickled_by_name() -> None:
    """As a function is; a lambda and an object have none, and copies need none."""
    again = pickle.loads(pickle.dumps(MilvusStore("./never.db", metadata_encoder=plain_value)))
    assert again._encoder is plain_value
    for encoder in (lambda value: value, Letters().vector, partial(plain_value)):
        store = MilvusStore("./never.db", metadata_encoder=encoder)
        assert copy.deepcopy(store).address == store.address
        with pytest.raises(InvalidInputError, match=r"metadata_encoder.*at the top of a module"):
            pickle.dumps(store)
