"""A Milvus server of the tests' own, from an environment of its own."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

VARIABLE = "PARTREID_MILVUS_LITE"
USUAL = Path(__file__).parents[4] / ".milvus" / "bin" / "milvus-lite"


def start(folder: Path) -> tuple[subprocess.Popen, str]:
    """Start a server on a free port of this machine alone; return its process and address."""
    program = os.environ.get(VARIABLE, str(USUAL))
    if not Path(program).is_file():
        pytest.skip(f"no Milvus server at {program}: make milvus-lite, or set {VARIABLE}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [program, "server", "--data-dir", folder / "data", "--host", "127.0.0.1",
             "--port", str(port)]  # fmt: skip
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log, env=own)
    for _ in range(300):
        if process.poll() is not None:
            break
        with socket.socket() as asked:
            if not asked.connect_ex(("127.0.0.1", port)):
                return process, f"milvus://127.0.0.1:{port}"
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"milvus-lite did not start: {(folder / 'log').read_text()[-2000:]}")


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    """The address of a server."""
    pytest.importorskip("pymilvus")
    process, address = start(tmp_path_factory.mktemp("milvus"))
    yield address
    stop(process)
