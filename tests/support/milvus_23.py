"""What Milvus 2.3 lacks, stood in for, so that the newest server a package registry has will do.

PyPI's `milvus==2.3.5` is a real server, with no sparse vectors, no second vector field, no columns
that may be null, no AUTOINDEX of scalar columns, no partial upserts, no partition key that upserts
keep to, and no stamp of a deletion. A client between the store and pymilvus's has most of them: a
sparse vector is a JSON column, and searched by reading all of them; NULL is a second column that
says so. Everything else is the server's own: pages, consistency, expressions, dense searches,
limits, authorization, restarts.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from typing import Any

from pymilvus import CollectionSchema, DataType
from pymilvus.client.ts_utils import get_collection_ts, update_collection_ts
from pymilvus.client.utils import mkts_from_unixtime

from hybridge.filters import quote
from hybridge.store.engine import connection, dialect
from hybridge.store.engine.address import Address

Row = dict[str, Any]

_IS_NULL = "__null"
_SPARSE = "sparse"  # the description of a column that stands in for sparse vectors
_VECTOR = "stand_in"  # Milvus 2.3 wants a dense field in each collection
_DEFAULTS: Mapping[DataType, Any] = {
    DataType.VARCHAR: "",
    DataType.JSON: {},
    DataType.INT64: 0,
    DataType.DOUBLE: 0.0,
    DataType.BOOL: False,
}
_SCALAR_INDEXES = {
    DataType.VARCHAR: "Trie",
    DataType.INT64: "STL_SORT",
    DataType.DOUBLE: "STL_SORT",
}
_PAGE = 1000

_STRING = r'"(?:[^"\\]|\\.)*"'
_LITERAL = rf"{_STRING}|\[(?:{_STRING}|[^\]\"])*\]|true|false|[-+\w.]+(?: - 1)?"
_TESTS = re.compile(
    rf"(?P<string>{_STRING})|\b(?P<column>[A-Za-z_]\w*) (?:(?P<null>is null)|(?P<there>is not null)"
    rf"|(?:==|!=|<=?|>=?|in|not in|like) (?:{_LITERAL}))",
    re.DOTALL,
)


class Milvus23(dialect.Server):
    """Milvus 2.3 behind its stand-in."""

    minimum = (2, 3)

    @classmethod
    def speaks(cls, address: Address, version: str) -> bool:
        """Whether the server says so."""
        return not address.is_path and _is_23(version)


def stand_in() -> None:
    """From now on this process takes a Milvus 2.3 for a server of a version that will do."""
    make_client = connection.make_client

    def make(**arguments: Any) -> Any:
        client = make_client(**arguments)
        version = client.get_server_version(timeout=arguments["timeout"])
        return Client23(client, arguments["db_name"]) if _is_23(version) else client

    connection.make_client = make
    dialect.ENGINES.insert(0, Milvus23)


def _is_23(version: str) -> bool:
    return dialect.parse_version(version)[:2] == Milvus23.minimum


class Client23:
    """A pymilvus client of a Milvus 2.3, with what later servers have.

    Args:
        client: The client.
        database: The database that it uses.
    """

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    # --- what a collection holds ---------------------------------------------------------------

    def create_collection(self, name: str, *, schema: CollectionSchema, **arguments: Any) -> None:
        """Create a collection of the columns that stand in for those of the schema."""
        made = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        for field in schema.fields:
            if field.dtype == DataType.SPARSE_FLOAT_VECTOR:
                made.add_field(field.name, DataType.JSON, description=_SPARSE)
                continue
            # An upsert puts rows into other partitions than a filter looks in: there are none.
            made.add_field(field.name, field.dtype, is_primary=field.is_primary, **field.params)
            if field.nullable:
                made.add_field(field.name + _IS_NULL, DataType.BOOL)
        if not any(field.dtype == DataType.FLOAT_VECTOR for field in schema.fields):
            made.add_field(_VECTOR, DataType.FLOAT_VECTOR, dim=2)
        self._client.create_collection(name, schema=made, **arguments)

    def create_index(self, name: str, *, index_params: Any, **arguments: Any) -> None:
        """Create the indexes that there are."""
        columns = self._columns(name, arguments["timeout"])
        indexes = self._client.prepare_index_params()
        for index in index_params:
            kind = columns[index.field_name]["type"]
            if kind == DataType.FLOAT_VECTOR:
                indexes.append(index)
            elif kind in _SCALAR_INDEXES:
                indexes.add_index(index.field_name, index_type=_SCALAR_INDEXES[kind])
        if _VECTOR in columns:
            indexes.add_index(_VECTOR, index_type="FLAT", metric_type="L2")
        if len(indexes):
            self._client.create_index(name, index_params=indexes, **arguments)

    def list_indexes(self, name: str, field_name: str = "", *, timeout: float) -> list[str]:
        """Return the names of the indexes, those of sparse vectors included where there are any."""
        indexes: list[str] = self._client.list_indexes(name, field_name, timeout=timeout)
        columns = self._columns(name, timeout) if indexes and not field_name else {}
        return indexes + [n for n, one in columns.items() if one.get("description") == _SPARSE]

    def _columns(self, name: str, timeout: float) -> dict[str, Row]:
        described = self._client.describe_collection(name, timeout=timeout)
        return {column["name"]: column for column in described["fields"]}

    # --- rows ----------------------------------------------------------------------------------

    def upsert(self, name: str, *, data: Sequence[Row], timeout: float, **arguments: Any) -> Any:
        """Write rows."""
        columns = self._columns(name, timeout)
        rows = [_stored(row, columns) for row in data]
        return self._client.upsert(name, data=rows, timeout=timeout, **arguments)

    def delete(self, name: str, *, filter: str, timeout: float, **arguments: Any) -> Any:
        """Delete rows, and stamp it as later servers do, so that a read waits for it."""
        expression = _without_nulls(filter, self._columns(name, timeout))
        deleted = self._client.delete(name, filter=expression, timeout=timeout, **arguments)
        # By the clock of this machine, which is the server's: a moment later than the deletion.
        stamp = mkts_from_unixtime(time.time(), milliseconds=5)
        update_collection_ts(name, stamp, self._endpoint, self._database)
        return deleted

    @property
    def _endpoint(self) -> str:
        return str(self._client._get_connection().server_address)

    def _written(self, name: str) -> int:
        return int(get_collection_ts(name, self._endpoint, self._database) or 0)

    def query(
        self, name: str, *, filter: str, output_fields: Sequence[str], timeout: float, **named: Any
    ) -> list[Row]:
        """Read rows."""
        columns = self._columns(name, timeout)
        expression, names = _without_nulls(filter, columns), _with_nulls(output_fields, columns)
        rows = self._client.query(
            name, filter=expression, output_fields=names, timeout=timeout, **named
        )
        return [_read(row, columns) for row in rows]

    def search(
        self, name: str, *, data: Sequence[Any], anns_field: str, **arguments: Any
    ) -> list[list[Row]]:
        """Search a field; one of sparse vectors by reading them all."""
        columns = self._columns(name, arguments["timeout"])
        if columns[anns_field].get("description") == _SPARSE:
            return self._search_sparse(name, data, anns_field, columns, **arguments)
        arguments["filter"] = _without_nulls(arguments["filter"], columns)
        arguments["output_fields"] = _with_nulls(arguments["output_fields"], columns)
        answer = self._client.search(name, data=data, anns_field=anns_field, **arguments)
        return [
            [{**hit, "entity": _read(hit["entity"], columns)} for hit in hits] for hits in answer
        ]

    def _search_sparse(
        self,
        name: str,
        queries: Sequence[Any],
        anns_field: str,
        columns: Mapping[str, Row],
        *,
        filter: str,
        limit: int,
        output_fields: Sequence[str],
        timeout: float,
        **_: Any,
    ) -> list[list[Row]]:
        [key] = [column for column, one in columns.items() if one.get("is_primary")]
        wanted = list(dict.fromkeys([key, *output_fields, anns_field]))
        rows: list[Row] = []
        for page in self._pages(name, key, filter, wanted, timeout):
            rows += page
        answers = []
        for query in queries:
            scored = [(_product(query, row[anns_field]), row) for row in rows]
            best = nlargest(limit, (one for one in scored if one[0] > 0), key=lambda one: one[0])
            answers.append(
                [
                    {key: row[key], "distance": score, "entity": {n: row[n] for n in output_fields}}
                    for score, row in best
                ]
            )
        return answers

    def _pages(
        self, name: str, key: str, expression: str, columns: Sequence[str], timeout: float
    ) -> Iterator[list[Row]]:
        last = ""
        while True:
            after = f"{key} > {quote(last)}"
            page = self.query(
                name,
                filter=f"{after} and ({expression})" if expression else after,
                output_fields=columns,
                timeout=timeout,
                limit=_PAGE,
                iterator="True",
                reduce_stop_for_best="True",
                guarantee_timestamp=self._written(name),
            )
            if not page:
                return
            yield page
            last = page[-1][key]


def _stored(row: Mapping[str, Any], columns: Mapping[str, Row]) -> Row:
    """Return a row as the columns that stand in for its own."""
    stored = dict(row)
    for name, value in row.items():
        if columns[name].get("description") == _SPARSE:
            stored[name] = {str(term): float(weight) for term, weight in _terms(value).items()}
        elif name + _IS_NULL in columns:
            stored[name + _IS_NULL] = value is None
            stored[name] = _DEFAULTS[columns[name]["type"]] if value is None else value
    if _VECTOR in columns:
        stored[_VECTOR] = [0.0, 1.0]
    return stored


def _read(row: Mapping[str, Any], columns: Mapping[str, Row]) -> Row:
    """Return a row of the columns that it has with later servers."""
    own = [name for name in row if not name.endswith(_IS_NULL) and name != _VECTOR]
    read = {name: row[name] for name in own}
    for name, value in read.items():
        if row.get(name + _IS_NULL):
            read[name] = None
        elif columns.get(name, {}).get("description") == _SPARSE:
            terms = json.loads(value) if isinstance(value, str | bytes) else value
            read[name] = {int(term): weight for term, weight in terms.items()}
    return read


def _with_nulls(names: Iterable[str], columns: Mapping[str, Row]) -> list[str]:
    """Return the columns to read, with those that say which of them are NULL."""
    return [
        one for name in names for one in (name, name + _IS_NULL) if one == name or one in columns
    ]


def _without_nulls(expression: str, columns: Mapping[str, Row]) -> str:
    """Return the expression over the columns that stand in: a test of NULL is never true."""

    def written(found: re.Match[str]) -> str:
        name = found["column"]
        if found["string"] or name + _IS_NULL not in columns:
            return found.group()
        if found["null"] or found["there"]:
            return f"{name}{_IS_NULL} == {'true' if found['null'] else 'false'}"
        return f"({name}{_IS_NULL} == false and {found.group()})"

    return _TESTS.sub(written, expression or "")


def _product(query: Any, vector: Mapping[int, float]) -> float:
    return sum(weight * vector.get(term, 0.0) for term, weight in _terms(query).items())


def _terms(vector: Any) -> dict[int, float]:
    """Return a sparse vector as a dictionary."""
    if isinstance(vector, Mapping):
        return {int(term): float(weight) for term, weight in vector.items()}
    row = vector.tocoo()
    return {int(term): float(weight) for term, weight in zip(row.col, row.data, strict=True)}
