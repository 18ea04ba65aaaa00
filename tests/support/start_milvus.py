"""Becomes a Milvus server; run by the Python of an environment that has PyPI's `milvus`.

    python start_milvus.py PROGRAM DATA HEALTH [setting=value ...]

PROGRAM is a folder for the server's program, which is unpacked there once; DATA is its data; HEALTH
is the port that says how it is.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

from milvus import MilvusServerConfig, _initialize_data_files

_PR_SET_PDEATHSIG = 1


def main(program: Path, data: Path, health: str, *settings: str) -> None:
    """Write the server's configuration and become the server."""
    config = MilvusServerConfig(data_dir=str(data))
    for setting in settings:
        name, _, value = setting.partition("=")
        kind = config.get_type(name) if "." not in name else str
        config.set(name, config.get_value(value, kind))
    config.resolve()
    _initialize_data_files(str(program))
    os.chdir(data)
    environment = {
        **os.environ,
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": health,
        "MILVUS_RUN_DIR": str(data / "run"),
        "LD_LIBRARY_PATH": str(program / "bin"),
    }
    executable = program / "bin" / "milvus"
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # it ends with whoever started it
    os.execve(executable, [str(executable), "run", "standalone"], environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), *sys.argv[3:])
