"""The store over Milvus."""
