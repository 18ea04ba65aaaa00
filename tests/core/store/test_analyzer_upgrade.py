"""An upgrade of an analyzer's package: what another version of it indexed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import CollectionMismatchError

OTHER = "PyStemmer==3.0.0"
FILL = """
import sys
from importlib.metadata import version
from hybridge import MilvusStore, Record
assert version("PyStemmer") == "3.0.0"
with MilvusStore(sys.argv[1], sparse="bm25:en") as store:
    store.add(Record(id=str(n), text=f"rivers and banks {n}") for n in range(20))
    assert len(store.search("river", mode="sparse", k=30)) == 20
"""


@pytest.mark.long
def test_a_collection_of_another_pystemmer_is_read_and_mended(tmp_path: Path) -> None:
    """A version that is really installed, over the running environment, has made the collection."""
    overlay, path = tmp_path / "overlay", str(tmp_path / "milvus.db")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(overlay)]
    if subprocess.run([*pip, OTHER], check=False).returncode:
        pytest.skip(f"{OTHER} cannot be installed here")
    own = os.pathsep.join(filter(None, [str(overlay), *sys.path]))
    environment = {**os.environ, "PYTHONPATH": own}
    subprocess.run([sys.executable, "-c", FILL, path], check=True, env=environment)
    with MilvusStore(path) as store:
        assert (store.count(), len(store.get(["3"])), len(list(store.scroll()))) == (20, 1, 20)
        with pytest.raises(CollectionMismatchError, match=r"3\.0\.0.*reindex_sparse"):
            store.search("river", mode="sparse")
        store.add([Record(id="new", text="a river")])
        assert store.delete(["0"]) == 1
        assert store.reindex_sparse() == 20
        assert {"new", "3"} <= {hit.id for hit in store.search("river", mode="sparse", k=30)}
        assert store.check() == []
