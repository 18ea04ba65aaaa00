"""Several processes on one server: what one writes another finds, and their counts add up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import StoreError
from hybridge.store.bm25 import statistics_log
from support.engines import servers_over_lite
from support.examples import examples
from support.relay import Answer, Call, imposed, read_only, relay

SETUP = textwrap.dedent(
    """
    import os, random, sys, time
    from hybridge import MilvusStore, Record
    from hybridge.store.bm25 import statistics_log

    if "HYBRIDGE_TEST_URI" in os.environ:
        from support.milvus_23 import stand_in
        stand_in()
    uri, name, writer, dialect = sys.argv[1:5]
    if dialect == "of a server":
        from support.engines import servers_over_lite
        servers = servers_over_lite()
        servers.__enter__()
    store = MilvusStore(uri, collection_name=name)
    rng = random.Random(writer)
    """
)

Worker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def worker(server: str, collection_name: str) -> Iterator[Worker]:
    """Starts Python programs with a store on the server; ends those that are left."""
    running: list[subprocess.Popen[str]] = []

    def start(
        program: str, writer: str = "w", *, uri: str = server, dialect: str = ""
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SETUP + textwrap.dedent(program)]
        process = subprocess.Popen(
            [*command, uri, collection_name, writer, dialect],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def done(process: subprocess.Popen[str]) -> None:
    """Wait for a worker, which must have ended well."""
    process.communicate()
    assert process.returncode == 0


def rebuilt(store: MilvusStore) -> bool:
    """Rebuild the statistics; False while others write too often for that."""
    try:
        store.rebuild_statistics()
    except StoreError as error:
        if "other processes are writing" not in str(error):
            raise
        return False
    return True


@contextmanager
def opened(uri: str, name: str) -> Iterator[MilvusStore]:
    """A store of this process that is its own: another one's state is not shared."""
    with MilvusStore(uri, collection_name=name) as store:
        yield store


def test_new_words_of_another_process_are_found(
    server: str, collection_name: str, worker: Worker
) -> None:
    """Each word soon after its acknowledgement, and at the end everything is alike."""
    with opened(server, collection_name) as store:
        store.add([Record(id="first", text="a parrot")])
        writer = worker(
            """
            for i in range(40):
                texts = [f"new{i}x{j} parrot {rng.choice('abcd')}" for j in range(20)]
                store.add([Record(text=text) for text in texts])
                print(f"new{i}x7", time.time(), flush=True)
            """
        )
        assert writer.stdout is not None
        late = []
        for line in writer.stdout:
            word, acknowledged = line.split()
            while not store.search(word, mode="sparse"):
                time.sleep(0.05)
            late.append(time.time() - float(acknowledged))
        assert len(late) == 40
        print(f"found at most {max(late):.2f} s after its acknowledgement")
        time.sleep(2.1)
        fresh = worker(
            """
            for i in range(40):
                for query in (f"new{i}x{i % 20} parrot a", f"parrot b new{i}x3"):
                    print([(hit.id, hit.score) for hit in store.search(query, k=10)], flush=True)
            """
        )
        assert fresh.stdout is not None
        for i in range(40):
            for query in (f"new{i}x{i % 20} parrot a", f"parrot b new{i}x3"):
                mine = [(hit.id, hit.score) for hit in store.search(query, k=10)]
                assert fresh.stdout.readline().strip() == str(mine)


def test_counts_of_four_writers_add_up(server: str, collection_name: str, worker: Worker) -> None:
    """Ids of their own, overwritten and deleted by each, with many compactions in between."""
    writers = [
        worker(
            """
            statistics_log.COMPACT_AT = 16
            for i in range(25):
                ids = [f"{writer}-{rng.randrange(400)}" for _ in range(20)]
                letter = rng.choice("abcd")
                store.add([Record(id=one, text=f"{one} {letter} word{i}") for one in ids])
                if i % 5 == 4:
                    store.delete(ids=ids[:3])
            """,
            str(number),
        )
        for number in range(4)
    ]
    for writer in writers:
        done(writer)
    with opened(server, collection_name) as store:
        assert store.count() > 500
        assert store.check() == []


