"""What LlamaIndex's other integrations call an argument, and what to write instead, as data."""

from __future__ import annotations

from hybridge.spellings import Spellings

RERANK: Spellings = {
    "k": "write top_n=",
    "top_k": "write top_n=",
}
"""The arguments of `Rerank`."""

JINA_RERANK: Spellings = {
    **RERANK,
    "jina_api_key": "write api_key=",
    "model": "write model_name=",
}
"""The arguments of `JinaRerank`."""
