"""Requests that do not go on."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

SERVER = """
import asyncio
from fastapi import FastAPI, Request
from annotations.web.limit import Limit
from annotations.web.serve import bind, serve
web = FastAPI()

@web.post("/long")
async def long(request: Request) -> int:
    return len(await request.body())

@web.post("/parsed")
def parsed(told: dict[str, int]) -> int:
    return len(told)

@web.get("/slow")
async def slow() -> str:
    await asyncio.sleep(2)
    return "slow"

web.add_middleware(Limit, most=2**20, seconds=0.5)
taken = bind("127.0.0.1", 0)
serve(web, taken, lambda: print(taken.getsockname()[1], flush=True), patience=0.5,
      connections=8)
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield int(server.stdout.readline())
    server.terminate()
    server.communicate(timeout=60)


def answered(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send some pieces, and return what comes until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        said = b""
        while some := connection.recv(4096):
            said += some
    return said


@pytest.mark.parametrize("path", ["long", "parsed"])
def test_a_body_that_stops_is_refused(port: int, path: str) -> None:
    head = f"POST /{path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    said = answered(port, f"{head}content-length: 100\r\n\r\n".encode() + b'{"a":')
    assert said.startswith(b"HTTP/1.1 408") and b"connection: close" in said
    assert said.count(b"HTTP/1.1") == 1 and b"did not arrive within 0.5 seconds" in said


def test_a_body_that_goes_on_is_waited_for(port: int) -> None:
    head = b"POST /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 196608\r\n\r\n"
    said = answered(port, head, *[bytes(2**16)] * 3, pause=0.3)
    assert said.startswith(b"HTTP/1.1 200") and said.endswith(b"196608")


@pytest.mark.parametrize("begun", [b"", b"GET /slow HT", b"GET /slow HTTP/1.1\r\nhost: x\r\nacc"])
def test_a_head_that_stops_is_let_go(port: int, begun: bytes) -> None:
    start = time.monotonic()
    assert answered(port, begun) == b""
    assert 0.3 < time.monotonic() - start < 5


def test_a_head_that_trickles_is_let_go(port: int) -> None:
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        answered(port, *[b"x"] * 50, pause=0.1)


def test_who_waits_for_an_answer_is_not_let_go(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(2):  # on one connection
            assert client.get("/slow").json() == "slow"


def test_connections_without_end_are_refused_until_some_are_let_go(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    address = f"http://127.0.0.1:{port}/slow"
    assert httpx.get(address).status_code == 503
    for connection in idle:
        assert connection.recv(1) == b""
        connection.close()
    assert httpx.get(address).status_code == 200
