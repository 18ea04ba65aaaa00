"""What every model that runs here has in common: devices, counts, plain calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import (
    BGEM3EmbeddingFunction,
    CrossEncoderRerankFunction,
    SentenceTransformerEmbeddingFunction,
    SpladeEmbeddingFunction,
)
from hybridge.errors import InvalidInputError
from hybridge.registry import dense_function, function_name
from hybridge.reranker import BGERerankFunction
from support.tiny_models import (
    tiny_bge_m3,
    tiny_cross_encoder,
    tiny_sentence_transformer,
    tiny_splade,
)

pytest.importorskip("sentence_transformers", reason="the extra `dense` is not installed")

TEXTS = ["red apple", "pear"]
PROMPTS = {"prompts": {"query": "green "}, "default_prompt_name": "query"}
ON_A_DEVICE: list[Callable[..., Any]] = [
    SentenceTransformerEmbeddingFunction,
    SpladeEmbeddingFunction,
    BGEM3EmbeddingFunction,
    CrossEncoderRerankFunction,
    BGERerankFunction,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with prompts, one of them for every text."""
    prompts = {"query": "red ", "document": "green "}
    return tiny_sentence_transformer(tmp_path_factory.mktemp("dense"), prompts=prompts)


@pytest.mark.parametrize("function", ON_A_DEVICE)
@pytest.mark.parametrize("device", ["cuda:99", "no-such", 5, b"cpu", ["cpu", "cpu"]])
def test_a_device_that_is_not_here_is_refused(function: Callable[..., Any], device: Any) -> None:
    """Before the model is looked for, and with what to do."""
    with pytest.raises(InvalidInputError, match=r"device"):
        function("./no-model", device=device)


def test_counts_may_be_numpys(folder: Path, tmp_path: Path) -> None:
    """They come from arrays, as a rule; what is kept of them is plain, for JSON."""
    one = np.int64(1)
    dense = SentenceTransformerEmbeddingFunction(
        folder, device="cpu", batch_size=one, truncate_dim=np.int64(8)
    )
    assert dense.encode_documents(TEXTS).shape == (2, 8)
    assert dense.settings == {"truncate_dim": 8}
    splade = SpladeEmbeddingFunction(
        tiny_splade(tmp_path / "splade"), batch_size=one, k_tokens_query=one, device="cpu"
    )
    assert splade.encode_queries(TEXTS).nnz == 2
    assert splade.settings == {"k_tokens_query": 1}
    joint = BGEM3EmbeddingFunction(
        tiny_bge_m3(tmp_path / "bge"), batch_size=one, max_length=np.int64(9), device="cpu"
    )
    assert joint.settings == {"max_length": 9}
    rf = CrossEncoderRerankFunction(tiny_cross_encoder(tmp_path / "ce"), "cpu", batch_size=one)
    assert len(rf("red", TEXTS, top_k=one)) == 1
    with pytest.raises(InvalidInputError):
        rf("red", TEXTS, top_k=np.True_)  # type: ignore[arg-type]


def test_a_plain_call_puts_nothing_before_the_texts(folder: Path, tmp_path: Path) -> None:
    """Not even what a model puts before every text: dense and learned sparse alike."""
    plain = SentenceTransformerEmbeddingFunction(folder, device="cpu")
    bare = SentenceTransformerEmbeddingFunction(folder.parent / "bert", device="cpu")
    np.testing.assert_allclose(plain(TEXTS), bare(TEXTS), atol=1e-6)
    assert np.abs(plain.encode_queries(TEXTS) - bare(TEXTS)).max() > 0.01
    splade = tiny_splade(tmp_path)
    prompted = SpladeEmbeddingFunction(splade, device="cpu", **PROMPTS)
    bare_splade = SpladeEmbeddingFunction(splade, device="cpu")
    assert abs(prompted(TEXTS) - bare_splade(TEXTS)).max() < 1e-5
    assert abs(prompted.encode_queries(TEXTS) - bare_splade(TEXTS)).max() > 0.01


def test_vectors_are_cut_to_their_first_numbers(folder: Path) -> None:
    """Then brought to length 1; the name and the settings make the same function again."""
    whole = SentenceTransformerEmbeddingFunction(folder, device="cpu")
    cut = SentenceTransformerEmbeddingFunction(
        folder, device="cpu", truncate_dim=8, trust_remote_code=True
    )
    expected = whole.encode_queries(TEXTS)[:, :8]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert cut.dim == 8
    np.testing.assert_allclose(cut.encode_queries(TEXTS), expected, atol=1e-6)
    name = function_name(cut)
    assert name is not None
    again = dense_function(name, **cut.settings)
    np.testing.assert_allclose(again.encode_queries(TEXTS), expected, atol=1e-6)


@pytest.mark.parametrize(
    "option", [{"truncate_dim": 0}, {"truncate_dim": 8.5}, {"precision": "int8"}, {"pool": 2}]
)
def test_what_would_make_other_vectors_is_refused(folder: Path, option: dict[str, Any]) -> None:
    """None of no numbers, none of other numbers than float32, none from several processes."""
    with pytest.raises(InvalidInputError, match=next(iter(option))):
        SentenceTransformerEmbeddingFunction(folder, device="cpu", **option)
