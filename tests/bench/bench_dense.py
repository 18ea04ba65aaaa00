"""Dense backends on documents of 60 words: documents per CPU-second, and quality on cranfield.

Run it as `python tests/bench/bench_dense.py`; it ends with 1 when a bar is missed. Rounds are
interleaved, so a slow spell of the machine falls on every backend alike; each backend's figure is
the median of its ratios to plain sentence-transformers in the same round. CPU time is that of the
whole process, all threads. Quality is measured where the shared collections are present.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from hybridge.dense import OnnxEmbeddingFunction, SentenceTransformerEmbeddingFunction
from hybridge.dense.onnx_export import export_onnx
from hybridge.dense.weights import packaged_minilm
from hybridge.errors import MissingExtraError
from hybridge.protocols import DenseEmbeddingFunction

sys.path.append(str(Path(__file__).parents[1]))
from support.retrieval_quality import SHARED, Collection, load_collection, ndcg

DOCUMENTS = 128
WORDS = 60
ROUNDS = 5
SPEED_BAR = 1.7  # times plain sentence-transformers; 3 is hoped for
QUALITY_BAR = 0.005

Encode = Callable[[list[str]], np.ndarray]


def documents() -> list[str]:
    """Return the first documents of cranfield, or of Python's manual, cut to 60 words."""
    if SHARED.is_dir():
        texts = list(load_collection("cranfield").documents.values())
    else:
        import pydoc_data.topics

        words = " ".join(pydoc_data.topics.topics.values()).split()
        texts = [" ".join(words[start : start + WORDS]) for start in range(0, len(words), WORDS)]
    cut = [" ".join(text.split()[:WORDS]) for text in texts if len(text.split()) >= WORDS]
    return cut[:DOCUMENTS]


def backends(folder: Path) -> dict[str, DenseEmbeddingFunction]:
    """Return every local backend that is installed."""
    found: dict[str, DenseEmbeddingFunction] = {
        "hybridge torch": SentenceTransformerEmbeddingFunction(device="cpu")
    }
    export_onnx("all-MiniLM-L6-v2", folder)
    for runtime in ("onnxruntime", "openvino", "openvino-bf16"):
        try:
            found[runtime] = OnnxEmbeddingFunction(folder, runtime=runtime)
        except MissingExtraError as error:
            print(f"{runtime}: left out: {error}")
    return found


def cpu_seconds(encode: Encode, texts: list[str]) -> float:
    """Return the CPU time of one encoding."""
    start = time.process_time()
    encode(texts)
    return time.process_time() - start


def measure(plain: Encode, found: dict[str, DenseEmbeddingFunction]) -> dict[str, float]:
    """Print each backend's speed and return its median ratio to plain sentence-transformers."""
    texts = documents()
    encoders = {"sentence-transformers": plain} | {
        name: function.encode_documents for name, function in found.items()
    }
    for encode in encoders.values():
        encode(texts)
    rounds = [
        {name: len(texts) / cpu_seconds(encode, texts) for name, encode in encoders.items()}
        for _ in range(ROUNDS)
    ]
    ratios = {}
    for name in encoders:
        speed = statistics.median(speeds[name] for speeds in rounds)
        each = [speeds[name] / speeds["sentence-transformers"] for speeds in rounds]
        ratios[name] = statistics.median(each)
        spread = f"{min(each):.2f} to {max(each):.2f}"
        print(f"{name:22} {speed:7.1f} documents/CPU-s  {ratios[name]:5.2f}x  ({spread})")
    return ratios


def quality(function: DenseEmbeddingFunction, collection: Collection) -> float:
    """Return nDCG@10 of an exact search by cosine."""
    ids = list(collection.documents)
    vectors = function.encode_documents(list(collection.documents.values()))
    queries = function.encode_queries(list(collection.queries.values()))
    order = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    scores = [
        ndcg([ids[place] for place in row], collection.qrels[query])
        for query, row in zip(collection.queries, order, strict=True)
    ]
    return statistics.mean(scores)


def main() -> int:
    """Measure, print, and return 1 if a bar is missed."""
    plain = SentenceTransformer(str(packaged_minilm()), device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        found = backends(Path(folder))
        ratios = measure(lambda texts: plain.encode(texts, normalize_embeddings=True), found)
        fastest = max(found, key=lambda name: ratios[name])
        missed = ratios[fastest] < SPEED_BAR
        print(f"fastest: {fastest}, {ratios[fastest]:.2f}x (bar {SPEED_BAR})")
        if not SHARED.is_dir():
            print("cranfield: left out: the shared collections are absent")
            return int(missed)
        collection = load_collection("cranfield")
        scores = {name: quality(function, collection) for name, function in found.items()}
    for name, score in scores.items():
        difference = score - scores["hybridge torch"]
        print(f"{name:22} cranfield nDCG@10 {score:.4f} ({difference:+.4f})")
        missed = missed or abs(difference) > QUALITY_BAR
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
