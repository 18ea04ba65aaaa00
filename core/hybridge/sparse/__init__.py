"""Sparse vectors: BM25 and what it is made of. Import from the modules."""
