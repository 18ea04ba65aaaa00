"""Counting terms, and the vectors that counts become."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.sparse.analyzer import as_analyzer
from hybridge.sparse.counting import TermCounter, TermCounts, document_vectors, query_vectors
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import PLACEHOLDER, UNKNOWN, HashedTermIds, OrdinalTermIds
from hybridge.sparse.weighting import Weighting

SPLIT = as_analyzer(str.split)
WORDS = ["river", "bank", "bank's", "Banking", "the", "a", "of", "Größe", "é"]
texts = st.lists(
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    max_size=8,
)


def _rows(counts: TermCounts) -> list[dict[int, int]]:
    spans = zip(counts.indptr[:-1], counts.indptr[1:], strict=True)
    return [
        dict(zip(counts.indices[a:b].tolist(), counts.counts[a:b].tolist(), strict=True))
        for a, b in spans
    ]


@given(texts)
def test_counts_are_those_of_counting_by_hand(texts: list[str]) -> None:
    """Each text's terms are counted, with sorted indices; lengths count every content word."""
    analyzer, ids = as_analyzer("en"), HashedTermIds()
    every = TermCounter(analyzer, ids).count(texts)
    counts = TermCounter(analyzer, ids, content_alone=True).count(texts)
    assert every.lengths.tolist() == counts.lengths.tolist()
    assert _rows(counts) == [Counter(map(ids.index, analyzer(text))) for text in texts]
    assert counts.lengths.tolist() == [len(analyzer(text)) for text in texts]
    for a, b in zip(counts.indptr[:-1], counts.indptr[1:], strict=True):
        assert np.all(np.diff(counts.indices[a:b].astype(np.int64)) > 0)


@given(texts, st.integers(0, 8))
def test_statistics_add_up(texts: list[str], cut: int) -> None:
    """The statistics of two parts, merged, are those of the whole."""
    counter = TermCounter(as_analyzer("en"), HashedTermIds())
    head, tail = counter.count(texts[:cut]), counter.count(texts[cut:])
    assert head.statistics().merge(tail.statistics()) == counter.count(texts).statistics()


def test_a_corpus_of_many_blocks_is_counted_as_one() -> None:
    """Where blocks are cut makes no difference, and a generator will do."""
    random = np.random.default_rng(1)
    texts = [" ".join(map(str, random.integers(0, 3000, 900))) for _ in range(700)]
    counter = TermCounter(SPLIT, OrdinalTermIds())
    assert len(list(counter.blocks(texts))) > 1
    whole = counter.count(iter(texts))
    parts = [counter.count([text]) for text in texts]
    assert _rows(whole) == [row for part in parts for row in _rows(part)]
    vectors = document_vectors(whole, Weighting(), 900.0, 3000)
    alone = [document_vectors(part, Weighting(), 900.0, 3000).toarray() for part in parts]
    np.testing.assert_array_equal(vectors.toarray(), np.concatenate(alone))


def test_unknown_terms_count_for_the_length_alone() -> None:
    """Frozen ids leave unknown terms out of the vector, and in the length."""
    ids = OrdinalTermIds(["known"])
    counts = TermCounter(SPLIT, ids.frozen()).count(["known unknown unknown"])
    assert _rows(counts) == [{0: 1}]
    assert counts.lengths.tolist() == [3]
    assert ids.dim == 1


@pytest.mark.parametrize("texts", ["one text", None, ["a", None], ["a", b"bytes"], ["a", "\ud800"]])
def test_what_is_no_list_of_strings_is_refused(texts: object) -> None:
    """A single string would be taken for a list of letters; other things are no texts."""
    with pytest.raises(InvalidInputError, match=r"write \[text\]|texts\[1\]"):
        TermCounter(as_analyzer("en"), HashedTermIds()).count(texts)  # type: ignore[arg-type]


@given(st.text())
def test_hashed_ids_stay_below_the_placeholder(term: str) -> None:
    """No term gets an index that Milvus lacks or that is reserved."""
    assert 0 <= HashedTermIds().index(term) < PLACEHOLDER < UNKNOWN


