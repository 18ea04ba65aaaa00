"""Reranking by a local cross-encoder: a model that reads query and document together."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridge.arguments import parse_count, parse_location, shown
from hybridge.errors import HybridgeError, InvalidInputError
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.hub import load_sentence_transformers, model_errors, parse_device
from hybridge.protocols import RerankScale
from hybridge.records import RerankResult
from hybridge.reranker.ranking import best, parse_request

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

logger = logging.getLogger("hybridge")

_NAME = "CrossEncoderRerankFunction"


class CrossEncoderRerankFunction:
    """Scores documents against a query with a sentence-transformers `CrossEncoder`.

    Pairs of like length share a batch. A document that does not fit into the model beside its
    query is cut, and a warning on the logger "hybridge" says how many were. The model is loaded,
    and tried on one pair, when this object is made; from then on it may be used from several
    threads.

    Args:
        model_name: A name on the hub, such as "BAAI/bge-reranker-v2-m3", or the path of a folder.
        device: Such as "cpu" or "cuda:0"; None takes a GPU where there is one.
        batch_size: Pairs in one forward pass.
        activation_fct: Turns the model's logits into scores. None is the logistic function, so
            that scores lie in [0, 1] whatever the model.
        **options: Anything else that `CrossEncoder` takes: `max_length=512` for models that would
            read much more, `trust_remote_code=True` for Jina's.

    Attributes:
        model_name: The model's name or path.
        settings: What the scores depend on beside it; see `hybridge.function_settings`.
        model: The `CrossEncoder`.
        scale: What the scores are, where that is known: not with an `activation_fct` of yours.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: The files make no usable model, or one that gives several scores.
    """

    def __init__(
        self,
        model_name: str | Path = "cross-encoder/ms-marco-MiniLM-L6-v2",
        device: str | None = None,
        batch_size: int = 32,
        activation_fct: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        if activation_fct is not None and not callable(activation_fct):
            msg = f"activation_fct must be a function or None, not {shown(activation_fct)}"
            raise InvalidInputError(msg)
        self.model_name = parse_location(model_name, "model_name")
        self._check_labels(options.get("num_labels", 1))  # as many are made, in memory, by loading
        self.settings = given_settings(type(self), activation_fct=activation_fct, **options)
        self._batch_size = parse_count(batch_size, "batch_size")
        self.scale: RerankScale | None = "probability" if activation_fct is None else None
        self.model: CrossEncoder = load_sentence_transformers(
            "CrossEncoder",
            self.model_name,
            user=_NAME,
            organization="cross-encoder",
            markers=("config.json",),
            device=parse_device(device, _NAME),
            **options,
        )
        self._check_labels(self.model.num_labels)
        if activation_fct is None:
            activation_fct = import_extra("torch", _NAME, "dense").nn.Sigmoid()
        self._activation = activation_fct
        # Truncation is part of a tokenizer's state, and counting must not truncate: it has its own.
        self._counting_tokenizer = copy.deepcopy(self.model.tokenizer)
        self._try_model(long="max_length" in options)

    def __call__(self, query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        """Return the `top_k` best documents, best first; equal scores in the documents' order.

        Args:
            query: What is asked.
            documents: What may answer it.
            top_k: How many to return, at least 1.

        Raises:
            InvalidInputError: An argument is wrong.
            HybridgeError: The model gave a score that is not finite.
        """
        texts = parse_request(query, documents, top_k)
        if not texts:
            return []
        self._warn_of_cut(query, texts)
        return best(texts, self._scores(query, texts), top_k)

    def __repr__(self) -> str:
        return f"{_NAME}({self.model_name!r})"

    def _check_labels(self, number: object) -> None:
        if number is not None and parse_count(number, "num_labels") != 1:
            msg = f"{self.model_name!r} gives {number} scores; a reranker gives one"
            raise InvalidInputError(msg)

    def _try_model(self, long: bool) -> None:
        """Set both tokenizers up, which two threads must not do at once, and score one pair.

        A `max_length=` that exceeds what the model can read fails on a long text only.
        """
        places = getattr(self.model.config, "max_position_embeddings", 0) if long else 0
        with model_errors(self.model_name):
            self._warn_of_cut("query", ["document"])
            self._scores("query", ["document " * (1 + places)])

    def _scores(self, query: str, texts: list[str]) -> list[float]:
        model: Any = self.model
        scores = model.predict(
            [(query, text) for text in texts],
            batch_size=self._batch_size,
            show_progress_bar=False,
            activation_fn=self._activation,
        )
        if not np.isfinite(scores).all():
            msg = f"{self.model_name!r} gave a score that is not finite: load it in float32"
            raise HybridgeError(msg)
        return [float(score) for score in scores]

    def _warn_of_cut(self, query: str, texts: list[str]) -> None:
        longest = self.model.tokenizer.model_max_length
        encoded = self._counting_tokenizer([query] * len(texts), texts, verbose=False)
        cut = sum(len(ids) > longest for ids in encoded["input_ids"])
        if cut:
            what = "%d of %d documents were cut: with the query they exceed the %d tokens of %s"
            logger.warning(what, cut, len(texts), longest, self.model_name)
