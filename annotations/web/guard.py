"""Who may see the page: this machine alone, or whoever has the token."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
COOKIE = "partreid-token"


class Guard:
    """Refuses every request, of pages, files and sockets, that may not be answered.

    Without a token only requests that name this machine as their host are answered, so that no
    other site can reach the page through a name of its own that it points here (DNS rebinding),
    and none that another site's page sends, but for a link that a person follows. With a token, a
    request needs it: once in the address (``?token=...``), from then on in a cookie; or, of a
    program, in the header ``Authorization: Bearer ...``.

    Args:
        app: what is guarded.
        token: the token, or None.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        query = scope["query_string"].decode("latin-1")
        given = dict(parse_qsl(query)).get("token", "")
        if not self._same_site(headers):
            await self._refuse(scope, receive, send, "this request came from another site")
        elif self._token is None:
            if _name(headers.get("host", "")) in LOOPBACK:
                await self._app(scope, receive, send)
            else:
                await self._refuse(scope, receive, send, "open the page as http://127.0.0.1")
        elif given and hmac.compare_digest(given.encode(), self._token.encode()):
            if scope["type"] == "http" and scope["method"] == "GET":
                question = [pair for pair in parse_qsl(query) if pair[0] != "token"]
                # Without slashes of its own it would be the name of another site.
                there = (
                    "/" + scope["path"].lstrip("/") + ("?" + urlencode(question)) * bool(question)
                )
                response = RedirectResponse(there, status_code=303)
                response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
                await response(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        elif any(
            hmac.compare_digest(told.encode(), self._token.encode())
            for told in (_cookie(headers), _bearer(headers))
        ):
            await self._app(scope, receive, send)
        else:
            words = "a token is needed: open the address that the terminal shows"
            await self._refuse(scope, receive, send, words)

    @staticmethod
    def _same_site(headers: dict[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin.rpartition("//")[2] == headers.get("host")
        # Images and scripts are asked for without an origin.
        site = headers.get("sec-fetch-site", "none")
        return site in ("same-origin", "none") or headers.get("sec-fetch-mode") == "navigate"

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, words: str) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": words})
            return
        await PlainTextResponse(words + "\n", status_code=403)(scope, receive, send)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: dict[str, str]) -> str:
    # Python's own parser gives up where another program of this host has set an odd cookie.
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _bearer(headers: dict[str, str]) -> str:
    kind, _, told = headers.get("authorization", "").partition(" ")
    return told.strip() if kind.lower() == "bearer" else ""
