"""Vector fields: everything that depends on the kind of a vector lives here.

A collection has any number of named fields. Each is a value that says what it encodes (`source`),
by which function, how Milvus stores and compares it, and what its scores mean. The store's own
BM25 is a third kind, in `hybridge.store.bm25.field`.

The same class is what a user asks for (`DenseField("openai/…", source="title")`), what a collection
has (`from_json`), and, with a function, what encodes and reads.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import Self

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.filters import TEXT
from hybridge.filters.tree import Field as RowField
from hybridge.filters.words import Words
from hybridge.function_settings import settings_of
from hybridge.narrowing import is_mapping
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.records import DenseVector, Hit, Record, SparseVector
from hybridge.registry import (
    as_dense_function,
    as_sparse_function,
    dense_function,
    function_name,
    sparse_function,
)
from hybridge.retrieval.relevance import Scale, clipped, l2_relevance, share_of
from hybridge.sparse.term_ids import PLACEHOLDER
from hybridge.store.indexes import DENSE_INDEXES, SPARSE_INDEXES, Index
from hybridge.store.settings import check_settings

MAX_INDEX = 2**32 - 2
MAX_FLOAT32 = float(np.finfo(np.float32).max)
EMPTY_SPARSE: Mapping[int, float] = {PLACEHOLDER: 1.0}
"""What a row without a sparse vector carries: Milvus Lite allows no empty one."""

_ARGUMENTS = {
    "dense": "dense= (embedding= in LangChain, embed_model= in LlamaIndex)",
    "sparse": "sparse=",
}
"""What gives the store the function of a field."""

PROBE = "The quick brown fox reads about Milvus, a red kite over the plains, at 7 o'clock."
"""The text whose vector tells models apart."""

_PROBE_LENGTH = 256
_PARSED_AT_ONCE = 1000  # they are copied meanwhile
_SAME_MODEL = 0.99
_UNIT = 1e-3
"""How far from 1 the length of a unit vector may be."""


class Auto(Enum):
    """The type of `AUTO`."""

    AUTO = "AUTO"

    def __repr__(self) -> str:
        return "AUTO"


AUTO: Final = Auto.AUTO
"""Take what the collection has; the default for a new one."""

Source: TypeAlias = "str | RowField | None"
"""What a field encodes: a metadata key; `TEXT`, the text alone; or None, context and text."""

Metric = Literal["COSINE", "IP", "L2"]
Sparse: TypeAlias = "Literal[Auto.AUTO] | str | SparseEmbeddingFunction | None"
"""What `sparse=` can be."""


@dataclass(frozen=True)
class VectorField:
    """What all kinds of vector fields have.

    Attributes:
        function: Makes the vectors, or its name; None where they come from outside.
        source: What is encoded; see `Source`. AUTO takes what the collection has, else None.
        metric: Milvus's name of how vectors are compared; None takes what the collection has.
        index_type: The index of a server, where the store makes the collection; None is `indexes`'
            first. Milvus Lite has exact ones instead.
        index_params: What that is built with.
        name: The field's name; the store sets it, as all that follow.
        model: The name of the model that made the vectors, where it is known.
        made_by: The registry name that makes the function again, where it has one.
        made_with: What it takes beside its name for that; None where the layout does not say.
        probe: The first numbers of the model's vector of `probe_text`, where they are known.
        probe_text: The text whose vector tells the model from others.
        optional: Whether rows may lack the field.
        stored_as: The column of the vectors, where another library made the collection and gave it
            another name than the field's.
    """

    function: Any = field(default=None, compare=False)
    _: KW_ONLY
    source: Source | Auto = AUTO
    metric: Any = None
    index_type: str | None = None
    index_params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str = ""
    model: str | None = field(default=None, repr=False, compare=False)
    made_by: str | None = field(default=None, repr=False, compare=False)
    made_with: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    probe: Any = field(default=None, repr=False, compare=False)
    probe_text: str = field(default=PROBE, repr=False, compare=False)
    optional: bool = field(default=False, repr=False, compare=False)
    stored_as: str | None = field(default=None, repr=False, compare=False)

    kind: ClassVar[str]
    column_type: ClassVar[str]
    """Milvus's name of the type of the column that rows are written to."""
    indexes: ClassVar[Mapping[str, Index]]
    """The types of index that there are, the default first."""
    exact_index: ClassVar[str]
    """The type that misses nothing."""
    is_counted: ClassVar[bool] = False
    """Whether the store counts the rows, so that none may go without its knowledge."""
    empty_is_found: ClassVar[bool] = False
    """Whether a search would find the rows that lack the field, so that they are filtered out."""
    is_checked: ClassVar[bool] = False
    """Whether the function is ours, and what it makes right by construction."""
    is_served: ClassVar[bool] = False
    """Whether the engine makes the vectors by a function of its own, and shows none."""
    finds_all: ClassVar[bool] = False
    """Whether a search finds every row that has the field, however unlike; else such a row is 0."""

    @property
    def is_made_here(self) -> bool:
        """Whether the store, or the server, makes the vectors of the texts: no model is asked."""
        return self.is_counted or self.is_served

    def __post_init__(self) -> None:
        named = isinstance(self.source, str) and bool(self.source)
        if not (named or self.source is None or self.source is TEXT or self.source is AUTO):
            msg = (
                f"source={shown(self.source)}: give a metadata key, hybridge.TEXT for the text "
                "alone, or None for context and text"
            )
            raise InvalidInputError(msg)
        self._check_index()

    def _check_index(self) -> None:
        known, index_type = self.indexes, self.index_type
        if index_type is not None and not _is_one_of(index_type, known):
            msg = f"index_type={shown(index_type)}: choose one of {', '.join(known)}"
            raise InvalidInputError(msg)
        build: Mapping[str, Any] = known[index_type].build if index_type else {}
        if is_mapping(self.index_params) and self.index_params and index_type is None:
            msg = f"index_params={shown(self.index_params)}: give index_type= as well"
            raise InvalidInputError(msg)
        check_settings(self.index_params, build, f"index_params of {index_type}")

    @property
    def words(self) -> Words | None:
        """Where the engine looks up the words of a row's text, if the field has it do so."""
        return None

    # --- what is encoded -----------------------------------------------------------------------

    def text_of(self, row: Record | Hit) -> str | None:
        """Return what the field encodes of a row, or None where the row lacks it.

        Raises:
            InvalidInputError: If the metadata value is no string.
        """
        if self.source is None or self.source is AUTO:
            return f"{row.context}\n{row.text}" if row.context else row.text
        if not isinstance(self.source, str):
            return row.text
        value = row.metadata.get(self.source)
        if value is not None and not isinstance(value, str):
            msg = (
                f"record {row.id!r:.80}: the field {self.name!r} encodes metadata"
                f"[{self.source!r}], which is a {type(value).__name__}: make it a string, or None"
            )
            raise InvalidInputError(msg)
        return value or None

    def of_function(self, function: Any) -> Self:
        """Return the field with another function."""
        return replace(self, function=function)

    def resolved(self) -> Self:
        """Return the field with its function in the place of that function's name.

        Raises:
            InvalidInputError: If the function is none, or there is none of that name.
        """
        if self.function is None:
            return self
        return self.of_function(self.parse_function(self.function))

    @abstractmethod
    def parse_function(self, function: Any) -> Any:
        """Return the function that was given, or that has the name given."""

    @abstractmethod
    def make_function(self, name: str, settings: Mapping[str, Any]) -> Any:
        """Return the function of that name and those settings; see `function_settings`."""

    def new(self, name: str) -> Self:
        """Return what a new collection has of a field that was asked for."""
        source = None if self.source is AUTO else self.source
        optional = isinstance(source, str) or (
            self.function is None and name not in ("dense", "sparse")
        )
        return replace(
            self.named(),
            name=name,
            source=source,
            optional=optional,
            index_type=self.index_type or next(iter(self.indexes)),
        )

    def named(self) -> Self:
        """Return the field with what a layout keeps of its function.

        Without a function that is what the field says already, such as one of another collection.
        """
        if self.function is None:
            return self
        return replace(
            self,
            model=model_name(self.function),
            made_by=function_name(self.function),
            made_with=settings_of(self.function),
        )

    def asked(self) -> VectorField:
        """Return what asks for such a field in another collection, with nothing to call.

        The names of the model stay, and so does its probe.
        """
        described = self if self.model else self.named()
        return replace(described, function=None, name="", stored_as=None)

    def same_model(self, vector: Any) -> bool:
        """Whether a function is the field's model, judged by its vector of `probe_text`.

        Where none is known there is nothing to compare.
        """
        stored, asked = self.probe, self.probe_of(vector)
        return stored is None or _cosine(stored, asked) >= _SAME_MODEL

    # --- what the engine and a layout know of it -----------------------------------------------

    @property
    def stored_in(self) -> str:
        """The column of the vectors."""
        return self.stored_as or self.name

    @property
    def column(self) -> str:
        """The column that rows are written to."""
        return self.name

    @abstractmethod
    def add_to(self, schema: Any, types: Any) -> None:
        """Add the field to a Milvus schema."""

    def index(self, exact: bool) -> dict[str, Any]:
        """Return the field's index; an `exact` one where the engine needs that."""
        index: dict[str, Any] = {"field_name": self.name, "metric_type": self.metric}
        if exact:
            return {**index, "index_type": self.exact_index}
        params = {"params": dict(self.index_params)} if self.index_params else {}
        return {**index, "index_type": self.index_type, **params}

    def known_search_params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of some search parameters that the field's index is searched with."""
        index_type = self.index_type
        searched = [self.indexes[index_type]] if index_type else self.indexes.values()
        known = {name for index in searched for name in index.search}
        return {name: value for name, value in given.items() if name in known}

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON, for the layout."""
        source = {"key": self.source} if isinstance(self.source, str) else self.source and "text"
        return {
            "kind": self.kind,
            "source": source,
            "model": self.model,
            "made_by": self.made_by,
            "made_with": self.made_with,
            "probe": self.probe,
            "optional": self.optional,
            "index_type": self.index_type,
            "index_params": dict(self.index_params),
        }

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Self:
        """Return the field that `to_json` described."""
        keys = ("model", "made_by", "made_with", "probe", "index_type")
        common: dict[str, Any] = {key: value.get(key) for key in keys}
        common["index_params"] = value.get("index_params", {})
        common["made_with"] = None if common["made_with"] is None else dict(common["made_with"])
        source: Any = value.get("source")
        if source is not None:
            source = source["key"] if is_mapping(source) else TEXT
        return cls(name=name, source=source, optional=value.get("optional", False), **common)

    def demands(self) -> dict[str, Any]:
        """Return what a field that is asked for demands of one that is there, by attribute."""
        return {} if self.source is AUTO else {"source": self.source}

    def contradicts(self, stored: VectorField) -> bool:
        """Whether what is asked for differs from what is there."""
        if self.kind != stored.kind:
            return True
        return any(_differ(getattr(stored, name), value) for name, value in self.demands().items())

    def shown(self) -> Any:
        """Return what an error says of the field."""
        return {"kind": self.kind, **self.demands()}

    # --- vectors -------------------------------------------------------------------------------

    @abstractmethod
    def parse_vector(self, value: Any, name: str) -> Any:
        """Return a vector that came from outside, checked.

        Raises:
            InvalidInputError: If it is none, or has another length.
        """

    def parse_vectors(self, values: Sequence[Any], names: Sequence[str]) -> list[Any]:
        """Return many vectors as `parse_vector` returns each.

        Raises:
            InvalidInputError: If one is none, or has another length.
        """
        return [self.parse_vector(value, name) for value, name in zip(values, names, strict=True)]

    @abstractmethod
    def parse_made(self, made: Any, names: Sequence[str]) -> list[Any]:
        """Return the vectors that the function made, checked.

        Raises:
            InvalidInputError: If there is not one per text, or one is no vector.
        """

    @abstractmethod
    def probe_of(self, vector: Any) -> Any:
        """Return the part of a vector of `PROBE` that is kept."""

    @abstractmethod
    def placeholder(self) -> Any:
        """Return what a row carries that lacks the field."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return the vector that the engine sent."""

    @cached_property
    def sign(self) -> int:
        """What makes a score, of which higher is better, of the engine's distance: 1 or -1."""
        return 1

    @abstractmethod
    def score(self, query: Any, vector: Any) -> float:
        """Return the score of a row's vector, as a search would."""

    @abstractmethod
    def scale(self, query: Any) -> Scale | None:
        """Return what brings the field's scores for one query to [0, 1]; None where nothing can.

        Args:
            query: The vector of the query.
        """

    def check_function(self) -> None:
        """Refuse to encode without a function.

        Raises:
            InvalidInputError: If there is none; it says what to pass.
        """
        if self.function is None:
            msg = f"the field {self.name!r} has no function: {self.function_cure()}"
            raise InvalidInputError(msg)

    def function_cure(self) -> str:
        """Return what to do where the function is missing."""
        argument = _ARGUMENTS.get(self.name, f"fields={{{self.name!r}: ...}}")
        known = f"; its vectors were made by {self.model!r}" if self.model else ""
        return f"pass {argument}{known}, or give its vectors"


