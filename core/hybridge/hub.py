"""Finding a model on this machine or on the hub.

Offline, the hub's own client retries for more than a minute before it says so; here one short
question to the hub decides.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import requests

from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.extras import import_extra
from hybridge.web_api.deadline import DeadlineError, within

T = TypeVar("T")

_HUB_SECONDS = 5.0


def load_model(
    name: str,
    load: Callable[[str, bool], T],
    *,
    marker: str,
    organization: str | None = None,
    cache_folder: str | None = None,
    revision: str | None = None,
    cure: str = "",
) -> T:
    """Load a model from a folder, else from the hub's cache, else from the hub.

    Args:
        name: A folder, or the model's name on the hub.
        load: Called with a folder or a name, and whether only local files may be read.
        marker: The file whose presence in the cache shows that the model was loaded before.
        organization: The hub's owner of models whose name has none.
        cache_folder: The cache; the hub's own by default.
        revision: The version on the hub.
        cure: What else would help where nothing has the model, as a clause.

    Raises:
        ModelNotFoundError: None of the places has the model.
        InvalidInputError: The files are there and make no model.
    """
    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return load(str(folder), False)
        if name.startswith((".", "~", "/")) or "\\" in name or name.count("/") > 1:
            raise ModelNotFoundError(f"There is no folder {name!r}: check the path")
        names = (name, f"{organization}/{name}") if "/" not in name and organization else (name,)
        if any(_is_cached(each, marker, cache_folder, revision) for each in names):
            # What is cached may be the rest of a broken download.
            with suppress(OSError):
                return load(name, True)
        if not _hub_answers():
            raise ModelNotFoundError(_cures(name, "the hub cannot be reached", cure))
        return load(name, False)
    except OSError as error:
        raise ModelNotFoundError(_cures(name, _first_line(error), cure)) from error
    except InvalidInputError:
        raise
    except ValueError as error:
        raise InvalidInputError(f"{name!r} cannot be loaded: {_first_line(error)}") from error


def load_sentence_transformers(
    kind: str,
    name: str,
    *,
    user: str,
    organization: str,
    marker: str = "modules.json",
    cure: str = "",
    **options: Any,
) -> Any:
    """Load a model by a class of sentence-transformers; see `load_model`.

    Args:
        kind: The class.
        name: A folder, or the model's name on the hub.
        user: Which class of ours needs it.
        organization: See `load_model`.
        marker: See `load_model`.
        cure: See `load_model`.
        **options: What the class takes beside the name.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelNotFoundError: See `load_model`.
        InvalidInputError: See `load_model`.
    """
    library = import_extra("sentence_transformers", user, "dense", "sentence-transformers")
    return load_model(
        name,
        lambda place, local: getattr(library, kind)(place, local_files_only=local, **options),
        marker=marker,
        organization=organization,
        cache_folder=options.get("cache_folder") or os.getenv("SENTENCE_TRANSFORMERS_HOME"),
        revision=options.get("revision"),
        cure=cure,
    )


def _is_cached(name: str, marker: str, cache_folder: str | None, revision: str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    # The answer is a path, or a sign that the model is known to have no such file, or None.
    found = try_to_load_from_cache(name, marker, cache_dir=cache_folder, revision=revision)
    return found is not None


def _hub_answers() -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        within(_HUB_SECONDS, lambda: requests.head(constants.ENDPOINT, timeout=_HUB_SECONDS))
    except (requests.RequestException, DeadlineError):
        return False
    return True


def _cures(name: str, why: str, cure: str) -> str:
    first = f"{cure}; or " if cure else ""
    return (
        f"{name!r} is not on this machine, and could not be fetched: {why}. "
        f"To cure it: {first}pass the path of a folder that holds the model; or connect once, "
        "so that the model gets into the cache (check the name, HF_HUB_OFFLINE and the proxy)."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
