"""What LangChain's other integrations call an argument, and what to write instead, as data."""

from __future__ import annotations

from hybridge.spellings import STORE, Spellings

_EMBEDDING = "write embedding="
_MODE = "write mode='hybrid', 'dense' or 'sparse'; sparse= says by what texts are found"
_TO_SEARCH = "give it to the search, or to MilvusRetriever"
_TEXT = "write filter={'$text': {'$contains': 'word'}}"
_FILTER = "write filter={'year': {'$gte': 2020}}, or expr= for a Milvus expression"
_WEIGHTS = "write fusion=ReciprocalRank(k=60) or fusion=Weighted({'dense': .7, 'sparse': .3})"
_TIMEOUT = "give timeout= to the vector store"

VECTOR_STORE: Spellings = {
    **STORE,
    "collection_description": "leave it out: a collection has no description",
    "create_collection_if_not_exists": "write MilvusVectorStore.from_existing_collection()",
    "embedding_function": _EMBEDDING,
    "embeddings": _EMBEDDING,
    "partition_key_name": "write partition_key=",
    "retrieval_mode": _MODE,
    "search_kwargs": _TO_SEARCH,
    "search_params": _TO_SEARCH,
    "sparse_vector_name": _MODE,
    "validate_collection_config": "leave it out: a collection is checked when it is opened",
    "validate_embeddings": "leave it out: embeddings are compared with the collection's",
}
"""The arguments of `MilvusVectorStore`."""

SEARCH: Spellings = {
    "anns_field": "write mode=",
    "consistency": "write server=ServerOptions(consistency_level=) where the store is made",
    "consistency_level": "write server=ServerOptions(consistency_level=) where the store is made",
    "include": "write with_vectors=, with_scores= or with_context=",
    "lambda_mult": "call max_marginal_relevance_search",
    "limit": "write k=",
    "n_results": "write k=",
    "param": "write search_params=",
    "rerank": "write reranker=, or fusion= for a ranker of several fields",
    "similarity_top_k": "write k=",
    "string_expr": "write expr=",
    "timeout": _TIMEOUT,
    "top_k": "write k=",
    "where_document": _TEXT,
    **dict.fromkeys(("metadata_filter", "pre_filter", "where", "where_filter"), _FILTER),
    **dict.fromkeys(("alpha", "hybrid_fusion", "ranker_params", "ranker_type"), _WEIGHTS),
}
"""The arguments of a search."""

RETRIEVER: Spellings = {
    **SEARCH,
    "search_kwargs": "write k=, filter= and the like as arguments of their own",
    "search_type": "write mode= or score_threshold=; vectorstore.as_retriever() has search_type=",
    "vector_store": "write vectorstore=",
}
"""The arguments of `MilvusRetriever`."""

AS_RETRIEVER: Spellings = {
    **{
        name: f"write search_kwargs={{{name!r}: …}}, or MilvusRetriever(vectorstore=, {name}=)"
        for name in (
            "k", "filter", "expr", "mode", "fetch_k", "fusion", "reranker", "score_threshold",
            "search_params", "with_scores", "with_vectors", "with_context", "id_key", "offset",
        )
    },
    **{name: f"{hint}, in search_kwargs" for name, hint in SEARCH.items()},
    "lambda_mult": "write search_type='mmr', search_kwargs={'lambda_mult': .5}",
    "score_threshold": (
        "write search_type='similarity_score_threshold', search_kwargs={'score_threshold': .3}"
    ),
}  # fmt: skip
"""The arguments of `as_retriever`."""

RERANK: Spellings = {
    "compressor": "write function=",
    "k": "write top_n=",
    "model": "write function=",
    "top_k": "write top_n=",
}
"""The arguments of `Rerank`."""

JINA_RERANK: Spellings = {
    "jina_api_key": "write api_key=",
    "k": "write top_n=",
    "model": "write model_name=",
    "session": "leave it out: connections are kept by themselves",
    "top_k": "write top_n=",
    "user_agent": "leave it out: Hybridge names itself",
}
"""The arguments of `JinaRerank`."""
