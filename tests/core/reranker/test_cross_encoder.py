"""The cross-encoder on tiny random classifiers: scores, order, cut documents."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge.errors import HybridgeError, InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.reranker import BGERerankFunction, CrossEncoderRerankFunction
from support.tiny_models import tiny_cross_encoder

QUERY = "red apple"
DOCUMENTS = ["a b c", "red apple", "pear d e f g", "", "apple a", "green fruit"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with one score."""
    return tiny_cross_encoder(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def rf(folder: Path) -> CrossEncoderRerankFunction:
    """A function with two pairs in a batch."""
    return CrossEncoderRerankFunction(folder, "cpu", 2)


def test_scores_are_the_models_through_the_logistic_function(
    rf: CrossEncoderRerankFunction, folder: Path
) -> None:
    """Scores equal a recomputation pair by pair, lie in [0, 1] and come best first."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    results = rf(QUERY, DOCUMENTS, top_k=10)
    assert sorted(result.index for result in results) == list(range(6))
    assert [result.score for result in results] == sorted(
        (result.score for result in results), reverse=True
    )
    for result in results:
        assert result.text == DOCUMENTS[result.index]
        assert 0 <= result.score <= 1
        with torch.no_grad():
            logit = model(**tokenizer([QUERY], [result.text], return_tensors="pt")).logits[0, 0]
        assert result.score == pytest.approx(float(torch.sigmoid(logit)), abs=1e-5)
    assert isinstance(rf, RerankFunction)


def test_the_best_are_kept(rf: CrossEncoderRerankFunction) -> None:
    """`top_k` results come back, five unless said otherwise; no documents give none."""
    everything = rf(QUERY, DOCUMENTS, top_k=6)
    assert rf(QUERY, DOCUMENTS) == everything[:5]
    assert rf(QUERY, DOCUMENTS, 1) == everything[:1]
    assert rf(QUERY, []) == []


def test_a_bge_reranker_gives_probabilities_or_logits(
    rf: CrossEncoderRerankFunction, folder: Path
) -> None:
    """`normalize` is what the logistic function does; numpy's integers count, too."""
    probable = BGERerankFunction(folder, device="cpu", max_length=32)
    logits = BGERerankFunction(folder, normalize=False, device=["cpu"], max_length=32)
    assert (probable.scale, logits.scale) == ("probability", "logit")
    for one, other in zip(probable(QUERY, DOCUMENTS), logits(QUERY, DOCUMENTS), strict=True):
        assert one.index == other.index
        assert one.score == pytest.approx(1 / (1 + np.exp(-other.score)), abs=1e-5)
    best = np.int64(1)
    assert probable(QUERY, DOCUMENTS, best) == rf(QUERY, DOCUMENTS, 1)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="one device"):
        BGERerankFunction(folder, device=["cpu", "cpu"])


def test_hundreds_of_documents_keep_their_places(folder: Path) -> None:
    """700 documents of many lengths, batched by length, each get their own score."""
    rf = CrossEncoderRerankFunction(folder, "cpu", 64)
    documents = [f"{'a ' * (number % 13)}b {'c ' * (number % 5)}" for number in range(700)]
    scores = {result.index: result.score for result in rf(QUERY, documents, top_k=700)}
    alone = {text: rf(QUERY, [text])[0].score for text in set(documents)}
    expected = [alone[text] for text in documents]
    np.testing.assert_allclose([scores[number] for number in range(700)], expected, atol=1e-5)


def test_cut_documents_are_reported(
    rf: CrossEncoderRerankFunction, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning counts the documents that do not fit; none is logged when all fit."""
    rf(QUERY, DOCUMENTS)
    assert caplog.records == []
    with caplog.at_level(logging.WARNING, logger="hybridge"):
        rf(QUERY, [*DOCUMENTS, "a " * 100, "b " * 60])
    assert "2 of 8 documents were cut" in caplog.text
    assert "64 tokens" in caplog.text


def test_an_activation_of_ones_own_is_used(folder: Path) -> None:
    """With `activation_fct` scores are what it makes of the logits."""
    import torch

    plain = CrossEncoderRerankFunction(folder, device="")
    logits = CrossEncoderRerankFunction(folder, activation_fct=torch.nn.Identity())
    for one, other in zip(plain(QUERY, DOCUMENTS), logits(QUERY, DOCUMENTS), strict=True):
        assert one.score == pytest.approx(1 / (1 + np.exp(-other.score)), abs=1e-5)


def test_a_score_that_is_not_finite_is_an_error(folder: Path) -> None:
    """NaN, which sorts anywhere, is never returned."""
    broken = CrossEncoderRerankFunction(folder)
    broken._activation = lambda logits: logits * float("nan")
    with pytest.raises(HybridgeError, match="float32"):
        broken(QUERY, DOCUMENTS)


def test_a_length_beyond_the_models_is_refused(folder: Path) -> None:
    """The model reads 66 tokens; what would fail on a long document fails when it is made."""
    assert CrossEncoderRerankFunction(folder, "cpu", max_length=66)(QUERY, ["a " * 100])
    with pytest.raises(InvalidInputError, match="cannot be loaded"):
        CrossEncoderRerankFunction(folder, "cpu", max_length=67)


def test_a_classifier_with_several_scores_is_refused(tmp_path: Path) -> None:
    """A model that gives three scores is no reranker."""
    with pytest.raises(InvalidInputError, match="gives 3 scores"):
        CrossEncoderRerankFunction(tiny_cross_encoder(tmp_path, labels=3))


def test_more_scores_are_refused_before_a_model_of_so_many_is_made(folder: Path) -> None:
    """A thousand million of them take 19 GB."""
    with pytest.raises(InvalidInputError, match="gives 1000000000 scores"):
        CrossEncoderRerankFunction(folder, num_labels=1_000_000_000)
    with pytest.raises(InvalidInputError, match="num_labels must be a whole number"):
        CrossEncoderRerankFunction(folder, num_labels="many")
    assert CrossEncoderRerankFunction(folder, num_labels=1)(QUERY, DOCUMENTS)


@pytest.mark.parametrize(
    ("query", "documents", "top_k"),
    [(QUERY, DOCUMENTS, 0), (QUERY, "text", 5), (QUERY, [None], 5), (" ", DOCUMENTS, 5)],
)
def test_bad_input_is_refused(
    rf: CrossEncoderRerankFunction, query: Any, documents: Any, top_k: Any
) -> None:
    """A wrong query, document or `top_k` is an error of ours."""
    with pytest.raises(InvalidInputError):
        rf(query, documents, top_k)


def test_threads_get_the_scores_that_one_thread_gets(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Eight threads with documents of many lengths compute and count what one does."""
    rf = CrossEncoderRerankFunction(folder, "cpu")
    lists = [["a b " * (n % 9 + m) for m in range(4)] for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda documents: rf(QUERY, documents), lists))
    assert caplog.records == []
    for results, documents in zip(found, lists, strict=True):
        expected = {result.index: result.score for result in rf(QUERY, documents)}
        scores = {result.index: result.score for result in results}
        assert scores == pytest.approx(expected, abs=1e-6)
