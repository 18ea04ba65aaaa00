"""Swap an application's vector store for Hybridge by changing its import and its constructor.

    python examples/langchain_swap.py

`swap_before.py` is a small LangChain application on LangChain's vector store in memory;
`swap_after.py` is the same application on Hybridge. Shows the difference, and what both answer.
The application runs twice in a temporary folder, and its tickets, which have ids, are stored once;
nothing stays, and a second run of this program does the same again.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path

import swap_after
import swap_before
from hybridge import DefaultEmbeddingFunction
from langchain_hybridge import DenseEmbeddings

QUESTIONS = ["What is E-4711?", "Why is everything slow?"]


def main() -> None:
    print("The difference:\n")
    for line in difference():
        print(f"   {line}")
    embeddings = DenseEmbeddings(DefaultEmbeddingFunction())
    before = swap_before.answer(embeddings, QUESTIONS)
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the application writes to ./tickets.db
        after = swap_after.answer(embeddings, QUESTIONS)
        again = swap_after.answer(embeddings, QUESTIONS)
        os.chdir(home)
    for question, old, new in zip(QUESTIONS, before, after, strict=True):
        print(f"\n? {question}\n   in memory: {old}\n   Hybridge:  {new}")
    print(f"\nThe tickets were kept, and a second start finds the same: {after == again}")


def difference() -> list[str]:
    """Return the lines that differ, as `diff` shows them."""
    before, after = (
        Path(str(module.__file__)).read_text("utf-8").splitlines()
        for module in (swap_before, swap_after)
    )
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


if __name__ == "__main__":
    main()
