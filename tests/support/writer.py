"""A thread that writes, and remembers what was acknowledged."""

from __future__ import annotations

import threading

from hybridge import MilvusStore, Record
from hybridge.errors import StoreError


class Writer(threading.Thread):
    """Writes rows until it is told to stop, and remembers which the store has acknowledged.

    Args:
        store: The store, whose rows have dense vectors of two numbers.
        name: What the ids begin with.

    Attributes:
        acknowledged: The ids.
        failures: What the store raised instead.
        stop: Set, it ends.
    """

    def __init__(self, store: MilvusStore, name: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.failures: list[StoreError] = []
        self.stop = threading.Event()
        self._store, self._prefix = store, name

    def run(self) -> None:
        """Write ten rows at a time; after a failure the same ones again."""
        batch = 0
        while not self.stop.is_set():
            ids = [f"{self._prefix}-{batch}-{number}" for number in range(10)]
            try:
                self._store.add([Record(id=one, text=f"word{batch}", dense=[1, 2]) for one in ids])
            except StoreError as error:
                self.failures.append(error)
                self.stop.wait(0.5)
                continue
            self.acknowledged += ids
            batch += 1

    def end(self) -> None:
        """Tell it to stop, and wait until it has."""
        self.stop.set()
        self.join()