@dataclass(frozen=True)
class DenseField(VectorField):
    """Dense vectors of one model.

    Args:
        function: A dense function, or its name (`hybridge.registry`), or, in a framework's vector
            store, that framework's embedding; None where all vectors come from outside.
        source: The metadata key whose text is encoded; `hybridge.TEXT` for the text alone; None for
            context and text.
        dim: The length of the vectors, where neither a function nor the first vectors say it.
        metric: "COSINE" (the default), "IP" or "L2", whose score is minus Milvus's squared
            distance.
        index_type: A server's index, where the store makes the collection: "AUTOINDEX" (the
            default), "FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "IVF_PQ", "SCANN", "DISKANN". Milvus
            Lite has FLAT, whatever is asked for.
        index_params: The index's parameters, such as `{"M": 16, "efConstruction": 200}`; see
            `hybridge.store.indexes`.

    Raises:
        InvalidInputError: If an argument makes no sense.
    """

    function: Any = field(default=None, compare=False)
    _: KW_ONLY
    dim: int | None = None
    metric: Metric | None = None

    kind: ClassVar[str] = "dense"
    column_type: ClassVar[str] = "FLOAT_VECTOR"
    indexes: ClassVar[Mapping[str, Index]] = DENSE_INDEXES
    exact_index: ClassVar[str] = "FLAT"
    empty_is_found: ClassVar[bool] = True
    finds_all: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_dim(self.dim)
        if self.metric is not None and not _is_one_of(self.metric, ("COSINE", "IP", "L2")):
            msg = f"metric={shown(self.metric)}: choose 'COSINE', 'IP' or 'L2'"
            raise InvalidInputError(msg)
        made = self.function_dim
        dim, parts = self.dim or made, self.index_params.get("m", 1)
        if dim is not None and dim % parts:
            msg = f"index_params: m={parts} does not divide {dim}, the length of the vectors"
            raise InvalidInputError(msg)
        if None not in (made, self.dim) and made != self.dim:
            msg = f"dim={self.dim}, but the dense function makes vectors of {made}"
            raise InvalidInputError(msg)

    def parse_function(self, function: Any) -> DenseEmbeddingFunction:
        """Return the dense function that was given, or that has the name given."""
        return as_dense_function(function)

    def make_function(self, name: str, settings: Mapping[str, Any]) -> DenseEmbeddingFunction:
        """Return the dense function of that name and those settings."""
        return dense_function(name, **settings)

    @property
    def function_dim(self) -> int | None:
        """The length that the function says, where it knows."""
        dim = getattr(self.function, "dim", None)
        return dim if isinstance(dim, int) else None

    def new(self, name: str) -> Self:
        """Return what a new collection has of a field that was asked for."""
        return replace(super().new(name), metric=self.metric or "COSINE")

    def named(self) -> Self:
        """Return the field with what a layout keeps of its function, the length included."""
        return replace(super().named(), dim=self.dim or self.function_dim)

    def add_to(self, schema: Any, types: Any) -> None:
        """Add the field to a Milvus schema."""
        schema.add_field(self.name, types[self.column_type], dim=self.dim)

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON, for the layout."""
        return {**super().to_json(), "dim": self.dim, "metric": self.metric}

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Self:
        """Return the field that `to_json` described."""
        return replace(super().from_json(name, value), dim=value["dim"], metric=value["metric"])

    def demands(self) -> dict[str, Any]:
        """Return what a field that is asked for demands of one that is there, by attribute."""
        asked = {"dim": self.dim or self.function_dim, "metric": self.metric}
        return {**super().demands(), **{k: v for k, v in asked.items() if v is not None}}

    def shown(self) -> Any:
        """Return what an error says of the field."""
        demands = self.demands()
        return demands["dim"] if demands.keys() == {"dim"} else super().shown()

    def parse_vector(self, value: Any, name: str) -> DenseVector:
        """Return one vector as float32 of the field's length."""
        vector = parse_dense(value, name)
        _check_length(vector, self.dim or len(vector), name)
        return vector

    def parse_vectors(self, values: Sequence[Any], names: Sequence[str]) -> list[DenseVector]:
        """Return many vectors as `parse_vector` returns each."""
        vectors: list[DenseVector] = []
        for start in range(0, len(values), _PARSED_AT_ONCE):
            some = slice(start, start + _PARSED_AT_ONCE)
            vectors += parse_dense_batch(values[some], names[some])
        for vector, name in zip(vectors, names, strict=True):
            _check_length(vector, self.dim or len(vector), name)
        return vectors

    def parse_made(self, made: Any, names: Sequence[str]) -> list[DenseVector]:
        """Return what the function made: one vector per text."""
        _check_count(made, names, "embedding")
        vectors = parse_dense_batch(made, names)
        dim = self.dim or len(vectors[0])
        for vector, name in zip(vectors, names, strict=True):
            _check_length(vector, dim, name)
        return vectors

    def probe_of(self, vector: DenseVector) -> list[float]:
        """Return the vector's first numbers, rounded."""
        return [float(f"{number:.5g}") for number in vector[:_PROBE_LENGTH]]

    def placeholder(self) -> DenseVector:
        """Return a unit vector: a zero vector has no cosine."""
        vector = np.zeros(self.dim or 1, dtype=np.float32)
        vector[0] = 1.0
        return vector

    def read(self, value: Any) -> DenseVector:
        """Return the vector that the engine sent."""
        return np.asarray(value, dtype=np.float32)

    @cached_property
    def sign(self) -> int:
        """What makes a score, of which higher is better, of the engine's distance: 1 or -1."""
        return -1 if self.metric == "L2" else 1

    def score(self, query: DenseVector, vector: DenseVector) -> float:
        """Return the score of a row's vector by the metric."""
        if self.metric == "L2":
            return -float(np.sum((query - vector) ** 2))
        lengths = np.linalg.norm(query) * np.linalg.norm(vector) if self.metric != "IP" else 1.0
        return float(query @ vector / lengths) if lengths else 0.0

    def scale(self, query: DenseVector) -> Scale | None:
        """Return what brings the field's scores for one query to [0, 1], by the metric.

        An inner product has a scale where it is a cosine: of a model that makes unit vectors.
        """
        if self.metric == "L2":
            return l2_relevance
        is_cosine = self.metric != "IP" or abs(float(np.linalg.norm(query)) - 1) < _UNIT
        return clipped if is_cosine else None