def test_hashed_ids_never_change() -> None:
    """The hash is xxh32 of UTF-8, as stored collections have it."""
    index = HashedTermIds().index
    assert [index(term) for term in ("", "milvus", "вектор")] == [46947589, 4186000579, 1228606567]


def test_ordinal_ids_count_up_and_shrink_again() -> None:
    """Terms are numbered as they appear; forgetting the newest gives their numbers back."""
    ids = OrdinalTermIds()
    assert [ids.index(term) for term in ("b", "a", "b", "c")] == [0, 1, 0, 2]
    ids.truncate(1)
    assert (ids.terms, ids.index("c")) == (["b"], 1)


def test_a_term_cannot_have_two_indices() -> None:
    """A list of terms with a repeat is refused."""
    with pytest.raises(InvalidInputError, match="twice"):
        OrdinalTermIds(["a", "b", "a"])


def test_hashed_vectors_have_64_bit_indices_and_milvus_width() -> None:
    """Vectors over hashed ids are csr_arrays of Milvus's full width, made without its size."""
    ids, weighting = HashedTermIds(), Weighting()
    counts = TermCounter(as_analyzer("en"), ids).count(["rivers and banks", "", "the bank"])
    documents = document_vectors(counts, weighting, 2.0, ids.dim)
    asked = TermCounter(as_analyzer("en"), ids).count_queries(["rivers and banks", "", "the bank"])
    queries = query_vectors(asked, counts.statistics(), weighting, ids.dim)
    for matrix, sizes in ((documents, [3, 0, 2]), (queries, [2, 0, 1])):
        assert matrix.shape == (3, PLACEHOLDER + 1)
        assert (matrix.dtype, matrix.indices.dtype) == (np.float32, np.int64)
        assert np.diff(matrix.indptr).tolist() == sizes


def test_query_terms_that_no_document_holds_are_left_out() -> None:
    """A term without a document frequency has no weight; a repeated one counts each time."""
    ids = OrdinalTermIds(["held", "lost"])
    counts = TermCounter(SPLIT, ids).count(["held lost held"])
    matrix = query_vectors(counts, Statistics(2, 2, {0: 1}), Weighting(), ids.dim)
    assert matrix.indices.tolist() == [0]
    assert matrix.data.tolist() == pytest.approx([2 * np.log(2)])


def test_an_average_length_of_zero_is_refused() -> None:
    """Documents with terms cannot be weighed by an average length of 0; those without can."""
    counter = TermCounter(as_analyzer("en"), HashedTermIds())
    with pytest.raises(InvalidInputError, match="average length"):
        document_vectors(counter.count(["river"]), Weighting(), 0.0, 1)
    assert document_vectors(counter.count([""]), Weighting(), 0.0, 1).nnz == 0


def test_no_texts_give_no_counts() -> None:
    """An empty list is counted as such."""
    counts = TermCounter(as_analyzer("en"), HashedTermIds()).count([])
    assert (len(counts), counts.statistics()) == (0, Statistics())
    assert document_vectors(counts, Weighting(), 0.0, 7).shape == (0, 7)


def test_the_memory_of_words_is_bounded() -> None:
    """A counter that has seen a million different words remembers a quarter of them at most."""

    def numbers() -> Iterator[str]:
        for start in range(0, 1_000_000, 1000):
            yield " ".join(map(str, range(start, start + 1000)))

    counter = TermCounter(as_analyzer("en"), HashedTermIds())
    assert sum(block.statistics().tokens for block in counter.blocks(numbers())) == 1_000_000
    assert len(counter._codes) <= 2**18


def test_a_counter_pickles() -> None:
    """A copy sent to another process counts alike."""
    counter = TermCounter(as_analyzer("ru"), OrdinalTermIds())
    before = counter.count(["Векторные базы данных"])
    again = pickle.loads(pickle.dumps(counter)).count(["Векторные базы данных"])
    assert _rows(again) == _rows(before)
