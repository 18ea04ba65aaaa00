"""Arguments that there are not are refused by name, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridge.errors import InvalidInputError
from hybridge.spellings import MOVING, STORE, check_names, names_of
from hybridge.store import StoreArguments

ROOT = Path(__file__).parents[2]
TABLE = {"limit": "write k="}


def test_the_name_of_another_library_is_answered() -> None:
    """The table knows what to do instead, and the error lists what there is."""
    with pytest.raises(InvalidInputError) as error:
        check_names(["limit"], {"k", "filter"}, "a search", TABLE)
    assert str(error.value) == "a search has no argument 'limit' (write k=); it has filter, k"


def test_who_comes_from_another_library_is_told_the_page() -> None:
    """Where an argument tells which one it was; there is no page that does not exist."""
    with pytest.raises(InvalidInputError, match=r"uri=.*; to move from there see docs/moving/q"):
        check_names(["location"], {"uri"}, "a store", STORE)
    for page in set(MOVING.values()):
        assert (ROOT / page).is_file(), page


def test_a_misspelling_is_answered_by_the_most_similar_name() -> None:
    """What no table has may be a slip of the pen."""
    with pytest.raises(InvalidInputError, match="write filter="):
        check_names(["filtre"], {"k", "filter"}, "a search")


def test_what_is_like_nothing_is_refused_without_a_guess() -> None:
    """There is no hint for what nobody can have meant."""
    with pytest.raises(InvalidInputError, match=r"no argument 'zzz'; it has"):
        check_names(["zzz"], {"k", "filter"}, "a search", TABLE)


def test_what_there_is_passes() -> None:
    """Nothing is said of names that are known."""
    check_names(["k"], {"k", "filter"}, "a search", TABLE)


def test_the_names_of_a_function_are_those_of_its_options_too() -> None:
    """A dictionary that is unpacked names arguments like any other."""

    def call(self: object, k: int, **options: object) -> None: ...

    assert names_of(call, StoreArguments) == {"k", *StoreArguments.__annotations__}
    assert names_of(call) == {"k"}


def test_no_spelling_of_others_is_an_argument_of_the_store() -> None:
    """Else the table would say something that is never read."""
    assert not STORE.keys() & StoreArguments.__annotations__.keys()
