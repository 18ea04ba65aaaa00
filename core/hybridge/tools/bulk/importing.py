"""Milvus's bulk import of a folder of rows, by its REST interface.

    POST /v2/vectordb/jobs/import/create    {collectionName, dbName, files: [[path], ...]} -> jobId
    POST /v2/vectordb/jobs/import/describe  {jobId}           -> state, progress, importedRows, ...
    POST /v2/vectordb/jobs/import/list      {collectionName}  -> records: [{jobId, ...}]

as Milvus's documentation and `pymilvus.bulk_writer` have it. It was run against a stand-in alone:
no server that has it could be run here.

The import inserts what it is given, so no file may be handed over twice. What was is kept in the
folder, and asked of the server: a process that is killed between the two finds its job there. Rows
become visible when their job is done; the counts of BM25 follow when all are.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from hybridge.arguments import check_flag, check_label
from hybridge.errors import InvalidInputError, StoreError
from hybridge.narrowing import is_list, is_mapping
from hybridge.store import MilvusStore, batched, parse_limit
from hybridge.tools.bulk.folder import Folder, read_json, write_json
from hybridge.web_api.client import WebApi
from hybridge.web_api.options import ApiOptions
from hybridge.web_api.service import Service

FILES_PER_JOB = 100
"""Of the 1,024 that Milvus takes."""

_DONE, _FAILED = "Completed", "Failed"
_POLL = 2.0


@dataclass(frozen=True)
class Imported:
    """What an import has brought.

    Attributes:
        rows: How many rows the server says that it has imported.
        jobs: The jobs that did it, by id, with their files.
        seconds: How long this call has waited.
    """

    rows: int
    jobs: Mapping[str, Sequence[str]]
    seconds: float

    def __str__(self) -> str:
        return f"{self.rows:,} rows imported by {len(self.jobs)} jobs in {self.seconds:.0f} s"


@dataclass
class _Job:
    """One job of the server.

    Attributes:
        id: Its id.
        files: The names of its files.
        state: What was last seen: "Pending", "Importing", "Completed" or "Failed".
        rows: How many rows it has imported.
        progress: How far it is, in percent.
        reason: Why it failed.
    """

    id: str
    files: list[str]
    state: str = "Pending"
    rows: int = 0
    progress: float = 0.0
    reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in (_DONE, _FAILED)

    def to_json(self) -> dict[str, Any]:
        return {"files": self.files, "state": self.state, "rows": self.rows}


def import_rows(
    folder: str | os.PathLike[str],
    store: MilvusStore,
    *,
    prefix: str,
    endpoint: str | None = None,
    files_per_job: int = FILES_PER_JOB,
    timeout: float | None = None,
    progress: bool = False,
) -> Imported:
    """Have a Milvus server import a folder of rows, and wait until it has.

    The files in the folder's subfolder `rows` must lie in the server's bucket before. The
    collection is made, if it is not there. Its ids must be new: Milvus does not overwrite by an
    import. Call it again after an interruption, or where a job has failed: files that were imported
    are not imported again.

    Args:
        folder: What `bulk.write` has finished.
        store: The collection, on a server; its token is sent along.
        prefix: Where the files lie in the server's bucket.
        endpoint: The address of the server's REST interface, where it is not the store's own.
        files_per_job: How many files one job imports.
        timeout: Seconds to wait for the server; None waits until it is done.
        progress: Whether to show a progress bar.

    Returns:
        What was imported; print it.

    Raises:
        InvalidInputError: If the folder is not finished, or the store is a path.
        CollectionMismatchError: If the collection holds something else.
        StoreError: If a job fails, or the time is over; the next call goes on.
        ApiError: If the server's REST interface does not answer.
    """
    check_flag(progress, "progress")
    check_label(prefix, "prefix")
    files_per_job = parse_limit(files_per_job, "files_per_job")
    there, started = Folder(folder), time.monotonic()
    jobs = _Jobs(_Api(store, endpoint), there, prefix.strip("/"))
    counts, lacking = there.counts()
    if not store.exists():
        jobs.forget()
    store.prepare_import(there.plan, counts)
    jobs.begin(list(there.manifest.files), files_per_job)
    rows = _wait(
        jobs, there.manifest.rows, None if timeout is None else started + timeout, progress
    )
    store.finish_import(there.plan, counts, lacking)
    return Imported(rows, {one.id: one.files for one in jobs.all}, time.monotonic() - started)


def _wait(jobs: _Jobs, expected: int, until: float | None, progress: bool) -> int:
    """Wait for the jobs; return how many rows they have imported.

    Raises:
        StoreError: If one fails, the time is over, or there are other rows than expected.
    """
    with tqdm(total=expected, disable=not progress, desc="import", unit="row") as bar:
        for rows in jobs.watched(until):
            bar.update(rows - bar.n)
    if (imported := sum(one.rows for one in jobs.all)) == expected:
        return imported
    msg = (
        f"the server says that it has imported {imported:,} rows, and the files have "
        f"{expected:,}: BM25 does not count them; look at the server's log"
    )
    raise StoreError(msg)


class _Api:
    """The REST interface of a store's server."""

    def __init__(self, store: MilvusStore, endpoint: str | None) -> None:
        address = store.address
        if address.is_path or not address.uri.startswith(("http:", "https:")):
            msg = f"{address} has no import, which takes a server's http address: bulk.load() it"
            raise InvalidInputError(msg)
        self.address, self.collection = address, store.collection_name
        service = Service("Milvus", str(address), ()).at(endpoint)
        # What begins a job is sent once: sent again it would begin another.
        once: ApiOptions = {"max_retries": 0}
        self._once = WebApi(service, address.token or None, once)
        self._again = WebApi(service, address.token or None, {})

    def create(self, files: Sequence[str]) -> str:
        """Begin a job; return its id."""
        answer = self._ask(self._once, "create", {"files": [[one] for one in files]})
        return str(answer["jobId"])

    def describe(self, job: str) -> Mapping[str, Any]:
        """Return what the server says of a job."""
        return self._ask(self._again, "describe", {"jobId": job})

    def list(self) -> list[str]:
        """Return the ids of the jobs of the collection that the server remembers."""
        records = self._ask(self._again, "list", {}).get("records")
        return [str(one["jobId"]) for one in records] if is_list(records) else []

    def _ask(self, api: WebApi, what: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = {"collectionName": self.collection, **body}
        if self.address.db_name:
            asked["dbName"] = self.address.db_name
        answer = api.post(f"/v2/vectordb/jobs/import/{what}", asked)
        data = answer.at("data")
        if answer.at("code") != 0 or not is_mapping(data):
            said = answer.key.redact(str(answer.at("message")))
            msg = f"the server refuses to {what} an import (code {answer.at('code')}): {said:.500}"
            raise StoreError(msg)
        return data


@dataclass
class _Jobs:
    """The jobs that import a folder into one collection.

    Attributes:
        api: The server.
        folder: The folder.
        prefix: Where its files lie in the bucket.
        all: The jobs that have not failed.
    """

    api: _Api
    folder: Folder
    prefix: str
    all: list[_Job] = field(default_factory=list[_Job])

    @property
    def _kept(self) -> Path:
        """The file that keeps which jobs have which files."""
        target = f"{self.api.address}/{self.api.address.db_name}/{self.api.collection}"
        return self.folder.imports / f"{hashlib.sha256(target.encode()).hexdigest()[:16]}.json"

    def forget(self) -> None:
        """Forget the jobs of a collection of that name that is gone."""
        self._kept.unlink(missing_ok=True)

    def begin(self, files: Sequence[str], files_per_job: int) -> None:
        """Begin jobs for the files that none has."""
        kept = read_json(self._kept) or {}
        self.all = [_Job(job, **one) for job, one in kept.items()]
        self._find(set(files))
        self._look()
        self.all = [one for one in self.all if one.state != _FAILED]
        taken = {name for one in self.all for name in one.files}
        self.folder.imports.mkdir(exist_ok=True)
        for some in batched([name for name in files if name not in taken], files_per_job):
            job = self.api.create([f"{self.prefix}/{name}" for name in some])
            self.all.append(_Job(job, some))
            self._keep()

    def _find(self, files: set[str]) -> None:
        """Find jobs of the folder that a killed process has begun, and not kept."""
        known = {one.id for one in self.all}
        for job in self.api.list():
            if job not in known:
                details = self.api.describe(job).get("details")
                names = [_names(one) for one in details] if is_list(details) else []
                mine = [name for some in names for name in some if name in files]
                if mine:
                    self.all.append(_Job(job, mine))

    def _look(self) -> None:
        for one in self.all:
            if one.state == _DONE:
                continue  # the server forgets it after some hours
            said = self.api.describe(one.id)
            one.state, one.reason = str(said.get("state")), str(said.get("reason", ""))
            one.rows, one.progress = int(said.get("importedRows") or 0), said.get("progress") or 0.0

    def _keep(self) -> None:
        write_json(self._kept, {one.id: one.to_json() for one in self.all})

    def watched(self, until: float | None) -> Iterator[int]:
        """Wait for the jobs, and yield how many rows are imported.

        Raises:
            StoreError: If one fails, or the time is over.
        """
        while True:
            self._look()
            self._keep()
            for one in self.all:
                if one.state == _FAILED:
                    msg = (
                        f"the import job {one.id} has failed: {one.reason:.500}; mend the cause "
                        "and call again, which imports its files anew"
                    )
                    raise StoreError(msg)
            yield sum(one.rows for one in self.all)
            if all(one.is_over for one in self.all):
                return
            if until is not None and time.monotonic() > until:
                msg = "the import is not done in time: call again, which waits for the same jobs"
                raise StoreError(msg)
            time.sleep(_POLL)


def _names(detail: Any) -> list[str]:
    """Return the names of the files of a job's detail: Milvus writes a list in a string."""
    text = str(detail.get("fileName", "")) if is_mapping(detail) else ""
    return [Path(one.strip(" []\"'")).name for one in text.split(",")]
