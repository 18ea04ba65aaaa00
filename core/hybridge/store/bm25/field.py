"""BM25 as a vector field: sparse vectors whose counts the store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar

from typing_extensions import Self

from hybridge.errors import CollectionMismatchError
from hybridge.records import SparseVector
from hybridge.retrieval.relevance import Scale, share_of
from hybridge.sparse.analyzer import Analyzer, as_analyzer, lineage
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.weighting import Weighting
from hybridge.store.fields import SparseField, VectorField

_WEIGHTING = ("k1", "b", "idf", "epsilon")

OUTDATED = "outdated"
REINDEXING = "reindexing"
"""The states of a field some of whose rows lack the terms of its analyzer."""


@dataclass(frozen=True)
class BM25Field(SparseField):
    """The vectors of the store's own BM25; made from a `SparseField` of an unfitted function.

    Attributes:
        function: The unfitted `BM25EmbeddingFunction` that gave the settings; in a store that is
            open, the `LiveBM25` over the collection's counts.
        settings: The analyzer's identity and language, and the parameters of BM25.
        state: None; or `OUTDATED` or `REINDEXING`, see `hybridge.store.bm25.reindexing`.
    """

    function: Any = field(default=None, compare=False)
    _: KW_ONLY
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    state: str | None = None

    kind: ClassVar[str] = "bm25"
    is_checked: ClassVar[bool] = True
    is_counted: ClassVar[bool] = True

    @classmethod
    def of(cls, asked: SparseField) -> BM25Field:
        """Return the field of an unfitted BM25 function."""
        function: Any = asked.function
        weighting = {key: getattr(function.weighting, key) for key in _WEIGHTING}
        language = getattr(function.analyzer, "language", None)
        identity = {"analyzer": function.analyzer.identity, "language": language}
        return cls(
            function,
            name=asked.name,
            source=asked.source,
            index_type=asked.index_type,
            index_params=asked.index_params,
            settings={**identity, **weighting},
        )

    def new(self, name: str) -> Self:
        """Return what a new collection has of a field that was asked for."""
        return replace(super().new(name), model=None, made_by=None)

    def asked(self) -> SparseField:
        """Return what asks for such a field in another collection, which counts anew."""
        weighting = {key: self.settings[key] for key in _WEIGHTING}
        function = BM25EmbeddingFunction(self.function.analyzer, **weighting)
        return SparseField(function, source=self.source)

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON, for the layout."""
        return {**super().to_json(), **self.settings, "state": self.state}

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Self:
        """Return the field that `to_json` described."""
        keys = ("analyzer", "language", *_WEIGHTING)
        settings = {key: value[key] for key in keys}
        return replace(super().from_json(name, value), settings=settings, state=value.get("state"))

    def with_state(self, state: str | None) -> Self:
        """Return the field in another state."""
        return replace(self, state=state)

    def analyzed_by(self, analyzer: Analyzer) -> Self:
        """Return the field with the terms of another analyzer."""
        language = getattr(analyzer, "language", None)
        settings = {**self.settings, "analyzer": analyzer.identity, "language": language}
        return replace(self, settings=settings)

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The settings without the versions of packages: those make no other field."""
        language = self.settings.get("language")
        identity = None if language else lineage(self.settings.get("analyzer", ""))
        return {**self.settings, "analyzer": identity}

    def demands(self) -> dict[str, Any]:
        """Return what a field that is asked for demands of one that is there, by attribute."""
        return {**super().demands(), "wanted": self.wanted}

    def shown(self) -> Any:
        """Return what an error says of the field."""
        return {"kind": self.kind, **super().demands(), **self.settings}

    def analysis(self, asked: VectorField | None, collection: str) -> tuple[Analyzer, Weighting]:
        """Return the analyzer and the weighting that a stored field was made with.

        Args:
            asked: The field that the store asked for, where it did; it was compared before.
            collection: The collection, for the error.

        Raises:
            CollectionMismatchError: If it cannot be made from its name.
        """
        weighting = Weighting(**{key: self.settings[key] for key in _WEIGHTING})
        if asked is not None and isinstance(asked.function, BM25EmbeddingFunction):
            return asked.function.analyzer, weighting
        language, identity = self.settings["language"], self.settings["analyzer"]
        if language is None:
            msg = (
                f"collection {collection!r} was indexed by the analyzer {identity!r}, which cannot "
                "be made from its name: pass sparse=BM25EmbeddingFunction(<that analyzer>)"
            )
            raise CollectionMismatchError(msg)
        return as_analyzer(language), weighting

    def scale(self, query: SparseVector) -> Scale | None:
        """Return what brings the field's scores for one query to [0, 1]: a share of Σ idf (k1 + 1).

        The query's vector holds the idf of all its words, those that no document has included.
        """
        return share_of(sum(query.values()) * (self.settings["k1"] + 1))
