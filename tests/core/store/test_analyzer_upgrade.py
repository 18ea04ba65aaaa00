"""An upgrade of an analyzer's package: what another version of it indexed."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridge import BM25EmbeddingFunction, MilvusStore, Record, build_default_analyzer
from hybridge.errors import CollectionMismatchError

OTHER = "PyStemmer==3.0.0"
FILL = """
import sys
from importlib.metadata import version
from hybridge import MilvusStore, Record
assert version("PyStemmer") == "3.0.0"
with MilvusStore(sys.argv[1], sparse="bm25:en") as store:
    store.add(Record(id=str(n), text=f"rivers and {sys.argv[2]} banks {n}") for n in range(20))
    assert len(store.search("river", mode="sparse", k=30)) == 20
"""

MakeStore = Callable[..., MilvusStore]


def of_release(release: str, **changed: Any) -> BM25EmbeddingFunction:
    """English BM25 as another release of PyStemmer would make it."""
    analyzer = build_default_analyzer("en")
    for name, value in changed.items():
        setattr(analyzer, name, value)
    analyzer.identity = re.sub(r"PyStemmer [\d.]+", f"PyStemmer {release}", analyzer.identity)
    return BM25EmbeddingFunction(analyzer)


def test_a_release_that_does_the_same_locks_nobody_out(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows tell: their terms are made anew, once, and are what they were."""
    old = make_store(sparse=of_release("3.0.9"))
    old.add(Record(id=str(n), text=f"rivers and banks {n}") for n in range(20))
    old.close()
    with caplog.at_level(logging.WARNING, "hybridge"):
        store = make_store()
        store.add([Record(id="new", text="a river")])
        assert len(store.search("river", mode="sparse", k=30)) == 21
        assert store.check() == []
    assert caplog.messages == []


def test_a_release_that_does_something_else_is_noticed(make_store: MakeStore) -> None:
    """One row with other terms is enough."""
    old = make_store(sparse=of_release("3.0.9", _stem=lambda word: word))
    old.add([Record(id="1", text="sky"), Record(id="2", text="rivers")])
    old.close()
    store = make_store()
    with pytest.raises(CollectionMismatchError, match=r"3\.0\.9.*reindex_sparse"):
        store.search("river", mode="sparse")
    assert store.count() == len(store.get(["1", "2"])) == 2
    assert store.reindex_sparse() == 2
    assert [hit.id for hit in store.search("river", mode="sparse")] == ["2"]


def test_another_split_is_another_analyzer(make_store: MakeStore) -> None:
    """What is changed here on purpose is not left to a sample of rows."""
    own = of_release("3.0.9")
    own.analyzer.identity = own.analyzer.identity.replace("words ", "words 1")
    old = make_store(sparse=own)
    old.add([Record(id="1", text="sky")])
    old.close()
    with pytest.raises(CollectionMismatchError, match="reindex_sparse"):
        make_store().search("sky", mode="sparse")


@pytest.mark.long
def test_a_collection_of_another_pystemmer_is_read_and_mended(tmp_path: Path) -> None:
    """A version that is really installed, over the running environment, has made the collection."""
    overlay, path = tmp_path / "overlay", str(tmp_path / "milvus.db")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(overlay)]
    if subprocess.run([*pip, OTHER], check=False).returncode:
        pytest.skip(f"{OTHER} cannot be installed here")
    own = os.pathsep.join(filter(None, [str(overlay), *sys.path]))
    environment = {**os.environ, "PYTHONPATH": own}
    for words, there in (("internal", path), ("old", str(tmp_path / "alike.db"))):
        program = [sys.executable, "-c", FILL, there, words]
        subprocess.run(program, check=True, env=environment)
    with MilvusStore(tmp_path / "alike.db") as alike:  # whose words both versions stem alike
        assert len(alike.search("old rivers", mode="sparse", k=30)) == 20
        assert alike.check() == []
    with MilvusStore(path) as store:
        assert (store.count(), len(store.get(["3"])), len(list(store.scroll()))) == (20, 1, 20)
        with pytest.raises(CollectionMismatchError, match=r"3\.0\.0.*reindex_sparse"):
            store.search("river", mode="sparse")
        store.add([Record(id="new", text="a river")])
        assert store.delete(["0"]) == 1
        assert store.reindex_sparse() == 20
        assert {"new", "3"} <= {hit.id for hit in store.search("river", mode="sparse", k=30)}
        assert store.check() == []
