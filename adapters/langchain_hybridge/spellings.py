"""What LangChain's other integrations call an argument, and what to write instead, as data."""

from __future__ import annotations

from hybridge.spellings import STORE, Spellings

_SPARSE = "leave it out: mode='hybrid', 'sparse' or 'dense' says what is searched, sparse= by what"
_BY_FIELD = "write mode=['dense', 'title'] for several fields"
_RELEVANCE = "leave it out: relevance comes from the metric"

VECTOR_STORE: Spellings = {
    **STORE,
    "embedding_function": "write embedding=",
    "embeddings": "write embedding=",
    "retrieval_mode": _SPARSE,
    "search_params": "give search_params= to the search, or to MilvusRetriever",
    "search_kwargs": "give k=, filter= and the like to the search, or to MilvusRetriever",
}
"""The arguments of `MilvusVectorStore`."""

SEARCH: Spellings = {
    "score": "write with_scores=",
}
"""The arguments of a search."""

RERANK: Spellings = {
    "compressor": "write function=",
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
