"""What `MilvusVectorStore` promises about constructing, adding, deleting, reading and closing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from hybridge import F, MilvusStore, Record
from hybridge.errors import (
    CollectionMismatchError,
    InvalidInputError,
    PartialWriteError,
    StoreClosedError,
)
from langchain_hybridge import DenseEmbeddings, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids, vector


class Words:
    """A dense function of Hybridge, with the vectors of `WordEmbeddings`."""

    model_name = "words"
    dim = 64

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        return np.array([vector(text) for text in documents], np.float32).reshape(-1, self.dim)

    encode_queries = encode_documents


# --- constructing --------------------------------------------------------------------------------


def test_a_dense_function_will_do_for_embeddings(make_vector_store: MakeVectorStore) -> None:
    """It goes into the store itself, which then knows its dimension from the start."""
    vector_store = make_vector_store(Words())
    vector_store.add_documents(ANIMALS)
    assert ids(vector_store.similarity_search("a cat", k=1, mode="dense")) == ["cat"]
    assert isinstance(vector_store.embeddings, DenseEmbeddings)
    with pytest.raises(CollectionMismatchError, match="'dim': 64"):
        make_vector_store(dim=3).similarity_search("a cat")


def test_a_store_brings_its_own_dense_function(make_store: Callable[..., MilvusStore]) -> None:
    """`store=` with a dense function needs no embedding."""
    vector_store = MilvusVectorStore(store=make_store(dense=Words()))
    vector_store.add_documents(ANIMALS)
    assert ids(vector_store.similarity_search("a cat", k=1, mode="dense")) == ["cat"]
    assert vector_store.embeddings is not None
    assert vector_store.embeddings.embed_query("cat") == pytest.approx(vector("cat"))


def test_a_name_will_do_for_embeddings(make_vector_store: MakeVectorStore) -> None:
    """Such as that of the default model."""
    vector_store = make_vector_store("sentence-transformers/all-MiniLM-L6-v2")
    vector_store.add_documents(ANIMALS)
    assert ids(vector_store.similarity_search("a feline", k=1, mode="dense")) == ["cat"]


def test_tenants_see_their_own_documents_only(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """A view for one value of the partition key, with the defaults of the vector store."""
    vector_store = make_vector_store(embeddings, partition_key="tenant", k=1)
    acme, other = vector_store.for_tenant("acme"), vector_store.for_tenant("other")
    acme.add_texts(["a cat", "a dog"], ids=["a1", "a2"])
    other.add_texts(["a cat"], ids=["o1"])
    assert ids(acme.similarity_search("a cat")) == ["a1"]
    assert ids(other.similarity_search("a cat", k=3)) == ["o1"]
    assert other.get_by_ids(["a1"]) == []


def test_without_embeddings_bm25_searches(
    make_vector_store: MakeVectorStore,
) -> None:
    """`embedding=None` is a store for text alone."""
    vector_store = make_vector_store()
    vector_store.add_documents(ANIMALS)
    assert vector_store.embeddings is None
    assert ids(vector_store.similarity_search("who sleeps?")) == ["cat"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"embedding": "openai:text-embedding-3-small"}, "known are"),
        ({"embedding": 7}, "embedding.*'int' is neither"),
        ({"embedding": Words}, "embedding.*'Words' is neither"),
        ({"store": True, "uri": "x.db"}, "store= and uri"),
        ({"store": True, "embedding": WordEmbeddings()}, "dense function of its own"),
        ({"mode": ["dense", 7], "uri": "x.db"}, "mode=.*7"),
        ({"fusion": "rrf", "uri": "x.db"}, "fusion='rrf'"),
        ({"fetch_k": -1, "uri": "x.db"}, "fetch_k=-1"),
        ({"k": 0, "uri": "x.db"}, "k=0"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    make_store: Callable[..., MilvusStore], arguments: dict[str, Any], complaint: str
) -> None:
    """At once, with an error that says what to do."""
    if arguments.get("store"):
        arguments = {**arguments, "store": make_store(dense=Words())}
    with pytest.raises(InvalidInputError, match=complaint):
        MilvusVectorStore(**arguments)


def test_an_unknown_argument_is_an_error(animals: MilvusVectorStore) -> None:
    """A misspelled argument is never swallowed, whatever the method."""
    with pytest.raises(InvalidInputError, match="write collection_name="):
        MilvusVectorStore(collection="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="batch"):
        animals.add_texts(["x"], batch=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="filters"):
        animals.delete(filters={"legs": 4})  # type: ignore[call-arg]
    with pytest.raises(InvalidInputError, match="no argument 'filters'"):
        animals.similarity_search("cat", filters={"legs": 4})  # type: ignore[call-arg]
    with pytest.raises(InvalidInputError, match="no argument 'reranker'"):
        animals.max_marginal_relevance_search("cat", reranker=None)  # type: ignore[call-arg]


def test_repr_shows_no_key(make_vector_store: MakeVectorStore) -> None:
    """What embeddings show of themselves is left out."""

    class Leaky(WordEmbeddings):
        def __repr__(self) -> str:
            return "Leaky(key='sk-123')"

    assert "sk-123" not in repr(make_vector_store(Leaky()))


# --- adding --------------------------------------------------------------------------------------


def test_documents_come_back_as_they_went_in(animals: MilvusVectorStore) -> None:
    """Id, text and metadata; the id is in `Document.id` and nowhere else."""
    assert animals.get_by_ids(["cat", "fish"]) == [ANIMALS[0], ANIMALS[3]]
    assert animals.similarity_search("cat", k=1) == [ANIMALS[0]]


def test_metadata_may_be_anything_that_json_holds(empty: MilvusVectorStore) -> None:
    """None, lists, nested mappings, and keys that differ from document to document."""
    first: dict[str, Any] = {"none": None, "list": [1, [2]], "nested": {"a": {"b": 1.5}}}
    second: dict[str, Any] = {"id": "mine", "text": "too", "with space.dot": True}
    added = empty.add_texts(["one", "two"], [first, second])
    assert [document.metadata for document in empty.get_by_ids(added)] == [first, second]


def test_gaps_in_ids_are_filled(empty: MilvusVectorStore) -> None:
    """One id comes back per text, those given unchanged."""
    first, second, third = empty.add_texts(["a", "b", "c"], ids=[None, "mine", None])
    assert second == "mine"
    assert len({first, second, third}) == 3
    found = empty.get_by_ids([first, second, third])
    assert [document.page_content for document in found] == ["a", "b", "c"]


def test_adding_an_id_again_overwrites_it(animals: MilvusVectorStore) -> None:
    """Text, metadata, vector and BM25 statistics are the new ones."""
    animals.add_texts(["A horse gallops"], [{"new": True}], ids=["cat"])
    [document] = animals.get_by_ids(["cat"])
    assert (document.page_content, document.metadata) == ("A horse gallops", {"new": True})
    assert ids(animals.similarity_search("horse", k=1)) == ["cat"]
    assert animals.similarity_search("sofa", mode="sparse") == []


def test_what_was_given_is_left_alone(empty: MilvusVectorStore) -> None:
    """Neither documents nor metadata are changed by adding or by what comes back."""
    document = Document(page_content="x", metadata={"tags": ["a"]})
    [made] = empty.add_documents([document])
    [found] = empty.get_by_ids([made])
    found.metadata["tags"].append("b")
    assert document == Document(page_content="x", metadata={"tags": ["a"]})
    assert empty.get_by_ids([made])[0].metadata == {"tags": ["a"]}


def test_texts_are_embedded_batch_by_batch(
    empty: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """`batch_size` is how many texts are embedded and sent at once; no id is lost.

    A first batch also embeds a fixed text, by which the model is known again.
    """
    added = empty.add_texts([f"text {n}" for n in range(7)], batch_size=3)
    assert [call.texts for call in embeddings.calls] == [3 + 1, 3, 1]
    assert len(empty.get_by_ids(added)) == 7


def test_progress_is_shown_on_request(
    empty: MilvusVectorStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar on stderr, and nothing without it."""
    empty.add_documents(ANIMALS)
    assert capsys.readouterr().err == ""
    empty.add_documents(ANIMALS, progress=True)
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("texts", "metadatas", "given", "complaint"),
    [
        (["a", "b"], [{}], None, "2 texts and 1 metadatas"),
        (["a", "b"], None, ["x"], "2 texts and 1 ids"),
        (["a"], [{}, {}], None, "1 texts and 2 metadatas"),
        ("abc", None, None, "give a list"),
        ([1], None, None, "text is a int"),
        (["a"], [{"when": {1, 2}}], None, r"metadata\['when'\] is a set"),
        (["a"], None, [7], "id is a int"),
        (["a"], None, [""], "id is empty"),
    ],
)
def test_bad_input_is_refused_before_anything_is_embedded(
    empty: MilvusVectorStore,
    embeddings: WordEmbeddings,
    texts: Any,
    metadatas: Any,
    given: Any,
    complaint: str,
) -> None:
    """The error is ours and names the record; nothing was paid for or sent."""
    with pytest.raises(InvalidInputError, match=complaint):
        empty.add_texts(texts, metadatas, ids=given)
    assert embeddings.calls == []
    assert not empty.store.exists()


