"""`hybridge eval`: the ways to search compared, on one's own questions."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from hybridge.cli.options import COLLECTION, Collection, Json, Tenant, Uri, optional
from hybridge.cli.output import is_watched, show
from hybridge.cli.stores import NONE, Place

if TYPE_CHECKING:
    from hybridge.store import MilvusStore
    from hybridge.tools.evaluation import Evaluation, Questions


Data = Annotated[
    Path | None,
    optional(
        "Questions: a folder in BEIR's layout, or a CSV with the columns question and id. "
        "Without it latency and health are measured, and nothing is proposed.",
        metavar="FOLDER|CSV",
    ),
]
Dense = Annotated[
    str | None,
    optional(f"The embedding model, '{NONE}' for none."),
]
Sparse = Annotated[
    str | None,
    optional("bm25:LANGUAGE, or a sparse model."),
]
Rerankers = Annotated[
    list[str] | None,
    optional("A reranker to compare as well; may be given several times.", "--reranker"),
]
Count = Annotated[
    int, typer.Option("-k", min=1, max=16_384, help="How many hits of each question count.")
]
Written = Annotated[
    Path | None,
    optional("Write what is proposed, for MilvusStore(config=FILE).", metavar="FILE"),
]
Picture = Annotated[
    Path | None,
    optional("Draw quality against latency (.png).", metavar="FILE"),
]
Page = Annotated[
    Path | None,
    optional("Write all of it as one HTML file.", metavar="FILE"),
]


def eval(
    data: Data = None,
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    dense: Dense = None,
    sparse: Sparse = None,
    reranker: Rerankers = None,
    k: Count = 10,
    config: Written = None,
    plot: Picture = None,
    html: Page = None,
    json: Json = False,
) -> None:
    """Compare the ways to search a collection, and propose one.

    A folder in BEIR's layout brings its documents along: without --uri they are indexed into a
    database that is removed afterwards. With --uri, and with a CSV, the questions are about the
    collection that is there.
    """
    from hybridge.tools.evaluation import evaluate

    if data is None and (config or plot):
        msg = "there is nothing to propose or draw without questions: give --data"
        raise typer.BadParameter(msg)
    questions = None if data is None else _questions(data)
    with _collection(data, Place(uri, collection, tenant), dense, sparse) as store:
        found = evaluate(store, questions, k=k, rerankers=reranker or (), progress=is_watched())
    for path in _written(found, config, plot, html):
        typer.echo(f"wrote {path}", err=True)
    show(found.to_json(), [str(found)], as_json=json)


def _questions(data: Path) -> Questions:
    from hybridge.tools.evaluation import read_beir, read_questions

    return read_beir(data) if data.is_dir() else read_questions(data)


@contextmanager
def _collection(
    data: Path | None, place: Place, dense: str | None, sparse: str | None
) -> Generator[MilvusStore]:
    """Open the collection that is meant, or index the documents of a folder for the moment."""
    from hybridge.tools.evaluation import read_corpus

    if data is None or not data.is_dir() or place.uri is not None:
        with place.reading(models=True, dense=dense, sparse=sparse) as store:
            yield store
        return
    with TemporaryDirectory() as folder:
        there = Place(f"{folder}/milvus.db", place.collection)
        with there.making(dense, sparse) as store:
            store.add(read_corpus(data), progress=is_watched())
            yield store


def _written(
    found: Evaluation, config: Path | None, picture: Path | None, html: Path | None
) -> Iterator[Path]:
    """Write what was asked for; yield where to."""
    from hybridge.tools.evaluation import plot, write_page

    writers: list[tuple[Path | None, Callable[[Path], None]]] = [
        (config, found.write_config),
        (picture, partial(plot, found)),
        (html, partial(write_page, found)),
    ]
    for path, write in writers:
        if path is not None:
            write(path)
            yield path