@dataclass(frozen=True)
class SparseField(VectorField):
    """Sparse vectors of one model, compared by inner product.

    Args:
        function: A sparse function, or its name: "splade/…", or "bm25:<language>" for a BM25 whose
            counts the store keeps, or "milvus:<language>" for one whose counts the server keeps,
            or, in a framework's vector store, that framework's sparse embedding. None where all
            vectors come from outside.
        source: See `DenseField`.
        index_type: A server's index, where the store makes the collection: "SPARSE_INVERTED_INDEX"
            (the default), "AUTOINDEX", or "SPARSE_WAND", which Milvus gives up. Milvus Lite has the
            first, exact, whatever is asked for.
        index_params: The index's parameters, such as `{"inverted_index_algo": "DAAT_WAND"}`. A
            `drop_ratio_build` leaves out the smallest weights, so that scores are about right.

    Raises:
        InvalidInputError: If an argument makes no sense.
    """

    function: Any = field(default=None, compare=False)

    _: KW_ONLY
    metric: Any = field(default="IP", init=False)

    kind: ClassVar[str] = "sparse"
    column_type: ClassVar[str] = "SPARSE_FLOAT_VECTOR"
    indexes: ClassVar[Mapping[str, Index]] = SPARSE_INDEXES
    exact_index: ClassVar[str] = "SPARSE_INVERTED_INDEX"

    def add_to(self, schema: Any, types: Any) -> None:
        """Add the field to a Milvus schema."""
        schema.add_field(self.name, types.SPARSE_FLOAT_VECTOR)

    def parse_function(self, function: Any) -> SparseEmbeddingFunction:
        """Return the sparse function that was given, or that has the name given."""
        return as_sparse_function(function)

    def make_function(self, name: str, settings: Mapping[str, Any]) -> SparseEmbeddingFunction:
        """Return the sparse function of that name and those settings."""
        return sparse_function(name, **settings)

    def parse_vector(self, value: Any, name: str) -> SparseVector:
        """Return one vector as a mapping of index to weight, without zeros."""
        return parse_sparse(value, name)

    def parse_made(self, made: Any, names: Sequence[str]) -> list[SparseVector]:
        """Return what the function made: a csr_array, or one mapping per text."""
        rows = sparse_rows(made) if hasattr(made, "indptr") else made
        if self.is_checked:
            return list(rows)
        _check_count(rows, names, "sparse")
        return [parse_sparse(row, name) for row, name in zip(rows, names, strict=True)]

    def probe_of(self, vector: SparseVector) -> dict[str, float]:
        """Return the heaviest weights, rounded."""
        heaviest = sorted(vector.items(), key=lambda item: -item[1])[:_PROBE_LENGTH]
        return {str(index): float(f"{weight:.5g}") for index, weight in heaviest}

    def placeholder(self) -> SparseVector:
        """Return a vector whose one index no query has."""
        return EMPTY_SPARSE

    def read(self, value: Any) -> SparseVector:
        """Return the vector that the engine sent, without the placeholder."""
        return {index: weight for index, weight in value.items() if index != PLACEHOLDER}

    def score(self, query: SparseVector, vector: SparseVector) -> float:
        """Return the inner product."""
        return sum(weight * vector[index] for index, weight in query.items() if index in vector)

    def scale(self, query: SparseVector) -> Scale | None:
        """Return what brings the field's scores for one query to [0, 1]: a share of q · q."""
        return share_of(self.score(query, query))


