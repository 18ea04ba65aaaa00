"""Dense functions that count letters: deterministic, alike texts are near, calls are kept."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Letters:
    """Counts letters by their code, modulo the length of the vectors.

    Args:
        dim: The length of the vectors.
        model_name: The name of the model.

    Attributes:
        calls: The texts of each call.
    """

    def __init__(self, dim: int = 26, model_name: str | None = None) -> None:
        self.dim = dim
        self.model_name = model_name
        self.calls: list[list[str]] = []

    def vector(self, text: str) -> Vectors:
        """Return the vector of one text."""
        vector = np.full(self.dim, 0.01, np.float32)
        for letter in text.lower():
            vector[ord(letter) % self.dim] += 1
        return vector

    def encode_documents(self, documents: Sequence[str]) -> Vectors:
        """Return one vector per text."""
        self.calls.append(list(documents))
        return np.array([self.vector(text) for text in documents], np.float32)

    def encode_queries(self, queries: Sequence[str]) -> Vectors:
        """Return one vector per query."""
        return self.encode_documents(queries)


class AsyncLetters(Letters):
    """The same, with an async half."""

    async def aencode_documents(self, documents: Sequence[str]) -> Vectors:
        """Return one vector per text."""
        await asyncio.sleep(0)
        return self.encode_documents(documents)

    async def aencode_queries(self, queries: Sequence[str]) -> Vectors:
        """Return one vector per query."""
        return await self.aencode_documents(queries)


class Noise(Letters):
    """Random vectors, whose cosines are as often below 0 as above; one text has one vector."""

    def vector(self, text: str) -> Vectors:
        """Return the vector of one text."""
        rng = np.random.default_rng([zlib.crc32(text.encode()), self.dim])
        return rng.normal(size=self.dim).astype(np.float32)


class Backwards(Letters):
    """Another model than `Letters`, of the same length."""

    def vector(self, text: str) -> Vectors:
        """Return the vector of one text."""
        return super().vector(text)[::-1] ** 2
