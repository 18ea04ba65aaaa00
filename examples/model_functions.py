"""The model functions by themselves: text in, vectors or scores out, no database.

Run it with `python examples/model_functions.py`. The last part needs a key of Jina's API in
JINA_API_KEY and says how to get one; everything else runs offline. It stores nothing, so a second
run prints the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hybridge import BM25EmbeddingFunction, DefaultEmbeddingFunction, JinaRerankFunction
from hybridge.errors import ApiError, AuthenticationError

SENTENCES = [
    "Artificial intelligence was founded as an academic discipline in 1956.",
    "Alan Turing was the first person to conduct substantial research in AI.",
    "Born in Maida Vale, London, Turing was raised in southern England.",
]
QUESTION = "In which part of England did Turing grow up?"

RERANK_QUESTION = "Which event of 1956 gave artificial intelligence its name?"
RERANK_DOCUMENTS = [
    "Turing's paper of 1950 asked whether machines can think, and proposed a test for it.",
    "A summer workshop at Dartmouth College in 1956 coined the term artificial intelligence.",
    "In 1951 Minsky and Edmonds built SNARC, a machine of valves that learned to run a maze.",
    "McCarthy designed the programming language Lisp in 1958; AI research used it for decades.",
]


def show_dense() -> None:
    print("1. Dense vectors: texts of similar meaning get similar vectors\n")
    function = DefaultEmbeddingFunction()
    documents = function.encode_documents(SENTENCES)
    query = function.encode_queries([QUESTION])
    print(f"   model {function.model_name}: {function.dim} numbers for a text")
    print(f"   {len(SENTENCES)} sentences -> one array of shape {documents.shape}\n")
    print(f"   How near is each sentence to “{QUESTION}”? (cosine, 1 is the same)")
    for sentence, vector, cosine in zip(SENTENCES, documents, documents @ query[0], strict=True):
        start = ", ".join(f"{number:+.3f}" for number in vector[:4])
        print(f"   {cosine:5.2f}  {sentence}\n          [{start}, …]")


def show_bm25() -> None:
    print("\n2. BM25: sparse vectors of words, weighted by how rare each word is\n")
    function = BM25EmbeddingFunction()
    function.fit(SENTENCES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bm25.json"
        function.save(path)
        loaded = BM25EmbeddingFunction()
        loaded.load(path)
    documents = loaded.encode_documents(SENTENCES)
    query = loaded.encode_queries([QUESTION])
    print(f"   fitted on {len(SENTENCES)} sentences, saved, loaded: {loaded.dim} different words")
    print(f"   documents: sparse array of shape {documents.shape}, {documents.nnz} numbers not 0\n")
    print(f"   How well do the words of “{QUESTION}” match?")
    scores = (documents @ query.T).toarray()[:, 0]
    for sentence, score in zip(SENTENCES, scores, strict=True):
        print(f"   {score:5.2f}  {sentence}")


def show_reranking() -> None:
    print("\n3. Reranking: a model reads question and document together\n")
    try:
        function = JinaRerankFunction()
        results = function(RERANK_QUESTION, RERANK_DOCUMENTS, top_k=4)
    except AuthenticationError as error:
        print(f"   Skipped: {error}")
        return
    except ApiError as error:
        print(f"   Failed: {error}")
        return
    print(f"   “{RERANK_QUESTION}”, best document first:")
    for result in results:
        print(f"   {result.score:5.2f}  {result.text}  (was number {result.index + 1})")


if __name__ == "__main__":
    show_dense()
    show_bm25()
    show_reranking()
