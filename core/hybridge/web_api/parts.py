"""A list of texts in requests that an API accepts."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tqdm.auto import tqdm

from hybridge.arguments import check_flag
from hybridge.errors import ApiError, BadRequestError
from hybridge.web_api.answer import Answer

T = TypeVar("T")

logger = logging.getLogger("hybridge")

# What APIs answer to a request that is too large, or that holds a text that they do not take.
_DIVISIBLE = (400, 413, 422, 500)
# "at most 100 requests", "maximum allowed batch size 32", "The batch size limit is 1000"
_LIMIT = re.compile(r"(?:at most|max|limit|up to|more than)\D{0,40}(\d{1,5})\b", re.IGNORECASE)


@dataclass
class PartLimit:
    """How much one request may hold; less once an API has refused more.

    Attributes:
        texts: The most texts.
        bytes: The most bytes of UTF-8. No tokenizer makes more tokens than there are bytes, so
            this also bounds tokens.
        dividing: Whether a list that is refused may be asked for in parts.
    """

    texts: int
    bytes: float = float("inf")
    dividing: bool = True

    def end(self, texts: Sequence[str], start: int, most: int) -> int:
        """Return where the request ends that begins at `start` and may hold `most` texts.

        A text that is longer than a request may be is a request of its own.
        """
        held = 0
        for end in range(start, min(len(texts), start + most)):
            held += len(texts[end].encode())
            if held > self.bytes and end > start:
                return end
        return min(len(texts), start + most)


def ask_in_parts(
    texts: Sequence[str],
    ask: Callable[[list[str]], Answer],
    parse: Callable[[Answer, int], T],
    limit: PartLimit,
    *,
    name: str,
    progress: bool = False,
) -> list[T]:
    """Return what an API answers to texts, request by request.

    A list that it refuses is asked for in smaller parts: so its limit is learned, for good where
    the refusal says it, and the one text that it does not take is found and named.

    Args:
        texts: The texts.
        ask: Sends one request.
        parse: Returns what an answer says, for that many texts.
        limit: How much a request may hold; it learns.
        name: What the caller calls the texts.
        progress: Whether to show a progress bar.

    Raises:
        InvalidInputError: `progress` is not a bool.
        ApiError: A request failed, or an answer cannot be trusted.
    """
    check_flag(progress, "progress")
    parsed: list[T] = []
    most, start, taken, said = limit.texts, 0, False, False
    with tqdm(total=len(texts), unit="text", disable=not progress) as bar:
        while start < len(texts):
            end = limit.end(texts, start, most)
            try:
                answer = ask(list(texts[start:end]))
            except BadRequestError as error:
                if not limit.dividing or error.status not in _DIVISIBLE:
                    raise
                if not taken:
                    _check_kind(ask, error)
                if end - start == 1:
                    raise _of_one(f"{name}[{start}]", error) from None
                named = _named(end - start, error)
                most, taken, said = named or (end - start) // 2, True, said or named > 0
                continue
            parsed.append(parse(answer, end - start))
            bar.update(end - start)
            start, taken = end, True
    _learn(limit, most, said)
    return parsed


def _check_kind(ask: Callable[[list[str]], Answer], error: BadRequestError) -> None:
    """Check that the API takes such requests at all, by one short text.

    Raises:
        BadRequestError: It does not: neither the number of texts nor a text is at fault.
    """
    try:
        ask(["text"])
    except ApiError:
        raise error from None


def _of_one(place: str, error: BadRequestError) -> BadRequestError:
    msg = f"{place} was refused: {error}"
    return BadRequestError(msg, status=error.status, request_id=error.request_id)


def _learn(limit: PartLimit, most: int, said: bool) -> None:
    """Keep a smaller limit for good where the API said it, and tell the user in any case."""
    if most < limit.texts:
        what = "one request held %d texts at most: pass batch_size=%d to say so from the start"
        logger.warning(what, most, most)
        limit.texts = most if said else limit.texts


def _named(count: int, error: BadRequestError) -> int:
    """Return the limit, below `count`, that a refusal names; 0 if it names none."""
    said = map(int, _LIMIT.findall(str(error)))
    return max((number for number in said if number < count), default=0)
