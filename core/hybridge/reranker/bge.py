"""Reranking by one of BAAI's cross-encoders, as `pymilvus.model` spells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hybridge.arguments import check_count, check_flag, parse_count
from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.function_settings import given_settings
from hybridge.reranker.cross_encoder import CrossEncoderRerankFunction


class BGERerankFunction(CrossEncoderRerankFunction):
    """Scores documents against a query with a BGE reranker, through sentence-transformers.

    For the rerankers that are sequence classifiers (base, large, v2-m3); those that are language
    models (v2-gemma, v2-minicpm) need FlagEmbedding itself.

    Args:
        model_name: A name on the hub, or the path of a folder.
        use_fp16: Whether to compute in 16 bits on a GPU.
        batch_size: Pairs in one forward pass.
        normalize: Whether scores are brought to [0, 1] by the logistic function, or stay logits.
        device: Such as "cpu" or "cuda:0", or a list of one; None takes a GPU where there is one.
        query_max_length: Without effect but for its sign: a query is cut no shorter than a pair.
        max_length: Tokens of a pair that count.
        **options: Anything else that `CrossEncoder` takes.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelNotFoundError: The weights are neither here nor reachable.
        InvalidInputError: An argument is wrong, or the files make no usable reranker.
    """

    def __init__(
        self,
        model_name: str | Path = "BAAI/bge-reranker-v2-m3",
        use_fp16: bool = True,
        batch_size: int = 32,
        normalize: bool = True,
        device: str | list[str] | None = None,
        query_max_length: int = 256,
        max_length: int = 512,
        **options: Any,
    ) -> None:
        check_flag(use_fp16, "use_fp16")
        check_flag(normalize, "normalize")
        check_count(query_max_length, "query_max_length")
        max_length = parse_count(max_length, "max_length")
        torch = import_extra("torch", "BGERerankFunction", "dense")
        super().__init__(
            model_name,
            _one(device),
            batch_size,
            None if normalize else torch.nn.Identity(),
            max_length=max_length,
            **options,
        )
        self.scale = "probability" if normalize else "logit"
        self.settings = given_settings(
            type(self), normalize=normalize, max_length=max_length, use_fp16=use_fp16, **options
        )
        if use_fp16 and self.model.device.type == "cuda":
            self.model.half()


def _one(device: str | list[str] | None) -> str | None:
    if not isinstance(device, list):
        return device
    if len(device) != 1:
        msg = f"device must be one device, not {len(device)}"
        raise InvalidInputError(msg)
    return device[0]
