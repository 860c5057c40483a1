"""The interface for programs; its description is at ``/api/openapi.json``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

import numpy as np
import pandas as pd
from fastapi import APIRouter, File, Form, HTTPException, Response, Security, UploadFile
from fastapi import Path as InPath
from fastapi import Query as InQuery
from fastapi.security import APIKeyCookie, APIKeyQuery, HTTPBearer
from pydantic import BaseModel, Field

from annotations.boxes import CORNERS
from annotations.errors import InputError
from annotations.web.guard import COOKIE
from reid.retrieval.question import Question
from reid.retrieval.results import known_columns
from reid.retrieval.selection import Condition
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.problems import Problem, add_unknown
from reid.retrieval.service.searcher import Answer, Searcher, folder_names
from reid.retrieval.service.uploads import Uploads
from reid.retrieval.thumbnails import thumbnail_file

MOST = 1000
"""Images that one search finds at most."""
LARGE = 1600
"""Pixels of the longer side of an image that is shown large."""

Made = TypeVar("Made")
Fraction = Annotated[float, Form(ge=0, le=1, allow_inf_nan=False)]
Corner = Annotated[float, InQuery(ge=0, le=1, allow_inf_nan=False)]
ItemName = Annotated[str, InPath(pattern=r"^\d{1,18}-\d{1,18}$")]


class GalleryFacts(BaseModel):
    """A gallery: its name, how many images it holds, and what columns can be asked about.

    ``name`` is the shortest ending of its path that no other gallery here has; ``folders`` are what
    the folders that its images come from are called, likewise.
    """

    name: str
    images: int
    folders: list[str]
    columns: list[str]


class Match(BaseModel):
    """An image found: ``item`` names it until the galleries change; distances are ascending.

    ``image`` is its path below ``folder``, which is empty where the path is a whole one.
    """

    rank: int
    item: str
    image: str
    folder: str
    gallery: str
    distance: float
    probability: float | None = None
    images: int = 1
    known: dict[str, str | float | int]


class Matches(BaseModel):
    """What was found for ``query``, which can be asked with again."""

    query: str
    width: int
    height: int
    unknown: bool | None = None
    seconds: float
    matches: list[Match]


class PartBox(BaseModel):
    """Where a part was found, as fractions of the image."""

    x1: float
    y1: float
    x2: float
    y2: float


class PartSaid(BaseModel):
    """One part of a query and of a match.

    ``distance`` is how far apart the two are, ``says`` the log-odds that it gives by itself, above
    0 for the same vehicle; neither where the part is not seen in both.
    """

    part: str
    distance: float | None
    says: float | None
    query: list[PartBox]
    match: list[PartBox]


class PartsSaid(BaseModel):
    """What the parts of a match say, which explains it and is no vote; ``note``: why nothing."""

    sentence: str
    note: str
    calibrated: bool
    parts: list[PartSaid]


class Said(BaseModel):
    """Right (true), wrong (false), or neither any more (null)."""

    query: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    item: Annotated[str, Field(pattern=r"^\d{1,18}-\d{1,18}$")]
    same: bool | None
    x1: Annotated[float, Field(ge=0, le=1)] = 0
    y1: Annotated[float, Field(ge=0, le=1)] = 0
    x2: Annotated[float, Field(ge=0, le=1)] = 1
    y2: Annotated[float, Field(ge=0, le=1)] = 1


class Kept(BaseModel):
    """How many pairs are marked now."""

    marks: int


class Turns:
    """Lets so many wait for their turn and no more, and nobody longer than so many seconds.

    Args:
        waiting: requests at a time, those that are being answered included.
        seconds: that one may take.
        at_once: that are being answered; each may hold a decoded image in memory.
    """

    def __init__(self, waiting: int = 8, seconds: float = 60, at_once: int = 2) -> None:
        self._free, self._seconds = waiting, seconds
        self._room = asyncio.Semaphore(at_once)

    async def take(self, make: Callable[[], Made]) -> Made:
        """Return what is made, on another thread.

        Raises:
            HTTPException: 503 where too many wait, 504 where it took too long.
        """
        if self._free < 1:
            raise HTTPException(503, "too many requests at a time; try again in a moment")
        self._free -= 1
        begun = False

        async def made() -> Made:
            nonlocal begun
            async with self._room:
                begun = True
                return await asyncio.get_running_loop().run_in_executor(None, make)

        work = asyncio.ensure_future(made())
        work.add_done_callback(self._done)
        await asyncio.wait([work], timeout=self._seconds)
        if work.done():
            return work.result()
        if not begun:
            work.cancel()
        raise HTTPException(504, f"took longer than {self._seconds:g} seconds")

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._free += 1
        if not work.cancelled():
            work.exception()  # what nobody waited for is no news


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
    compared = searcher.compare(path, item)
    evidence = compared.evidence
    boxes = [compared.boxes.get(file) for file in compared.files[0]]
    parts = [
        PartSaid(
            part=part,
            distance=_number(apart),
            says=_number(says),
            query=_boxes(boxes[0], part),
            match=_boxes(boxes[1], part),
        )
        for part, apart, says in zip(
            evidence.parts, evidence.distances[0], evidence.says[0], strict=True
        )
    ]
    return PartsSaid(sentence=compared.sentence(0), note=compared.notes[0],
                     calibrated=evidence.curves is not None, parts=parts)  # fmt: skip


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _boxes(frame: pd.DataFrame | None, part: str) -> list[PartBox]:
    if frame is None:
        return []
    corners = frame.loc[frame["part"] == part, CORNERS].to_numpy(float)
    return [PartBox(x1=x1, y1=y1, x2=x2, y2=y2) for x1, y1, x2, y2 in corners.tolist()]


def told(answer: Answer, query: str, size: tuple[int, int], names: Mapping[str, str]) -> Matches:
    """Return an answer as it is sent; ``names`` are the galleries', by their paths."""
    found = answer.found
    seen = known_columns(found)
    matches = [
        Match(
            rank=int(row["rank"]),
            item=row["item"],
            image=row["image"],
            folder=answer.folder(row["image"], row["file"]),
            gallery=names[row["gallery"]],
            distance=float(row["distance"]),
            probability=row.get("probability"),
            images=int(row.get("images", 1)),
            known={name: _plain(row[name]) for name in seen if not pd.isna(row[name])},
        )
        for row in found.to_dict("records")
    ]
    unknown = bool(found["unknown"].iloc[0]) if "unknown" in found and len(found) else None
    return Matches(query=query, width=size[0], height=size[1], unknown=unknown,
                   seconds=round(answer.seconds, 4), matches=matches)  # fmt: skip


def _plain(value: Any) -> str | float | int:
    plain = value if isinstance(value, str | float | int) else value.item()
    # JSON has no word for what is infinite.
    return str(plain) if isinstance(plain, float) and np.isinf(plain) else plain


def _jpeg(content: bytes | None) -> Response:
    if content is None:
        raise HTTPException(404, "the file cannot be read any more")
    headers = {"cache-control": "private, max-age=3600"}
    return Response(content, media_type="image/jpeg", headers=headers)
