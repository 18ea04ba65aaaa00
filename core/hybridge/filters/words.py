r"""A text with an analyzer, as `TEXT_MATCH` of a Milvus server looks it up.

`text_match` asks for a part of a text, `TEXT_MATCH` for whole words, stemmed, any of several, and
for none that the analyzer drops. What is sent holds for every row that the filter selects, and for
others: `match` decides. So only those words of the value are sent

- that stand between two separators *within the value*, since its first and last may be parts of
  longer ones: of `"he quick brown f"` that is "quick" and "brown";
- that are one word to the server's tokenizer "standard", which takes letters and digits: what
  stands between ASCII characters that are neither;
- that are no stop words: of these the server would find none.

A stemmer makes the same of the same word, so it may be there. A server looks up words of new rows
a moment late, so nothing is sent right after a write (`Collection.words`). Without regard to case
only ASCII words are sent: `str.lower` and the server's analyzer differ in a few others, such as
"Σ".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hybridge.filters.operators import Operator
from hybridge.filters.quoting import quote
from hybridge.filters.tree import Comparison

_SEPARATOR = r"[\x00-/:-@\[-`{-\x7f]"
_LONGEST = 64


def _between_separators(character: str) -> re.Pattern[str]:
    return re.compile(f"(?<={_SEPARATOR}){character}{{1,{_LONGEST}}}(?={_SEPARATOR})")


_WORDS: Mapping[Operator, re.Pattern[str]] = {
    "text_match": _between_separators(r"[^\W_]"),
    "contains": _between_separators(r"[^\W_]"),
    "text_match_insensitive": _between_separators("[A-Za-z0-9]"),
}


@dataclass(frozen=True)
class Words:
    """A column in which a server looks up words.

    Attributes:
        column: The column, which holds at least the text of the row.
        stop_words: The words that its analyzer drops, in lower case.
    """

    column: str
    stop_words: Collection[str]

    def superset(self, comparison: Comparison) -> str:
        """Return what holds for every row whose text satisfies a comparison; "" is all rows."""
        pattern, value = _WORDS.get(comparison.operator), comparison.value
        if pattern is None or not isinstance(value, str):
            return ""
        words = [word for word in pattern.findall(value) if not self._is_dropped(word)]
        tests = [f"TEXT_MATCH({self.column}, {quote(word)})" for word in dict.fromkeys(words)]
        return f"({' and '.join(tests)})" if len(tests) > 1 else "".join(tests)

    def _is_dropped(self, word: str) -> bool:
        # One by one, as the server does: the lower case of a whole word may end in "ς".
        return "".join(map(str.lower, word)) in self.stop_words
