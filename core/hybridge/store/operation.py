"""What every call of a store has in common: it is repeated where it must be, and it is logged.

At DEBUG the log says what a call was, how many rows it had, and how long it took. It never says
what was asked or found: no text, no vector, no id, no secret.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from hybridge.store.session import Session

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("hybridge")


class _Store(Protocol):
    _session: Session


S = TypeVar("S", bound=_Store)
Method = Callable[Concatenate[S, P], T]


def repeated(method: Method[S, P, T]) -> Method[S, P, T]:
    """Make a method one that is called again where the collection was replaced under it."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._session.repeat(lambda: method(self, *args, **kwargs))

    return call


def operation(name: str, *, unit: str = "rows") -> Callable[[Method[S, P, T]], Method[S, P, T]]:
    """Make a method a repeated one that is logged.

    Args:
        name: What the log calls it.
        unit: What its answer holds.
    """

    def decorate(method: Method[S, P, T]) -> Method[S, P, T]:
        again = repeated(method)

        @wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            with logged(name, unit) as log:
                answer = again(self, *args, **kwargs)
                log(answer)
                return answer

        return call

    return decorate


@contextmanager
def logged(name: str, unit: str = "rows") -> Generator[Callable[[Any], None]]:
    """Log an operation when it ends, at DEBUG; give what takes its answer.

    Args:
        name: What the log calls it.
        unit: What the answer holds.
    """
    if not logger.isEnabledFor(logging.DEBUG):
        yield _ignore
        return
    answers: list[Any] = []
    start, done = perf_counter(), "done"
    try:
        yield answers.append
        done = f"{_size(answers[0])} {unit}" if answers and answers[0] is not None else done
    except BaseException as error:
        done = f"failed with {type(error).__name__}"
        raise
    finally:
        logger.debug("%s: %s in %.1f ms", name, done, 1000 * (perf_counter() - start))


def _ignore(answer: Any) -> None:
    pass


def _size(answer: Any) -> int:
    """Return how much an answer holds, and nothing of what it holds."""
    if isinstance(answer, int):
        return int(answer)
    return sum(_size(one) if isinstance(one, list) else 1 for one in answer)
