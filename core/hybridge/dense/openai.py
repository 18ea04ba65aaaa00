"""Dense vectors from OpenAI's API, or any API of its shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_count, check_label
from hybridge.errors import HybridgeError, InvalidInputError, MalformedAnswerError
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.texts import parse_texts
from hybridge.web_api.answer import Answer
from hybridge.web_api.batches import batches
from hybridge.web_api.client import check_base_url
from hybridge.web_api.deadline import DeadlineError, within
from hybridge.web_api.embedding import embed_batches
from hybridge.web_api.errors import Refusal, no_answer
from hybridge.web_api.key import ApiKey, KeySource
from hybridge.web_api.retry import Failure, RetryPolicy, with_retries
from hybridge.web_api.usage import Usage, UsageMeter

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI = KeySource("OpenAI", ("OPENAI_API_KEY",), "https://platform.openai.com/api-keys")

_DIMS = {
    "text-embedding-3-large": 3072,
    "text-embedding-3-small": 1536,
    "text-embedding-ada-002": 1536,
}
# The API's limits for one request: inputs, and tokens in all of them together.
_MAX_TEXTS = 2_048
_MAX_TOKENS = 300_000


class OpenAIEmbeddingFunction:
    """Embeds texts with one of OpenAI's models, or of another service with the same API.

    Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is loaded,
    the environment is read again.

    Args:
        model_name: The model. The default is that of `pymilvus.model`, so that vectors go on
            fitting those already stored; text-embedding-3-small is newer, better and cheaper.
        api_key: The key; else `OPENAI_API_KEY`.
        base_url: Where the API is; else `OPENAI_BASE_URL`, else OpenAI's own.
        dimensions: The length of the vectors, for models that can shorten them.
        batch_size: Texts in one request, at most 2,048; fewer where they are long.
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        deadline: Seconds that one request may take in total, including retries and waits.
        max_retries: How often a request is sent again after 429, 5xx or a failed connection.
        backoff: Seconds of the first wait between retries; each further one is twice as long.
        **options: Anything else that `openai.OpenAI` takes, such as `organization`.

    Attributes:
        model_name: The model.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.

    Raises:
        MissingExtraError: openai is not installed.
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    is_billed: Final = True

    def __init__(
        self,
        model_name: str = "text-embedding-ada-002",
        api_key: str | None = None,
        base_url: str | None = None,
        dimensions: int | None = None,
        *,
        batch_size: int = _MAX_TEXTS,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        deadline: float = 120.0,
        max_retries: int = 3,
        backoff: float = 1.0,
        **options: Any,
    ) -> None:
        check_label(model_name, "model_name")
        check_count(batch_size, "batch_size", largest=_MAX_TEXTS)
        if dimensions is not None:
            check_count(dimensions, "dimensions")
        if base_url is not None:
            check_base_url(base_url)
        self.model_name = model_name
        self.settings = given_settings(type(self), dimensions=dimensions, base_url=base_url)
        self._dimensions = dimensions
        self._batch_size = batch_size
        self._dim = dimensions or _DIMS.get(model_name)
        self._policy = RetryPolicy(timeout, deadline, max_retries, backoff)
        self._key = ApiKey.find(OPENAI, api_key)
        self._options = {"base_url": base_url, **options}
        self._meter = UsageMeter()
        self._client = self._open()

    @property
    def dim(self) -> int:
        """The length of every vector; for an unknown model, found by embedding one word."""
        if self._dim is None:
            self._dim = self(["dim"]).shape[1]
        return self._dim

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._meter.usage

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; the shape is `(len(texts), dim)`."""
        return self._encode(texts, "texts")

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; nothing is sent for an empty list.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings, or one of them is empty.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(documents, "documents", progress)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings, or one of them is empty.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(queries, "queries")

    def __repr__(self) -> str:
        return f"OpenAIEmbeddingFunction({self.model_name!r})"

    def _encode(
        self, texts: Sequence[str], name: str, progress: bool = False
    ) -> NDArray[np.float32]:
        listed = parse_texts(texts, name)
        if "" in listed:
            place = f"{name}[{listed.index('')}]"
            msg = f"{place} is empty, which the API refuses: leave it out"
            raise InvalidInputError(msg)
        if not listed:
            return np.empty((0, self.dim), dtype=np.float32)
        return embed_batches(
            batches(listed, self._batch_size, _MAX_TOKENS),
            self._ask,
            dim=self._dim,
            total=len(listed),
            progress=progress,
        )

    def _ask(self, batch: list[str]) -> Answer:
        answer = with_retries(lambda left: self._attempt(batch, left), self._policy)
        self._meter.add(answer.body)
        return answer

    def _attempt(self, batch: list[str], seconds: float) -> Answer | Failure:
        import openai

        try:
            response = within(seconds, lambda: self._send(batch))
        except openai.APIStatusError as error:
            refused = error.response
            refusal = Refusal(refused.status_code, refused.headers, refused.content)
            return Failure(refusal.error(self._key), refusal.temporary, refusal.retry_after)
        except openai.APIConnectionError as error:
            what = f"{error} {error.__cause__ or ''}".strip()
            return self._no_answer(what, temporary=True)
        except DeadlineError:
            return self._no_answer(f"{self._policy.deadline} s have passed", temporary=False)
        except (AttributeError, TypeError, ValueError) as error:
            if isinstance(error, HybridgeError):
                raise
            # The request could not even be built; its headers hold the key.
            raise self._unusable(error) from None
        try:
            return Answer.read(response.content, response.headers, self._key)
        except MalformedAnswerError as error:
            return Failure(error.with_traceback(None))

    def _send(self, batch: list[str]) -> Any:
        """Return the HTTP response; its body is checked by us, not by the client."""
        dimensions: dict[str, Any] = {}
        if self._dimensions is not None:
            dimensions["dimensions"] = self._dimensions
        raw = self._client.embeddings.with_raw_response.create(
            input=batch, model=self.model_name, encoding_format="float", **dimensions
        )
        return raw.http_response

    def _no_answer(self, what: str, temporary: bool) -> Failure:
        import openai

        # The client's own error holds the request, and so the key.
        base_url = str(self._client.base_url)
        return Failure(no_answer(self._key, base_url, what, openai.OpenAIError(what)), temporary)

    def _open(self) -> OpenAI:
        openai = import_extra("openai", "OpenAIEmbeddingFunction", "openai")
        timeout = self._policy.timeout
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            client: OpenAI = openai.OpenAI(
                # Read at each request, so that a pickle without a key can still be loaded.
                api_key=self._key.reveal,
                timeout=openai.Timeout(read, connect=connect),
                # Retries are ours: the client's cannot be bounded by a deadline.
                max_retries=0,
                **self._options,
            )
        except Exception as error:  # noqa: BLE001 - httpx and openai share no root
            raise self._unusable(error) from None
        return client

    def _unusable(self, error: Exception) -> InvalidInputError:
        why = self._key.redact(f"{type(error).__name__}: {error}")
        msg = f"OpenAI's client cannot use one of {', '.join(self._options)} ({why})"
        return InvalidInputError(msg)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_client"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._client = self._open()
