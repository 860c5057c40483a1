"""The pages beside the editor: how far the labelling is, and how far two people agree."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd
from nicegui import ui

from annotations.labelling.agreement import agreement
from annotations.labelling.desk import Desk, Seat
from annotations.labelling.progress import measure

_TABS = {"label": "/", "review": "/review", "agreement": "/agreement", "progress": "/progress"}
_COMMON = "common labels"


def header(desk: Desk, tab: str, seat: Seat) -> None:
    """Write the line on top of every page."""
    ui.add_head_html('<link rel="stylesheet" href="/label/static/label.css">')
    ask = f"?by={quote(seat.by)}" if seat.by else ""
    with ui.element("div").classes("pl-header w-full"):
        ui.label("partreid").classes("brand")
        for name, path in _TABS.items():
            target = path + ask if name in ("label", "review") else path
            ui.link(name.capitalize(), target).classes("on" if name == tab else "")
        ui.element("div").classes("space")
        layer = f", own labels '{seat.layer}'" if seat.layer else ""
        ui.label(f"{desk.images.source}{layer}").classes("soft ellipsis")
        if seat.by:
            ui.label(seat.by)


def progress_page(desk: Desk, layer: str) -> None:
    """Show figures of the labelling."""
    desk.project.journal.refresh()
    now = measure(desk.project, layer)
    with ui.element("div").classes("pl-page"):
        ui.html("<h1>Progress</h1>", sanitize=False)
        with ui.element("p"):
            ui.label(f"Labels are kept in {desk.project.folder}")
        kept = f"{now.untouched / now.offered:.0%}" if now.offered else "-"
        figures = {
            "images finished": f"{now.done} of {len(desk.images)}",
            "an hour of work": f"{now.per_hour:.0f}" if now.per_hour else "-",
            "actions an image, median": f"{now.actions:g}",
            "proposed boxes kept as they were": kept,
            "flagged": str(now.flagged),
            "skipped": str(now.skipped),
            "reviewed": str(now.reviewed),
        }
        with ui.element("div").classes("pl-figures"):
            for words, value in figures.items():
                with ui.element("div"):
                    with ui.element("b"):
                        ui.label(value)
                    ui.label(words).classes("soft")
        ui.html("<h2>Boxes by part</h2>", sanitize=False)
        parts = [(name, now.parts.get(name, 0)) for name in desk.project.vocabulary.names]
        _table(pd.DataFrame(parts, columns=["part", "boxes"]))
        if now.people:
            ui.html("<h2>Finished by</h2>", sanitize=False)
            people = [(name or "someone", count) for name, count in now.people.items()]
            _table(pd.DataFrame(people, columns=["person", "images"]))
        problems = [*desk.project.journal.damaged]
        if desk.gone:
            problems.append(
                f"{len(desk.gone)} images have labels and are not in the data set any more, such "
                f"as '{desk.gone[0]}'; their labels are kept"
            )
        if problems:
            ui.html("<h2>To be looked at</h2>", sanitize=False)
            for problem in problems:
                ui.label(problem)


def agreement_page(desk: Desk) -> None:
    """Compare the labels of two people, on the images that both finished."""
    desk.project.journal.refresh()  # another's labels come from another process
    layers = {layer or _COMMON: layer for layer in desk.project.journal.layers}
    with ui.element("div").classes("pl-page"):
        ui.html("<h1>Agreement</h1>", sanitize=False)
        if len(layers) < 2:
            ui.label(
                "Only one set of labels so far. A second person labels the same images without "
                "seeing them with: partreid label FOLDER --as NAME --apart"
            )
            return
        names = list(layers)
        with ui.row():
            first = ui.select(names, value=names[0], label="labels of").classes("w-48")
            second = ui.select(names, value=names[1], label="compared with").classes("w-48")

        @ui.refreshable
        def compared() -> None:
            _compare(desk, layers[str(first.value)], layers[str(second.value)])

        first.on_value_change(compared.refresh)
        second.on_value_change(compared.refresh)
        compared()


def _compare(desk: Desk, first: str, second: str) -> None:
    project = desk.project
    done = [{labels.image for labels in project.finished(layer)} for layer in (first, second)]
    both = done[0] & done[1]
    if not both:
        ui.label("They have no finished image in common yet.")
        return
    found = agreement(project.boxes(first), project.boxes(second), sorted(both), project.vocabulary)
    ui.html(f"<h2>{len(both)} images that both finished</h2>", sanitize=False)
    ui.label("A box agrees with one of the same part that overlaps it by half (IoU 0.5).")
    _table(found.by_part.round(3))
    ui.html("<h2>Images, worst first</h2>", sanitize=False)
    rows = found.by_image.round(3).head(200)
    _table(rows, against=second or first)


def _table(frame: pd.DataFrame, against: str = "") -> None:
    columns = [
        {
            "name": name,
            "label": str(name).replace("_", " "),
            "field": name,
            "align": "left" if frame[name].dtype.kind not in "iuf" else "right",
            "sortable": True,
        }
        for name in frame
    ]
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    table = ui.table(columns=columns, rows=rows, pagination=20 if len(rows) > 20 else None)
    table.props("dense flat bordered").classes("w-full")
    if against:
        target = (
            f"'/review?against={quote(against, safe='')}&image=' + encodeURIComponent(props.value)"
        )
        table.add_slot(
            "body-cell-image",
            f'<q-td :props="props"><a :href="{target}" style="color: #1c6fd0">'
            "{{ props.value }}</a></q-td>",
        )
