"""The file of a fitted BM25.

It is a file of `pymilvus.model`, which loads it and ranks alike: the keys of its version "v1". What
that version has no place for stands beside them under "hybridge", which `pymilvus.model` ignores.
"""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import parse_location, shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_number
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.weighting import Weighting

_VERSION = "v1"
_OURS = "hybridge"
_LARGEST = 2**53
"""Tokens of a corpus: a float counts no further one by one."""
_LARGEST_IDF = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Parameters:
    """What a file holds.

    Attributes:
        documents: How many documents were counted.
        average_length: The mean tokens of a document that document vectors are made with.
        terms: The terms, by index.
        idf: Their idf, float64 of shape `(len(terms),)`.
        weighting: The formulas.
        analyzer: The analyzer's identity; None in a file of `pymilvus.model`.
        statistics: The counts behind all this; None in a file that does not tell them.
    """

    documents: int
    average_length: float
    terms: list[str]
    idf: NDArray[np.float64]
    weighting: Weighting
    analyzer: str | None
    statistics: Statistics | None


def write_parameters(path: str | os.PathLike[str], parameters: Parameters) -> None:
    """Write a file, at once or not at all.

    Raises:
        InvalidInputError: The place cannot be written to.
    """
    location = parse_location(path, "path")
    target = Path(os.path.realpath(location))
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex}"
    try:
        try:
            with draft.open("x", encoding="utf-8") as file:
                json.dump(_to_json(parameters), file, allow_nan=False)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        msg = (
            f"cannot write BM25 parameters to {shown(location)}: {error.strerror}; "
            "choose another place"
        )
        raise InvalidInputError(msg) from error


def read_parameters(path: str | os.PathLike[str]) -> Parameters:
    """Read a file of ours or of `pymilvus.model`.

    Raises:
        InvalidInputError: The file does not exist, or holds something else.
    """
    location = parse_location(path, "path")
    try:
        content = json.loads(Path(location).read_text("utf-8"))
    except OSError as error:
        msg = f"cannot read BM25 parameters from {shown(location)}: {error.strerror}"
        raise InvalidInputError(msg) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(_not_parameters(location, error)) from error
    try:
        return _from_json(content)
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise InvalidInputError(_not_parameters(location, error)) from error


def recover_statistics(parameters: Parameters) -> Statistics | None:
    """Return the counts behind Okapi's idf, or None where they cannot be told.

    df + 0.5 = (N + 1) / (1 + e^idf), unless a term's negative idf was replaced, by a multiple of
    the mean idf: no whole df then gives it back.
    """
    documents = parameters.documents
    exact = (documents + 1) * np.exp(-np.logaddexp(0, parameters.idf)) - 0.5  # no overflow
    frequencies = np.rint(exact).astype(np.int64)
    tokens = round(parameters.average_length * documents)
    if not (
        np.all((frequencies >= 1) & (frequencies <= documents))
        and frequencies.sum() <= tokens
        and math.isclose(tokens, parameters.average_length * documents, rel_tol=1e-9)
    ):
        return None
    statistics = _statistics(documents, tokens, frequencies)
    again = parameters.weighting.query_weights(frequencies, statistics)
    return statistics if np.allclose(again, parameters.idf, rtol=0, atol=1e-9) else None


def _to_json(parameters: Parameters) -> dict[str, Any]:
    weighting, statistics = parameters.weighting, parameters.statistics
    counts = None
    if statistics is not None:
        frequencies = [statistics.frequencies[index] for index in range(len(parameters.terms))]
        counts = {"tokens": statistics.tokens, "frequencies": frequencies}
    return {
        "version": _VERSION,
        "corpus_size": parameters.documents,
        "avgdl": parameters.average_length,
        "idf_word": parameters.terms,
        "idf_value": parameters.idf.tolist(),
        "k1": weighting.k1,
        "b": weighting.b,
        "epsilon": weighting.epsilon,
        _OURS: {"analyzer": parameters.analyzer, "idf": weighting.idf, "counts": counts},
    }


def _from_json(content: Mapping[str, Any]) -> Parameters:
    if content["version"] != _VERSION:
        msg = f"its version is {shown(content['version'])}, and {_VERSION!r} is known"
        raise ValueError(msg)
    ours = content.get(_OURS, {"analyzer": None, "idf": "okapi", "counts": None})
    documents = _whole(content["corpus_size"])
    parameters = Parameters(
        documents=documents,
        average_length=_number(content["avgdl"]),
        terms=list(map(_text, content["idf_word"])),
        idf=np.array(list(map(_number, content["idf_value"])), np.float64),
        weighting=Weighting(content["k1"], content["b"], ours["idf"], content["epsilon"]),
        analyzer=ours["analyzer"],
        statistics=_counted(documents, ours["counts"]),
    )
    _check(parameters)
    return parameters


def _number(value: object) -> float:
    if not is_number(value):
        msg = f"{shown(value)} is no number"
        raise TypeError(msg)
    return float(value)


def _whole(value: object) -> int:
    number = _number(value)
    if not number.is_integer():
        msg = f"{shown(value)} is no whole number"
        raise ValueError(msg)
    return int(number)


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{shown(value)} is no term"
        raise TypeError(msg)
    return value


def _counted(documents: int, counts: Mapping[str, Any] | None) -> Statistics | None:
    if counts is None:
        return None
    frequencies = np.array(list(map(_whole, counts["frequencies"])), np.int64)
    if not np.all((frequencies >= 1) & (frequencies <= documents)):
        msg = "it holds document frequencies that no corpus has"
        raise ValueError(msg)
    tokens = _whole(counts["tokens"])
    if not frequencies.sum() <= tokens <= _LARGEST:
        msg = "it holds a number of tokens that no corpus has"
        raise ValueError(msg)
    return _statistics(documents, tokens, frequencies)


def _statistics(documents: int, tokens: int, frequencies: NDArray[np.int64]) -> Statistics:
    by_term: list[int] = frequencies.tolist()
    return Statistics(documents, tokens, dict(enumerate(by_term)))


def _check(parameters: Parameters) -> None:
    terms, statistics = len(parameters.terms), parameters.statistics
    if parameters.idf.shape != (terms,) or len(set(parameters.terms)) != terms:
        msg = "its terms and idf values do not match one to one"
    elif not isinstance(parameters.analyzer, (str, type(None))):
        msg = "its analyzer has no name"
    elif not (np.abs(parameters.idf) <= _LARGEST_IDF).all():
        msg = "it holds an idf that no float32 does"
    elif not abs(parameters.average_length) * parameters.documents <= _LARGEST:
        msg = "it holds an average length that no corpus has"
    elif parameters.documents < 1 or (
        terms and round(parameters.average_length * parameters.documents) < 1
    ):
        msg = "it was fitted to no documents"
    elif statistics is not None and len(statistics.frequencies) != terms:
        msg = "its terms and frequencies do not match one to one"
    else:
        return
    raise ValueError(msg)


def _not_parameters(location: str, error: Exception) -> str:
    reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    return (
        f"{shown(location)} holds no BM25 parameters of Hybridge or pymilvus.model: {reason}. "
        "Give a file that `save` wrote"
    )
