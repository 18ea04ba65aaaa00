"""FAISS and bm25s: what two libraries do in memory, with neither a store nor updates of words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bm25s
import faiss
import numpy as np
from rows import FIRST_YEAR, K, Question, Rows


class Flat:
    """A flat index of cosines, and one of words; metadata lies in dictionaries."""

    is_kept = False

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        self.metadata = [rows.metadata(number) for number in range(len(rows.texts))]
        self.years = np.array([one["year"] for one in self.metadata])
        self.index = faiss.IndexFlatIP(rows.vectors.shape[1])
        self.words = bm25s.BM25()

    def add(self) -> None:
        self.index.add(self.rows.vectors)
        self.words.index(bm25s.tokenize(self.rows.texts, show_progress=False), show_progress=False)

    def write(self, number: int) -> None:
        self.metadata[number] = self.rows.metadata(number)

    def dense(self, asked: Question, params: Any = None) -> Iterator[str]:
        _, places = self.index.search(asked.vector[None], K, params=params)
        return self.ids(places)

    def sparse(self, asked: Question) -> Iterator[str]:
        tokens = bm25s.tokenize(asked.text, show_progress=False)
        places, _ = self.words.retrieve(tokens, k=K, show_progress=False)
        return self.ids(places)

    def column(self, asked: Question) -> Iterator[str]:
        return self.among(asked, np.flatnonzero(self.years >= FIRST_YEAR))

    def key(self, asked: Question) -> Iterator[str]:
        some = [i for i, one in enumerate(self.metadata) if one[asked.key] > asked.least]
        return self.among(asked, np.array(some))

    def among(self, asked: Question, places: np.ndarray) -> Iterator[str]:
        selector = faiss.IDSelectorBatch(places)
        return self.dense(asked, faiss.SearchParameters(sel=selector))

    def ids(self, places: np.ndarray) -> Iterator[str]:
        """Return the ids, and read the rows as the others do."""
        return (str(place) for place in places[0].tolist() if self.rows.texts[place])

    def close(self) -> None:
        pass
