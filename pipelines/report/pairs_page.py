"""The page of judged pairs: both images side by side, and what each part says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from annotations.boxes import Boxes
from annotations.files import write_text
from annotations.images import Images
from pipelines.report.page import environment
from pipelines.report.pair_cards import Card, make_card
from reid.explain.says import FULL, colour_of
from reid.retrieval.thumbnails import Thumbnail, make_thumbnails
from reid.run import Run
from reid.verification.calibration import Calibration
from reid.verification.judgement import Judgements

MOST = 100
_SIDE = 360


def order(judged: Judgements, right: pd.Series[bool]) -> npt.NDArray[np.int64]:
    """Return the pairs' rows: wrong ones first, the surest of them leading, then the least sure.

    Args:
        judged: the pairs.
        right: boolean, empty where the truth is not known. Unreadable pairs come last.
    """
    sure = (judged.table["probability"] - 0.5).abs().fillna(1.0)
    wrong = ~right.fillna(True).astype(bool)
    keys = pd.DataFrame({"wrong": ~wrong, "sure": sure.where(~wrong, -sure)})
    return keys.sort_values(["wrong", "sure"], kind="stable").index.to_numpy(np.int64)


def write_pairs_page(
    path: Path,
    judged: Judgements,
    right: pd.Series[bool],
    images: Images,
    boxes: Boxes | None,
    run: Run,
    calibration: Calibration,
    most: int = MOST,
) -> None:
    """Write one self-contained HTML file.

    Args:
        path: the file.
        judged: the pairs.
        right: boolean, empty where the truth is not known.
        images: the pairs' images.
        boxes: their part boxes, or None.
        run: what judged.
        calibration: by which.
        most: pairs that the page shows, as `order` has them.
    """
    rows = order(judged, right)
    shown = judged.table.iloc[rows[:most]]
    names = pd.unique(shown[["first", "second"]].to_numpy().ravel())
    side = _SIDE if len(judged) > 1 else 2 * _SIDE
    thumbnails = make_thumbnails([images.root / name for name in names], side)
    found = {} if boxes is None else dict(list(boxes.frame.groupby("image")))

    def card(row: int) -> Card:
        names = [str(judged.table[side].iloc[row]) for side in ("first", "second")]
        pictures = tuple((thumbnails[images.root / name], found.get(name)) for name in names)
        return make_card(judged, row, right.iloc[row], pictures)

    told = right.dropna()
    text = environment().get_template("pairs.html.j2").render(
        cards=[card(row) for row in rows[:most]],
        count=len(judged),
        yes=int(judged.table["same"].sum()),
        judged=int(judged.table["same"].notna().sum()),
        told=len(told),
        right=int(told.sum()),
        run=run.source.resolve().name,
        calibration=calibration,
        scale=[colour_of(say) for say in np.linspace(-FULL, FULL, 7)],
        full=f"{FULL:g}",
        aspect=_aspect(thumbnails.values()),
        problems=sorted(made.problem for made in thumbnails.values() if made.problem),
    )  # fmt: skip
    write_text(path, text)


def _aspect(thumbnails: Iterable[Thumbnail]) -> float:
    """Return the width over height of the frames: the pictures' median, within reason."""
    shapes = [made.width / made.height for made in thumbnails if made.data]
    return float(np.clip(np.median(shapes or [1.0]), 0.8, 1.6))
