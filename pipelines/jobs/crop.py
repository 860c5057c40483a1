"""Cutting a data set's photographs down to their vehicles."""

from __future__ import annotations

from pathlib import Path

from annotations.cropping import crop_images
from annotations.datasets import read_images
from annotations.images import Images
from pipelines.tables import say, written


def crop(data: Path, dataset: str | None, out: Path) -> Images:
    """Cut, and say what could not be cut."""
    crops, problems = crop_images(read_images(data, dataset), out)
    for problem in problems[:10]:
        say(problem)
    if problems:
        say(f"{len(problems)} images could not be cut; all are named in {out / 'problems.txt'}")
    written(out, f"{len(crops)} crops:")
    return crops
