"""A judged pair as the page shows it: two pictures with part boxes, an answer, a table of parts."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reid.explain.shown import Part, Picture, marks_shown, parts_shown
from reid.retrieval.thumbnails import Thumbnail
from reid.verification.judgement import UNREADABLE, Judgements

_FRAME = (240.0, 212.0)
"""Pixels of a picture at least, where the page is wide enough to show its parts' names."""


@dataclass(frozen=True)
class Card:
    """A judged pair.

    Attributes:
        pictures: the first and the second image.
        parts: the table, the loudest first.
        answer: ``yes``, ``no`` or ``unreadable``.
        percent: the probability of yes.
        distance: of the whole.
        right: ``right``, ``wrong``, or nothing where the truth is not known.
        note: a line, or nothing.
    """

    pictures: tuple[Picture, Picture]
    parts: tuple[Part, ...]
    answer: str
    percent: float
    distance: float
    right: str
    note: str


def make_card(
    judged: Judgements,
    row: int,
    right: object,
    pictures: tuple[tuple[Thumbnail, pd.DataFrame | None], ...],
) -> Card:
    """Return the card of one pair.

    Args:
        judged: the pairs.
        row: which one.
        right: whether it is judged right, as a boolean, or empty.
        pictures: of the first and the second image: thumbnail, and rows of the boxes table.
    """
    pair = judged.table.iloc[row]
    evidence = judged.evidence
    first, second = (
        Picture(
            str(pair[side]),
            thumbnail,
            marks_shown(frame, evidence, row, thumbnail.size, None, _FRAME),
        )
        for side, (thumbnail, frame) in zip(("first", "second"), pictures, strict=True)
    )
    verdict = "" if pd.isna(right) else "right" if right else "wrong"  # type: ignore[call-overload]
    if pair["note"] == UNREADABLE:
        return Card((first, second), (), UNREADABLE, 0.0, 0.0, verdict, "")
    return Card(
        (first, second),
        tuple(parts_shown(evidence, row)),
        "yes" if pair["same"] else "no",
        100 * float(pair["probability"]),
        float(pair["distance"]),
        verdict,
        str(pair["note"]),
    )
