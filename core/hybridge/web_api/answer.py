"""A successful answer, checked before any of it is used."""

from __future__ import annotations

import base64
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

    body: Mapping[str, Any] | list[Any]
    request_id: str | None
    key: ApiKey

    @classmethod
    def read(cls, content: bytes, headers: Mapping[str, str], key: ApiKey) -> Answer:
        """Parse a body.

        Raises:
            MalformedAnswerError: It is neither a JSON object nor a list.
        """
        identity = request_id(headers)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not is_mapping(body) and not is_list(body):
            msg = "it is neither a JSON object nor a list"
            raise cls({}, identity, key).malformed(msg)
        return cls(body, identity, key)

    def malformed(self, what: str) -> MalformedAnswerError:
        """Return the error to raise; `what` says, as a clause, why the answer cannot be trusted."""
        quote = f" Request id: {self.request_id}." if self.request_id else ""
        msg = (
            f"The answer of {self.key.service} cannot be trusted: {self.key.redact(what)}. "
            f"None of it was used. Try again, and report it if it persists.{quote}"
        )
        return MalformedAnswerError(msg, status=200, request_id=self.request_id)

    def at(self, path: str) -> Any:
        """Return what stands at a path such as "embeddings.float"; the whole body at "".

        Returns:
            None where there is nothing.
        """
        found: Any = self.body
        for name in path.split(".") if path else ():
            found = found.get(name) if is_mapping(found) else None
        return found

    def items(self, path: str, count: int, *, placed: bool = False) -> list[Mapping[str, Any]]:
        """Return the objects of a list by their `index`, which runs from 0 to `count` - 1.

        Args:
            path: Where the list is.
            count: How many objects there must be.
            placed: Whether an object without an index, or all of them where each says 0, may be
                taken for the one of its place in the list (Gemini's answers).

        Raises:
            MalformedAnswerError: An index is missing, repeated or out of range.
        """
        items = self.at(path)
        if not is_list(items) or not all(map(is_mapping, items)):
            msg = f"it holds no list {path!r}"
            raise self.malformed(msg)
        indices = [item.get("index") for item in items]
        if placed:
            zeros = not any(indices)
            indices = [
                place if zeros or index is None else index for place, index in enumerate(indices)
            ]
        by_index: dict[int, Mapping[str, Any]] = {}
        for index, item in zip(indices, items, strict=True):
            self._check_index(index, count, by_index)
            by_index[index] = item
        if len(by_index) < count:
            msg = f"it holds {len(by_index)} results for {count} texts"
            raise self.malformed(msg)
        return [by_index[index] for index in range(count)]

    def scores(self, count: int, path: str, name: str) -> list[float]:
        """Return the score of each of `count` documents, in their order.

        Args:
            count: How many documents were sent.
            path: Where the list of results is.
            name: The field that holds a score.

        Raises:
            MalformedAnswerError: A score is missing, repeated or not a finite number.
        """
        scores = [item.get(name) for item in self.items(path, count)]
        for score in scores:
            if not _is_finite_number(score):
                msg = f"a score is {score!r}"
                raise self.malformed(msg)
        return [float(score) for score in scores if score is not None]

    def vectors(self, count: int, path: str) -> NDArray[np.float32]:
        """Return the vector of each of `count` texts: float32 of shape `(count, dim)`.

        A vector may be a list of numbers, or the base64 of float32 numbers, little end first.

        Args:
            count: How many texts were sent.
            path: Where the list is: of objects with `index` and `embedding`, or of vectors.

        Raises:
            MalformedAnswerError: A vector is missing, repeated, of another length than the others,
                or holds anything but finite numbers.
        """
        found = self.at(path)
        if is_list(found) and found and not is_mapping(found[0]):
            given = found
        else:
            given = [item.get("embedding") for item in self.items(path, count, placed=True)]
        try:
            vectors = np.array([_numbers(vector) for vector in given])
        except ValueError:
            msg = "its vectors differ in length, or one is no base64 of float32 numbers"
            raise self.malformed(msg) from None
        if vectors.ndim != 2 or vectors.dtype.kind not in "fi" or not vectors.size:
            msg = "an embedding is not a list of numbers"
            raise self.malformed(msg)
        if len(vectors) != count:
            msg = f"it holds {len(vectors)} vectors for {count} texts"
            raise self.malformed(msg)
        with np.errstate(over="ignore"):
            vectors = vectors.astype(np.float32)
        if not np.isfinite(vectors).all():
            msg = "a vector is not finite"
            raise self.malformed(msg)
        return vectors

    def _check_index(self, index: object, count: int, known: Mapping[int, object]) -> None:
        if type(index) is not int or not 0 <= index < count:
            msg = f"it holds index {index!r} for {count} texts"
            raise self.malformed(msg)
        if index in known:
            msg = f"it holds index {index} twice"
            raise self.malformed(msg)


def _numbers(vector: object) -> object:
    """Return a vector's numbers where they are written as base64, else what was given."""
    if not isinstance(vector, str):
        return vector
    return np.frombuffer(base64.b64decode(vector, validate=True), dtype="<f4")


def _is_finite_number(value: object) -> bool:
    # A bool is an int to Python, and JSON may hold an int that no float can.
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False
