"""What LlamaIndex's other integrations call an argument, and what to write instead, as data."""

from __future__ import annotations

from hybridge.spellings import STORE, Spellings

_NODES = "leave it out: Hybridge names the columns, and nodes come back whole"
_SPARSE = (
    "write sparse=; BM25 is there by itself, and vector_store_query_mode says what is searched"
)
_ADD = "give batch_size= to add()"
_FILTERS = "give filters=MetadataFilters() to the retriever, or write expr="

VECTOR_STORE: Spellings = {
    **STORE,
    "embedding": "write embed_model=",
    "embed_dim": "write dim=",
    "search_config": "give search_params= to the query, or to MilvusRetriever",
    "hybrid_fusion_fn": STORE["hybrid_ranker"],
    "index_management": "leave it out: a collection that is not there is made at the first write",
    "upsert_mode": "leave it out: add() overwrites nodes of the same id",
    "use_async_client": "leave it out: every method has an async twin",
    "max_retries": "write timeout=",
    **dict.fromkeys(
        ("doc_id_field", "embedding_field", "sparse_embedding_field", "text_key",
         "dense_vector_name", "sparse_vector_name", "index_doc_id"), _NODES,
    ),
    **dict.fromkeys(
        ("enable_hybrid", "fastembed_sparse_model", "sparse_config", "sparse_doc_fn",
         "sparse_query_fn"), _SPARSE,
    ),
    **dict.fromkeys(("batch_size", "insert_batch_size", "parallel"), _ADD),
}  # fmt: skip
"""The arguments of `MilvusVectorStore`."""

DELETE: Spellings = dict.fromkeys(("filters", "node_ids"), "call delete_nodes(node_ids, filters)")
"""What `delete` takes beside the document."""

DELETE_NODES: Spellings = {
    "filter": "write filters=MetadataFilters()",
    **dict.fromkeys(("doc_id", "ref_doc_id"), "write document_id="),
}
"""What `delete_nodes` takes beside ids and filters."""

QUERY: Spellings = {
    "string_expr": "write expr=",
    "hybrid_fusion_fn": "write fusion=",
    "mmr_prefetch_factor": "write mmr_prefetch_k=",
    "search_config": "write search_params=",
    "score_threshold": "give a SimilarityPostprocessor, or score_threshold= to MilvusRetriever",
    "output_fields": _NODES,
    **dict.fromkeys(
        ("milvus_scalar_filters", "qdrant_filters", "where", "where_document", "filter", "filters"),
        _FILTERS,
    ),
}
"""What a query takes beside a `VectorStoreQuery`: `vector_store_kwargs` of a retriever."""

RETRIEVER: Spellings = {
    "index": "write vector_store=",
    **dict.fromkeys(("k", "top_k", "hybrid_top_k"), "write similarity_top_k="),
    "sparse_top_k": "write fetch_k={'sparse': 20}",
    "alpha": "write fusion=Weighted(.5)",
    "vector_store_query_mode": "write mode='hybrid', 'sparse' or 'dense'",
    "filter": "write filters=",
    "document_ids": "write doc_ids=",
    "similarity_cutoff": "write score_threshold=",
    "node_postprocessors": "write reranker=, or give them to the query engine",
    "vector_store_kwargs": "write its entries as arguments of their own",
}
"""The arguments of `MilvusRetriever`."""

RERANK: Spellings = dict.fromkeys(("k", "top_k"), "write top_n=")
"""The arguments of `Rerank`."""

JINA_RERANK: Spellings = {
    **RERANK,
    "jina_api_key": "write api_key=",
    "model": "write model_name=",
}
"""The arguments of `JinaRerank`."""
