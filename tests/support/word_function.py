"""A deterministic dense function: texts that share words get similar vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from support.llama_embedding import DIM, embed


class WordFunction:
    """Embeds by `llama_embedding.embed`."""

    dim = DIM

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per text."""
        return np.array([embed(text) for text in documents], dtype=np.float32).reshape(-1, DIM)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per query."""
        return self.encode_documents(queries)
