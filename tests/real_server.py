"""Runs the suites of `tests/server` against a real Milvus server.

With `HYBRIDGE_TEST_URI` (and `HYBRIDGE_TEST_TOKEN`) set it is the one that they name. Otherwise it
is Milvus 2.3.5, the newest that PyPI has, in an environment of its own. That server listens on
every address, so it and the tests run in a network namespace where there is only loopback.

    python tests/real_server.py [arguments of pytest]
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from support.milvus_server import PYTHON, MilvusServer
from versions import overlay

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ["milvus==2.3.5", "setuptools<80"]
NAMESPACE = ["unshare", "--map-root-user", "--net"]
INSIDE = "--inside"
SUITES = [
    "tests/server/test_server_rows.py",
    "tests/server/test_server_filters.py",
    "tests/server/test_server_creation.py",
    "tests/server/test_server_settings.py",
    "tests/core/store/test_server_dialect.py",
    "tests/core/store/test_store.py",
]
IN_FULL = ["tests/core/store/test_many_processes.py"]
"""Suites for the full figures alone: sparse searches take long where they are stood in for."""

OWN_SERVER = ["tests/server/test_server_kills.py", "tests/server/test_server_authorization.py"]
"""Suites that start servers of their own, of which one at a time can run."""


def main(arguments: list[str]) -> int:
    """Run the suites; return 0 if they pass, or cannot be run here."""
    if INSIDE in arguments:
        return run_inside([one for one in arguments if one != INSIDE])
    if os.environ.get("HYBRIDGE_TEST_URI"):
        return run_suites(arguments or standard())
    reason = why_not()
    if reason:
        print(f"skipped: the suites against a real server need {reason}, or HYBRIDGE_TEST_URI")
        return 0
    os.environ[PYTHON] = installed()
    command = [*NAMESPACE, sys.executable, __file__, INSIDE, *arguments]
    return subprocess.run(command, check=False).returncode


def standard() -> list[str]:
    """Return the suites that run where none are named."""
    return [*SUITES, *(IN_FULL if "HYBRIDGE_TEST_FULL" in os.environ else []), *OWN_SERVER]


def why_not() -> str:
    """Return what this machine lacks to run a server; "" if nothing."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "Linux on x86_64"
    if shutil.which(NAMESPACE[0]) is None:
        return "the command `unshare`"
    tried = subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True, text=True)
    return f"network namespaces ({tried.stderr.strip()})" if tried.returncode else ""


def installed() -> str:
    """Install the server, and return the Python that has it."""
    python = overlay(ROOT / ".venv-milvus-2.3.5")
    if subprocess.run([python, "-c", "import milvus"], check=False, capture_output=True).returncode:
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *REQUIREMENTS], check=True)
    return python


def run_inside(arguments: list[str]) -> int:
    """Run the suites on servers of our own, in a namespace of our own; return how many failed."""
    bring_loopback_up()
    chosen = [one for one in arguments if one.startswith("tests/")] or standard()
    options = [one for one in arguments if not one.startswith("tests/")]
    suites = [one for one in chosen if one not in OWN_SERVER]
    failed = 0
    if suites:
        with (
            tempfile.TemporaryDirectory() as folder,
            MilvusServer(Path(folder) / "milvus", 19530) as server,
        ):
            failed += run_suites([*suites, *options], HYBRIDGE_TEST_URI=server.uri)
    if len(suites) < len(chosen):
        failed += run_suites([*(one for one in chosen if one in OWN_SERVER), *options])
    return failed


def bring_loopback_up() -> None:
    """Bring up the loopback interface of the namespace."""
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = b"lo".ljust(16, b"\0")
        answer = fcntl.ioctl(any_socket, get_flags, name + bytes(16))
        [flags] = struct.unpack_from("h", answer, 16)
        fcntl.ioctl(any_socket, set_flags, name + struct.pack("h", flags | up).ljust(16, b"\0"))


def run_suites(arguments: list[str], **environment: str) -> int:
    """Run pytest; return 0 if all passed."""
    command = [sys.executable, "-m", "pytest", "-m", "", "--durations=10", *arguments]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    return ran.returncode != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
