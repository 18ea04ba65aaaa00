"""The texts that a model function is given, checked before any model or API sees them."""

from __future__ import annotations

from collections.abc import Iterable

from hybridge.errors import InvalidInputError


def parse_texts(texts: Iterable[str], name: str) -> list[str]:
    """Return `texts` as a list of strings.

    Args:
        texts: Any iterable of strings; a lone string is refused, since it would be taken apart
            into characters.
        name: What the caller calls them, for the error.

    Raises:
        InvalidInputError: It is a lone string or bytes, not iterable, or holds something that is
            not a string or cannot be written as UTF-8.
    """
    if isinstance(texts, (str, bytes)):
        msg = f"{name} must be a list of texts, not one text: write [text]"
        raise InvalidInputError(msg)
    try:
        iterator = iter(texts)
    except TypeError:
        msg = f"{name} must be a list of texts, not {type(texts).__name__}"
        raise InvalidInputError(msg) from None
    listed: list[str] = []
    # One by one, so that what is no text ends even a range that no memory could hold.
    for text in iterator:
        check_text(text, f"{name}[{len(listed)}]")
        listed.append(text)
    return listed


def check_text(text: object, name: str) -> None:
    """Refuse anything but a string that UTF-8 can hold (a lone surrogate it cannot).

    Raises:
        InvalidInputError: `text` is something else; `name` says which.
    """
    if not isinstance(text, str):
        msg = f"{name} must be a string, not {type(text).__name__}"
        raise InvalidInputError(msg)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        msg = f"{name} holds a lone surrogate at character {error.start}; repair its decoding first"
        raise InvalidInputError(msg) from None
