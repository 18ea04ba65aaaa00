"""What the rows of a folder are made by, as the caller says it, and every process is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import signature
from itertools import chain, islice
from typing import Any

from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.records import Record
from hybridge.store import (
    AUTO,
    AVERAGED,
    BATCH_SIZE,
    LayoutRequest,
    MetadataEncoder,
    Plan,
    RowMaker,
    parse_encoder,
    parse_records,
)
from hybridge.tools.bulk.folder import Folder

_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(signature(LayoutRequest.parse).parameters),
    "sparse": AUTO,
}
_OTHERS = ("average_length", "metadata_encoder")


@dataclass(frozen=True)
class Making:
    """What rows are made by.

    Attributes:
        request: What a store's arguments ask for.
        average_length: The average length in tokens, where it is known: of all fields, or by field.
        encoder: Makes metadata of what JSON cannot hold.
    """

    request: LayoutRequest
    average_length: float | Mapping[str, float] | None = None
    encoder: MetadataEncoder | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, arguments: Mapping[str, Any]) -> Making:
        """Return what those arguments of `MilvusStore` ask for that are about its rows.

        Raises:
            InvalidInputError: If one is about something else, or makes no sense.
        """
        others = sorted(arguments.keys() - cls.names())
        if others:
            msg = (
                f"{', '.join(others)} say where rows go, or how they are searched: leave them out, "
                "and say them to the store that loads or imports the rows"
            )
            raise InvalidInputError(msg)
        request = LayoutRequest.parse_arguments({**_DEFAULTS, **arguments})
        average = arguments.get("average_length")
        if (
            request.partition_key is not None
            and average is None
            and any(one.is_counted for one in request.expected.values())
        ):
            msg = (
                "each tenant's average length would be fixed by its first rows: give "
                "average_length=, in tokens, such as that of some thousand documents"
            )
            raise InvalidInputError(msg)
        return cls(request, average, parse_encoder(arguments.get("metadata_encoder")))

    @staticmethod
    def names() -> set[str]:
        """Return the arguments of `MilvusStore` that are about its rows."""
        return {*_DEFAULTS, *_OTHERS}

    def records(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records as a store takes them, with ids."""
        return parse_records(records, self.request, self.encoder)

    def begin(self, folder: Folder, records: Iterator[Record]) -> tuple[RowMaker, Iterator[Record]]:
        """Return what makes the rows of a folder, and the records, of which some were read ahead.

        A folder that an earlier run has begun keeps its plan.

        Raises:
            CollectionMismatchError: If that is another one.
        """
        plan = folder.find_plan()
        if plan is None:
            head = list(islice(records, AVERAGED if self.average_length is None else BATCH_SIZE))
            records = chain(head, records)
            plan = Plan.of(head, self.request, self.average_length)
            folder.keep_plan(plan)
        self._check(plan, folder)
        return RowMaker(plan, self.request), records

    def _check(self, plan: Plan, folder: Folder) -> None:
        there, asked = self.request.contradictions(plan.layout)
        if asked:
            msg = (
                f"the rows in {folder.path} were begun with {there}, and now {asked} is asked for: "
                "leave the argument out to go on with them, or choose another folder"
            )
            raise CollectionMismatchError(msg)
        self._check_average(plan, folder)

    def _check_average(self, plan: Plan, folder: Folder) -> None:
        given = self.average_length
        if given is None:
            return
        asked = given if isinstance(given, Mapping) else dict.fromkeys(plan.averages, given)
        if any(asked.get(name) != one for name, one in plan.averages.items()):
            msg = (
                f"the rows in {folder.path} are weighed by an average length of "
                f"{dict(plan.averages)}, not {dict(asked)}: leave average_length out to go on with "
                "them, or choose another folder"
            )
            raise CollectionMismatchError(msg)
