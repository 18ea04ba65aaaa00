r"""Keys as strings, as dictionaries, JSON and models write them.

A name is a metadata key as it stands, dots included. What starts with `$` is something else:

- `$id`, `$document_id` and `$text` are the row's own `ROW_ID`, `DOCUMENT_ID` and `TEXT`;
- `$.author.name` is the path `F("author", "name")`, as JSONPath writes it. A key with a dot or
  another sign in it stands in brackets and quotes: `$.author['first.name']`, `$['$id']`;
- `$.acl[*].group` goes on in the mappings of a list, one of which has to satisfy what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.operators import Operator
from hybridge.filters.tree import Field, Filter, Key, RowKey

ROW_KEYS: Mapping[str, RowKey] = {f"${key.value}": key for key in RowKey}

_STEP = re.compile(r"""\.([^.\[\]'"*]+)|\['((?:\\.|[^'\\])+)'\]|\["((?:\\.|[^"\\])+)"\]|(\[\*\])""")
_PLAIN = re.compile(r"""[^.\[\]'"*\\]+""")


def parse_name(name: object) -> list[Key]:
    """Return the key that a name stands for, after those of the lists on the way to it.

    Raises:
        FilterError: It is no string, or starts with `$` and is none of these.
    """
    if not isinstance(name, str):
        msg = f"the key {shown(name)} is not a string, as metadata keys are"
        raise FilterError(msg)
    if name in ROW_KEYS:
        return [ROW_KEYS[name]]
    if not name.startswith("$"):
        return [(name,)]
    keys: list[list[str]] = [[]]
    place = 1
    while step := _STEP.match(name, place):
        place = step.end()
        if step[4]:
            keys.append([])
        else:
            keys[-1].append(step[1] or re.sub(r"\\(.)", r"\1", step[2] or step[3], flags=re.DOTALL))
    if place < len(name) or not all(keys):
        msg = (
            f"{shown(name)} is no key: write $.author.name or $.author['first.name'] for a path, "
            f"$.acl[*].group for a list of mappings, or one of {', '.join(ROW_KEYS)}"
        )
        raise FilterError(msg)
    return [tuple(key) for key in keys]


def path_name(path: Sequence[str]) -> str:
    """Return the name of a path."""
    return "$" + "".join(
        f".{key}" if _PLAIN.fullmatch(key) else "['" + re.sub(r"(['\\])", r"\\\1", key) + "']"
        for key in path
    )


def in_lists(keys: Sequence[Key], tree: Filter) -> Filter:
    """Return what asks a test of some mapping of the lists on the way to a key.

    Args:
        keys: What `parse_name` returned.
        tree: The test of the last of these keys.
    """
    for key in reversed(keys[:-1]):
        tree = Field(key).has(tree)
    return tree


def compare_named(name: object, operator: Operator, value: object) -> Filter:
    """Return the comparison of what a name stands for with a value.

    Raises:
        FilterError: The name or the operator is none, or the value does not suit it.
    """
    keys = parse_name(name)
    return in_lists(keys, Field(keys[-1]).compare(operator, value))
