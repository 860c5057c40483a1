"""Requests of bounded size."""

from __future__ import annotations

import contextlib

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Limit:
    """Refuses requests whose body is longer than it may be, however long they claim to be.

    Args:
        app: what is guarded.
        most: bytes of a body.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claimed = dict(scope["headers"]).get(b"content-length", b"0")
        if not claimed.isdigit() or int(claimed) > self._most:
            await self._refuse(scope, receive, send)
            return
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _TooLongError
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            if seen > self._most and not answered:
                return  # whoever parsed the body has words of its own for that
            answered = True
            await send(message)

        with contextlib.suppress(_TooLongError):
            await self._app(scope, counted, noted)
        if seen > self._most and not answered:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = f"a request may have {self._most // 2**20} MiB at most"
        headers = {"connection": "close"}
        response = JSONResponse({"detail": words}, status_code=413, headers=headers)
        await response(scope, receive, send)


class _TooLongError(Exception):
    """A body went on beyond what it may have."""
