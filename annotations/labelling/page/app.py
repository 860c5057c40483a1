"""The page's web application."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from nicegui import Client, app, ui

from annotations.errors import InputError
from annotations.labelling.desk import Desk, Seat
from annotations.labelling.page.editor import Editor
from annotations.labelling.page.pictures import Picture, Pictures
from annotations.labelling.page.talk import Talk, describe
from annotations.labelling.page.views import agreement_page, header, progress_page
from annotations.web.guard import Guard

_STATIC = Path(__file__).parent / "static"
_ICON = "🚗"
PATIENCE = 60.0
"""Seconds for which a page waits for a server that is busy loading a detector, or for the network,
before it begins anew."""
POLL = 2.0
"""Seconds between two looks at what the detector is doing."""


def make_app(desk: Desk, *, by: str = "", layer: str = "", token: str | None = None) -> FastAPI:
    """Make the application.

    Args:
        desk: hands out images.
        by: the name of who labels, where the page's address does not say it (``?by=NAME``).
        layer: whose labels are written; empty for the common ones.
        token: what a request must know; None to answer this machine alone.
    """
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pictures, setup = Pictures(desk.images), describe(desk.project)

    def answer(picture: Picture) -> Response:
        return Response(
            picture.content, media_type=picture.kind, headers={"cache-control": "private"}
        )

    @api.get("/label/image")
    def image(image: str) -> Response:
        return answer(pictures.whole(image))

    @api.get("/label/region")
    def region(image: str, x1: float, y1: float, x2: float, y2: float) -> Response:
        return answer(pictures.region(image, (x1, y1, x2, y2)))

    @api.exception_handler(InputError)
    def refuse(_: object, error: Exception) -> Response:
        return PlainTextResponse(f"{error}\n", status_code=404)

    def edit(seat: Seat, client: Client, tab: str) -> None:
        talk = Talk(desk, seat, pictures)
        header(desk, tab, seat)
        editor = Editor({**setup, "by": seat.by, "review": seat.review}, talk)
        ui.timer(POLL, editor.tell_status)
        # A page that is reloaded gets the image back that it had before it.
        client.on_connect(lambda: desk.sit_down(seat))
        client.on_disconnect(lambda: desk.leave(seat))
        client.on_delete(lambda: desk.leave(seat))

    @ui.page("/", title="partreid: label")
    def label(client: Client, by: str = by, image: str = "") -> None:
        seat = Seat(by=by, layer=layer, only=(image,) if image else ())
        edit(seat, client, "label")

    @ui.page("/review", title="partreid: review")
    def review(client: Client, by: str = by, image: str = "", against: str = "") -> None:
        only = (image,) if image else ()
        seat = Seat(by=by, layer=layer, review=True, only=only, against=against)
        edit(seat, client, "review")

    @ui.page("/agreement", title="partreid: agreement")
    def agree() -> None:
        header(desk, "agreement", Seat(by=by, layer=layer))
        agreement_page(desk)

    @ui.page("/progress", title="partreid: progress")
    def progress() -> None:
        header(desk, "progress", Seat(by=by, layer=layer))
        progress_page(desk, layer)

    app.add_static_files("/label/static", _STATIC)
    ui.run_with(
        api,
        title="partreid",
        favicon=_ICON,
        show_welcome_message=False,
        reconnect_timeout=PATIENCE,
    )
    api.add_middleware(Guard, token=token)
    return api
