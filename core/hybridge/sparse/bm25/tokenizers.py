"""Where `pymilvus.model` keeps `build_default_analyzer`, which is in `hybridge.sparse.analyzer`."""

from hybridge.sparse.analyzer import build_default_analyzer

__all__ = ["build_default_analyzer"]
