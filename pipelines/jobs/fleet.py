"""Making a fleet, and saying what is in it."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from annotations.images import Images
from pipelines.fleet.contact import write_contact_sheet
from pipelines.fleet.make import make_fleet
from pipelines.fleet.presets import preset_named
from pipelines.tables import say, show, written


def make(
    out: Path, preset: str, seed: int | None, workers: int | None = None, sheet: Path | None = None
) -> Images:
    """Make a fleet, print what it holds, and draw its contact sheet if one is asked for."""
    chosen = preset_named(preset)
    started = time.monotonic()
    images = make_fleet(out, preset, seed, workers=workers)
    seconds = time.monotonic() - started
    show(summary(images), f"fleet '{preset}': {chosen.summary}")
    say(f"{seconds:.1f} s, {len(images) / seconds:.0f} images a second")
    written(out, f"{len(images)} images with masks, boxes, labels and pairs:")
    if sheet is not None:
        write_contact_sheet(chosen, chosen.seed if seed is None else seed, sheet)
        written(sheet, "contact sheet:")
    return images


def summary(images: Images) -> pd.DataFrame:
    """Count images, vehicles, models, colours and cameras by split."""
    groups = images.frame.groupby("split", sort=False)
    columns = {"identity": "vehicles", "model": "models", "colour": "colours", "camera": "cameras"}
    counts = groups[list(columns)].nunique().rename(columns=columns)
    counts.insert(0, "images", groups.size())
    order = [split for split in ("train", "query", "gallery") if split in counts.index]
    return counts.loc[order].reset_index()
