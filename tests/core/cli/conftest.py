"""A folder of files, and a tiny model that is found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tiny_models import tiny_static_model


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with two Markdown files."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "birds.md").write_text("# Birds\n\nParrots can learn to speak.\n", "utf-8")
    (folder / "bills.md").write_text("# Bills\n\nThe invoice is due in May.\n", "utf-8")
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a static model with random vectors."""
    return f"model2vec/{tiny_static_model(tmp_path_factory.mktemp('model'))}"
