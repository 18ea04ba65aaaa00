"""BGE-M3 on a tiny random XLM-RoBERTa: both vectors, once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.hybrid import BGEM3EmbeddingFunction
from hybridge.hybrid.bge_m3_model import largest_per_term
from hybridge.protocols import (
    DenseEmbeddingFunction,
    JointEmbeddingFunction,
    SparseEmbeddingFunction,
)
from support.tiny_models import tiny_bge_m3, tiny_cross_encoder

TEXTS = ["red apple a b a", "", "pear", "apple " * 100, "unknownword a", "c b a d e f"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return tiny_bge_m3(tmp_path_factory.mktemp("bge"))


@pytest.fixture
def function(folder: Path) -> BGEM3EmbeddingFunction:
    """A function with two texts in a batch."""
    return BGEM3EmbeddingFunction(folder, 2, "cpu", max_length=32)


@pytest.fixture
def passes(function: BGEM3EmbeddingFunction) -> Iterator[list[int]]:
    """The size of the batch of every forward pass of the network."""
    sizes: list[int] = []
    hook = function.dense.joint._model.network.register_forward_pre_hook(
        lambda network, arguments, named: sizes.append(len(named["input_ids"])), with_kwargs=True
    )
    yield sizes
    hook.remove()


def recomputed(folder: Path, text: str) -> tuple[np.ndarray, dict[int, float]]:
    """Compute one text's vectors term by term, as the paper defines them."""
    import torch
    from transformers import AutoTokenizer, XLMRobertaModel

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = XLMRobertaModel.from_pretrained(folder).eval()
    layer = torch.load(folder / "sparse_linear.pt")
    inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=32)
    with torch.no_grad():
        hidden = network(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        ).last_hidden_state[0]
    weights: dict[int, float] = {}
    special = {tokenizer.cls_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}
    for token, state in zip(inputs["input_ids"][0].tolist(), hidden, strict=True):
        weight = float(torch.relu(layer["weight"][0] @ state + layer["bias"][0]))
        if token not in special and weight > weights.get(token, 0):
            weights[token] = weight
    return (hidden[0] / hidden[0].norm()).numpy(), weights


def test_vectors_are_those_of_the_paper(function: BGEM3EmbeddingFunction, folder: Path) -> None:
    """Dense and lexical vectors equal a recomputation text by text within 1e-5."""
    vectors = function.encode_documents(TEXTS)
    sparse = vectors["sparse"].toarray()
    for row, text in enumerate(TEXTS):
        dense, weights = recomputed(folder, text)
        np.testing.assert_allclose(vectors["dense"][row], dense, atol=1e-5)
        expected = np.zeros(function.dim["sparse"])
        expected[list(weights)] = list(weights.values())
        np.testing.assert_allclose(sparse[row], expected, atol=1e-5)
    assert (sparse > 0).any()


def test_results_have_the_forms_of_the_protocols(function: BGEM3EmbeddingFunction) -> None:
    """The views are a dense and a sparse function, and their results have the agreed form."""
    assert isinstance(function.dense, DenseEmbeddingFunction)
    assert isinstance(function.sparse, SparseEmbeddingFunction)
    for texts in ([], TEXTS):
        dense = function.dense.encode_documents(texts)
        assert (dense.shape, dense.dtype) == ((len(texts), 32), np.float32)
        assert dense.flags.c_contiguous
        sparse = function.sparse.encode_documents(texts)
        assert isinstance(sparse, csr_array)
        assert (sparse.shape, sparse.dtype) == ((len(texts), function.sparse.dim), np.float32)
        assert sparse.has_sorted_indices
        assert (sparse.data > 0).all()


def test_both_views_have_one_joint_function(function: BGEM3EmbeddingFunction) -> None:
    """A caller that groups functions by `joint` finds both views in one group, each with a part."""
    assert function.dense.joint is function.sparse.joint
    assert isinstance(function.dense.joint, JointEmbeddingFunction)
    assert (function.dense.part, function.sparse.part) == ("dense", "sparse")


@pytest.mark.parametrize("encode", ["encode_documents", "encode_queries"])
def test_the_joint_function_returns_both_parts_from_one_pass(
    function: BGEM3EmbeddingFunction, passes: list[int], encode: str
) -> None:
    """Six texts in batches of two are three passes, and each part is what its view returns."""
    both = getattr(function.dense.joint, encode)(TEXTS)
    assert passes == [2, 2, 2]
    assert list(both) == ["dense", "sparse"]
    np.testing.assert_array_equal(both["dense"], getattr(function.dense, encode)(TEXTS))
    sparse = getattr(function.sparse, encode)(TEXTS)
    np.testing.assert_array_equal(both["sparse"].toarray(), sparse.toarray())


