"""What differs between Milvus Lite and a server, and between one process and many.

An engine says how its rows are read, indexed and written. Whether the collection is `exclusive` to
this process (a path) is another question: `milvus-lite server` is Milvus Lite, shared by many.
Nothing outside this file asks which engine it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from hybridge.errors import EngineError, InvalidInputError, StoreError
from hybridge.filters import Column
from hybridge.store.engine.reader import Reader
from hybridge.store.engine.transfer import read_rows
from hybridge.store.server_options import TTL, ServerOptions

if TYPE_CHECKING:
    from hybridge.store.engine.address import Address
    from hybridge.store.engine.connection import Connection
    from hybridge.store.fields import VectorField

logger = logging.getLogger("hybridge")

Rows = list[dict[str, Any]]

MINIMUM = (2, 5)
"""The oldest server: the first with columns that may be null."""

_PAGE = 1000
_MIB = 2**20


class Engine:
    """How an engine is asked; the attributes are those of a server of the newest version.

    Args:
        version: What the engine says that it is.

    Attributes:
        exact_indexes: Whether only an exact index answers filtered searches in full.
        column_indexes: Whether scalar columns have indexes.
        parallel_searches: Whether several fields are searched side by side.
        json_paths: Whether filters on metadata keys without a column are sent as JSON paths.
        databases: Whether there are several databases.
        aliases: Whether a collection may be named by an alias.
        in_order: Whether rows are selected in the order of their keys, and no more than a page of
            them is held at once.
        functions: Whether the engine has BM25 functions and `TEXT_MATCH` that can be relied on.
        partial_upserts: Whether an upsert may leave out columns that keep their values.
        new_columns: Whether columns can be added to a collection.
        new_vectors: Whether vector fields can.
        flushes_alone: Whether what is read beside a flush may be wrong.
        message_bytes: The largest message, in either direction.
        window: How many rows one answer holds at most.
        words_seen_after: Seconds after a write until `TEXT_MATCH` sees its rows: Milvus makes what
            it looks up words in of new rows every 200 ms.
    """

    exact_indexes: ClassVar[bool] = False
    column_indexes: ClassVar[bool] = True
    parallel_searches: ClassVar[bool] = True
    json_paths: ClassVar[bool] = True
    databases: ClassVar[bool] = True
    aliases: ClassVar[bool] = True
    in_order: ClassVar[bool] = True
    flushes_alone: ClassVar[bool] = False
    no_functions: ClassVar[str] = "this server is older than Milvus 2.5, which has it"
    message_bytes: ClassVar[int] = 64 * _MIB
    window: ClassVar[int] = 16_384
    words_seen_after: ClassVar[float] = 1.0
    minimum: ClassVar[tuple[int, ...]] = ()

    functions: bool = True
    partial_upserts: bool = True
    new_columns: bool = True
    new_vectors: bool = True

    def __init__(self, version: str = "") -> None:
        self.version = version

    @classmethod
    def speaks(cls, address: Address, version: str) -> bool:
        """Whether this is the engine at an address, by the version that it says it has."""
        raise NotImplementedError

    def creation(self, options: ServerOptions) -> dict[str, Any]:
        """Return what of a server's options a collection is made with."""
        return options.creation()

    def loading(self, options: ServerOptions) -> dict[str, Any]:
        """Return what of a server's options a collection is loaded with."""
        return options.loading()

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: Column
    ) -> Iterator[Rows]:
        """Yield the rows that an expression selects, in pages; "" selects all."""
        raise NotImplementedError

    def reader(self, address: Address) -> Reader | None:
        """Return what searches the engine's rows without it, where it has them in this process."""
        return None

    def check_new_column(self, key: str) -> None:
        """Refuse to add a column where the engine cannot.

        Raises:
            InvalidInputError: If it cannot.
        """
        if not self.new_columns:
            msg = (
                f"the column {key!r} cannot be added: that takes a server of Milvus 2.6 or later, "
                f"and this is {self.version}; make a new collection with metadata_schema= and copy "
                "the rows: new.add(old.scroll(with_vectors=True))"
            )
            raise InvalidInputError(msg)

    def check_new_field(self, name: str, cure: str) -> None:
        """Refuse to add a vector field where the engine cannot.

        Args:
            name: The field.
            cure: What to do instead.

        Raises:
            InvalidInputError: If it cannot.
        """
        if not self.new_vectors:
            msg = (
                f"the field {name!r} cannot be added: that takes a server of Milvus 2.6.18 or "
                f"later, and this is {self.version}; {cure}"
            )
            raise InvalidInputError(msg)

    def check_fields(self, fields: Iterable[VectorField]) -> None:
        """Refuse fields that the engine would have to make by a function.

        Raises:
            InvalidInputError: If it has none, or none that can be relied on.
        """
        for one in fields:
            if one.is_served and not self.functions:
                msg = (
                    f"the field {one.name!r} asks for the engine's own BM25 ('milvus'), and "
                    f"{self.no_functions}: take 'bm25', whose counts the store keeps"
                )
                raise InvalidInputError(msg)


