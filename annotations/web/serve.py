"""Serving the page until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from annotations.errors import InputError
from annotations.web.guard import LOOPBACK

PATIENCE = 30
"""Seconds that the head of a request may take to arrive."""
CONNECTIONS = 512
"""At a time; further ones are told to come back later."""


def bind(host: str, port: int) -> socket.socket:
    """Take a port, before anything else is done.

    Args:
        host: a name or address of this machine.
        port: the port; 0 for any free one.

    Raises:
        InputError: it is in use, or not allowed.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        taken = socket.socket(family, socket.SOCK_STREAM)
        # A port whose last owner was just stopped is free.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} is in use; is the page open already? take another with --port"
        else:
            why = f"cannot listen on {host}, port {port}: {error.strerror}"
        raise InputError(why) from None
    return taken


def token_for(host: str, given: str | None) -> str | None:
    """Return the token that the page asks for: none on this machine alone, unless one is given."""
    if given:
        return given
    return None if host in LOOPBACK else secrets.token_urlsafe(16)


def address(host: str, taken: socket.socket, token: str | None) -> str:
    """Return the page's address, to open in a browser."""
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    shown = f"[{shown}]" if ":" in shown else shown
    question = f"/?token={token}" if token else "/"
    return f"http://{shown}:{taken.getsockname()[1]}{question}"


def serve(
    app: FastAPI,
    taken: socket.socket,
    started: Callable[[], None],
    patience: float = PATIENCE,
    connections: int = CONNECTIONS,
) -> None:
    """Answer requests until Ctrl-C, or until the process is told to end; then return.

    Args:
        app: the application.
        taken: see `bind`.
        started: called when the page can be opened.
        patience: seconds that the head of a request may take to arrive.
        connections: at a time.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        http=_patient(patience),
        limit_concurrency=connections,
        # Nobody is kept waiting by a page that stays open somewhere.
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    started()
    # Else the process would end at once, and leave a training behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[taken])
    finally:
        signal.signal(signal.SIGTERM, before)


def _patient(seconds: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with a limit that it lacks: on the time that a head may take.

    It is the one of uvicorn's two that bounds the length of a head.
    """

    class Patient(H11Protocol):
        """Closes connections on which no request begins."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for the first request."""
            super().connection_made(transport)
            self._mind()

        def data_received(self, data: bytes) -> None:
            """Take what has arrived."""
            super().data_received(data)
            self._mind()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no more."""
            super().connection_lost(exc)
            self._forget()

        def _mind(self) -> None:
            """Begin to wait where no request is being answered; go on where that has begun."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._forget()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self._end)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _end(self) -> None:
            # A socket of a page that is open has another protocol by now.
            idle = self.cycle is None or self.cycle.response_complete
            if idle and self.transport.get_protocol() is self:
                self.transport.close()

    return Patient
