"""What the searches of a store do where a call says nothing, kept in a file.

`hybridge eval` writes such a file for a collection that it has measured; `MilvusStore(config=...)`
and both frameworks read it, by an explicit path alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hybridge.arguments import check_count, check_fraction, check_label, shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping, is_path
from hybridge.registry import rerank_function
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion, ReciprocalRank, Weighted
from hybridge.store.query import Defaults, MilvusFusion, parse_fusion, parse_mode

FORMAT = 1
_FORMAT_KEY, _EVIDENCE_KEY = "hybridge_search", "evidence"


@dataclass(frozen=True)
class SearchConfig:
    """What searches do where a call says nothing; None leaves it as it is without a configuration.

    Attributes:
        search_fields: The fields that are searched.
        fusion: How several rankings become one.
        fetch_k: How deep each field is read where several are fused.
        reranker: The name of a rerank function (see `hybridge.registry`) that orders the first hits
            of a query with a text anew; pages (`offset`) and MMR are not reranked.
        min_relevance: The least relevance, in [0, 1], of a hit.
    """

    search_fields: tuple[str, ...] | None = None
    fusion: Fusion | MilvusFusion | None = None
    fetch_k: int | None = None
    reranker: str | None = None
    min_relevance: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.search_fields, str):
            msg = f"search_fields={shown(self.search_fields)}: give a list of names"
            raise InvalidInputError(msg)
        parse_mode(self.search_fields)
        parse_fusion(self.fusion)
        if self.fetch_k is not None:
            check_count(self.fetch_k, "fetch_k")
        if self.reranker is not None:
            check_label(self.reranker, "reranker")
        if self.min_relevance is not None:
            check_fraction(self.min_relevance, "min_relevance")

    def defaults(self) -> Defaults:
        """Return what a query takes where a call says nothing; the reranker is made here."""
        reranker = None if self.reranker is None else rerank_function(self.reranker)
        return Defaults(self.fusion, self.fetch_k, reranker, self.min_relevance)

    def write(self, path: str | os.PathLike[str], evidence: Mapping[str, Any]) -> None:
        """Write the file.

        Args:
            path: Where to.
            evidence: What the settings rest on, as JSON; it is for people, and not read.

        Raises:
            InvalidInputError: If the fusion is one of somebody else, which a file cannot hold.
        """
        said = {name: value for name, value in vars(self).items() if value is not None}
        if "fusion" in said:
            said["fusion"] = _plain_fusion(said["fusion"])
        content = {_FORMAT_KEY: FORMAT, **said, _EVIDENCE_KEY: dict(evidence)}
        Path(path).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> SearchConfig:
        """Read a file that `write` wrote.

        Raises:
            InvalidInputError: If there is none, or it says what makes no sense; the error names it.
        """
        try:
            content = json.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            msg = f"the search configuration {os.fspath(path)!r} cannot be read: {error}"
            raise InvalidInputError(msg) from error
        try:
            return cls._parse(content)
        except InvalidInputError as error:
            msg = f"the search configuration {os.fspath(path)!r}: {error}"
            raise InvalidInputError(msg) from error

    @classmethod
    def _parse(cls, content: Any) -> SearchConfig:
        if not is_mapping(content) or content.get(_FORMAT_KEY) != FORMAT:
            msg = f"it is no file of hybridge eval, or of a later version: {shown(content)}"
            raise InvalidInputError(msg)
        said = {key: value for key, value in content.items() if key not in _ASIDE}
        known = {one.name for one in fields(cls)}
        if unknown := sorted(said.keys() - known):
            msg = f"there is no setting {shown(unknown[0])}; there are {sorted(known)}"
            raise InvalidInputError(msg)
        if said.get("fusion") is not None:
            said["fusion"] = _made_fusion(said["fusion"])
        if isinstance(said.get("search_fields"), list):
            said["search_fields"] = tuple(said["search_fields"])
        return cls(**said)


_ASIDE = (_FORMAT_KEY, _EVIDENCE_KEY)


def parse_config(given: Any) -> SearchConfig:
    """Return the configuration of a store: one, the path of a file, or None.

    Raises:
        InvalidInputError: If it is none of these, or the file is not as it should be.
    """
    if given is None:
        return SearchConfig()
    if isinstance(given, SearchConfig):
        return given
    if not is_path(given):
        msg = f"config={shown(given)}: give the path of a file that `hybridge eval` wrote"
        raise InvalidInputError(msg)
    return SearchConfig.read(given)


def _plain_fusion(fusion: Any) -> Any:
    if isinstance(fusion, str):
        return fusion
    if type(fusion) is ConfidenceWeighted:
        return {"name": "ConfidenceWeighted", "trust": dict(fusion.trust)}
    if type(fusion) is ReciprocalRank:
        return {"name": "ReciprocalRank", "k": fusion.k}
    if type(fusion) is Weighted:
        weights = fusion.weights
        return {
            "name": "Weighted",
            "weights": dict(weights) if isinstance(weights, tuple) else weights,
        }
    msg = f"a file cannot hold the fusion {shown(fusion)}: give it to the store or the search"
    raise InvalidInputError(msg)


_FUSIONS: Mapping[str, Any] = {
    "ConfidenceWeighted": ConfidenceWeighted,
    "ReciprocalRank": ReciprocalRank,
    "Weighted": Weighted,
}


def _made_fusion(plain: Any) -> Any:
    if isinstance(plain, str):
        return plain
    settings = dict(plain) if is_mapping(plain) else {}
    make = _FUSIONS.get(settings.pop("name", None))
    if make is None:
        msg = f"fusion={shown(plain)}: there are {sorted(_FUSIONS)}"
        raise InvalidInputError(msg)
    try:
        return make(**settings)
    except TypeError as error:
        msg = f"fusion={shown(plain)}: {error}"
        raise InvalidInputError(msg) from error
