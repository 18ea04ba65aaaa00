"""Metadata from real life: what JSON cannot hold is refused with the cure, or encoded."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest

import hybridge
from hybridge import F, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.store.metadata import parse_metadata, plain_value


class Colour(Enum):
    """An enumeration of strings."""

    RED = "red"


class Level(IntEnum):
    """An enumeration that is a number."""

    HIGH = 3


MOMENT = datetime(2024, 5, 6, 7, 8, tzinfo=timezone.utc)
REAL_LIFE: list[tuple[Any, Any]] = [
    (MOMENT, "2024-05-06T07:08:00+00:00"),
    (date(2024, 5, 6), "2024-05-06"),
    (time(7, 8), "07:08:00"),
    (np.datetime64("2024-05-06"), "2024-05-06"),
    (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    (PurePosixPath("a/b"), "a/b"),
    (Decimal("1.10"), "1.10"),
    (Colour.RED, "red"),
    ((1, MOMENT), [1, MOMENT.isoformat()]),
    ({"b", "a"}, ["a", "b"]),
    (np.array([1.5, 2]), [1.5, 2.0]),
]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (Level.HIGH, 3),
        ([np.int64(3), {"a": np.bool_(False)}], [3, {"a": False}]),
    ],
)
def test_numpy_scalars_and_subclasses_become_python_s_own(value: object, plain: object) -> None:
    """They equal what they become, so nobody asks for it."""
    parsed = parse_metadata({"key": value}, "metadata")["key"]
    assert (parsed, type(parsed)) == (plain, type(plain))
    assert json.loads(json.dumps(parsed)) == plain


@pytest.mark.parametrize(("value", "plain"), REAL_LIFE)
def test_what_json_cannot_hold_is_refused_with_the_cure(value: object, plain: object) -> None:
    """The error names the encoder, which makes of it what the table says."""
    with pytest.raises(InvalidInputError, match=r"metadata\['key'\].*hybridge\.plain_value"):
        parse_metadata({"key": value}, "metadata")
    assert parse_metadata({"key": value}, "metadata", plain_value) == {"key": plain}


@pytest.mark.parametrize("value", [object(), b"x", 1j, np.timedelta64(1, "s")])
def test_what_the_ready_encoder_does_not_know_is_refused(value: object) -> None:
    """A guess would come back as something else."""
    with pytest.raises(InvalidInputError, match="would not come back as it went in"):
        parse_metadata({"key": value}, "metadata", plain_value)


def test_an_encoder_that_goes_on_for_ever_is_stopped() -> None:
    """What it makes is looked at like everything else."""
    with pytest.raises(InvalidInputError, match="nested more than"):
        parse_metadata({"key": (1,)}, "metadata", lambda value: (*value, 1))


def test_a_store_encodes_what_is_added_and_what_is_updated(tmp_path: Path) -> None:
    """Dates come back as strings, which filters compare."""
    with MilvusStore(
        tmp_path / "store.db", sparse=None, dim=2, metadata_encoder=hybridge.plain_value
    ) as store:
        vector = np.ones(2, np.float32)
        store.add([Record(id="a", metadata={"day": date(2024, 5, 6)}, dense=vector)])
        assert store.update(["a"], metadata={"at": MOMENT, "n": np.int64(1)}) == 1
        [record] = store.get(filter=F("day") >= "2024-01-01")
        assert record.metadata == {"day": "2024-05-06", "at": MOMENT.isoformat(), "n": 1}
        assert store.count(F("n") == np.int64(1)) == 1


def test_what_is_no_encoder_is_refused() -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidInputError, match=r"such as hybridge\.plain_value"):
        MilvusStore(metadata_encoder="iso")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [7, UUID(int=7)])
def test_an_id_that_is_no_string_is_refused_with_the_cure(given: Any, tmp_path: Path) -> None:
    """Integers and UUIDs are what ids are elsewhere."""
    with MilvusStore(tmp_path / "store.db", sparse=None, dim=2) as store:
        for call in (
            lambda: store.add([Record(id=given, dense=np.ones(2, np.float32))]),
            lambda: store.get([given]),
            lambda: store.delete([given]),
        ):
            with pytest.raises(InvalidInputError, match=r"not a string: write str\("):
                call()
