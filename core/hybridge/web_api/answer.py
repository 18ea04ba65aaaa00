"""A successful answer, checked before any of it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridge.errors import MalformedAnswerError
from hybridge.narrowing import is_list, is_mapping
from hybridge.web_api.errors import request_id
from hybridge.web_api.key import ApiKey


@dataclass(frozen=True)
class Answer:
    """The body of one successful response.

    Attributes:
        body: The body, as parsed.
        request_id: The API's id of the request, if it gave one.
        key: The key that was used, to be kept out of errors.
    """

    body: Mapping[str, Any]
    request_id: str | None
    key: ApiKey

    @classmethod
    def read(cls, content: bytes, headers: Mapping[str, str], key: ApiKey) -> Answer:
        """Parse a body.

        Raises:
            MalformedAnswerError: It is not a JSON object.
        """
        identity = request_id(headers)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not is_mapping(body):
            msg = "it is not a JSON object"
            raise cls({}, identity, key).malformed(msg)
        return cls(body, identity, key)

    def malformed(self, what: str) -> MalformedAnswerError:
        """Return the error to raise; `what` says, as a clause, why the answer cannot be trusted."""
        quote = f" Request id: {self.request_id}." if self.request_id else ""
        msg = (
            f"The answer of {self.key.source.service} cannot be trusted: {self.key.redact(what)}. "
            f"None of it was used. Try again, and report it if it persists.{quote}"
        )
        return MalformedAnswerError(msg, status=200, request_id=self.request_id)

    def items(self, name: str, count: int) -> list[dict[str, Any]]:
        """Return the objects of a list by their `index`, which runs from 0 to `count` - 1.

        Raises:
            MalformedAnswerError: An index is missing, repeated or out of range.
        """
        items = self.body.get(name)
        if not is_list(items) or not all(map(is_mapping, items)):
            msg = f"it holds no list {name!r}"
            raise self.malformed(msg)
        placed: dict[int, dict[str, Any]] = {}
        for item in items:
            index = item.get("index")
            if type(index) is not int or not 0 <= index < count:
                msg = f"it holds index {index!r} for {count} texts"
                raise self.malformed(msg)
            if index in placed:
                msg = f"it holds index {index} twice"
                raise self.malformed(msg)
            placed[index] = item
        if len(placed) < count:
            msg = f"it holds {len(placed)} results for {count} texts"
            raise self.malformed(msg)
        return [placed[index] for index in range(count)]

    def scores(self, count: int) -> list[float]:
        """Return the `relevance_score` of each of `count` documents, in their order.

        Raises:
            MalformedAnswerError: A score is missing, repeated or not a finite number.
        """
        scores = [item.get("relevance_score") for item in self.items("results", count)]
        for score in scores:
            if not _is_finite_number(score):
                msg = f"a score is {score!r}"
                raise self.malformed(msg)
        return [float(score) for score in scores if score is not None]

    def vectors(self, count: int) -> NDArray[np.float32]:
        """Return the `embedding` of each of `count` texts: float32 of shape `(count, dim)`.

        Raises:
            MalformedAnswerError: A vector is missing, repeated, of another length than the others,
                or holds anything but finite numbers.
        """
        items = self.items("data", count)
        try:
            vectors = np.array([item.get("embedding") for item in items])
        except ValueError:
            msg = "its vectors differ in length"
            raise self.malformed(msg) from None
        if vectors.ndim != 2 or vectors.dtype.kind not in "fi" or not vectors.size:
            msg = "an embedding is not a list of numbers"
            raise self.malformed(msg)
        with np.errstate(over="ignore"):
            vectors = vectors.astype(np.float32)
        if not np.isfinite(vectors).all():
            msg = "a vector is not finite"
            raise self.malformed(msg)
        return vectors


def _is_finite_number(value: object) -> bool:
    # A bool is an int to Python, and JSON may hold an int that no float can.
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False
