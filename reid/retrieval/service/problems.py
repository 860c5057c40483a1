"""What goes wrong, as programs are told it: JSON with one sentence."""

from __future__ import annotations

import errno

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from starlette.routing import Match, Route

from annotations.errors import InputError
from reid.retrieval.service.searcher import GoneError

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    detail: str


def add_errors(app: FastAPI) -> None:
    """Answer what goes wrong as `Problem`."""

    def refuse(_: object, error: Exception) -> Response:
        return _answer(404 if isinstance(error, GoneError) else 400, str(error))

    def fail(_: object, error: Exception) -> Response:
        assert isinstance(error, OSError)
        return _answer(507 if error.errno in _FULL else 500, said_of(error))

    app.add_exception_handler(InputError, refuse)
    app.add_exception_handler(OSError, fail)


def said_of(error: InputError | OSError) -> str:
    """Return an error in one sentence; of a file of the server's own without its path."""
    if isinstance(error, InputError):
        return str(error)
    if error.errno in _FULL:
        return f"the server has no room to keep this ({error.strerror}); make some and try again"
    return f"the server cannot use a file of its own ({error.strerror or error})"


def add_unknown(api: APIRouter) -> None:
    """Answer as `Problem` what is asked below the other routes' prefix, and is none of them.

    The page that the application serves beside them would answer with a page of its own.
    """

    @api.api_route("/{rest:path}", methods=list(_METHODS), include_in_schema=False)
    def unknown(request: Request, rest: str) -> Response:
        there: set[str] = set()
        for route in [*api.routes, *request.app.routes]:
            other = isinstance(route, Route) and route.endpoint is not unknown
            if other and route.matches(request.scope)[0] is not Match.NONE:
                there |= route.methods or set()
        if not there:
            raise HTTPException(
                404, f"nothing is at {api.prefix}/{rest[:200]}; see {api.prefix}/openapi.json"
            )
        allowed = ", ".join(sorted(there))
        raise HTTPException(
            405, f"{request.method} is not answered here; ask by {allowed}", {"allow": allowed}
        )


def _answer(status: int, detail: str) -> Response:
    body = Problem(detail=detail).model_dump_json()
    return Response(body, status_code=status, media_type="application/json")
