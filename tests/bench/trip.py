"""How far a search travels: calls into the project's files, and changes of file, of one question.

One LangChain hybrid search with a filter on a metadata key that is no column, over 3 rows and over
300, asked a second time so that what is kept is kept. Counted with `sys.setprofile`, on the thread
that asks: the named functions of the three packages, each generator once. A change of file is a
call whose file is not that of the call before it. The counts do not depend on the machine.

    python tests/bench/trip.py [--trace]

`--trace` prints the calls one by one, so that what a step costs can be seen.
Bars: at most 131 changes of file over 3 rows and 148 over 300, where a hit lacks the score of a
field and is read by its key. It was 55 before each row that comes back was matched on its own
metadata, interrupts were kept out of calls to the engine, and calls were logged and repeated where
the collection was replaced under them; and 68 before every field scored every hit, names of other
libraries and spellings of filters were answered, and flushes ran alone; and 86 before rows were
read as those of other libraries' collections are, and rows of another analyzer were left out; and
93 (over 300: 112) before a path was searched in this process, where what Milvus Lite did behind a
socket is done in our files; and 150 (over 300: 194) before cells were made where they are read, and
the scores that a hit lacks were read there too.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import hybridge
import langchain_hybridge
from langchain_hybridge import MilvusVectorStore

sys.path.append(str(Path(__file__).parents[1]))
from support.langchain_support import WordEmbeddings

ROOTS = tuple(
    str(Path(str(package.__file__)).parents[1]) for package in (hybridge, langchain_hybridge)
)
BARS = {3: 131, 300: 148}


class Call(NamedTuple):
    """One call into the project: where, what, and how many of its calls are open around it."""

    file: str
    name: str
    depth: int


@dataclass
class Trip:
    """The project's calls in the order in which they happen."""

    calls: list[Call] = field(default_factory=list)
    generators: dict[int, FrameType] = field(default_factory=dict)

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take one event of the interpreter, as `sys.setprofile` reports it."""
        if event != "call" or not ours(frame) or id(frame) in self.generators:
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            self.generators[id(frame)] = frame  # kept, or another one may get its id
        code = frame.f_code
        self.calls.append(Call(code.co_filename, code.co_name, depth(frame)))

    @property
    def files(self) -> int:
        """How many files are called into."""
        return len({call.file for call in self.calls})

    @property
    def changes(self) -> int:
        """How many calls go into another file than the call before."""
        return sum(a.file != b.file for a, b in zip(self.calls, self.calls[1:], strict=False))

    @property
    def deepest(self) -> int:
        """The most calls of the project that are open at once."""
        return max(call.depth for call in self.calls)


def ours(frame: FrameType) -> bool:
    """Whether a frame is a named function of the project, and no lambda or comprehension."""
    code = frame.f_code
    return code.co_filename.startswith(ROOTS) and not code.co_name.startswith("<")


def depth(frame: FrameType | None) -> int:
    """How many of the project's functions are open at a frame, itself included."""
    open_calls = 0
    while frame is not None:
        open_calls += ours(frame)
        frame = frame.f_back
    return open_calls


def count(call: Callable[[], object]) -> Trip:
    """Follow a call through the project, on this thread."""
    trip = Trip()
    sys.setprofile(trip.note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return trip


def search_over(rows: int) -> Trip:
    """Follow a search over that many rows, after one just like it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusVectorStore(WordEmbeddings(), uri=f"{folder}/trip.db") as store,
    ):
        store.add_texts(
            [f"the cat of house {i}" for i in range(rows)],
            metadatas=[{"year": 2023 + i} for i in range(rows)],
            ids=[str(i) for i in range(rows)],
        )

        def ask() -> list[Any]:
            return store.similarity_search("cat", filter={"year": {"$gte": 2024}}, mode="hybrid")

        assert len(ask()) == min(rows - 1, 4)
        return count(ask)


def main(arguments: list[str]) -> int:
    missed = 0
    for rows, bar in BARS.items():
        trip = search_over(rows)
        missed += trip.changes > bar
        if "--trace" in arguments:
            trace(trip)
        verdict = "" if trip.changes <= bar else "   MISSED"
        print(
            f"{rows:4} rows: {len(trip.calls):5} calls through {trip.files} files, "
            f"{trip.deepest} deep, with {trip.changes:4} changes of file   (bar {bar}){verdict}"
        )
    return 1 if missed else 0


def trace(trip: Trip) -> None:
    """Print the calls, indented by depth."""
    for call in trip.calls:
        file = Path(call.file)
        print(f"{'  ' * call.depth}{file.parent.name}/{file.name} {call.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
