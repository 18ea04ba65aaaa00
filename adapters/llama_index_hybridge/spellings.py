"""What LlamaIndex's other integrations call an argument, and what to write instead, as data."""

from __future__ import annotations

from hybridge.spellings import STORE, Spellings

_NODES = "leave it out: Hybridge names the columns, and nodes come back whole"
_SERVER = "write server=ServerOptions()"
_SPARSE = (
    "write sparse=; BM25 is there by itself, and vector_store_query_mode says what is searched"
)
_ADD = "give batch_size= to add()"
_FILTERS = "give filters=MetadataFilters() to the retriever, or write expr="

VECTOR_STORE: Spellings = {
    **STORE,
    "embedding": "write embed_model=",
    "embed_dim": "write dim=",
    "dense_config": STORE["index_params"],
    "quantization_config": STORE["index_params"],
    "search_config": "give search_params= to the query, or to MilvusRetriever",
    "doc_id_field": _NODES,
    "embedding_field": _NODES,
    "sparse_embedding_field": _NODES,
    "text_key": _NODES,
    "dense_vector_name": _NODES,
    "sparse_vector_name": _NODES,
    "index_doc_id": _NODES,
    "enable_hybrid": _SPARSE,
    "fastembed_sparse_model": _SPARSE,
    "sparse_config": _SPARSE,
    "sparse_doc_fn": _SPARSE,
    "sparse_query_fn": _SPARSE,
    "hybrid_fusion_fn": STORE["hybrid_ranker"],
    "batch_size": _ADD,
    "insert_batch_size": _ADD,
    "parallel": _ADD,
    "index_management": "leave it out: a collection that is not there is made at the first write",
    "upsert_mode": "leave it out: add() overwrites nodes of the same id",
    "use_async_client": "leave it out: every method has an async twin",
    "aclient": STORE["client"],
    "chroma_collection": STORE["client"],
    "client_kwargs": STORE["client"],
    "headers": STORE["api_key"],
    "persist_dir": STORE["persist_directory"],
    "ssl": STORE["secure"],
    "collection_kwargs": _SERVER,
    "max_retries": "write timeout=",
    "payload_indexes": STORE["scalar_field_names"],
    "shard_key_selector": STORE["partition_names"],
    "shard_number": "write server=ServerOptions(num_shards=2)",
    "replication_factor": "write server=ServerOptions(replica_number=2)",
}
"""The arguments of `MilvusVectorStore`."""

QUERY: Spellings = {
    "string_expr": "write expr=",
    "milvus_scalar_filters": _FILTERS,
    "qdrant_filters": _FILTERS,
    "where": _FILTERS,
    "where_document": _FILTERS,
    "filter": _FILTERS,
    "filters": _FILTERS,
    "hybrid_fusion_fn": "write fusion=",
    "mmr_prefetch_factor": "write mmr_prefetch_k=",
    "search_config": "write search_params=",
    "output_fields": _NODES,
}
"""What a query takes beside a `VectorStoreQuery`: `vector_store_kwargs` of a retriever."""

RETRIEVER: Spellings = {
    "index": "write vector_store=",
    "k": "write similarity_top_k=",
    "top_k": "write similarity_top_k=",
    "hybrid_top_k": "write similarity_top_k=",
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
