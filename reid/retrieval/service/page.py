"""The page: an image is dropped, what is like it is shown, and right and wrong are marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import HTTPException
from nicegui import events, ui

from annotations.errors import InputError
from annotations.times import told_time
from reid.retrieval.evidence_card import (
    EvidenceCard,
    card_css,
    card_html,
    make_cards,
    strip_html,
)
from reid.retrieval.question import Question
from reid.retrieval.results import spelled
from reid.retrieval.selection import Condition
from reid.retrieval.service.api import MOST
from reid.retrieval.service.marks import Marks
from reid.retrieval.service.offers import has, named, time_span, values
from reid.retrieval.service.problems import said_of
from reid.retrieval.service.searcher import Answer, Searcher
from reid.retrieval.service.turns import Made, Turns
from reid.retrieval.service.uploads import Corners, Upload, Uploads
from reid.retrieval.several import Galleries
from reid.retrieval.thumbnails import make_thumbnails

WHOLE: Corners = (0.0, 0.0, 1.0, 1.0)
_CHOSEN = ("camera", "colour", "type", "viewpoint")
"""Columns whose values are offered to choose from."""
_GROUPS = ("track", "camera", "identity")
_VALUES = 300
_KNOWN = ("identity", "camera", "time", "track", "make", "model", "year", "type", "colour")
_WANTED = 24
"""Matches that are shown, unless told otherwise."""
_NO_VOTE = "Matches are ordered by the whole image. What its parts say explains one and is no vote."
_LARGE = 480
"""Pixels of the longer side of the pictures whose parts are compared."""
_SMALLEST = 0.01
"""A region drawn smaller than this share of a side was a click."""


class SearchPage:
    """One open page.

    Args:
        searcher: finds.
        uploads: keeps query images.
        marks: keeps what is said of matches.
        turns: whose turn it is to be answered.
        largest: bytes of an image at most.
    """

    def __init__(
        self, searcher: Searcher, uploads: Uploads, marks: Marks, turns: Turns, largest: int
    ) -> None:
        self._searcher, self._uploads, self._marks = searcher, uploads, marks
        self._turns = turns
        self._upload: Upload | None = None
        self._corners = WHOLE
        self._from: tuple[float, float] | None = None
        self._answer: Answer | None = None
        self._why = ""  # there is none, though it was asked
        self._asked = 0
        galleries = searcher.galleries()
        ui.add_head_html('<link rel="stylesheet" href="/search/static/search.css">')
        ui.add_head_html(f"<style>{card_css()}</style>")
        with ui.element("div").classes("ps-header w-full"):
            ui.label("partreid").classes("brand")
            ui.label(named(galleries, searcher.names)).classes("soft")
            ui.element("div").classes("space")
            ui.link("Interface for programs", "/api/openapi.json").classes("soft")
        with ui.element("div").classes("ps-body"):
            with ui.element("div").classes("ps-ask"):
                self._build_ask(galleries, largest)
            with ui.element("div").classes("ps-found"):
                self._results()
        with ui.dialog() as self._dialog, ui.element("div").classes("ps-evidence"):
            self._evidence = ui.html("", sanitize=False)
            ui.label(_NO_VOTE).classes("soft")

    def _build_ask(self, galleries: Galleries, largest: int) -> None:
        ui.upload(
            label="Drop an image of a vehicle here, or choose one",
            on_upload=self._take,
            on_rejected=lambda: ui.notify(
                f"an image of at most {largest // 2**20} MiB, please", type="warning"
            ),
            auto_upload=True,
            max_file_size=largest,
        ).props("accept=image/* flat bordered").classes("w-full ps-drop")
        self._picture = ui.interactive_image(
            on_mouse=self._mouse, events=["mousedown", "mousemove", "mouseup"], cross=False
        ).classes("w-full ps-query")
        self._picture.visible = False
        with ui.row().classes("items-center gap-2") as self._hint:
            ui.label("Draw around the vehicle where the image shows more.").classes("soft")
            ui.button("Whole image", on_click=self._whole).props("flat dense size=sm")
        self._hint.visible = False
        self._choices: dict[str, Any] = {}
        for name in _CHOSEN:
            offered = values(galleries, name)
            if 1 < len(offered) <= _VALUES:
                self._choices[name] = (
                    ui.select(
                        offered, multiple=True, label=name, clearable=True, on_change=self._search
                    )
                    .props("dense outlined use-chips")
                    .classes("w-full")
                )
        self._times: list[Any] = []
        if has(galleries, "time"):
            with ui.row().classes("w-full no-wrap gap-2"):
                for words, known in zip(("time from", "to"), time_span(galleries), strict=True):
                    time = (
                        ui.input(words, placeholder=known, on_change=self._search)
                        .props("dense outlined clearable stack-label debounce=700")
                        .classes("grow min-w-0")
                    )
                    self._times.append(time)
        groups = {"": "every image"} | {
            name: f"the nearest of each {name}" for name in _GROUPS if has(galleries, name)
        }
        self._group = ui.select(
            groups, value="", label="show", on_change=self._search
        ).props("dense outlined").classes("w-full")  # fmt: skip
        self._where = ui.input(
            "more conditions, such as year>=2015; colour!=white", on_change=self._search
        ).props("dense outlined clearable debounce=700").classes("w-full")  # fmt: skip
        self._top = ui.number(
            "how many", value=_WANTED, min=1, max=MOST, on_change=self._search
        ).props("dense outlined debounce=500")

    async def _take(self, event: events.UploadEventArguments) -> None:
        content = await event.file.read()
        event.sender.reset()  # type: ignore[attr-defined]  # else it ticks off what is refused, too
        try:
            self._upload = await self._turns.take(partial(self._uploads.take, content))
        except (InputError, OSError) as error:
            ui.notify(f"{event.file.name}: {said_of(error)}", type="negative")
            return
        except HTTPException as error:
            ui.notify(f"{event.file.name}: {error.detail}", type="warning")
            return
        self._picture.set_source(f"/api/queries/{self._upload.name}")
        self._picture.visible = self._hint.visible = True
        await self._whole()

    async def _whole(self) -> None:
        self._corners = WHOLE
        self._picture.set_content("")
        await self._search()

    async def _mouse(self, event: events.MouseEventArguments) -> None:
        """Draw a region, and search with it when the button is let go."""
        if event.type == "mousedown":
            self._from = (event.image_x, event.image_y)
            return
        if self._from is None or self._upload is None:
            return
        width, height = self._shown()
        x1, x2 = sorted((self._from[0], event.image_x))
        y1, y2 = sorted((self._from[1], event.image_y))
        corners = tuple(
            min(max(value, 0.0), 1.0)
            for value in (x1 / width, y1 / height, x2 / width, y2 / height)
        )
        shape = f'x="{x1}" y="{y1}" width="{x2 - x1}" height="{y2 - y1}"'
        self._picture.set_content(
            f'<rect {shape} fill="none" stroke="#1c6fd0" stroke-width="{width / 150}" />'
        )
        if event.type != "mouseup":
            return
        self._from = None
        if min(corners[2] - corners[0], corners[3] - corners[1]) < _SMALLEST:
            await self._whole()
            return
        self._corners = (corners[0], corners[1], corners[2], corners[3])
        await self._search()

    def _shown(self) -> tuple[float, float]:
        """Return the size of the picture that the browser shows, whose pixels a mouse counts."""
        assert self._upload is not None
        share = min(1.0, 1600 / max(self._upload.width, self._upload.height))
        return self._upload.width * share, self._upload.height * share

    async def _search(self) -> None:
        """Ask, unless there is nothing to ask with; of several questions the last is shown."""
        if self._upload is None:
            return
        self._asked += 1
        mine = self._asked
        answer, why = await self._in_turn(partial(self._find, self._upload, self._corners))
        if mine == self._asked:  # what was found before is no answer to what is asked now
            self._answer, self._why = answer, why
            self._results.refresh()

    async def _in_turn(self, work: Callable[[], Made]) -> tuple[Made | None, str]:
        """Return what some work makes in its turn; None, and why, which is said, where it fails."""
        try:
            return await self._turns.take(work), ""
        except (InputError, OSError) as error:
            why, kind = said_of(error), "negative"
        except HTTPException as error:
            why, kind = str(error.detail), "warning"
        ui.notify(why, type=kind)  # type: ignore[arg-type]
        return None, why

    def _find(self, upload: Upload, corners: Corners) -> Answer:
        path = upload.path if corners == WHOLE else self._uploads.region(upload, corners)
        return self._searcher.find(path, self._question())

    def _question(self) -> Question:
        conditions = [
            Condition(name, "=", tuple(chosen.value))
            for name, chosen in self._choices.items()
            if chosen.value
        ]
        for time, operator in zip(self._times, (">=", "<="), strict=False):
            if said := (time.value or "").strip():
                conditions.append(Condition("time", operator, (said,)))
        words = (self._where.value or "").split(";")
        conditions += [Condition.parse(word) for word in words if word.strip()]
        wanted = _WANTED if self._top.value is None else self._top.value
        top = int(min(max(wanted, 1), MOST))
        return Question(top=top, conditions=tuple(conditions), group=self._group.value or None)

    @ui.refreshable_method
    def _results(self) -> None:
        if self._why:
            ui.label(self._why).classes("ps-why")
            return
        if self._answer is None:
            ui.label("What is like the image will be shown here, nearest first.").classes("soft")
            return
        answer = self._answer
        found = answer.found
        with ui.row().classes("w-full items-center ps-line"):
            ui.label(f"{len(found)} found").classes("strong")
            if "unknown" in found and len(found) and bool(found["unknown"].iloc[0]):
                ui.label("probably not in the gallery").classes("doubt")
            whole, network = 1000 * answer.seconds, 1000 * answer.embedding
            ui.label(f"{whole:.0f} ms, of which the network {network:.0f}").classes("soft")
            if self._searcher.comparer is None:
                ui.label(f"no part evidence: {self._searcher.without_parts}").classes("soft")
            ui.element("div").classes("space")
            ui.button("Save as CSV", on_click=self._export).props("flat dense size=sm")
            ui.link("Marked pairs", "/api/marks.csv").classes("soft")
        said = {item: mark.same for (query, item), mark in self._marks.latest().items()
                if query == str(answer.query.resolve())}  # fmt: skip
        with ui.element("div").classes("ps-grid"):
            for row in found.to_dict("records"):
                self._card(answer.query, row, said.get(row["file"]))

    def _card(self, query: Path, row: dict[Any, Any], said: bool | None) -> None:
        looks = {None: "", True: " right", False: " wrong"}
        with ui.element("div").classes(f"ps-card{looks[said]}") as card:
            with ui.element("a").props(f'href="/api/items/{row["item"]}/image" target="_blank"'):
                ui.element("img").props(f'src="/api/items/{row["item"]}/thumbnail" alt=""')
            with ui.element("div").classes("ps-facts"):
                ui.label(str(row["rank"])).classes("strong")
                ui.label(f"{row['distance']:.3f}").classes("soft")
                if not pd.isna(row.get("probability")):
                    ui.label(f"{row['probability']:.0%}").classes("strong")
                if row.get("images", 1) > 1:
                    ui.label(f"of {row['images']}").classes("soft")
            where = self._where_of(row)
            ui.label(Path(row["image"]).name).classes("name").tooltip(where)
            told = [_told(name, row[name]) for name in _KNOWN if not pd.isna(row.get(name))]
            ui.label(", ".join(told)).classes("soft")
            if self._searcher.apart:
                gallery = str(row["gallery"])
                called = self._searcher.names[gallery]
                ui.label(called).classes("soft name").tooltip(gallery)
            strip = ui.element("div")
            with ui.row().classes("gap-1 no-wrap"):
                for same, icon, words in ((True, "check", "right"), (False, "close", "wrong")):
                    ui.button(
                        icon=icon, on_click=partial(self._mark, query, row, same, card)
                    ).props(f'flat dense size=sm aria-label="{words}"').classes(words)  # fmt: skip
                if self._searcher.comparer is not None:
                    ui.element("div").classes("space")
                    ui.button("Parts", on_click=partial(self._explain, query, row, strip)).props(
                        'flat dense no-caps size=sm aria-label="parts"'
                    )

    def _where_of(self, row: dict[Any, Any]) -> str:
        """Return an image's path, and of several folders the one that it comes from."""
        image = str(row["image"])
        if self._answer is None or len(self._answer.folders) < 2:
            return image
        folder = self._answer.folder(image, str(row["file"]))
        return f"{folder}: {image}" if folder else image

    async def _explain(self, query: Path, row: dict[Any, Any], strip: ui.element) -> None:
        """Show the query and a match side by side, with what each of their parts says."""
        card, _ = await self._in_turn(partial(self._compare, query, row))
        if card is None:
            return
        strip.clear()
        with strip:
            ui.html(strip_html(card), sanitize=False)
        self._evidence.set_content(card_html(card))
        self._dialog.open()

    def _compare(self, query: Path, row: dict[Any, Any]) -> EvidenceCard:
        compared = self._searcher.compare(query, row["item"])
        thumbnails = make_thumbnails([*compared.files[0]], _LARGE)
        title = f"Rank {row['rank']}, distance {row['distance']:.3f}"
        if not pd.isna(row.get("probability")):
            title += f", {row['probability']:.0%} the same"
        return make_cards(compared, [0], thumbnails, [title])[0]

    async def _mark(self, query: Path, row: dict[Any, Any], same: bool, card: ui.element) -> None:
        asked, item = str(query.resolve()), str(row["file"])
        before = self._marks.latest().get((asked, item))
        new = None if before is not None and before.same == same else same
        try:
            odds = row.get("probability")
            await asyncio.to_thread(
                self._marks.say, asked, item, new, None if pd.isna(odds) else float(odds)
            )
        except OSError as error:
            ui.notify(f"not saved: {error.strerror}", type="negative")
            return
        card.classes(remove="right wrong")
        if new is not None:
            card.classes(add="right" if new else "wrong")

    def _export(self) -> None:
        assert self._answer is not None
        table = self._answer.found.drop(columns=["row", "item"])
        ui.download.content(spelled(table).to_csv(index=False), "results.csv")


def _told(name: str, value: Any) -> str:
    """Return what is known of an image as a card has it."""
    if isinstance(value, float):
        return told_time(value) if name == "time" else f"{value:g}"
    return str(value)