def test_embeddings_of_another_dimension_are_refused(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore
) -> None:
    """Whether a document or a query is embedded."""

    class Short(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[1.0, 2.0] for _ in texts]

        def embed_query(self, text: str) -> list[float]:
            return [1.0, 2.0]

    other = make_vector_store(Short())
    with pytest.raises(InvalidInputError, match=r"dimension 2.*holds 64"):
        other.add_texts(["x"])
    with pytest.raises(InvalidInputError, match=r"dimension 2.*holds 64"):
        other.similarity_search("x")
    assert len(list(animals.scroll())) == 4


def test_a_failure_in_a_later_batch_tells_what_landed(
    make_vector_store: MakeVectorStore,
) -> None:
    """What was written stays written, and the error carries its ids."""

    class OutOfCredit(WordEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if len(self.calls) == 2:
                msg = "out of credit"
                raise OSError(msg)
            return super().embed_documents(texts)

    vector_store = make_vector_store(OutOfCredit())
    with pytest.raises(PartialWriteError, match="out of credit") as caught:
        vector_store.add_texts(list("abcdef"), ids=list("abcdef"), batch_size=2)
    assert caught.value.landed == ["a", "b", "c", "d"]
    assert sorted(map(str, ids(vector_store.scroll()))) == ["a", "b", "c", "d"]


# --- deleting and reading ------------------------------------------------------------------------


def test_delete_takes_ids_a_filter_or_an_expression(animals: MilvusVectorStore) -> None:
    """It is True for success, and missing ids are fine."""
    assert animals.delete(["cat", "nobody"]) is True
    assert animals.delete(filter={"legs": 4}) is True
    assert animals.delete(filter=F("legs") == 2) is True
    assert ids(animals.scroll()) == ["fish"]
    assert animals.delete(expr='id == "fish"') is True
    assert list(animals.scroll()) == []
    assert animals.delete([]) is True


def test_delete_without_a_selector_is_refused(animals: MilvusVectorStore) -> None:
    """It would empty the store; the error says how to do that."""
    with pytest.raises(InvalidInputError, match=r"clear\(\) removes every row"):
        animals.delete()
    assert len(list(animals.scroll())) == 4


async def test_clear_deletes_every_document(
    animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """The collection and its settings stay."""
    animals.clear()
    assert list(animals.scroll()) == []
    assert animals.store.exists()
    await animals.aadd_documents(ANIMALS[:1])
    assert ids(animals.similarity_search("the dog")) == ["cat"]
    await animals.aclear()
    assert animals.similarity_search("the dog") == []


def test_get_by_ids_returns_each_once(animals: MilvusVectorStore) -> None:
    """In order, without those that are missing and without duplicates."""
    assert ids(animals.get_by_ids(["dog", "nobody", "cat", "dog"])) == ["dog", "cat"]


def test_scroll_lists_documents_by_metadata_alone(
    animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """No query, no embedding, no limit."""
    assert ids(animals.scroll({"legs": {"$gte": 2}})) == ["cat", "dog", "bird"]
    assert ids(animals.scroll(expr='id in ["fish"]')) == ["fish"]
    assert ids(animals.scroll()) == ["cat", "dog", "bird", "fish"]
    assert embeddings.calls == []


# --- from_… --------------------------------------------------------------------------------------


def test_from_documents_keeps_ids(path: str, embeddings: WordEmbeddings) -> None:
    """And takes the arguments of the class and of add_texts."""
    with MilvusVectorStore.from_documents(
        ANIMALS, embeddings, uri=path, collection_name="zoo", batch_size=2, k=1
    ) as vector_store:
        assert ids(vector_store.similarity_search("cat")) == ["cat"]
    assert [call.texts for call in embeddings.calls] == [2 + 1, 2, 1]


def test_from_texts_takes_metadatas_and_ids(path: str, embeddings: WordEmbeddings) -> None:
    """As every LangChain vector store does."""
    with MilvusVectorStore.from_texts(
        ["a cat", "a dog"], embeddings, [{"n": 1}, {"n": 2}], ids=["x", "y"], uri=path
    ) as vector_store:
        assert vector_store.get_by_ids(["y"]) == [
            Document(id="y", page_content="a dog", metadata={"n": 2})
        ]


def test_a_failed_from_texts_leaves_nothing_open(path: str, embeddings: WordEmbeddings) -> None:
    """The path is free for another process, though nobody holds the vector store."""
    MilvusVectorStore.from_texts(["a"], embeddings, uri=path).close()
    with pytest.raises(InvalidInputError):
        MilvusVectorStore.from_texts(["b"], embeddings, [{"n": {1}}], uri=path)
    assert _count_in_another_process(path) == 1


def test_from_existing_collection_opens_what_is_there(
    path: str, animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """With the settings that it has; a collection that is missing is an error."""
    with MilvusVectorStore.from_existing_collection(embeddings, uri=path) as again:
        assert ids(again.similarity_search("cat", k=1)) == ["cat"]
    with pytest.raises(InvalidInputError, match="there is no collection"):
        MilvusVectorStore.from_existing_collection(embeddings, uri=path, collection_name="zoo")


# --- life ----------------------------------------------------------------------------------------


def test_a_closed_vector_store_says_so_and_frees_the_path(
    path: str, animals: MilvusVectorStore
) -> None:
    """Closing twice is fine; another process can open the path afterwards."""
    animals.close()
    animals.close()
    with pytest.raises(StoreClosedError, match="closed"):
        animals.similarity_search("cat")
    assert _count_in_another_process(path) == 4


def test_context_managers_close(path: str, embeddings: WordEmbeddings) -> None:
    """`with` leaves a closed vector store behind."""
    with MilvusVectorStore(embeddings, uri=path) as vector_store:
        vector_store.add_texts(["x"])
    with pytest.raises(StoreClosedError):
        vector_store.add_texts(["y"])


def test_everything_is_there_after_reopening(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """Rows, vectors and BM25 statistics; the settings need not be given again."""
    with make_vector_store(embeddings, sparse="bm25:de") as vector_store:
        vector_store.add_texts(["Die Häuser am Fluss", "ein Baum im Wald"], ids=["haus", "baum"])
    again = make_vector_store(embeddings)
    assert ids(again.similarity_search("Haus", k=1, mode="sparse")) == ["haus"]
    assert ids(again.similarity_search("ein Baum", k=1, mode="dense")) == ["baum"]


def test_what_core_wrote_is_read_as_documents(
    make_store: Callable[..., MilvusStore], embeddings: WordEmbeddings
) -> None:
    """And overwriting keeps what LangChain has no place for."""
    store = make_store()
    [dense] = embeddings.embed_documents(["x"])
    store.add([Record(id="a", text="x", document_id="doc", extra={"k": 1}, dense=dense)])
    vector_store = MilvusVectorStore(embeddings, store=store)
    vector_store.add_documents(vector_store.get_by_ids(["a"]))
    [record] = store.get(["a"])
    assert (record.document_id, record.extra) == ("doc", {"k": 1})


def _count_in_another_process(path: str) -> int:
    program = (
        "import sys; from hybridge import MilvusStore\n"
        "with MilvusStore(sys.argv[1]) as store: print(store.count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_path_object_is_a_path(tmp_path: Path, embeddings: WordEmbeddings) -> None:
    """`uri` may be a `pathlib.Path`."""
    with MilvusVectorStore(embeddings, uri=tmp_path / "x.db") as vector_store:
        assert vector_store.add_texts(["x"], ids=["a"]) == ["a"]
