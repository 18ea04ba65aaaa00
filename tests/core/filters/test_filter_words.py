"""What `TEXT_MATCH` is asked is a superset of what a filter on the text selects.

The server's analyzer is written down here as its source has it; a snowball stemmer stands for its.
"""

from __future__ import annotations

import re

import pytest
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from hybridge.filters import TEXT, And, Filter, Not, Or, compile_filter, match
from hybridge.filters.words import Words
from hybridge.records import Record

STOP = frozenset({"the", "τησ"})
WORDS = Words("input_sparse", STOP)
_stem = Stemmer.Stemmer("english").stemWord
_TEST = re.compile(r'TEXT_MATCH\(input_sparse, "([^"\\]*)"\)')


def analyzed(text: str) -> list[str]:
    """The tokens of Milvus's "standard" tokenizer, lower case, without stop words, stemmed."""
    runs = "".join(character if character.isalnum() else " " for character in text).split(" ")
    lower = ["".join(map(str.lower, run)) for run in runs if run]
    return [_stem(word) for word in lower if word not in STOP]


def selects(expression: str, text: str) -> bool:
    """Whether a server would select a row with this text."""
    tokens = set(analyzed("a context\n" + text))

    def found(test: re.Match[str]) -> str:
        return str(not tokens.isdisjoint(analyzed(test[1])))

    return expression == "" or bool(eval(_TEST.sub(found, expression)))


WORD = st.sampled_from(
    ["the", "The", "quick", "Quick", "running", "ΤΗΣ", "της", "ΟΔΟΣ", "İs", "\u212aelvin", "straße",
     "naïve", "e\u0301a", "²", "x_y", "漢字", "😀", "'", '"', "\\"]
)  # fmt: skip
SEPARATOR = st.sampled_from([" ", " ", ".", "-", "_", "\n", "", "\u00a0", "\u3000"])
TEXTS = st.lists(st.tuples(WORD, SEPARATOR).map("".join), max_size=6).map("".join)


@given(TEXTS, st.data())
def test_every_row_that_matches_is_selected(text: str, data: st.DataObject) -> None:
    """Whatever is cut out of a text, in either case, is found in it."""
    start = data.draw(st.integers(0, min(4, len(text))))
    value = text[start : len(text) - data.draw(st.integers(0, min(4, len(text) - start)))]
    value = data.draw(st.sampled_from([value, value, value.upper(), value.lower()]))
    row = Record(id="a", text=text)
    for tree in (TEXT.text_match(value), TEXT.text_match_insensitive(value), TEXT.contains(value)):
        compiled = compile_filter(tree, {}, words=WORDS)
        assert compiled.residual == tree
        assert not match(tree, row) or selects(compiled.expression, text)


@pytest.mark.parametrize(
    ("tree", "expression"),
    [
        (
            TEXT.text_match("he quick brown f"),
            '(TEXT_MATCH(input_sparse, "quick") and TEXT_MATCH(input_sparse, "brown"))',
        ),
        (TEXT.contains(" fox "), 'TEXT_MATCH(input_sparse, "fox")'),
        (TEXT.text_match_insensitive("(Fox)"), 'TEXT_MATCH(input_sparse, "Fox")'),
        (TEXT.text_match(" лиса,"), 'TEXT_MATCH(input_sparse, "лиса")'),
        (TEXT.text_match_insensitive(" лиса,"), ""),
        (TEXT.text_match("fox"), ""),
        (TEXT.text_match("quick fox"), ""),
        (TEXT.text_match(" the "), ""),
        (TEXT.text_match(' " '), ""),
        (TEXT.like("% fox %"), ""),
        (Not(TEXT.text_match(" fox ")), ""),
        (Or([TEXT.text_match(" fox "), TEXT.text_match("fox")]), ""),
        (
            Or([TEXT.text_match(" fox "), TEXT.text_match(" hare ")]),
            '(TEXT_MATCH(input_sparse, "fox") or TEXT_MATCH(input_sparse, "hare"))',
        ),
        (
            And([TEXT.text_match(" fox "), TEXT.text_match("f")]),
            'TEXT_MATCH(input_sparse, "fox")',
        ),
    ],
)
def test_only_whole_words_are_asked_for(tree: Filter, expression: str) -> None:
    """Those between two separators of the value; nothing where there are none."""
    assert compile_filter(tree, {}, words=WORDS).expression == expression
    assert compile_filter(tree, {}).expression == ""