def test_a_killed_writer_is_settled(
    server: str, collection_name: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes that a kill cut short count if their rows are there, and not if they are not."""
    monkeypatch.setattr(statistics_log, "SETTLED_AFTER", 0.5)
    with opened(server, collection_name) as store:
        store.add([Record(id="0", text="the first")])
    for number in range(examples(3)):
        writer = worker(
            """
            print("ready", flush=True)
            for i in range(10_000):
                ids = [f"{rng.randrange(60)}" for _ in range(9)]
                if i % 3:
                    store.add([Record(id=one, text=f"{one} word{i}") for one in ids])
                else:
                    store.delete(ids=ids)
            """,
            str(number),
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.3 + number * 0.21)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        time.sleep(0.6)
        with opened(server, collection_name) as store:
            assert store.check() == []


def test_a_collection_that_was_made_anew_is_noticed(
    server: str, collection_name: str, worker: Worker
) -> None:
    """A worker that is open sees the nightly rebuild, and none of what was before."""
    with opened(server, collection_name) as store:
        store.add([Record(id="old", text="an old parrot")])
        assert store.search("parrot")
        done(
            worker(
                """
                store.drop()
                store.add([Record(id=f"{i}", text=f"macaw number{i}") for i in range(500)])
                """
            )
        )
        time.sleep(2.1)
        assert store.search("number77")[0].id == "77"
        assert store.search("parrot", mode="sparse") == []
        assert store.count() == 500
        assert store.check() == []


def test_two_processes_that_make_the_collection_share_it(
    server: str, collection_name: str, worker: Worker
) -> None:
    """The first write of each at once: neither drops what the other has made."""
    program = """
        print("ready", flush=True)
        sys.stdin.readline()
        store.add([Record(id=f"{writer}-{i}", text=f"{writer} word{i}") for i in range(20)])
        """
    workers = [worker(program, str(number)) for number in range(3)]
    for one in workers:
        assert one.stdout is not None
        one.stdout.readline()
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("go\\n")
        one.stdin.flush()
    for one in workers:
        done(one)
    with opened(server, collection_name) as store:
        assert store.count() == 60
        assert store.check() == []


@pytest.mark.parametrize("indexes", [0, 1], ids=["no index", "one index"])
def test_a_collection_is_read_while_another_process_makes_it(
    server: str, collection_name: str, indexes: int
) -> None:
    """The reader makes the indexes that are missing, and the maker finds them made."""
    made: list[str] = []

    def read_meanwhile(call: Call, answer: Answer) -> bytes:
        if call.name == "CreateIndex" and call.request.collection_name == collection_name:
            if len(made) == indexes:
                with opened(server, collection_name) as reader:
                    assert reader.count() == 0
            made.append(call.request.field_name)
        return answer(call)

    with (
        relay(server, read_meanwhile) as relayed,
        opened(relayed.uri, collection_name) as maker,
    ):
        maker.add([Record(id="a", text="a parrot", dense=[1, 1])])
        assert sorted(made) == ["dense", "sparse"]
        assert [hit.id for hit in maker.search("parrot", vector=[1, 1])] == ["a"]
        assert maker.check() == []


def test_statistics_are_rebuilt_beside_a_writer(
    server: str, collection_name: str, worker: Worker
) -> None:
    """What was lost is mended while another process goes on, and nothing is counted twice."""
    with opened(server, collection_name) as store:
        store.add([Record(id=f"{i}", text=f"parrot word{i}") for i in range(200)])
        collection = store._session.collection()
        collection.delete(["3", "4"])  # by a client that keeps no counts
        assert store.check() != []
        writer = worker(
            """
            for i in range(20):
                store.add([Record(text=f"macaw word{i}")])
                time.sleep(0.3)
            """
        )
        while not rebuilt(store):
            time.sleep(0.1)
        done(writer)
        assert store.check() == []
        assert store.count() == 218


READER = """
    for line in sys.stdin:
        word = line.strip()
        until = time.time() + 60
        while not store.search(word, mode="sparse"):
            assert time.time() < until, f"{word} is never found"
            time.sleep(0.05)
        assert store.search(f"parrot {word}", k=3)[0].id
        assert store.get(["first"])[0].text == "a parrot"
        store.check()
        print(word, flush=True)
    """
INGESTER = """
    for i in range(1, 1000):
        store.add(Record(id=f"long-{i}-{j}", text=f"parrot long{i} {j}") for j in range(20))
        print(f"long{i}", flush=True)
        if not sys.stdin.readline():
            break
    """
SHORT = """
    ids = [f"{writer}-{i}" for i in range(30)]
    store.add(Record(id=one, text=f"parrot first{writer}") for one in ids)
    store.add(Record(id=one, text=f"parrot again{writer} {rng.random()}") for one in ids[:20])
    store.delete(ids[15:])
    """


def in_a_mix(server: str, name: str, worker: Worker, rounds: int) -> None:
    """A reader that may only read, an ingester, writers that live for one task, and recounts."""
    with (
        servers_over_lite(),
        relay(server, read_only) as read,
        relay(server, *imposed()) as written,
        opened(written.uri, name) as store,
    ):
        start = partial(worker, dialect="of a server")
        store.add([Record(id="first", text="a parrot")])
        store.flush()
        reader, ingester = start(READER, uri=read.uri), start(INGESTER, uri=written.uri)
        for number in range(rounds):
            short = start(SHORT, str(number), uri=written.uri)
            word = told(ingester)
            done(short)
            rebuilt(store)
            store.flush()  # what the relay holds arrives
            for one in (word, f"again{number}"):
                tell(reader, one)
                assert told(reader) == one
            tell(ingester, "go on")
        told(ingester)
        for one in (ingester, reader):
            done(one)
        store.flush()
        assert store.count() == 1 + 15 * rounds + 20 * (rounds + 1)
        assert store.check() == []


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Send a line to a worker."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def told(process: subprocess.Popen[str]) -> str:
    """Return the next line of a worker."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_short_and_long_lives_mix(server: str, collection_name: str, worker: Worker) -> None:
    """Readers, writers and a recount at once: each finds what was written, the counts add up."""
    in_a_mix(server, collection_name, worker, 1)


@pytest.mark.long
def test_many_short_lives_mix(server: str, collection_name: str, worker: Worker) -> None:
    """The same with ten writers, one after the other."""
    in_a_mix(server, collection_name, worker, 10)


def test_a_tenants_average_length_is_that_of_the_last_who_fixed_it(
    make_store: Callable[..., MilvusStore], server: str, collection_name: str
) -> None:
    """Two processes that bring its first rows at one time each fix it; both go on with one."""
    store = make_store(uri=server, collection_name=collection_name, partition_key="tenant")
    view = store.for_tenant("acme")
    view.add([Record(id="1", text="a red house")])
    opened = store._session.find()
    assert opened is not None
    [bm25] = opened.of_tenant(tenant="acme").bm25
    assert bm25.state.average_length == 2.0
    others = {"tokens": 7.0, "documents": 3}
    opened.collection.companion.write_value(bm25._value_id("average_length"), others, bm25.tenant)
    assert any("sparse vectors of another average" in line for line in view.check())
    view.add([Record(id="2", text="a blue boat and a kite")])
    assert (bm25.average_length, bm25.state.weighed) == (7.0, 3)
    assert view.check() == []


def test_what_another_process_weighs_anew_is_weighed_alike(
    make_store: Callable[..., MilvusStore], server: str, collection_name: str, worker: Worker
) -> None:
    """Who wrote by the former average length goes on with the one that stands."""
    store = make_store(uri=server, collection_name=collection_name)
    store.add([Record(id="1", text="a red house")])
    store.add([Record(id="2", text="a blue boat and a kite and so on and on " * 9)])
    done(worker("store.reencode_sparse()"))
    store.add([Record(id="3", text="a green tree")])
    assert store.check() == []
