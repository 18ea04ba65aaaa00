"""What a file is read as, before it is cut into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Part:
    """A piece of a file that no chunk reaches across: a whole text, a page, a row of a table.

    Attributes:
        text: The text.
        is_markdown: Whether headings and blocks of Markdown are in it.
        title: What the text is about, as far as it does not say so itself.
        place: Where in the file it is, such as `{"page": 3}`; nothing where it is all of it.
        metadata: The metadata of its rows.
        id: The id of its first row; None lets one be made.
    """

    text: str
    is_markdown: bool = False
    title: str = ""
    place: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None


@dataclass(frozen=True)
class Settings:
    """What someone says of the files.

    Attributes:
        encoding: That of texts and tables, where no mark at the beginning says another.
        text_column: The column of a table that holds the text.
        id_column: The column that holds the ids; None lets them be made.
    """

    encoding: str = "utf-8"
    text_column: str = "text"
    id_column: str | None = None


Reader = Callable[[Path, Settings], Iterator[Part]]
