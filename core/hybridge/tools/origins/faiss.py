"""LangChain's FAISS folders."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.origin import PAGE, Origin, make_record


@dataclass(frozen=True)
class FromFAISS(Origin):
    """A folder that LangChain's `FAISS.save_local` wrote; needs `faiss-cpu`, and no LangChain.

    The documents are in memory, as they are in FAISS. An index that compresses vectors gives them
    as it has them.

    Attributes:
        folder: The folder.
        index_name: The name of its files, `<index_name>.faiss` and `<index_name>.pkl`.
        allow_pickle: The documents are a pickle, and reading one runs what its author put into it.
            Say True for a folder that you, or somebody you trust, have written.
    """

    folder: str | os.PathLike[str]
    index_name: str = "index"
    allow_pickle: bool = False

    @property
    def metric(self) -> Metric:  # type: ignore[override]
        """How the index compares vectors."""
        faiss = import_extra("faiss", "FromFAISS", package="faiss-cpu")
        return "IP" if self._index().metric_type == faiss.METRIC_INNER_PRODUCT else "L2"

    def count(self) -> int:
        """Return how many vectors the index has."""
        return int(self._index().ntotal)

    def records(self) -> Iterator[Record]:
        """Yield the record of each document.

        Raises:
            InvalidInputError: If `allow_pickle` is not True, or a vector has no document.
        """
        documents, ids = self._documents()
        index = self._index()
        if hasattr(index, "make_direct_map"):
            index.make_direct_map()
        for start in range(0, index.ntotal, PAGE):
            vectors = index.reconstruct_n(start, min(PAGE, index.ntotal - start))
            for place, vector in enumerate(vectors, start):
                row_id = ids.get(place, "")
                if row_id not in documents:
                    msg = f"vector {place} of {self._path('.faiss')} has no document: save it anew"
                    raise InvalidInputError(msg)
                document = documents[row_id].__dict__
                text, metadata = document["page_content"], document["metadata"]
                yield make_record(row_id, text, metadata, {"dense": vector})

    def _path(self, suffix: str) -> Path:
        return Path(self.folder) / f"{self.index_name}{suffix}"

    def _index(self) -> Any:
        faiss = import_extra("faiss", "FromFAISS", package="faiss-cpu")
        return faiss.read_index(str(self._path(".faiss")))

    def _documents(self) -> tuple[Mapping[str, Any], Mapping[int, str]]:
        """Return the documents by id, and the id of each vector's place."""
        path = self._path(".pkl")
        if self.allow_pickle is not True:
            msg = (
                f"the documents of a FAISS folder are a pickle, {path}, and reading a pickle runs "
                "whatever code its author put into it: pass allow_pickle=True if you trust who "
                "wrote the folder"
            )
            raise InvalidInputError(msg)
        with path.open("rb") as file:
            docstore, ids = _Unpickler(file).load()
        return docstore.__dict__["_dict"], ids


class _Plain:
    """What stands for a class of LangChain: the attributes of its object, and nothing else."""

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state.get("__dict__", state))


class _Unpickler(pickle.Unpickler):
    """Reads documents without LangChain, whose modules have moved since some were written."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the class of that name, or what stands for it."""
        if module.startswith("langchain") and name in ("Document", "InMemoryDocstore"):
            return _Plain
        return super().find_class(module, name)
