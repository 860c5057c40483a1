"""A query and an image found for it, side by side, with what each of their parts says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np

from reid.explain.says import FULL, colour_apart, colour_of
from reid.explain.shown import Part, Picture, marks_shown, parts_shown
from reid.retrieval.evidence import Compared
from reid.retrieval.thumbnails import Thumbnail

SIDE = 240
"""Pixels of the longer side of a card's pictures."""


@dataclass(frozen=True)
class EvidenceCard:
    """What the page shows of one pair.

    Attributes:
        title: what stands above it, such as its rank.
        pictures: the query and the image found, with their part boxes.
        parts: a row of each part: the loudest or nearest first.
        strip: the same in the order of the recipe's parts.
        sentence: which parts decided, or why none did.
        calibrated: whether parts speak for and against.
    """

    title: str
    pictures: tuple[Picture, Picture]
    parts: tuple[Part, ...]
    strip: tuple[Part, ...]
    sentence: str
    calibrated: bool


def make_cards(
    compared: Compared,
    rows: Sequence[int],
    thumbnails: dict[Path, Thumbnail],
    titles: Sequence[str],
) -> list[EvidenceCard]:
    """Return the cards of one query's list; without a calibration they share one scale.

    Args:
        compared: pairs.
        rows: which of them.
        thumbnails: of their files.
        titles: of the cards.
    """
    evidence = compared.evidence
    farthest = float(np.nanmax(np.append(evidence.distances[list(rows)], 0.0)))
    order = {part: place for place, part in enumerate(evidence.parts)}
    made = []
    for row, title in zip(rows, titles, strict=True):
        query, match = (
            Picture(
                file.name,
                thumbnails[file],
                marks_shown(
                    compared.boxes.get(file), evidence, row, thumbnails[file].size, farthest
                ),
            )
            for file in compared.files[row]
        )
        parts = parts_shown(evidence, row, farthest)
        made.append(
            EvidenceCard(
                title,
                (query, match),
                tuple(parts),
                tuple(sorted(parts, key=lambda part: order[part.name])),
                compared.sentence(row),
                evidence.curves is not None,
            )
        )
    return made


def scale_of(calibrated: bool) -> tuple[str, ...]:
    """Return the colours of a legend: from against to for, or from near to far apart."""
    steps = np.linspace(0, 1, 7)
    if calibrated:
        return tuple(colour_of(FULL * (2 * step - 1)) for step in steps)
    return tuple(map(colour_apart, steps))


def environment() -> jinja2.Environment:
    """Return what reads this folder's templates; everything that they are given is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def card_html(card: EvidenceCard) -> str:
    """Return a card as HTML, which ``evidence.css`` dresses."""
    return _made("card", card)


def strip_html(card: EvidenceCard) -> str:
    """Return a card's strip, a colour for each part, as HTML."""
    return _made("strip", card)


def _made(name: str, card: EvidenceCard) -> str:
    module = environment().get_template("evidence.html.j2").module
    return str(getattr(module, name)(card))


def card_css() -> str:
    """Return ``evidence.css``."""
    return (Path(__file__).parent / "evidence.css").read_text("utf-8")
