"""Testing a network of the ladder on pairs, by every judge."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.errors import InputError
from pipelines.ablation.trials import Score
from pipelines.eianet.judges import JUDGES, Features, Known
from pipelines.eianet.ladder import Level
from pipelines.eianet.material import COLUMNS, Material
from reid.embedding import embed
from reid.methods import needs_boxes
from reid.run import Run

_log = logging.getLogger(__name__)


def by_pairs(
    material: Material, boxes: Boxes | None, levels: Sequence[Level], device: str
) -> Score:
    """Return the scoring by pairs: ``per_query.csv`` has a row per pair, level and judge.

    Its columns: ``level``, ``pairs`` (the name of their list), ``judge``, ``first``, ``second``,
    ``same``, ``surely``, how surely the judge calls it the same, and ``right``, whether the judge
    was. A pair with an unreadable image is left out.

    Args:
        material: the pairs, and what judges learn from.
        boxes: part boxes of all images, not filled.
        levels: the levels to test at.
        device: ``auto``, ``cpu``, ``cuda``.
    """
    return partial(_judge, material, boxes, list(levels), device)


def _judge(
    material: Material, boxes: Boxes | None, levels: list[Level], device: str, run: Run, out: Path
) -> None:
    used = boxes if needs_boxes(run.recipe, "global") else None
    known, tested = (
        embed(run, images, used, device=device, progress=False)
        for images in (material.known, material.tested)
    )
    learned, asked = (Features.of(part) for part in (known, tested))
    frames = []
    for level in levels:
        labels = known.images.frame[list(COLUMNS[level])].reset_index(drop=True)
        classes = labels.astype(str).agg(", ".join, axis=1).where(labels.notna().all(axis=1))
        about = Known(learned, classes, material.known_pairs[level])
        for name, learn in JUDGES.items():
            try:
                judge = learn(about)
            except InputError as error:  # features that one judge cannot use cost its rows alone
                _log.warning("%s, %s level, %s: %s", run.source.name, level, name, error)
                continue
            for pairs, listed in material.tests[level].items():
                frame, first, second = asked.sides(listed)
                surely = judge(first, second)
                right = (surely >= 0) == frame["same"].to_numpy(bool)
                made = frame.assign(surely=surely, right=right)
                frames.append(made.assign(level=level, pairs=pairs, judge=name))
    columns = ["level", "pairs", "judge", "first", "second", "same", "surely", "right"]
    pd.concat(frames, ignore_index=True)[columns].to_csv(out / "per_query.csv", index=False)
