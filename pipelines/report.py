"""One page that says what a demo did: steps, tables, a sheet of parts, and the rank lists."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from PIL import Image

from annotations.files import write_text


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: its heading.
        text: what there is to know, a sentence or two.
        table: a table, or None.
        picture: a picture, or None.
        links: other outputs, name and path.
        seconds: how long the step took, or None.
    """

    title: str
    text: str
    table: pd.DataFrame | None = None
    picture: Image.Image | None = None
    links: tuple[tuple[str, Path], ...] = ()
    seconds: float | None = None


def _picture(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    return [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in frame.itertuples(index=False)
    ]


def write_report(path: Path, title: str, lead: str, sections: list[Section]) -> None:
    """Write the page as one file; pictures are inside it, links are relative to it."""
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    rendered = pages.get_template("report.html.j2").render(
        title=title,
        lead=lead,
        sections=[
            {
                "title": section.title,
                "text": section.text,
                "seconds": section.seconds,
                "columns": [] if section.table is None else list(section.table.columns),
                "rows": [] if section.table is None else _cells(section.table),
                "picture": section.picture and _picture(section.picture),
                "links": [
                    (name, target.resolve().relative_to(path.parent.resolve()).as_posix())
                    for name, target in section.links
                ],
            }
            for section in sections
        ],
    )
    write_text(path, rendered)