def _differ(first: Any, second: Any) -> bool:
    """Whether two values are not the same; `TEXT` compares with nothing: it makes filters."""
    if isinstance(first, RowField) or isinstance(second, RowField):
        return first is not second
    return bool(first != second)


def model_name(function: object) -> str | None:
    """Return the name of a function's model, where it says one."""
    name = getattr(function, "model_name", None)
    return name if isinstance(name, str) and name else None


def sparse_rows(matrix: Any) -> list[SparseVector]:
    """Return each row of a csr_array as the mapping that Milvus takes."""
    rows: list[SparseVector] = []
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        indices = matrix.indices[start:stop].tolist()
        rows.append(dict(zip(indices, matrix.data[start:stop].tolist(), strict=True)))
    return rows


def parse_dense(value: Any, name: str) -> DenseVector:
    """Return one dense vector as float32.

    Raises:
        InvalidInputError: If it is not one-dimensional, is empty, or holds NaN or infinity.
    """
    vector = _as_float32(value, name)
    if vector.ndim != 1 or len(vector) == 0:
        msg = f"{name}: a dense vector has shape (dim,), not {vector.shape}"
        raise InvalidInputError(msg)
    if not np.isfinite(vector).all():
        msg = f"{name}: the dense vector holds NaN or infinity: check the embedding function"
        raise InvalidInputError(msg)
    return vector


