"""A stand-in for the REST interface of a Milvus server's bulk import.

It reads the Parquet files of a folder that stands for the bucket, as Milvus's documentation says
that a server reads them, and inserts the rows into a `milvus-lite server` when the job is done.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet
from pymilvus import DataType, MilvusClient

_LOOKS = 2
"""How often a job is asked about until it is done."""


@dataclass
class ImportServer:
    """What the stand-in knows.

    Attributes:
        uri: The server that gets the rows.
        bucket: The folder of the files.
        endpoint: Its own address.
        jobs: The jobs, by id: their collection, files, how often they were looked at, their state.
        inserted: How many rows were inserted.
        fails: The names of files whose jobs fail.
        loses: How many answers to `create` are lost after the job has begun.
        tokens: The `Authorization` headers that came.
    """

    uri: str
    bucket: Path
    endpoint: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    inserted: int = 0
    fails: set[str] = field(default_factory=set)
    loses: int = 0
    tokens: set[str | None] = field(default_factory=set)

    def create(self, body: dict[str, Any]) -> dict[str, Any] | None:
        files = [name for [name] in body["files"]]
        assert len(files) <= 1024
        job = str(1000 + len(self.jobs))
        self.jobs[job] = {"collection": body["collectionName"], "files": files, "looks": 0}
        self.jobs[job]["state"] = "Pending"
        if self.loses:
            self.loses -= 1
            return None
        return {"jobId": job}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        jobs = self.jobs.items()
        mine = [(job, one) for job, one in jobs if one["collection"] == body["collectionName"]]
        return {"records": [{"jobId": job, "state": one["state"]} for job, one in mine]}

    def describe(self, body: dict[str, Any]) -> dict[str, Any]:
        job = self.jobs[body["jobId"]]
        job["looks"] += 1
        if job["state"] in ("Pending", "Importing"):
            job["state"] = "Importing" if job["looks"] < _LOOKS else self._end(job)
        rows = job.get("rows", 0)
        return {
            "jobId": body["jobId"],
            "state": job["state"],
            "progress": 100 if job["state"] == "Completed" else 10 * job["looks"],
            "reason": job.get("reason", ""),
            "importedRows": rows,
            "totalRows": rows,
            # Milvus writes the list of a file's parts as Go prints it.
            "details": [{"fileName": f"[{name}]", "state": job["state"]} for name in job["files"]],
        }

    def _end(self, job: dict[str, Any]) -> str:
        if self.fails & {Path(name).name for name in job["files"]}:
            job["reason"] = "no such object in the bucket"
            return "Failed"
        client = MilvusClient(self.uri)
        described = client.describe_collection(job["collection"])
        types = {one["name"]: one["type"] for one in described["fields"]}
        rows = [
            {name: _value(value, types[name]) for name, value in row.items()}
            for name in job["files"]
            for row in pyarrow.parquet.read_table(self.bucket / name).to_pylist()
        ]
        for first in range(0, len(rows), 1000):
            client.insert(job["collection"], rows[first : first + 1000])
        client.close()
        job["rows"] = len(rows)
        self.inserted += len(rows)
        return "Completed"


def _value(value: Any, kind: DataType) -> Any:
    """Return a value of a file as Milvus reads it: JSON and sparse vectors are strings there."""
    if value is None or kind not in (DataType.JSON, DataType.SPARSE_FLOAT_VECTOR):
        return value
    read = json.loads(value)
    return read if kind == DataType.JSON else {int(index): one for index, one in read.items()}


@contextmanager
def import_server(uri: str, bucket: Path) -> Iterator[ImportServer]:
    """Run one that imports into a server; give what it knows."""
    state = ImportServer(uri, bucket)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.tokens.add(self.headers["Authorization"])
            what = self.path.removeprefix("/v2/vectordb/jobs/import/")
            data = getattr(state, what)(body)
            if data is None:
                self.connection.close()
                return
            answer = json.dumps({"code": 0, "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
