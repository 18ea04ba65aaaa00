"""Wrong types and values: whatever a model function is given, it raises errors of ours alone.

`HYBRIDGE_FUZZ=5000` runs each property that often.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge.dense import (
    JinaEmbeddingFunction,
    OnnxEmbeddingFunction,
    OpenAIEmbeddingFunction,
    SentenceTransformerEmbeddingFunction,
)
from hybridge.dense.onnx_export import export_onnx
from hybridge.errors import HybridgeError, InvalidInputError
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
from hybridge.sparse.splade import SpladeEmbeddingFunction
from support.jina_server import KEY, JinaServer
from support.openai_server import OpenAIServer
from support.tiny_models import (
    tiny_bge_m3,
    tiny_cross_encoder,
    tiny_sentence_transformer,
    tiny_splade,
)

EXAMPLES = int(os.environ.get("HYBRIDGE_FUZZ", "30"))
# A model takes a while to load, and an ordinary run must not wait for that hundreds of times.
LOADS = max(10, EXAMPLES // 20)
fuzzed = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
loaded = settings(fuzzed, max_examples=LOADS)


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list, deeper than Python recurses."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


WRONG: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 64, 2**31, 2**63, 10**400, 10**5000, -(10**400),
    0.5, -0.0, 1e300, float("nan"), float("inf"), float("-inf"), 1j,
    "", " ", "a", "text", "\x00", "a\x00b", "\udc80", "\ud800", "a\udfffb", "9" * 5000, "~nobody",
    "~", ".", "..", "/", "//", "\\", "a b", "a/b/c", "./none", "../none", "é", "\u202e", "\n",
    "http://[bad", "http://", "http://:80", "http://a:b", "http://a:99999999", "http://a..b",
    "http://\x00", "http://\ud800", "http://u:p@h", "http://%zz", "http://*", "http://" + "a" * 300,
    "https://", "ftp://h", "HTTP://h", "bm25", "bm25:", "bm25:xx", "bm25:\ud800", "bm25:/",
    "jina/", "jina/\ud800", "openai/", "onnx/", "onnx/\x00", "splade/./none", "bge-m3//",
    "cross-encoder/~nobody", "sentence-transformers/\x00", "sentence-transformers/" + "a" * 5000,
    "cpu", "cuda:99", "meta", "torch", "onnxruntime",
    b"", b"bytes", b"\xff", bytearray(b"a"), memoryview(b"a"), object(), object, type, len, ...,
    [], [[]], [None], [1], ["a"], ["a", 1], ["\ud800"], [b"a"], [["a"]], nested(2000), (), ("a",),
    (1.0,), (1.0, 2.0), (1.0, 2.0, 3.0), (None, None), {}, {"a": 1}, {"a"}, frozenset(), {1: [2]},
    range(3), range(10**400), Path("none"), Path("a\x00b"), Path("\ud800"), Path(),
    np.array(["a", "b"]), np.array([1.0, np.nan]), np.array(1), np.float32(1), np.int64(3),
    np.array([], dtype=object), np.bool_(True), slice(1), Exception("a"), InvalidInputError,
]  # fmt: skip
wrong = (
    st.sampled_from(WRONG)
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
)


def calm(call: Callable[[], object]) -> None:
    """Call; anything but a result or an error of ours is a failure."""
    try:
        call()
    except HybridgeError as error:
        message = str(error)
        assert 10 < len(message) < 3000
        assert KEY not in message


def some_of(names: list[str], values: st.SearchStrategy[Any] = wrong) -> st.SearchStrategy[Any]:
    """Return arguments of which one to three are wrong."""
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda these: st.fixed_dictionaries(dict.fromkeys(these, values)))


@pytest.fixture(scope="module", autouse=True)
def offline() -> Iterator[None]:
    """No name is looked for on the hub."""
    from huggingface_hub import constants

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


# --- functions of an API

QUICK = {"timeout": 1.0, "deadline": 2.0, "max_retries": 0, "backoff": 0.0}
LIMITS = ["timeout", "deadline", "max_retries", "backoff"]
COMMON = ["model_name", "api_key", "base_url", "batch_size", *LIMITS]


@pytest.fixture(scope="module")
def jina() -> Iterator[JinaServer]:
    """A Jina server."""
    with JinaServer() as server:
        yield server


@pytest.fixture(scope="module")
def openai() -> Iterator[JinaServer]:
    """An OpenAI server."""
    with OpenAIServer() as server:
        yield server


def arguments(server: JinaServer, given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments that work, with the wrong ones in their places."""
    return {"api_key": KEY, "base_url": server.base_url, **QUICK, **given}


