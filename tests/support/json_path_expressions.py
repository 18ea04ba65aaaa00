"""The expressions on JSON paths that are sent, evaluated as a Milvus server does."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<path>metadata(?:\["(?:[^"\\]|\\.)*"\])+)|(?P<string>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d[\d.e+-]*)|(?P<word>\w+)|(?P<sign>[<>=]=?|[()\[\],]))""",
    re.DOTALL,
)
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def evaluate(expression: str, metadata: Mapping[str, Any]) -> bool:
    """Say whether a row with this metadata is selected.

    A value is read as the type of the literal, numbers as floats; what is missing, or of another
    type, satisfies nothing.
    """
    tokens = [
        (match.lastgroup, match[match.lastgroup or 0]) for match in _TOKEN.finditer(expression)
    ]
    return _Reader(tokens, metadata).group()


class _Reader:
    def __init__(self, tokens: list[tuple[str | None, str]], metadata: Mapping[str, Any]) -> None:
        self.tokens = iter(tokens)
        self.metadata = metadata
        self.ahead = next(self.tokens)

    def take(self) -> str:
        taken, self.ahead = self.ahead[1], next(self.tokens, (None, ""))
        return taken

    def group(self) -> bool:
        """Tests joined by one word: groups that mix two have parentheses."""
        results, words = [self.test()], set[str]()
        while self.ahead[1] in ("and", "or"):
            words.add(self.take())
            results.append(self.test())
        assert len(words) < 2
        return all(results) if words == {"and"} else any(results)

    def test(self) -> bool:
        if self.ahead[1] == "(":
            self.take()
            result = self.group()
            assert self.take() == ")"
            return result
        if self.ahead[1] == "json_contains":
            return self.contains()
        found, sign = self.found(self.take()), self.take()
        if sign == "in":
            return any(_holds("==", found, one) for one in self.listed())
        if sign == "like":
            pattern = self.literal()
            assert pattern.endswith("%")
            assert not re.search(r"[%_\\]", pattern[:-1])
            return isinstance(found, str) and found.startswith(pattern[:-1])
        return _holds(sign, found, self.literal())

    def contains(self) -> bool:
        assert [self.take(), self.take()] == ["json_contains", "("]
        found = self.found(self.take())
        assert self.take() == ","
        wanted = self.literal()
        assert self.take() == ")"
        return isinstance(found, list) and any(_holds("==", one, wanted) for one in found)

    def listed(self) -> Iterator[Any]:
        assert self.take() == "["
        listed = [self.literal()]
        while self.take() == ",":
            listed.append(self.literal())
        return iter(listed)

    def literal(self) -> Any:
        kind, text = self.ahead
        self.take()
        return float(text) if kind == "number" else json.loads(text)

    def found(self, path: str) -> Any:
        found: Any = self.metadata
        for key in re.findall(r'\["([^"]*)"\]', path):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def _holds(sign: str, found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return sign == "==" and found is wanted
    if isinstance(found, int):
        found = float(found)
    return type(found) is type(wanted) and _ORDERS[sign](found, wanted)
