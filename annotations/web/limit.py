"""Requests of bounded size, that arrive within bounded time."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RATE = 2**16
"""Bytes a second: a body that comes as fast as this, after all, is waited for."""


class Limit:
    """Refuses requests whose body is longer than it may be, however long they claim to be.

    Those whose body does not come are refused, too: else they would stay open for ever.

    Args:
        app: what is guarded.
        most: bytes of a body.
        seconds: that a body may take to arrive, besides one for each `RATE` bytes that did.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float = 30) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claimed = dict(scope["headers"]).get(b"content-length", b"0")
        if not claimed.isdigit() or int(claimed) > self._most:
            await self._refuse_long(scope, receive, send)
            return
        seen, whole, late, answered = 0, False, False, False
        begun = asyncio.get_running_loop().time()

        async def counted() -> Message:
            nonlocal seen, whole, late
            # What is waited for after the body is that whoever asked goes away.
            end = None if whole else begun + self._seconds + seen / RATE
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                late = True
                raise _RefusedError from None
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _RefusedError
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            if (late or seen > self._most) and not answered:
                return  # whoever parsed the body has words of its own for that
            answered = True
            await send(message)

        with contextlib.suppress(_RefusedError):
            await self._app(scope, counted, noted)
        if seen > self._most and not answered:
            await self._refuse_long(scope, receive, send)
        elif late and not answered:
            words = f"the request did not arrive within {self._seconds:g} seconds"
            await self._refuse(408, words, scope, receive, send)

    async def _refuse_long(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = f"a request may have {self._most // 2**20} MiB at most"
        await self._refuse(413, words, scope, receive, send)

    @staticmethod
    async def _refuse(status: int, words: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"connection": "close"}
        response = JSONResponse({"detail": words}, status_code=status, headers=headers)
        await response(scope, receive, send)


class _RefusedError(Exception):
    """A body went on beyond what it may have, or did not go on."""