@fuzzed
@given(given=some_of([*COMMON, "task", "query_task", "options", "dimensions", "late_chunking"]))
def test_jina_embeddings_are_made_of_anything(jina: JinaServer, given: dict[str, Any]) -> None:
    """The constructor refuses, or makes a function whose calls fail with errors of ours."""
    calm(lambda: JinaEmbeddingFunction(**arguments(jina, given)).encode_documents(["a"]))


@fuzzed
@given(given=some_of(COMMON))
def test_jina_rerankers_are_made_of_anything(jina: JinaServer, given: dict[str, Any]) -> None:
    """The constructor refuses, or makes a function whose calls fail with errors of ours."""
    calm(lambda: JinaRerankFunction(**arguments(jina, given))("a", ["a", "b"]))


OPTIONS = ["organization", "project", "user", "encoding_format", "extra_body", "azure_endpoint"]
OPTIONS += ["api_version", "provider", "default_headers", "no_such"]


@fuzzed
@given(given=some_of([*COMMON, "dimensions", *OPTIONS]))
def test_openai_embeddings_are_made_of_anything(openai: JinaServer, given: dict[str, Any]) -> None:
    """The constructor refuses, or makes a function whose calls fail with errors of ours."""
    calm(lambda: OpenAIEmbeddingFunction(**arguments(openai, given)).encode_documents(["a"]))


@fuzzed
@given(texts=wrong, progress=wrong)
def test_apis_are_asked_for_anything(
    jina: JinaServer, openai: JinaServer, texts: Any, progress: Any
) -> None:
    """Texts of every kind are embedded or refused."""
    for function in (
        JinaEmbeddingFunction(api_key=KEY, base_url=jina.base_url, dimensions=3),
        OpenAIEmbeddingFunction(api_key=KEY, base_url=openai.base_url, dimensions=3),
    ):
        calm(partial(function, texts))
        calm(partial(function.encode_queries, texts))
        calm(partial(function.encode_documents, texts, progress=progress))


@fuzzed
@given(query=wrong, documents=wrong, top_k=wrong)
def test_a_reranker_is_asked_for_anything(
    jina: JinaServer, query: Any, documents: Any, top_k: Any
) -> None:
    """Requests of every kind are answered or refused."""
    function = JinaRerankFunction(api_key=KEY, base_url=jina.base_url)
    calm(lambda: function(query, documents, top_k))
    calm(lambda: function("a", documents, top_k))
    calm(lambda: function("a", ["a"], top_k))


# --- functions of a local model


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[type, Path]:
    """A tiny model for each kind of function."""
    bert = tiny_sentence_transformer(tmp_path_factory.mktemp("bert"))
    return {
        SentenceTransformerEmbeddingFunction: bert,
        SpladeEmbeddingFunction: tiny_splade(tmp_path_factory.mktemp("splade")),
        CrossEncoderRerankFunction: tiny_cross_encoder(tmp_path_factory.mktemp("cross")),
        BGEM3EmbeddingFunction: tiny_bge_m3(tmp_path_factory.mktemp("bge")),
    }


