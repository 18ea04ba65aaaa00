"""A deterministic LlamaIndex embedding: texts that share words get similar vectors."""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

DIM = 64


def embed(text: str) -> list[float]:
    """Return a unit vector of length `DIM`: hashed words, plus a little of every dimension."""
    vector = np.full(DIM, 0.01)
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % DIM] += 1.0
    return [float(value) for value in vector / np.linalg.norm(vector)]


class WordEmbedding(BaseEmbedding):
    """Embeds by `embed`, and notes whether it was called sync or async."""

    _calls: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"model_name": "words", **settings})

    @property
    def calls(self) -> list[str]:
        """For each text and query that was embedded, "sync" or "async"."""
        return self._calls

    def _get_query_embedding(self, query: str) -> list[float]:
        self._calls.append("sync")
        return embed(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        self._calls.append("async")
        return embed(query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await self._aget_query_embedding(text)
