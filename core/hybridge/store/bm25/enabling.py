"""BM25 of the store's own for a collection that another library made, as an explicit step.

It takes a companion, for the counts, and a sparse field, which is added to the collection. Then the
rows are counted and weighed as `hybridge.store.bm25.reindexing` does it: the field is said to be
reindexed from the beginning, so that what was cut short is gone on with in the same way.

What the other library writes afterwards has no terms and is not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridge.arguments import shown
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.store.bm25.field import REINDEXING, BM25Field
from hybridge.store.fields import SparseField, VectorField
from hybridge.store.foreign import COPY
from hybridge.store.layout import LayoutRequest

if TYPE_CHECKING:
    from hybridge.store.session import Opened


def parse_bm25(sparse: Any, name: str) -> BM25Field:
    """Return the new field that the name of a BM25 asks for.

    Raises:
        InvalidInputError: If it is no such name, or no field can have that of this one.
    """
    fields: dict[str, VectorField] = {name: SparseField(sparse)}
    request = LayoutRequest.parse(
        dense=None, sparse=None, fields=fields, dim=None, metadata_schema=None, partition_key=None
    )
    asked = request.fields[name]
    if not isinstance(sparse, str) or not isinstance(asked, BM25Field):
        msg = f"sparse={shown(sparse)}: give 'bm25', or 'bm25:<language>'"
        raise InvalidInputError(msg)
    return asked.new(name).with_state(REINDEXING)


def enable(opened: Opened, asked: BM25Field) -> None:
    """Give a collection a companion and a field; nothing is done where it has them.

    Raises:
        CollectionMismatchError: If it has another BM25, or a column of that name.
        InvalidInputError: If it cannot have one.
    """
    there = opened.layout.fields.get(asked.name)
    if there is None or not there.is_counted:
        _check(opened, asked.name)
        opened.collection.add_bm25(asked)
    elif asked.contradicts(there):
        msg = f"the field {asked.name!r} is there as {there.shown()}, not as {asked.shown()}"
        raise CollectionMismatchError(msg)


def _check(opened: Opened, name: str) -> None:
    foreign, engine = opened.layout.foreign, opened.collection.dialect.engine
    if foreign is None:
        msg = (
            f"{opened.collection.name!r} is a collection of Hybridge's, which is made with its "
            "fields: copy it, hybridge.tools.copy(store, uri='./new.db', sparse='bm25')"
        )
        raise InvalidInputError(msg)
    engine.check_new_field(name, COPY)
    if foreign.text is None:
        msg = f"{opened.collection.name!r} has no column for a text, which BM25 would count"
        raise InvalidInputError(msg)
    if foreign.automatic:
        msg = (
            f"Milvus numbers the rows of {opened.collection.name!r}, and would give each row that "
            f"is weighed a new number: {COPY}"
        )
        raise InvalidInputError(msg)
