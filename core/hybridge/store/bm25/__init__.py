"""The store's own BM25: its statistics are those of the live rows."""
