"""A judged pair as the page shows it: two pictures with part boxes, an answer, a table of parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS
from pipelines.report.says import FULL, absence, colour_of, signed
from reid.retrieval.thumbnails import Thumbnail
from reid.verification.calibration import Calibration
from reid.verification.judgement import UNREADABLE, Judgements


@dataclass(frozen=True)
class Mark:
    """A part box over a picture, in percent of it.

    Attributes:
        part: its name.
        words: what the part says, for a pointer resting on it.
        colour: as the part says; empty for one that only this image shows.
        place: left, top, width and height.
        label: from which edge of the box its name is written, ``left`` or ``right``; empty for a
            further box of a part.
    """

    part: str
    words: str
    colour: str
    place: tuple[float, float, float, float]
    label: str


@dataclass(frozen=True)
class Picture:
    """One image of a pair.

    Attributes:
        name: as it was given.
        thumbnail: the picture.
        marks: its part boxes, the largest first.
    """

    name: str
    thumbnail: Thumbnail
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Part:
    """A row of a pair's table of parts.

    Attributes:
        name: of the part.
        colour: as it says; empty where it says nothing.
        bar: percent of half the bar's width, below 0 against.
        says: its log-odds, or why there are none.
        distance: its distance, or nothing.
    """

    name: str
    colour: str
    bar: float
    says: str
    distance: str


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
    calibration: Calibration,
) -> Card:
    """Return the card of one pair.

    Args:
        judged: the pairs.
        row: which one.
        right: whether it is judged right, as a boolean, or empty.
        pictures: of the first and the second image: thumbnail, and rows of the boxes table.
        calibration: by which it is judged.
    """
    pair = judged.table.iloc[row]
    says = dict(zip(judged.parts, judged.says[row], strict=True))
    first, second = (
        Picture(str(pair[side]), thumbnail, _marks(frame, says))
        for side, (thumbnail, frame) in zip(("first", "second"), pictures, strict=True)
    )
    verdict = "" if pd.isna(right) else "right" if right else "wrong"  # type: ignore[call-overload]
    if pair["note"] == UNREADABLE:
        return Card((first, second), (), UNREADABLE, 0.0, 0.0, verdict, "")
    return Card(
        (first, second),
        _parts(judged, calibration, row),
        "yes" if pair["same"] else "no",
        100 * float(pair["probability"]),
        float(pair["distance"]),
        verdict,
        str(pair["note"]),
    )


def _marks(frame: pd.DataFrame | None, says: dict[str, float]) -> tuple[Mark, ...]:
    if frame is None:
        return ()
    frame = frame[frame["part"].isin(list(says))]
    sizes = (frame["x2"] - frame["x1"]) * (frame["y2"] - frame["y1"])
    frame = frame.loc[sizes.sort_values(ascending=False, kind="stable").index]
    again = frame.duplicated("part")
    made = []
    for part, further, corners in zip(
        frame["part"], again, 100 * frame[CORNERS].to_numpy(float), strict=True
    ):
        say = says[part]
        x1, y1, x2, y2 = (round(float(value), 2) for value in corners)
        alone = np.isnan(say)
        words = "not seen in the other image" if alone else f"log-odds {signed(say)}"
        # A name that starts near the right edge would be cut off there.
        label = "" if further or alone else "right" if x1 > 70 else "left"
        place = (x1, y1, round(x2 - x1, 2), round(y2 - y1, 2))
        made.append(Mark(part, words, "" if alone else colour_of(say), place, label))
    return tuple(made)


def _parts(judged: Judgements, calibration: Calibration, row: int) -> tuple[Part, ...]:
    says, distances = judged.says[row], judged.distances[row]
    made = []
    for place in np.argsort(-np.abs(np.nan_to_num(says)), kind="stable"):
        name, say = judged.parts[place], float(says[place])
        away = absence(*judged.seen[row, place])
        if away:
            made.append(Part(name, "", 0.0, away, ""))
            continue
        told = calibration.parts[name].slope != 0
        made.append(
            Part(
                name,
                colour_of(say) if told else "",
                100 * float(np.clip(say / FULL, -1, 1)),
                signed(say) if told else "tells nothing",
                f"{distances[place]:.3f}",
            )
        )
    return tuple(sorted(made, key=lambda part: not part.distance))
