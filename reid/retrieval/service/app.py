"""The web application: the page, and the interface for programs."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from nicegui import app, ui

from annotations.web.guard import Guard
from annotations.web.limit import Limit
from reid.retrieval.service.api import PICTURES, make_api
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.page import SearchPage
from reid.retrieval.service.problems import add_errors
from reid.retrieval.service.searcher import Searcher
from reid.retrieval.service.turns import Turns
from reid.retrieval.service.uploads import Uploads

LARGEST = 30 * 2**20
"""Bytes of a request at most."""
SLOWEST = 30
"""Seconds that the body of a request may take to arrive, besides those that its length does."""
_STATIC = Path(__file__).parent / "static"
_ICON = "🚗"


def make_app(
    searcher: Searcher,
    folder: Path,
    *,
    token: str | None = None,
    largest: int = LARGEST,
    seconds: float = 60,
    arriving: float = SLOWEST,
) -> FastAPI:
    """Make the application.

    Args:
        searcher: finds.
        folder: for query images and marks.
        token: what a request must know; None to answer this machine alone.
        largest: bytes of a request.
        seconds: that a search may take.
        arriving: seconds that the body of a request may take, see `Limit`.
    """
    marks = Marks(folder / "marks.jsonl")
    uploads = Uploads(folder / "queries", lambda: {query for query, _ in marks.latest()})
    turns, pictures = Turns(seconds=seconds), Turns(PICTURES, seconds)
    web = FastAPI(
        title="partreid",
        description="Searches galleries of vehicles by their looks.",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    add_errors(web)
    guarded = token is not None
    web.include_router(make_api(searcher, uploads, marks, turns, pictures, guarded))

    @ui.page("/", title="partreid: search")
    def page() -> None:
        SearchPage(searcher, uploads, marks, turns, largest)

    app.add_static_files("/search/static", _STATIC)
    ui.run_with(web, title="partreid", favicon=_ICON, show_welcome_message=False)
    web.add_middleware(Limit, most=largest, seconds=arriving)
    web.add_middleware(Guard, token=token)
    return web
