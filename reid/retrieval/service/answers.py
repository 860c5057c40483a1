"""What the interface for programs sends and takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from annotations.boxes import CORNERS
from reid.retrieval.evidence import Compared
from reid.retrieval.results import known_columns
from reid.retrieval.service.searcher import Answer


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


def parts_said(compared: Compared) -> PartsSaid:
    """Return what parts say of the first match as it is sent."""
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
