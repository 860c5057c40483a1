"""The interface for programs; its description is at ``/api/openapi.json``."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, HTTPException, Response, Security, UploadFile
from fastapi import Path as InPath
from fastapi import Query as InQuery
from fastapi.security import APIKeyCookie, APIKeyQuery, HTTPBearer

from annotations.errors import InputError
from annotations.web.guard import COOKIE
from reid.retrieval.question import Question
from reid.retrieval.selection import Condition
from reid.retrieval.service.answers import (
    GalleryFacts,
    Kept,
    Matches,
    PartsSaid,
    Said,
    parts_said,
    told,
)
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.problems import Problem, add_unknown
from reid.retrieval.service.searcher import Searcher, folder_names
from reid.retrieval.service.turns import Turns
from reid.retrieval.service.uploads import Uploads
from reid.retrieval.thumbnails import thumbnail_file

MOST = 1000
"""Images that one search finds at most."""
LARGE = 1600
"""Pixels of the longer side of an image that is shown large."""

Fraction = Annotated[float, Form(ge=0, le=1, allow_inf_nan=False)]
Corner = Annotated[float, InQuery(ge=0, le=1, allow_inf_nan=False)]
ItemName = Annotated[str, InPath(pattern=r"^\d{1,18}-\d{1,18}$")]

PICTURES = 128
"""Pictures that may be waited for at a time: a page asks for those of all its matches together."""

_ANY: dict[int | str, dict[str, Any]] = {
    403: {"content": {"text/plain": {}}, "description": "No token, or from another site"},
    500: {"model": Problem, "description": "The server cannot use a file of its own"},
    503: {"model": Problem, "description": "Too many requests at a time"},
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "What is asked makes no sense"},
    408: {"model": Problem, "description": "The request came too slowly"},
    413: {"model": Problem, "description": "Too long a request"},
    507: {"model": Problem, "description": "The server has no room to keep what was sent"},
}
_GONE: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "Not there any more"},
}
_LATE: dict[int | str, dict[str, Any]] = {504: {"model": Problem, "description": "Took too long"}}
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "A JPEG file"},
    **_GONE,
    **_LATE,
}
_TOKENS = [
    Security(
        HTTPBearer(
            scheme_name="bearer", auto_error=False, description="The token that the server printed"
        )
    ),
    Security(
        APIKeyCookie(
            name=COOKIE, scheme_name="cookie", auto_error=False,
            description="What the page's address sets in a browser",
        )
    ),
    Security(
        APIKeyQuery(
            name="token", scheme_name="address", auto_error=False,
            description="A GET is sent on without it, and with the cookie",
        )
    ),
]  # fmt: skip
"""Ways to give the token; `annotations.web.guard` is who asks for it, these describe that."""


def make_api(
    searcher: Searcher,
    uploads: Uploads,
    marks: Marks,
    turns: Turns,
    pictures: Turns | None = None,
    guarded: bool = False,
) -> APIRouter:
    """Return the routes.

    Args:
        searcher: finds.
        uploads: keeps query images.
        marks: keeps what is said of matches.
        turns: whose turn it is to be answered.
        pictures: likewise of those who want to see an image; None for the usual. They are not to
            fill the queue of those who search.
        guarded: describe that a token is needed.
    """
    shown = pictures or Turns(PICTURES)
    api = APIRouter(prefix="/api", responses=_ANY, dependencies=_TOKENS if guarded else None)

    @api.get("/galleries", summary="What is searched")
    def galleries() -> list[GalleryFacts]:
        opened = searcher.galleries()
        folders = folder_names(opened)
        return [
            GalleryFacts(
                name=searcher.names[str(gallery.path)],
                images=len(gallery),
                folders=[folders[str(root)] for root in gallery.roots],
                columns=sorted(
                    {
                        name
                        for segment in gallery.segments
                        for name in segment.table.column_names
                        if not name.startswith("file_")
                    }
                ),
            )
            for gallery in opened.each
        ]

    @api.post("/search", responses={**_PROBLEMS, **_LATE}, summary="Find what is like an image")
    async def find(
        image: Annotated[UploadFile | None, File(description="The query image")] = None,
        query: Annotated[str | None, Form(description="Or one that was sent before")] = None,
        x1: Fraction = 0,
        y1: Fraction = 0,
        x2: Fraction = 1,
        y2: Fraction = 1,
        top: Annotated[int, Form(ge=1, le=MOST)] = 20,
        where: Annotated[list[str] | None, Form(description="Such as camera=c1,c2")] = None,
        group: Annotated[str | None, Form(description="Such as track")] = None,
    ) -> Matches:
        content = await image.read() if image is not None else None
        if (content is None) == (query is None):
            raise HTTPException(400, "give an image, or the name of one that was sent before")
        corners = (x1, y1, x2, y2)
        ask = partial(_ask, searcher, uploads, content, query or "", corners, top, where, group)
        return await turns.take(ask)

    @api.get("/queries/{query}", responses=_JPEG, summary="A query image", response_class=Response)
    async def query(query: Annotated[str, InPath(pattern="^[0-9a-f]{32}$")]) -> Response:
        try:
            made = await shown.take(lambda: thumbnail_file(uploads.get(query).path, LARGE))
        except InputError as error:
            raise HTTPException(404, str(error)) from None
        return _jpeg(made)

    @api.get("/items/{item}/thumbnail", responses=_JPEG, summary="Small", response_class=Response)
    async def thumbnail(item: ItemName) -> Response:
        return _jpeg(await shown.take(partial(_small, searcher, item)))

    @api.get("/items/{item}/image", responses=_JPEG, summary="Large", response_class=Response)
    async def whole(item: ItemName) -> Response:
        return _jpeg(await shown.take(lambda: thumbnail_file(searcher.file(item), LARGE)))

    @api.get(
        "/evidence",
        responses={400: _PROBLEMS[400], 507: _PROBLEMS[507], **_GONE, **_LATE},
        summary="What the parts of a match say",
    )
    async def evidence(
        query: Annotated[str, InQuery(pattern=r"^[0-9a-f]{32}$")],
        item: Annotated[str, InQuery(pattern=r"^\d{1,18}-\d{1,18}$")],
        x1: Corner = 0,
        y1: Corner = 0,
        x2: Corner = 1,
        y2: Corner = 1,
    ) -> PartsSaid:
        return await turns.take(partial(_compare, searcher, uploads, query, item, (x1, y1, x2, y2)))

    @api.post(
        "/marks", responses={**_PROBLEMS, **_GONE, **_LATE}, summary="Say that a match is right"
    )
    async def mark(said: Said) -> Kept:
        return await turns.take(partial(_mark, searcher, uploads, marks, said))

    @api.get(
        "/marks.csv",
        responses={
            200: {"content": {"text/csv": {}}, "description": "Columns first, second, same"},
        },
        summary="Every marked pair, as partreid verify takes them",
        response_class=Response,
    )
    def pairs() -> Response:
        return Response(marks.pairs().to_csv(index=False), media_type="text/csv")

    add_unknown(api)
    return api


def _ask(
    searcher: Searcher,
    uploads: Uploads,
    content: bytes | None,
    query: str,
    corners: tuple[float, float, float, float],
    top: int,
    where: list[str] | None,
    group: str | None,
) -> Matches:
    upload = uploads.get(query) if content is None else uploads.take(content)
    path = upload.path if corners == (0, 0, 1, 1) else uploads.region(upload, corners)
    conditions = tuple(map(Condition.parse, where or ()))
    answer = searcher.find(path, Question(top=top, conditions=conditions, group=group or None))
    return told(answer, upload.name, (upload.width, upload.height), searcher.names)


def _small(searcher: Searcher, item: str) -> bytes | None:
    found, row = searcher.item(item)
    stored = found.thumbnails(np.array([row]))[0]
    return stored or thumbnail_file(searcher.file(item))


def _mark(searcher: Searcher, uploads: Uploads, marks: Marks, said: Said) -> Kept:
    upload = uploads.get(said.query)
    corners = (said.x1, said.y1, said.x2, said.y2)
    file = upload.path if corners == (0, 0, 1, 1) else uploads.region(upload, corners)
    marks.say(str(file.resolve()), str(searcher.file(said.item)), said.same, None)
    return Kept(marks=len(marks.latest()))


def _compare(
    searcher: Searcher,
    uploads: Uploads,
    query: str,
    item: str,
    corners: tuple[float, float, float, float],
) -> PartsSaid:
    upload = uploads.get(query)
    path = upload.path if corners == (0, 0, 1, 1) else uploads.region(upload, corners)
    return parts_said(searcher.compare(path, item))


def _jpeg(content: bytes | None) -> Response:
    if content is None:
        raise HTTPException(404, "the file cannot be read any more")
    headers = {"cache-control": "private, max-age=3600"}
    return Response(content, media_type="image/jpeg", headers=headers)