def parse_dense_batch(values: Any, names: Sequence[str]) -> list[DenseVector]:
    """Return many dense vectors as float32.

    `parse_dense` for all at once: 500 lists of 384 numbers take 2.2 ms instead of 3.4, the rows of
    an array .1 instead of 1.

    Args:
        values: The vectors; where one differs from the others in length, each is read alone.
        names: What errors call each.

    Raises:
        InvalidInputError: If one is no dense vector; it names it.
    """
    try:
        matrix = _as_float32(values, "the batch")
    except InvalidInputError:
        matrix = np.empty((0, 0), dtype=np.float32)
    if matrix.ndim == 2 and matrix.size and np.isfinite(matrix).all():
        return list(values if _are_parsed(values) else matrix)
    return [parse_dense(value, name) for value, name in zip(values, names, strict=True)]


def _are_parsed(values: Any) -> bool:
    """Whether values are arrays of float32 already, which stay as they are, without a copy."""
    return all(np.ascontiguousarray(value, np.float32) is value for value in values)


def parse_sparse(value: Any, name: str) -> SparseVector:
    """Return one sparse vector as a mapping of int to float, without zeros.

    Raises:
        InvalidInputError: If it is no mapping, an index is out of range, or a weight is negative or
            not finite.
    """
    if not is_mapping(value):
        msg = f"{name}: a sparse vector is a mapping of index to weight, not {type(value).__name__}"
        raise InvalidInputError(msg)
    return dict(_parse_weights(value.items(), name))