@pytest.fixture(scope="module")
def onnx_folder(folders: dict[type, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model as an ONNX file."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    bert = folders[SentenceTransformerEmbeddingFunction]
    return export_onnx(bert, tmp_path_factory.mktemp("onnx"))


INSTRUCTIONS = ["query_instruction", "doc_instruction"]
LOCAL = {
    SentenceTransformerEmbeddingFunction: [
        *["model_name", "batch_size", "device", "normalize_embeddings", "backend", *INSTRUCTIONS],
        *["revision", "cache_folder", "truncate_dim", "prompts", "model_kwargs", "no_such"],
    ],
    SpladeEmbeddingFunction: [
        *["model_name", "batch_size", "device", "k_tokens_query", "k_tokens_document"],
        *["max_active_dims", "revision", *INSTRUCTIONS],
    ],
    CrossEncoderRerankFunction: [
        *["model_name", "batch_size", "device", "activation_fct", "max_length", "num_labels"],
        *["revision", "no_such"],
    ],
    BGEM3EmbeddingFunction: [
        *["model_name", "batch_size", "device", "normalize_embeddings", "use_fp16"],
        *["return_dense", "return_sparse", "return_colbert_vecs", "max_length"],
    ],
}


@pytest.mark.parametrize("kind", LOCAL, ids=lambda kind: kind.__name__)
@loaded
@given(data=st.data())
def test_local_functions_are_made_of_anything(
    kind: type[Any], folders: dict[type, Path], data: st.DataObject
) -> None:
    """The constructor refuses, or makes a function that works on any texts."""
    given = data.draw(some_of([name for name in LOCAL[kind] if name != "no_such"]))

    def use() -> None:
        function = kind(**{"model_name": folders[kind], "device": "cpu", **given})
        if kind is CrossEncoderRerankFunction:
            function("a", ["a " * 100, ""])
        else:
            function.encode_documents(["a " * 100, ""])
            function.encode_queries(["a"])

    calm(use)


@pytest.mark.parametrize("kind", [SentenceTransformerEmbeddingFunction, CrossEncoderRerankFunction])
def test_an_option_that_the_library_does_not_know_is_refused(
    kind: type[Any], folders: dict[type, Path]
) -> None:
    """What sentence-transformers does not take is an error that names it."""
    with pytest.raises(InvalidInputError, match="no_such"):
        kind(folders[kind], no_such=1)


ONNX = ["model_name", "tokenizer_name", "batch_size", "normalize_embeddings", "runtime"]


@loaded
@given(given=some_of([*ONNX, *INSTRUCTIONS]))
def test_onnx_functions_are_made_of_anything(onnx_folder: Path, given: dict[str, Any]) -> None:
    """The constructor refuses, or makes a function that works on any texts."""
    calm(
        lambda: OnnxEmbeddingFunction(**{"model_name": onnx_folder, **given}).encode_documents(
            ["a " * 100, ""]
        )
    )


@pytest.fixture(scope="module")
def functions(folders: dict[type, Path], onnx_folder: Path) -> list[Any]:
    """A function of each kind, and the views of the hybrid one."""
    hybrid = BGEM3EmbeddingFunction(folders[BGEM3EmbeddingFunction], device="cpu")
    return [
        SentenceTransformerEmbeddingFunction(
            folders[SentenceTransformerEmbeddingFunction], device="cpu"
        ),
        SpladeEmbeddingFunction(folders[SpladeEmbeddingFunction], device="cpu"),
        OnnxEmbeddingFunction(onnx_folder),
        hybrid,
        hybrid.dense,
        hybrid.sparse,
        hybrid.dense.joint,
    ]


@fuzzed
@given(texts=wrong, progress=wrong)
def test_local_functions_are_asked_for_anything(
    functions: list[Any], texts: Any, progress: Any
) -> None:
    """Texts of every kind are embedded or refused."""
    for function in functions:
        calm(partial(function.encode_queries, texts))
        calm(partial(function.encode_documents, ["a"], progress=progress))


@fuzzed
@given(query=wrong, documents=wrong, top_k=wrong)
def test_a_cross_encoder_is_asked_for_anything(
    folders: dict[type, Path], query: Any, documents: Any, top_k: Any
) -> None:
    """Requests of every kind are answered or refused."""
    kind = CrossEncoderRerankFunction
    function = _cross_encoders.setdefault(folders[kind], kind(folders[kind], device="cpu"))
    calm(lambda: function(query, documents, top_k))
    calm(lambda: function("a", documents, top_k))
    calm(lambda: function(query, ["a"], 1))


_cross_encoders: dict[Path, CrossEncoderRerankFunction] = {}


@pytest.mark.parametrize("wrong_folder", [None, 3, b"a", "a\x00b", "", object(), __file__])
def test_an_export_into_no_folder_is_refused(wrong_folder: Any, folders: dict[type, Path]) -> None:
    """Also one that is a file."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    with pytest.raises(InvalidInputError, match="folder"):
        export_onnx(folders[SentenceTransformerEmbeddingFunction], wrong_folder)


# --- functions by name

FINDERS = [dense_function, sparse_function, rerank_function]
RESOLVERS = [as_dense_function, as_sparse_function, as_rerank_function]
option = st.dictionaries(st.sampled_from(["api_key", "device", "no_such"]), wrong, max_size=2)
PREFIXES = ["bm25:", "jina/", "openai/", "onnx/", "splade/", "bge-m3/", "cross-encoder/"]
PREFIXES += ["sentence-transformers/"]
strings = st.text() | st.sampled_from([value for value in WRONG if isinstance(value, str)])
names = wrong | st.builds("{}{}".format, st.sampled_from(PREFIXES), strings)


@fuzzed
@given(name=names, options=option)
def test_anything_is_looked_up(name: Any, options: dict[str, Any]) -> None:
    """Names of every kind lead to a function or an error of ours."""
    for find in FINDERS:
        if not (isinstance(name, str) and name.startswith("bm25")):
            calm(partial(find, name, **options))
    for resolve in RESOLVERS:
        calm(partial(resolve, name))
    assert function_name(name) is None
