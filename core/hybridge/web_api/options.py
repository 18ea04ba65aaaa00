"""What every function over an API takes, beside its own arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict, TypeVar, cast

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.spellings import check_names

T = TypeVar("T", bound=Mapping[str, Any])


class ApiOptions(TypedDict, total=False):
    """Time limits, retries and headers.

    Attributes:
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two;
            (5.0, 60.0) by default.
        deadline: Seconds that one request may take in total, including retries and waits; 120 by
            default.
        max_retries: How often a request is sent again after 5xx or a failed connection; 3 by
            default. After 429 it is sent again until the deadline, unless this is 0.
        backoff: Seconds of the first wait between retries, 1 by default; each further one is twice
            as long, up to 20 s.
        default_headers: Further headers of every request. They may hold secrets, and are shown and
            pickled as little as the key.
    """

    timeout: float | tuple[float, float]
    deadline: float
    max_retries: int
    backoff: float
    default_headers: Mapping[str, str] | None


class ProviderOptions(ApiOptions, total=False):
    """What every provider's function takes, beside its own arguments.

    Attributes:
        base_url: Where the API is, if not at the provider's own address.
        batch_size: Texts in one request; by default as many as the provider takes.
        extra_body: Further fields of every request, as the API knows them.
    """

    base_url: str | None
    batch_size: int | None
    extra_body: Mapping[str, Any] | None


def parse_options(given: Mapping[str, Any], kind: type[T]) -> T:
    """Return options whose names are those of a kind of options.

    Raises:
        InvalidInputError: One is not.
    """
    check_names(given, kind.__annotations__, "a function of an API")
    return cast("T", dict(given))


def parse_fields(fields: object, name: str) -> dict[str, Any]:
    """Return further fields of a request as a dictionary; None is none.

    Raises:
        InvalidInputError: They are no mapping from strings to what JSON can hold.
    """
    if fields is None:
        return {}
    if not is_mapping(fields) or not all(isinstance(key, str) for key in fields):
        msg = f"{name} must be a mapping from the names of fields to values, not {shown(fields)}"
        raise InvalidInputError(msg)
    try:
        json.dumps(dict(fields), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{name} holds what JSON cannot: {error}"
        raise InvalidInputError(msg) from error
    return dict(fields)
