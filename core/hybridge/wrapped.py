"""Functions of Hybridge that are made of another library's embeddings."""

from __future__ import annotations

from typing import Generic, TypeVar

E = TypeVar("E")

_NAMELESS = ("", "unknown")


class WrappedFunction(Generic[E]):
    """What functions made of an embedding object have in common.

    Two of one object are equal, so that a store embeds once for all fields that use it. The `repr`
    of the object is never shown: it may hold a key.

    Args:
        embedding: The object.

    Attributes:
        embedding: The object.
        dim: None: the first vectors tell.
    """

    dim: int | None = None

    def __init__(self, embedding: E) -> None:
        self.embedding = embedding

    @property
    def model_name(self) -> str | None:
        """The name of the object's model, where it has one."""
        names = (getattr(self.embedding, name, None) for name in ("model_name", "model"))
        return next((one for one in names if isinstance(one, str) and one not in _NAMELESS), None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({type(self.embedding).__name__})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.embedding is self.embedding

    def __hash__(self) -> int:
        return hash((type(self), id(self.embedding)))
