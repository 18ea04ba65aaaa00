"""A column is added to many rows by a process that is killed half-way, and by one that goes on.

The rows are on a `milvus-lite server`, behind a relay that adds a column as Milvus 2.6 does. So the
time is that of Milvus Lite, which looks through all rows for each page; memory and CPU are those of
the client. Two of three rows have a value.

Bars: every row has its value; none is written twice; the peak memory of the process grows by at
most 64 MB, however many rows there are. `--rows 100000` takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hybridge import MilvusStore, Record

sys.path.append(str(Path(__file__).parents[1]))
from bars import show

from support.added_column import AddedColumn, make_without
from support.engines import servers_over_lite
from support.killed import Arrived, KilledAt, Moment, is_change
from support.lite_server import lite_server
from support.relay import is_milvus, relay

COLUMN, BAR = "meta_year", 64e6
ADD_COLUMN = """
import json, sys, time
from hybridge import MilvusStore
from support.engines import servers_over_lite
def memory(line):  # not of getrusage, whose peak is also that of the parent
    with open("/proc/self/status") as status:
        return 1024 * next(int(one.split()[1]) for one in status if one.startswith(line))
with servers_over_lite(), MilvusStore(sys.argv[1], timeout=600) as store:
    store.count()
    before, start, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
    rows = store.add_column("year", int)
    print(json.dumps({"rows": rows, "grown": memory("VmHWM") - before, "peak": memory("VmHWM"),
                      "clock": time.perf_counter() - start, "cpu": time.process_time() - cpu}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with (
        servers_over_lite(),
        tempfile.TemporaryDirectory() as folder,
        lite_server(Path(folder)) as uri,
    ):
        fill(uri, rows)
        filled = sum(is_dated(number) for number in range(rows))
        column, arrived = AddedColumn(COLUMN, "Int64"), Arrived("id")
        half = Moment(is_change, filled // 2000, arrives=True)
        for moment in (half, None):
            rule = KilledAt(moment)
            with relay(uri, rule, arrived, is_milvus("v2.6.4"), column) as stand:
                said = rule.run(ADD_COLUMN, stand.uri)
        took = json.loads(said)
        print(f"{took['rows']:,} of {filled:,} rows after the kill: {took}", flush=True)
        with MilvusStore(uri, timeout=600) as store:
            right = store.count(expr=f"{COLUMN} >= 0") == filled == len(arrived.rows)
        kept = [
            show("every row has its value", right, right),
            show("rows written twice", (twice := sum(arrived.rows.values()) - filled), not twice),
            show(
                "growth of the peak memory", f"{took['grown'] / 1e6:.1f} MB", took["grown"] <= BAR
            ),
        ]
    return 0 if all(kept) else 1


def fill(uri: str, count: int) -> None:
    """Make the collection, whose column is hidden, and write the rows."""
    make_without(uri, "hybridge", "year", int, Record(id="first", text="a first word"))
    with MilvusStore(uri, timeout=600) as store:
        store.add(records(count), batch_size=1000)
        store.flush()


def records(count: int) -> Iterator[Record]:
    for number in range(count):
        text = " ".join(f"word{number * factor % 9973}" for factor in range(1, 20))
        metadata = {"number": number} | ({"year": number % 100} if is_dated(number) else {})
        yield Record(id=f"{number:07}", text=text, metadata=metadata)


def is_dated(number: int) -> bool:
    return number % 3 > 0


if __name__ == "__main__":
    sys.exit(main())
