"""Finding a model on this machine or on the hub.

Offline, the hub's own client retries for more than a minute before it gives up; here one short
request to the hub decides.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import requests

from hybridge.arguments import shown
from hybridge.errors import HybridgeError, InvalidInputError, ModelNotFoundError
from hybridge.extras import import_extra
from hybridge.web_api.deadline import DeadlineError, within

T = TypeVar("T")

_HUB_SECONDS = 5.0
_LINE_LENGTH = 300


def load_model(
    name: str,
    load: Callable[[str, bool], T],
    *,
    markers: tuple[str, ...],
    organization: str | None = None,
    cache_folder: str | None = None,
    revision: str | None = None,
    cure: str = "",
) -> T:
    """Load a model from a folder, else from the hub's cache, else from the hub.

    Args:
        name: A folder, or the model's name on the hub.
        load: Called with a folder or a name, and whether only local files may be read.
        markers: Files of which one in the cache shows that the model was loaded before.
        organization: The hub's owner of models whose name has none.
        cache_folder: The cache; the hub's own by default.
        revision: The version on the hub.
        cure: What else would help if the model is nowhere, as a clause.

    Raises:
        ModelNotFoundError: None of the places has the model.
        InvalidInputError: The files are there, but they are not a usable model.
    """
    with model_errors(name, cure):
        folder = Path(name).expanduser()
        if folder.is_dir():
            with _without_bars():
                return load(str(folder), False)
        if name.startswith((".", "~", "/")) or "\\" in name or name.count("/") > 1:
            msg = f"There is no folder {shown(name)}: check the path"
            raise ModelNotFoundError(msg)
        names = (name, f"{organization}/{name}") if "/" not in name and organization else (name,)
        files = [(each, marker) for each in names for marker in markers]
        if any(_is_cached(each, marker, cache_folder, revision) for each, marker in files):
            # The cache may hold what is left of an interrupted download.
            with suppress(OSError), _without_bars():
                return load(name, True)
        if not _hub_answers():
            msg = _not_found(name, "the hub cannot be reached", cure)
            raise ModelNotFoundError(msg)
        return load(name, False)


def fetch_folder(place: str, patterns: list[str], local_files_only: bool) -> Path:
    """Return a model's folder: the one named, or one of the hub's files of these patterns."""
    if Path(place).is_dir():
        return Path(place)
    hub: Any = import_module("huggingface_hub")
    return Path(
        hub.snapshot_download(place, allow_patterns=patterns, local_files_only=local_files_only)
    )


@contextmanager
def model_errors(name: str, cure: str = "") -> Generator[None]:
    """Turn whatever a library raises while it loads or tries a model into an error of ours.

    Args:
        name: The model.
        cure: See `load_model`.

    Raises:
        ModelNotFoundError: A file is absent or cannot be read.
        InvalidInputError: Anything else: the files, or the options they were loaded with, do not
            make a usable model.
    """
    try:
        yield
    except HybridgeError:
        raise
    except OSError as error:
        msg = _not_found(name, _first_line(error), cure)
        raise ModelNotFoundError(msg) from error
    except Exception as error:
        msg = f"{shown(name)} cannot be loaded: {_first_line(error)}"
        raise InvalidInputError(msg) from error


def parse_device(device: object, user: str) -> str | None:
    """Return the device to load a model on, where "" is None, as it is for `pymilvus.model`.

    Args:
        device: Its name, or a `torch.device`.
        user: Which class of ours needs it.

    Raises:
        MissingExtraError: torch is not installed.
        InvalidInputError: It is no device of this machine.
    """
    if device is None or device == "":
        return None
    torch = import_extra("torch", user, "dense")
    try:
        if not isinstance(device, (str, torch.device)):
            msg = "one device is needed, by its name"
            raise TypeError(msg)
        torch.empty(0, device=device)
    except Exception as error:  # of several kinds, AssertionError among them
        msg = (
            f"device {shown(device)} cannot be used: {_first_line(error)}. Leave it out to have a "
            "GPU where there is one, and the CPU elsewhere"
        )
        raise InvalidInputError(msg) from error
    return str(device)


def load_sentence_transformers(
    kind: str,
    name: str,
    *,
    user: str,
    organization: str,
    # A plain checkpoint of transformers has no modules.
    markers: tuple[str, ...] = ("modules.json", "config.json"),
    cure: str = "",
    **options: Any,
) -> Any:
    """Load a model by a class of sentence-transformers; see `load_model`.

    Args:
        kind: The class.
        name: A folder, or the model's name on the hub.
        user: Which class of ours needs it.
        organization: See `load_model`.
        markers: See `load_model`.
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
        markers=markers,
        organization=organization,
        cache_folder=options.get("cache_folder", os.getenv("SENTENCE_TRANSFORMERS_HOME")),
        revision=options.get("revision"),
        cure=cure,
    )


def _is_cached(name: str, marker: str, cache_folder: str | None, revision: str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    # The answer is a path, or a marker for a file that the model is known to lack, or None.
    found = try_to_load_from_cache(name, marker, cache_dir=cache_folder, revision=revision)
    return found is not None


@contextmanager
def _without_bars() -> Generator[None]:
    """Keep transformers from drawing a progress bar while it reads weights of this machine.

    Whoever set HF_HUB_DISABLE_PROGRESS_BARS has decided about bars already.
    """
    transformers = sys.modules.get("transformers")
    bars = None if os.getenv("HF_HUB_DISABLE_PROGRESS_BARS") else transformers
    if bars is None or not bars.utils.logging.is_progress_bar_enabled():
        yield
        return
    bars.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        bars.utils.logging.enable_progress_bar()


def _hub_answers() -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        within(_HUB_SECONDS, lambda: requests.head(constants.ENDPOINT, timeout=_HUB_SECONDS))
    except (requests.RequestException, DeadlineError):
        return False
    return True


def _not_found(name: str, why: str, cure: str) -> str:
    first = f"{cure}; or " if cure else ""
    return (
        f"{shown(name)} is not on this machine, and could not be fetched: {why}. "
        f"To cure it: {first}pass the path of a folder that holds the model; or connect once, "
        "so that the model gets into the cache (check the name, HF_HUB_OFFLINE and the proxy)."
    )


def _first_line(error: Exception) -> str:
    line = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    return line if len(line) <= _LINE_LENGTH else line[:_LINE_LENGTH] + "…"
