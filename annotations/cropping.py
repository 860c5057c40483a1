"""Cutting photographs down to their vehicle, once, into a data set of crops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from annotations.errors import InputError
from annotations.files import whole_file, write_text
from annotations.images import Images
from annotations.pixels import MIN_SIDE, ImageError, read_image
from annotations.reading import in_batches

EDGES = ("left", "top", "right", "bottom")
_TABLE, _PROBLEMS, _QUALITY = "images.parquet", "problems.txt", 95


@dataclass(frozen=True)
class _Cut:
    """Writes the crop of an image unless it is there; returns what is wrong, or None."""

    out: Path

    def __call__(self, job: tuple[str, Path, tuple[float, ...]]) -> str | None:
        name, path, edges = job
        target = self.out / name
        if target.is_file():
            return None
        try:
            pixels = read_image(path)
        except ImageError as error:
            return str(error)
        if not np.isnan(edges).any():
            height, width = pixels.shape[:2]
            left, top, right, bottom = (round(edge) for edge in edges)
            down, across = (max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))
            pixels = pixels[slice(*down), slice(*across)]
            if min(pixels.shape[:2]) < MIN_SIDE:
                box, size = f"{left}, {top}, {right}, {bottom}", f"{width} x {height}"
                return f"{path}: the box {box} leaves less than {MIN_SIDE} pixels of {size}"
        with whole_file(target) as aside:
            Image.fromarray(pixels).save(aside, quality=_QUALITY)
        return None


def crop_images(images: Images, out: Path, progress: bool = True) -> tuple[Images, list[str]]:
    """Write the vehicle of every image, under the image's own name.

    Images without a box are written whole. Stopped, it goes on: crops that are there stay.

    Args:
        images: with columns ``left``, ``top``, ``right`` and ``bottom``, pixels.
        out: a new folder, or one that this function has begun.
        progress: whether to show a bar.

    Returns:
        The table of crops, as written to ``out``/images.parquet without the box columns, and a
        line for each image that could not be cut, also in ``out``/problems.txt.

    Raises:
        InputError: the table has no boxes, ``out`` holds something else or the photographs
            themselves, or nothing could be cut.
    """
    missing = [name for name in EDGES if name not in images.frame]
    if missing or images.frame[list(EDGES)].isna().all(axis=None):
        raise InputError(f"{images.source}: no vehicle boxes ({', '.join(EDGES)}) to cut out")
    images.require_files()
    if out.resolve() == images.root.resolve():
        raise InputError(f"{out}: holds the photographs; choose another folder for the crops")
    if out.is_dir() and any(out.iterdir()) and not (out / _PROBLEMS).is_file():
        raise InputError(f"{out}: holds something else than crops; choose another folder")
    write_text(out / _PROBLEMS, "")
    edges = images.frame[list(EDGES)].to_numpy(float)
    jobs = list(zip(images.frame["image"], images.paths, map(tuple, edges), strict=True))
    batches = in_batches(_Cut(out), jobs, 64)
    problems: list[str | None] = []
    starts = range(0, len(jobs), 64)
    for _, found in zip(
        track(starts, "cutting", transient=True, disable=not progress), batches, strict=True
    ):
        problems += found
    good = [problem is None for problem in problems]
    said = [problem for problem in problems if problem is not None]
    write_text(out / _PROBLEMS, "".join(f"{line}\n" for line in said))
    if not any(good):
        raise InputError(f"{images.source}: none of {len(images)} images could be cut: {said[0]}")
    kept = images.where(np.array(good)).frame.drop(columns=list(EDGES))
    crops = Images(kept, out, str(out))
    crops.write(out / _TABLE)
    return crops, said
