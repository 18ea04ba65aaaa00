"""The files that start servers, and the lines of docs/servers.md that copy a collection to one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hybridge import MilvusStore, Record

ROOT = Path(__file__).parents[1]
SERVERS = (ROOT / "docs" / "servers.md").read_text("utf-8")
COPY = re.findall(r"```python\n(.*?)```", SERVERS, re.DOTALL)


def parsed(name: str) -> Any:
    """A file of `deploy/`."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load((ROOT / "deploy" / name).read_text("utf-8"))


def test_the_compose_file_is_pinned_and_private() -> None:
    """Every image has a version, every service a health check and a volume, no port is public."""
    compose = parsed("compose.yaml")
    assert set(compose["services"]) == {"etcd", "minio", "milvus"}
    for service in compose["services"].values():
        assert re.search(r":(v|RELEASE)[\w.:-]+$", service["image"])
        assert service["healthcheck"]["test"]
        [volume] = service["volumes"]
        assert volume.partition(":")[0] in compose["volumes"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    security = parsed_content(compose["configs"]["milvus"]["content"])
    assert security["common"]["security"]["authorizationEnabled"] is True


def test_the_cluster_runs_the_same_version_with_authorization() -> None:
    """And has a query node for each of two replicas."""
    values, compose = parsed("helm-values.yaml"), parsed("compose.yaml")
    assert compose["services"]["milvus"]["image"].endswith(":" + values["image"]["all"]["tag"])
    security = parsed_content(values["extraConfigFiles"]["user.yaml"])
    assert security["common"]["security"]["authorizationEnabled"] is True
    assert values["cluster"]["enabled"] is True
    assert values["queryNode"]["replicas"] >= 2


def parsed_content(text: str) -> Any:
    """A file that is written inside another."""
    return pytest.importorskip("yaml").safe_load(text)


def test_the_lines_that_copy_a_collection_copy_it(
    lite_server: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, vectors, contexts and BM25 counts, as they stand in docs/servers.md."""
    [lines] = COPY
    records = [
        Record(
            id=f"r{n}",
            text=f"parrot word{n}",
            context="Birds",
            metadata={"n": n},
            document_id="d",
            dense=[n, 1],
        )
        for n in range(300)
    ]
    with MilvusStore(path) as old:
        old.add(records)
        expected = old.search("birds word7", vector=[7, 1], k=10)
    assert "./milvus.db" in lines
    assert "http://localhost:19530" in lines
    monkeypatch.setenv("MILVUS_TOKEN", "")
    exec(lines.replace("./milvus.db", path).replace("http://localhost:19530", lite_server), {})
    with MilvusStore(lite_server) as new:
        assert new.count() == 300
        assert new.check() == []
        copied = list(new.scroll())
        assert {(one.id, one.context, one.document_id) for one in copied} == {
            (one.id, "Birds", "d") for one in records
        }
        assert [hit.id for hit in new.search("birds word7", vector=[7, 1], k=10)] == [
            hit.id for hit in expected
        ]
        new.drop()


def test_the_readme_leads_to_the_page() -> None:
    """To docs/servers.md, which leads to both files."""
    assert "docs/servers.md" in (ROOT / "README.md").read_text("utf-8")
    assert "../deploy/compose.yaml" in SERVERS
    assert "../deploy/helm-values.yaml" in SERVERS
