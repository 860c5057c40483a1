"""The parts of a pair of images as a page shows them: boxes over both pictures, a row for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotations.boxes import CORNERS
from reid.explain.names import FRAME, place_names
from reid.explain.says import FULL, absence, colour_apart, colour_of, signed
from reid.retrieval.thumbnails import Thumbnail
from reid.verification.part_evidence import PartEvidence


@dataclass(frozen=True)
class Mark:
    """A part box over a picture, in percent of it.

    Attributes:
        part: its name.
        words: what the part says, for a pointer resting on it.
        colour: as the part says; empty for one that only this image shows.
        place: left, top, width and height.
        label: where its name is written, one of `reid.explain.names.PLACES`; empty for a further
            box of a part, and for a name that would cover another.
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
        bar: percent of half the bar's width, below 0 against; without a calibration percent of the
            whole width.
        says: its log-odds, or why there are none; nothing without a calibration.
        distance: its distance, or nothing.
    """

    name: str
    colour: str
    bar: float
    says: str
    distance: str


def parts_shown(evidence: PartEvidence, row: int, farthest: float | None = None) -> list[Part]:
    """Return a pair's rows: the loudest first, or the nearest; last the parts of no distance.

    Args:
        evidence: of pairs.
        row: which pair.
        farthest: the distance that fills a bar where there is no calibration; None for the largest
            of the pair.
    """
    says, distances = evidence.says[row], evidence.distances[row]
    reach = _reach(evidence, row) if farthest is None else farthest
    key = distances if evidence.curves is None else -np.abs(np.nan_to_num(says))
    made = []
    for place in np.argsort(key, kind="stable"):
        name, say, apart = evidence.parts[place], float(says[place]), float(distances[place])
        away = absence(*evidence.seen[row, place])
        if away:
            made.append(Part(name, "", 0.0, away, ""))
        elif evidence.curves is None:
            share = min(apart / reach, 1.0) if reach else 0.0
            made.append(Part(name, colour_apart(share), 100 * share, "", f"{apart:.3f}"))
        elif evidence.curves[name].slope:
            bar = 100 * float(np.clip(say / FULL, -1, 1))
            made.append(Part(name, colour_of(say), bar, signed(say), f"{apart:.3f}"))
        else:
            made.append(Part(name, "", 0.0, "tells nothing", f"{apart:.3f}"))
    return sorted(made, key=lambda part: not part.distance)


def marks_shown(
    frame: pd.DataFrame | None,
    evidence: PartEvidence,
    row: int,
    size: tuple[int, int],
    farthest: float | None = None,
    frame_size: tuple[float, float] = FRAME,
) -> tuple[Mark, ...]:
    """Return the boxes over one picture of a pair, the largest first.

    Args:
        frame: rows of the boxes table, of that image.
        evidence: of pairs.
        row: which pair.
        size: width and height of the picture.
        farthest: see `parts_shown`.
        frame_size: pixels of what the picture is fitted into, at least.
    """
    if frame is None:
        return ()
    place = {part: number for number, part in enumerate(evidence.parts)}
    reach = _reach(evidence, row) if farthest is None else farthest
    frame = frame[frame["part"].isin(list(place))]
    sizes = (frame["x2"] - frame["x1"]) * (frame["y2"] - frame["y1"])
    frame = frame.loc[sizes.sort_values(ascending=False, kind="stable").index]
    again = frame.duplicated("part")
    boxes = [tuple(box) for box in (100 * frame[CORNERS].to_numpy(float)).tolist()]
    shared = [not np.isnan(evidence.distances[row, place[part]]) for part in frame["part"]]
    named = np.flatnonzero(~again.to_numpy() & np.array(shared, bool))
    parts, places = list(frame["part"].iloc[named]), [boxes[one] for one in named]
    names = place_names(parts, places, size, frame_size)
    labels = dict(zip(named.tolist(), names, strict=True))
    made = []
    for number, (part, corners) in enumerate(zip(frame["part"], boxes, strict=True)):
        apart = float(evidence.distances[row, place[part]])
        say = float(evidence.says[row, place[part]])
        x1, y1, x2, y2 = (round(value, 2) for value in corners)
        if not shared[number]:
            words, colour = "not seen in the other image", ""
        elif evidence.curves is None:
            words = f"distance {apart:.3f}"
            colour = colour_apart(apart / reach if reach else 0.0)
        else:
            words, colour = f"log-odds {signed(say)}", colour_of(say)
        where = (x1, y1, round(x2 - x1, 2), round(y2 - y1, 2))
        made.append(Mark(part, words, colour, where, labels.get(number, "")))
    return tuple(made)


def _reach(evidence: PartEvidence, row: int) -> float:
    return float(np.nanmax(np.append(evidence.distances[row], 0.0)))
