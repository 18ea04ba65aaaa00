"""The engine: where Milvus is, how it is reached, and what one collection is asked."""