def _parse_weights(items: Iterable[tuple[Any, Any]], name: str) -> Iterable[tuple[int, float]]:
    for index, weight in items:
        try:
            index, weight = int(index), float(weight)
        except (TypeError, ValueError, OverflowError) as error:
            msg = f"{name}: {shown(index)}: {shown(weight)} is no index with a weight ({error})"
            raise InvalidInputError(msg) from error
        if not 0 <= index <= MAX_INDEX:
            msg = f"{name}: the sparse index {shown(index)} is outside 0..{MAX_INDEX}"
            raise InvalidInputError(msg)
        if not 0 <= weight <= MAX_FLOAT32:
            msg = (
                f"{name}: the sparse weight {weight} of index {index} is not a positive number, "
                "and Milvus takes no other: of BM25's, idf='lucene' has none"
            )
            raise InvalidInputError(msg)
        if weight:
            yield index, weight


def _as_float32(value: ArrayLike, name: str) -> DenseVector:
    try:
        with np.errstate(over="ignore"):  # an overflow becomes infinity, which is refused
            return np.ascontiguousarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"{name}: a dense vector is a sequence of numbers ({error})"
        raise InvalidInputError(msg) from error


def _check_count(made: Any, names: Sequence[str], kind: str) -> None:
    try:
        count = len(made)
    except TypeError:
        msg = f"the {kind} function returned a {type(made).__name__}, not one vector per text"
        raise InvalidInputError(msg) from None
    if count != len(names):
        msg = f"the {kind} function made {count} vectors of {len(names)} texts"
        raise InvalidInputError(msg)


def _is_one_of(value: object, choices: Collection[str]) -> bool:
    return isinstance(value, str) and value in choices


def _check_length(vector: DenseVector, dim: int, name: str) -> None:
    if len(vector) != dim:
        msg = (
            f"{name} has dimension {len(vector)}, but the collection holds {dim}: use the "
            "embedding function that the collection was made with"
        )
        raise InvalidInputError(msg)


def _check_dim(dim: object) -> None:
    if dim is not None and (not isinstance(dim, int) or isinstance(dim, bool) or dim < 1):
        msg = f"dim={shown(dim)}: it must be an integer of at least 1"
        raise InvalidInputError(msg)


def _cosine(first: Any, second: Any) -> float:
    """Return the cosine of two probes: two lists of numbers, or two mappings of index to weight."""
    if is_mapping(first):
        indices = sorted({*first, *second})
        first, second = ([one.get(index, 0.0) for index in indices] for one in (first, second))
    if len(first) != len(second):
        return 0.0
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if not lengths:  # a BM25 that knows no word of the text makes an empty vector
        return float(np.array_equal(first, second))
    return float(np.dot(first, second)) / lengths
