"""What must be encoded, and by whom: each function is asked once for all fields that it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.function_settings import settings_of
from hybridge.protocols import AsyncEmbeddingFunction
from hybridge.store.fields import VectorField, model_name
from hybridge.store.threads import Threads

Role = Literal["documents", "queries"]


@dataclass
class _Call:
    """One call of a function: its texts, each once, and what it made of them."""

    function: Any
    role: Role
    texts: dict[str, int] = field(default_factory=dict[str, int])
    made: Any = None

    @property
    def is_async(self) -> bool:
        return isinstance(self.function, AsyncEmbeddingFunction)

    def run(self) -> None:
        encode: Callable[[list[str]], Any] = getattr(self.function, f"encode_{self.role}")
        self.made = encode(list(self.texts))

    async def arun(self, threads: Threads) -> None:
        if not self.is_async:
            await threads.run(self.run)
            return
        encode: Callable[[list[str]], Awaitable[Any]]
        encode = getattr(self.function, f"aencode_{self.role}")
        self.made = await encode(list(self.texts))


class Encoding:
    """The texts that one request needs encoded, grouped by function."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, Role], _Call] = {}
        self._vectors: dict[tuple[str, Role], list[Any]] = {}

    def ask(self, field: VectorField, texts: Iterable[str], role: Role) -> None:
        """Ask for the vectors of texts.

        Raises:
            InvalidInputError: If the field has no function.
        """
        texts = list(texts)
        if not texts:
            return
        if field.function is None:
            field.check_function()
        function = _encoder(field)
        call = self._calls.setdefault((id(function), role), _Call(function, role))
        for text in texts:
            call.texts.setdefault(text, len(call.texts))

    def run(self) -> None:
        """Call each function."""
        for call in self._calls.values():
            call.run()

    async def arun(self, threads: Threads) -> None:
        """Call each function: awaited where it can be, else on the store's threads."""
        await asyncio.gather(*(call.arun(threads) for call in self._calls.values()))

    def vectors(self, field: VectorField, texts: Sequence[str], role: Role) -> list[Any]:
        """Return the vectors of texts that were asked for.

        Raises:
            InvalidInputError: If the function made something else than one vector per text.
        """
        return self.of_fields([field], texts, role)[field.name]

    def of_fields(
        self, fields: Sequence[VectorField], texts: Sequence[str], role: Role
    ) -> dict[str, list[Any]]:
        """Return the vectors of the same texts by field; see `vectors`."""
        if not texts:
            return {one.name: [] for one in fields}
        calls = {one.name: self._calls[id(_encoder(one)), role] for one in fields}
        for one in fields:
            if (one.name, role) not in self._vectors:
                call = calls[one.name]
                made = call.made
                if call.function is not one.function:
                    made = made[one.function.part]
                names = [f"the {one.name} vector of {text!r:.80}" for text in call.texts]
                self._vectors[one.name, role] = one.parse_made(made, names)
        return {
            name: [self._vectors[name, role][call.texts[text]] for text in texts]
            for name, call in calls.items()
        }


class ModelCheck:
    """Whether the functions of a store are the models that made the collection's vectors.

    A model of the same name and settings is taken for the same one. Another is asked for its vector
    of the field's probe once, and may make the same vectors: by another backend, or from another
    path.
    """

    def __init__(self) -> None:
        self._checked: dict[str, list[Any]] = {}

    def ask(self, fields: Iterable[VectorField], encoding: Encoding) -> list[VectorField]:
        """Ask for the probes of functions that are not known yet; return the fields concerned."""
        unknown = [one for one in fields if self._is_unknown(one)]
        for one in unknown:
            encoding.ask(one, [one.probe_text], "documents")
        return unknown

    def _is_unknown(self, field: VectorField) -> bool:
        if field.function is None or field.probe is None:
            return False
        is_named = field.model is not None and model_name(field.function) == field.model
        if is_named and field.made_with in (None, settings_of(field.function)):
            return False
        known = self._checked.get(field.name, ())
        return not any(one is field.function or one == field.function for one in known)

    def check(self, fields: Iterable[VectorField], encoding: Encoding, collection: str) -> None:
        """Compare the probes that were asked for.

        Raises:
            CollectionMismatchError: If a function is another model.
        """
        for one in fields:
            try:
                [probe] = encoding.vectors(one, [one.probe_text], "documents")
            except InvalidInputError as error:
                raise CollectionMismatchError(str(error)) from error
            if not one.same_model(probe):
                asked = model_name(one.function) or type(one.function).__name__
                msg = (
                    f"the field {one.name!r} of collection {collection!r} holds vectors of "
                    f"{one.model or 'another model'!r}, and {asked!r} is a different model: pass "
                    "the model that made them, or choose another collection_name"
                )
                raise CollectionMismatchError(msg)
            self._checked.setdefault(one.name, []).append(one.function)


def _encoder(field: VectorField) -> Any:
    """Return what is called: a joint function makes the vectors of several fields in one pass."""
    return getattr(field.function, "joint", field.function)


def awaits(fields: Iterable[VectorField]) -> bool:
    """Whether some field's function is awaited in the caller's event loop."""
    return any(isinstance(one.function, AsyncEmbeddingFunction) for one in fields)