class Lite(Engine):
    """Milvus Lite, in this process or as `milvus-lite server`.

    HNSW and AUTOINDEX return too few rows where there is a filter; searching two fields side by
    side gains nothing. Its BM25 function (3.2.2) gives negative scores, counts each segment by
    itself (of the first ten rows .86 to .96 are those of BM25, of the worst query one), and takes
    the settings of stemmers and stop words without using them.
    """

    exact_indexes = True
    column_indexes = False
    parallel_searches = False
    json_paths = False
    databases = False
    aliases = False
    in_order = False
    flushes_alone = True
    functions = False
    no_functions = "Milvus Lite's counts each segment by itself, and stems no word"
    message_bytes = 256 * _MIB
    new_columns = new_vectors = False

    @classmethod
    def speaks(cls, address: Address, version: str) -> bool:
        """Whether it is a path, or says so: a real server may call itself "v2.3.5-lite"."""
        return address.is_path or version.lower().startswith("milvus_lite")

    def creation(self, options: ServerOptions) -> dict[str, Any]:
        """Return nothing: Lite has no such settings; that rows do not expire is said."""
        if options.expires:
            logger.warning("Milvus Lite keeps rows for ever: %s has no effect", TTL)
        return {}

    def loading(self, options: ServerOptions) -> dict[str, Any]:
        """Return nothing: Lite loads a collection once."""
        return {}

    def reader(self, address: Address) -> Reader | None:
        """Return what searches the rows of a path, which lie in this process."""
        return Reader(address.uri) if address.is_path else None

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: Column
    ) -> Iterator[Rows]:
        """Yield the rows in one page: an iterator logs a warning and is 50 % slower.

        What is more than a message holds is read by key, half of it at once: 6,000 rows of 56 kB
        take 17 s on a busy machine, 6 of them until the engine refuses to send them all.
        """
        wanted = expression or key.any

        def read(names: list[str]) -> Rows:
            return list(connection.call("query", name, filter=wanted, output_fields=names))

        try:
            yield read(columns)
        except EngineError as error:
            if not error.too_large:
                raise
            keys = list(dict.fromkeys(str(row[key.name]) for row in read([key.name])))
            yield from read_rows(connection, name, key, keys, columns)


class Server(Engine):
    """A Milvus server, or Zilliz Cloud.

    Raises:
        StoreError: If its version is too old.
    """

    minimum = MINIMUM

    def __init__(self, version: str = "") -> None:
        super().__init__(version)
        numbers = parse_version(version)
        if numbers and numbers < self.minimum:
            wanted = ".".join(map(str, self.minimum))
            msg = f"the server is Milvus {version}, Hybridge needs {wanted} or later: upgrade it"
            raise StoreError(msg)
        self.functions = not numbers or numbers >= (2, 5)
        self.partial_upserts = self.new_columns = not numbers or numbers >= (2, 6)
        self.new_vectors = not numbers or numbers >= (2, 6, 18)

    @classmethod
    def speaks(cls, address: Address, version: str) -> bool:
        """Whatever is not Milvus Lite."""
        return True

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: Column
    ) -> Iterator[Rows]:
        """Yield the rows in pages, in the order of their keys.

        pymilvus's own iterator pastes the last key unescaped into the next page's expression, and
        sends no timestamp, so that its first page may miss what this process has just written. A
        short page is not the last: a server ends a page where one of its segments ends.
        """
        size, after = _PAGE, key.any
        while True:
            wanted = f"{after} and ({expression})" if expression else after
            try:
                page = connection.call(
                    "query",
                    name,
                    filter=wanted,
                    output_fields=columns,
                    limit=size,
                    iterator="True",
                    reduce_stop_for_best="True",
                    guarantee_timestamp=connection.written(name),
                )
            except EngineError as error:
                if size == 1 or not error.too_large:
                    raise
                size //= 2
                continue
            if not page:
                return
            yield list(page)
            after = key.after(str(page[-1][key.name]))


@dataclass(frozen=True)
class Dialect:
    """How a collection is talked to.

    Attributes:
        engine: Which engine answers.
        exclusive: Whether every write passes through this process. Then scans are kept, unflushed
            rows are counted and flushed before a read, document vectors are weighed anew, and
            statistics that disagree with the rows are counted afresh.
    """

    engine: Engine
    exclusive: bool


ENGINES: list[type[Engine]] = [Lite, Server]
"""The engines there are, each asked in turn whether it is the one; tests put their own first."""


def detect(address: Address, version: str) -> Dialect:
    """Return the dialect of an address, by the version that the engine says it has.

    Raises:
        StoreError: If its version is too old.
    """
    engine = next(one for one in ENGINES if one.speaks(address, version))
    return Dialect(engine(version), exclusive=address.is_path)


def parse_version(version: str) -> tuple[int, ...]:
    """Return the numbers of a version such as "v2.5.4-dev"; () where it has none."""
    found = re.match(r"\D*(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(number) for number in found.groups() if number) if found else ()
