"""Everything that Hybridge raises.

HybridgeError
├── InvalidInputError          (ValueError)   an argument or a record is wrong; nothing was sent
│   ├── FilterError                           a filter cannot be understood
│   ├── NotFittedError                        BM25 is to encode before it has seen a corpus
│   └── CollectionMismatchError               what is asked for contradicts the collection
├── MissingExtraError          (ImportError)  an optional dependency is not installed
├── ModelNotFoundError                        a model's weights are neither here nor reachable
├── StoreError                                Milvus, or the way to it, failed
│   ├── StoreClosedError                      the store was closed
│   ├── StoreLockedError                      another process has the path open
│   ├── StoreBrokenError                      a flush failed; reopen before writing
│   ├── StoreConnectionError                  the server does not answer
│   ├── PartialWriteError                     a later batch failed; `landed` has the ids written
│   └── EngineError                           the engine refused; `code` has its error code
│       ├── StoreAuthenticationError          it refused the credentials
│       ├── StorePermissionError              the user may not do that
│       ├── StoreDatabaseError                there is no such database
│       ├── StoreAbsentError                  the collection is gone
│       ├── StoreOverloadedError              a rate limit, a quota, no memory: later, or less
│       └── StoreLimitError                   a message that is too large
└── ApiError                                  a web API failed; see `status` and `request_id`
    ├── AuthenticationError                   no key, or the API refused it
    ├── RateLimitError                        too many requests, or the quota is used up
    ├── BadRequestError                       the API understood and refused the request
    ├── ServerError                           the API itself failed (5xx)
    ├── ApiConnectionError                    no answer: refused, reset or timed out
    └── MalformedAnswerError                  an answer that cannot be trusted; none is used

Every message says what happened and what to do next. No message holds a key or a token.
"""

from __future__ import annotations

from collections.abc import Sequence


class HybridgeError(Exception):
    """The root of all errors that Hybridge raises."""


class InvalidInputError(HybridgeError, ValueError):
    """An argument or a record is wrong. Nothing was sent."""


class FilterError(InvalidInputError):
    """A filter cannot be understood."""


class NotFittedError(InvalidInputError):
    """BM25 was asked to encode before `fit` or `load`."""


class CollectionMismatchError(InvalidInputError):
    """What was asked for contradicts what the stored collection holds."""


class MissingExtraError(HybridgeError, ImportError):
    """An optional dependency is not installed.

    Args:
        user: What needs it, for instance a class name.
        package: The missing package.
        extra: The extra of Hybridge that brings it; "" where none does.
    """

    def __init__(self, user: str, package: str, extra: str) -> None:
        self.extra = extra
        wanted = f"'hybridge[{extra}]'" if extra else package
        super().__init__(
            f"{user} needs {package!r}, which is not installed. "
            f"Install it with: pip install {wanted}",
            name=package,
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, {**self.__dict__, "name": self.name})


class ModelNotFoundError(HybridgeError):
    """A model's weights are neither on this machine nor reachable."""


class StoreError(HybridgeError):
    """Milvus, or the way to it, failed."""


class StoreClosedError(StoreError):
    """The store was closed; open a new one."""


class StoreLockedError(StoreError):
    """Another process has the Milvus Lite path open."""


class StoreBrokenError(StoreError):
    """A flush failed, so further writes could be lost; close and reopen the store."""


class StoreDamagedError(StoreError):
    """Rows are gone that were acknowledged, as after damage to the engine's files."""


class StoreConnectionError(StoreError):
    """The Milvus server does not answer."""


class PartialWriteError(StoreError):
    """A batch failed after earlier batches of the same call were written.

    Attributes:
        landed: The ids that were written before the failure, in order.
    """

    def __init__(self, message: str, landed: Sequence[str]) -> None:
        self.landed = list(landed)
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class EngineError(StoreError):
    """The engine refused a request.

    Attributes:
        code: The engine's own error code, where it gave one.
        passes: Whether the same call may succeed a moment later.
        too_large: Whether a message was too large: half of it may pass.
    """

    def __init__(
        self,
        message: str,
        code: int | None = None,
        *,
        passes: bool = False,
        too_large: bool = False,
    ) -> None:
        self.code = code
        self.passes = passes
        self.too_large = too_large
        super().__init__(message)


class StoreAuthenticationError(EngineError):
    """The server refused the credentials."""


class StorePermissionError(EngineError):
    """The user of the token may not do what was asked for."""


class StoreDatabaseError(EngineError):
    """The server has no database of this name."""


class StoreAbsentError(EngineError):
    """The collection is gone."""


class StoreOverloadedError(EngineError):
    """The server is at a limit of its own: requests, memory, disk or quota."""


class StoreLimitError(EngineError):
    """A message is larger than the server takes."""


class ApiError(HybridgeError):
    """A web API failed.

    Attributes:
        status: The HTTP status, or None where no answer came.
        request_id: The API's id of the request, to quote to its support.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None
    ) -> None:
        self.status = status
        self.request_id = request_id
        super().__init__(message)


class AuthenticationError(ApiError):
    """There is no key, or the API refused it (401, 403)."""


class RateLimitError(ApiError):
    """Too many requests (429), or the account's quota is used up (402)."""


class BadRequestError(ApiError):
    """The API understood the request and refused it (other 4xx)."""


class ServerError(ApiError):
    """The API itself failed (5xx)."""


class ApiConnectionError(ApiError):
    """No answer came: the connection was refused or reset, or a timeout passed."""


class MalformedAnswerError(ApiError):
    """The API's answer is incomplete or contradicts itself; none of it was used."""


def _restore(
    kind: type[HybridgeError], args: tuple[object, ...], state: dict[str, object]
) -> object:
    """Rebuild a pickled error whose constructor does not take its `args`."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update({key: value for key, value in state.items() if key != "name"})
    if isinstance(error, ImportError):
        error.name = state["name"]  # type: ignore[assignment]
    return error