def test_a_view_alone_encodes_each_time(
    function: BGEM3EmbeddingFunction, passes: list[int]
) -> None:
    """Nothing is kept between two calls."""
    function.dense.encode_queries(["a"])
    function.dense.encode_queries(["a"])
    assert passes == [1, 1]


@pytest.mark.parametrize("left_out", ["return_dense", "return_sparse"])
def test_what_the_dictionary_leaves_out_stays_in_the_views(folder: Path, left_out: str) -> None:
    """`return_dense` and `return_sparse` concern the function's own results only."""
    function = BGEM3EmbeddingFunction(folder, device="cpu", **{left_out: False})
    assert len(function(TEXTS)) == 1
    assert list(function.dense.joint.encode_documents(TEXTS)) == ["dense", "sparse"]
    assert function.dense.encode_documents(TEXTS).shape[0] == len(TEXTS)
    assert function.sparse.encode_documents(TEXTS).shape[0] == len(TEXTS)


def test_a_text_is_cut_to_what_the_model_can_read(folder: Path) -> None:
    """`max_length` may exceed the model's own limit, here 64 tokens."""
    longest = BGEM3EmbeddingFunction(folder, device="cpu", max_length=8192)
    limited = BGEM3EmbeddingFunction(folder, device="cpu", max_length=64)
    texts = ["apple a " * 1000]
    np.testing.assert_array_equal(longest(texts)["dense"], limited(texts)["dense"])


def test_threads_get_the_vectors_that_one_thread_gets(function: BGEM3EmbeddingFunction) -> None:
    """Many threads with different texts each get their own right answer."""
    batches = [["a b " * (n % 7 + m) for m in range(3)] for n in range(24)]

    def ask(batch: list[str]) -> tuple[np.ndarray, Any]:
        return function.dense.encode_documents(batch), function.sparse.encode_documents(batch)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, batches))
    for (dense, sparse), batch in zip(found, batches, strict=True):
        expected = function(batch)
        np.testing.assert_allclose(dense, expected["dense"], atol=1e-5)
        np.testing.assert_allclose(sparse.toarray(), expected["sparse"].toarray(), atol=1e-5)


def test_calling_it_as_pymilvus_model_does(folder: Path) -> None:
    """The arguments of `pymilvus.model` work; a kind that is not wanted is left out."""
    function = BGEM3EmbeddingFunction(
        model_name=str(folder), device="cpu", use_fp16=False, return_sparse=False
    )
    assert list(function(["a"])) == ["dense"]
    assert function.dim.keys() == {"dense", "sparse"}
    with pytest.raises(InvalidInputError, match="multi-vectors"):
        BGEM3EmbeddingFunction(folder, return_colbert_vecs=True)


@pytest.mark.parametrize("texts", ["a text", None, ["a", 1]])
def test_what_is_no_list_of_texts_is_refused(function: BGEM3EmbeddingFunction, texts: Any) -> None:
    """A lone string, or anything that is no text, is an error, of the views too."""
    for encode in (function, function.dense.encode_queries, function.sparse.encode_documents):
        with pytest.raises(InvalidInputError):
            encode(texts)


@pytest.mark.parametrize("device", ["meta", "no-such-device", 10**400])
def test_a_device_that_cannot_run_the_model_is_refused(folder: Path, device: Any) -> None:
    """The model is tried when the function is made."""
    with pytest.raises(InvalidInputError, match=r"cannot be (loaded|used)"):
        BGEM3EmbeddingFunction(folder, device=device)


def test_a_model_without_the_lexical_layer_is_refused(tmp_path: Path) -> None:
    """A folder that holds another model is an error that says what it lacks."""
    with pytest.raises(ModelNotFoundError, match=r"sparse_linear\.pt"):
        BGEM3EmbeddingFunction(tiny_cross_encoder(tmp_path), device="cpu")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.floats(0.125, 9, width=32))))
def test_each_term_has_its_largest_weight(found: list[tuple[int, int, float]]) -> None:
    """The sparse array is the maximum over the places of a term in its row."""
    expected = np.zeros((4, 7), dtype=np.float32)
    for row, term, weight in found:
        expected[row, term] = max(expected[row, term], weight)
    columns = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
    rows, terms = (np.array(column, dtype=np.int64) for column in columns[:2])
    array = largest_per_term(rows, terms, np.array(columns[2], dtype=np.float32), (4, 7))
    np.testing.assert_array_equal(array.toarray(), expected)
    assert array.nnz == (expected > 0).sum()
