"""BM25 as a function of the server: it takes the texts, keeps the counts and ranks.

A row is written with its text and no vector; a query is sent as its text. The text has a column of
its own, `input_<field>`, since the function takes one column and a field may index the context as
well: on the server each text is there twice.

Milvus Lite has such a function, too, but not the same ranking; `hybridge.store.engine.dialect` says
what was measured. No server that has it could be run here: what is sent was tested, and over
`milvus-lite server` what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar

from typing_extensions import Self

from hybridge.errors import InvalidInputError
from hybridge.filters.words import Words
from hybridge.records import Hit, Record
from hybridge.retrieval.relevance import Scale
from hybridge.sparse.languages import CHINESE, JAPANESE, KOREAN, Language, find_language
from hybridge.sparse.stop_words import default_stop_words
from hybridge.sparse.weighting import Weighting
from hybridge.store.engine.pymilvus_import import pymilvus
from hybridge.store.fields import SparseField, VectorField
from hybridge.store.rows import INPUT_PREFIX, TEXT_BYTES, check_text

NAME = "milvus"
"""What `sparse=` says; `"milvus:<language>"` for another language than English."""

# What the server can stem; other languages go without.
_STEMMED = frozenset({
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian",
    "italian", "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "tamil",
    "turkish",
})  # fmt: skip
# Their vowel signs part words for the server's "standard" tokenizer.
_BRAHMIC = frozenset({
    "bengali", "burmese", "hindi", "khmer", "lao", "nepali", "tamil", "thai",
})  # fmt: skip
_SEGMENTED: Mapping[Language, Mapping[str, Any]] = {
    CHINESE: {"type": "chinese"},
    JAPANESE: {
        "tokenizer": {"type": "lindera", "dict_kind": "ipadic"},
        "filter": ["lowercase", "removepunct"],
    },
    KOREAN: {
        "tokenizer": {"type": "lindera", "dict_kind": "ko-dic"},
        "filter": ["lowercase", "removepunct"],
    },
}


def milvus_analyzer(language: Language) -> Mapping[str, Any]:
    """Return the parameters of the server's analyzer of a language.

    Stop words are removed as they are written, before stemming. The tokenizer "icu" needs a server
    of 2.5.11, "lindera" one of 2.6 or one that was compiled with its dictionaries.
    """
    if language in _SEGMENTED:
        return _SEGMENTED[language]
    filters: list[Any] = ["lowercase"]
    if language.name in _BRAHMIC:
        filters.append("removepunct")
    if words := sorted(default_stop_words(language).words):
        filters.append({"type": "stop", "stop_words": words})
    if language.name in _STEMMED:
        filters.append({"type": "stemmer", "language": language.name})
    tokenizer = "icu" if language.name in _BRAHMIC else "standard"
    return {"tokenizer": tokenizer, "filter": filters}


class TextFunction:
    """The function of such a field: what the server is given are the texts themselves."""

    def encode_documents(self, documents: Sequence[str]) -> list[str]:
        """Return the texts."""
        return list(documents)

    def encode_queries(self, queries: Sequence[str]) -> list[str]:
        """Return the texts."""
        return list(queries)


@dataclass(frozen=True)
class MilvusBM25Field(SparseField):
    """Sparse vectors that a BM25 function of the server makes and ranks.

    Its scores have no scale: the server does not tell what it has counted.

    Attributes:
        language: The code of the language.
        analyzer: The parameters of the server's analyzer.
        input_column: The function's input, in a collection that another library made.
    """

    function: Any = field(default_factory=TextFunction, compare=False)
    _: KW_ONLY
    metric: Any = field(default="BM25", init=False)
    language: str = "en"
    analyzer: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    input_column: str | None = field(default=None, repr=False, compare=False)

    kind: ClassVar[str] = NAME
    column_type: ClassVar[str] = "VARCHAR"
    is_checked: ClassVar[bool] = True
    is_served: ClassVar[bool] = True

    @classmethod
    def names(cls, function: object) -> bool:
        """Whether what `sparse=` says is such a field."""
        return isinstance(function, str) and function.partition(":")[0] == NAME

    @classmethod
    def of(cls, asked: VectorField) -> MilvusBM25Field:
        """Return the field that was asked for by name.

        Raises:
            InvalidInputError: If the language is not known.
        """
        _, separator, code = asked.function.partition(":")
        language = find_language(code if separator else "en")
        return cls(
            name=asked.name,
            source=asked.source,
            index_type=asked.index_type,
            index_params=asked.index_params,
            language=language.code,
        )

    def asked(self) -> SparseField:
        """Return what asks for such a field in another collection."""
        return SparseField(f"{NAME}:{self.language}", source=self.source)

    def of_function(self, function: Any) -> Self:
        """Return the field, which has no other function than its own.

        Raises:
            InvalidInputError: If one is given.
        """
        if function is not None and not isinstance(function, TextFunction):
            msg = f"the field {self.name!r} is made by the server: it takes no function"
            raise InvalidInputError(msg)
        return self

    def new(self, name: str) -> Self:
        """Return what a new collection has of a field that was asked for."""
        analyzer = milvus_analyzer(find_language(self.language))
        return replace(super().new(name), analyzer=analyzer)

    # --- what the engine and a layout know of it -----------------------------------------------

    @property
    def column(self) -> str:
        """The column that rows are written to: the function's input."""
        return self.input_column or INPUT_PREFIX + self.name

    def add_to(self, schema: Any, types: Any) -> None:
        """Add the input, the vectors and the function to a Milvus schema."""
        schema.add_field(
            self.column,
            types.VARCHAR,
            max_length=TEXT_BYTES,
            enable_analyzer=True,
            enable_match=True,
            analyzer_params=dict(self.analyzer),
        )
        super().add_to(schema, types)
        function = pymilvus().Function(
            name=f"bm25_{self.name}",
            function_type=pymilvus().FunctionType.BM25,
            input_field_names=[self.column],
            output_field_names=[self.name],
        )
        schema.add_function(function)

    def index(self, exact: bool) -> dict[str, Any]:
        """Return the field's index, with the parameters of BM25 that the store's own has."""
        index, weighting = super().index(exact), Weighting()
        bm25 = {"bm25_k1": weighting.k1, "bm25_b": weighting.b}
        return {**index, "params": {**index.get("params", {}), **bm25}}

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON, for the layout."""
        return {**super().to_json(), "language": self.language, "analyzer": dict(self.analyzer)}

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Self:
        """Return the field that `to_json` described."""
        made = super().from_json(name, value)
        return replace(made, language=value["language"], analyzer=value["analyzer"])

    def demands(self) -> dict[str, Any]:
        """Return what a field that is asked for demands of one that is there, by attribute."""
        return {**super().demands(), "language": self.language}

    @property
    def words(self) -> Words | None:
        """Where the engine looks up the words of a row's text, if the field has it do so."""
        if isinstance(self.source, str) or self.analyzer.get("tokenizer") != "standard":
            return None
        stop_words = [
            one["stop_words"]
            for one in self.analyzer["filter"]
            if not isinstance(one, str) and one["type"] == "stop"
        ]
        return Words(self.column, frozenset(chain.from_iterable(stop_words)))

    # --- vectors -------------------------------------------------------------------------------

    def text_of(self, row: Record | Hit) -> str | None:
        """Return what the field encodes of a row, or None where the row lacks it.

        Raises:
            InvalidInputError: If it is too long for the function's input, or no string.
        """
        text = super().text_of(row)
        if text is not None:
            what = f"record {row.id!r:.80}: what the field {self.name!r} indexes"
            check_text(text, TEXT_BYTES, what, "shorten its text or its context")
        return text

    def parse_vector(self, value: Any, name: str) -> Any:
        """Refuse a vector.

        Raises:
            InvalidInputError: Always.
        """
        msg = f"{name} cannot be given: the server makes it of the text"
        raise InvalidInputError(msg)

    def probe_of(self, vector: Any) -> Any:
        """Return nothing: there is no model to tell from others."""
        return None

    def placeholder(self) -> Any:
        """Return a text that no query finds."""
        return ""

    def scale(self, query: Any) -> Scale | None:
        """Return nothing: what a score could be compared with is known to the server alone."""
        return None
