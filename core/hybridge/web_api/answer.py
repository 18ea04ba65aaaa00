"""A successful answer, checked before anything of it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridge.errors import MalformedAnswerError
from hybridge.web_api.errors import request_id
from hybridge.web_api.key import ApiKey


@dataclass(frozen=True)
class Answer:
    """One answer with a status of success.

    Attributes:
        body: The body, as parsed.
        request_id: The API's id of the request, if it gave one.
        key: The key that was used, to be kept out of errors.
    """

    body: dict[str, Any]
    request_id: str | None
    key: ApiKey

    @classmethod
    def read(cls, content: bytes, headers: Mapping[str, str], key: ApiKey) -> Answer:
        """Parse a body.

        Raises:
            MalformedAnswerError: It is no JSON object.
        """
        identity = request_id(headers)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise cls({}, identity, key).malformed("it is no JSON object")
        return cls(body, identity, key)

    def malformed(self, what: str) -> MalformedAnswerError:
        """Return the error to raise; `what` says, as a clause, why the answer is not trusted."""
        quote = f" Request id: {self.request_id}." if self.request_id else ""
        msg = (
            f"The answer of {self.key.source.service} cannot be trusted: {self.key.redact(what)}. "
            f"None of it was used. Try again, and report it if it stays.{quote}"
        )
        return MalformedAnswerError(msg, status=200, request_id=self.request_id)

    def items(self, name: str, count: int) -> list[dict[str, Any]]:
        """Return the objects of a list by their `index`, which runs from 0 to `count` - 1.

        Raises:
            MalformedAnswerError: An index is missing, doubled or out of range.
        """
        items = self.body.get(name)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self.malformed(f"it holds no list {name!r}")
        placed: dict[int, dict[str, Any]] = {}
        for item in items:
            index = item.get("index")
            if type(index) is not int or not 0 <= index < count:
                raise self.malformed(f"it holds index {index!r} for {count} texts")
            if index in placed:
                raise self.malformed(f"it holds index {index} twice")
            placed[index] = item
        if len(placed) < count:
            raise self.malformed(f"it holds {len(placed)} results for {count} texts")
        return [placed[index] for index in range(count)]

    def scores(self, count: int) -> list[float]:
        """Return the `relevance_score` of each of `count` documents, in their order.

        Raises:
            MalformedAnswerError: A score is missing, doubled or no finite number.
        """
        scores = [item.get("relevance_score") for item in self.items("results", count)]
        for score in scores:
            if not _is_finite_number(score):
                raise self.malformed(f"a score is {score!r}")
        return [float(score) for score in scores if score is not None]

    def vectors(self, count: int) -> NDArray[np.float32]:
        """Return the `embedding` of each of `count` texts: float32 of shape `(count, dim)`.

        Raises:
            MalformedAnswerError: A vector is missing, doubled, of another length than the others,
                or holds anything but finite numbers.
        """
        items = self.items("data", count)
        try:
            vectors = np.array([item.get("embedding") for item in items])
        except ValueError:
            raise self.malformed("its vectors differ in length") from None
        if vectors.ndim != 2 or vectors.dtype.kind not in "fi" or not vectors.size:
            raise self.malformed("an embedding is no list of numbers")
        with np.errstate(over="ignore"):
            vectors = vectors.astype(np.float32)
        if not np.isfinite(vectors).all():
            raise self.malformed("a vector is not finite")
        return vectors


def _is_finite_number(value: object) -> bool:
    # A bool is an int to Python, and JSON may hold an int that no float can.
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False
