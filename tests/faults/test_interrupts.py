"""Ctrl-C in the middle of anything, as a notebook's Stop: the next call works."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from faults.programs import end_of, interrupt_after, start
from hybridge import MilvusStore

WORKING = """
    added = 10
    def add_for_ever():
        global added
        while True:
            store.add([Record(id=str(added + n), text=f"word{added + n}") for n in range(50)])
            added += 50
    def overwrite_for_ever():
        while True:
            store.add([Record(id=str(n), text=f"word{n} and more") for n in range(10)])
    def search_for_ever():
        while True:
            store.search("word1")
    ready()
    try:
        WORK()
    except KeyboardInterrupt:
        pass
    for call in (store.check, lambda: store.search("word1"), store.count):
        call()
    store.add([Record(id="after", text="an afterword")])
    assert [hit.id for hit in store.search("afterword")] == ["after"]
    assert store.count() >= added + 1, (store.count(), added)
    print(store.check(), flush=True)
"""


LATE = """
    class LateError(Exception):
        pass
    def late(*_):
        raise LateError
    signal.signal(signal.SIGALRM, late)
"""


def check_interrupt(work: str, path: Path, after: float) -> None:
    """Interrupt some work, and see that the program goes on with the same store, and ends."""
    program = start(path, WORKING.replace("WORK", work))
    interrupt_after(program, after, signal.SIGINT)
    code, out, errors = end_of(program)
    assert (code, out) == (0, "[]\n"), errors
    with MilvusStore(path) as store:
        assert store.check() == []


@pytest.mark.parametrize("work", ["add_for_ever", "overwrite_for_ever", "search_for_ever"])
def test_the_call_after_an_interrupt_works(work: str, tmp_path: Path) -> None:
    """No lock stays taken, and the counts are right."""
    check_interrupt(work, tmp_path / "milvus.db", 0.6)


@pytest.mark.long
def test_many_interrupts(tmp_path: Path) -> None:
    """At random moments; HYBRIDGE_INTERRUPTS says how many."""
    rng = random.Random(3)
    works = ["add_for_ever", "overwrite_for_ever", "search_for_ever"]
    for number in range(int(os.environ.get("HYBRIDGE_INTERRUPTS", "6"))):
        path = tmp_path / f"{number}.db"
        check_interrupt(works[number % 3], path, rng.uniform(0.0, 1.5))


def test_what_a_handler_raises_is_no_failure_of_the_engine(tmp_path: Path) -> None:
    """An alarm in the middle of a flush: the error arrives as it is, and the store goes on."""
    body = """
        from hybridge.errors import PartialWriteError
        for _ in range(10):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                while True:
                    store.add([Record(id="0", text="word0 and more")])
                    store.flush()
            except LateError:
                pass
            except PartialWriteError as error:  # the row was written by then
                assert isinstance(error.__cause__, LateError)
        print(store.check(), flush=True)
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", LATE, body))
    assert (code, out) == (0, "[]\n"), errors


def test_what_a_handler_raises_is_no_failure_of_a_model(tmp_path: Path) -> None:
    """An alarm while it is measured how well one knows the documents, which no failure stops."""
    body = """
        import numpy as np
        class Function:
            dim = 2
            def encode_documents(self, texts):
                return np.ones((len(texts), 2), np.float32)
            def encode_queries(self, texts):
                signal.raise_signal(signal.SIGALRM)
                return self.encode_documents(texts)
        other = MilvusStore(path, collection_name="other", dense=Function())
        try:
            other.add([Record(id=str(n), text=f"word{n} of some others") for n in range(40)])
        except LateError:
            print(other.count(), flush=True)
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", LATE, body))
    assert (code, out) == (0, "40\n"), errors


def test_a_second_interrupt_takes_effect_at_once(tmp_path: Path) -> None:
    """Where a server does not answer."""
    body = """
        import socket
        listener = socket.create_server(("127.0.0.1", 0))
        silent = MilvusStore(f"http://127.0.0.1:{listener.getsockname()[1]}")
        ready()
        try:
            silent.count()
        except KeyboardInterrupt:
            print("interrupted", store.count(), flush=True)
    """
    program = start(tmp_path / "milvus.db", body)
    interrupt_after(program, 0.5, signal.SIGINT)
    program.send_signal(signal.SIGINT)
    code, out, errors = end_of(program)
    assert (code, out) == (0, "interrupted 10\n"), errors


def test_a_handler_that_raises_late_leaves_the_others_in_place(tmp_path: Path) -> None:
    """A Ctrl-C while a call gives the handlers back: a SIGTERM still arrives, and at once."""
    body = """
        class Handler:
            armed = False
            def __call__(self, number, frame):
                print("terminated", flush=True)
            def __int__(self):  # Python asks for it where a handler is set
                if self.armed:
                    self.armed = False
                    signal.raise_signal(signal.SIGINT)
                raise TypeError
        handler = Handler()
        signal.signal(signal.SIGTERM, handler)
        handler.armed = True
        try:
            store.count()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        signal.raise_signal(signal.SIGTERM)
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", body))
    assert (code, out) == (0, "interrupted\nterminated\n"), errors


def test_no_search_hides_python_behind_c_that_swallows_interrupts(tmp_path: Path) -> None:
    """NumPy passes over whatever is raised where it looks for methods on an Enum's class."""
    body = """
        store.search("word1")
        asked = []
        def note(frame, event, _):
            if event == "call" and frame.f_code.co_name == "__getattr__":
                asked.append(frame.f_code.co_filename)
        sys.setprofile(note)
        store.search("word1")
        sys.setprofile(None)
        print(asked, flush=True)
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", body))
    assert (code, out) == (0, "[]\n"), errors
