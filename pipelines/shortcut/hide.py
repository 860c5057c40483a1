"""Copies of images in which the vehicle, or all but its shape, is hidden."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import track

from annotations.errors import InputError
from annotations.files import whole_folder
from annotations.images import Images
from annotations.pixels import read_image

Pixels = npt.NDArray[np.uint8]
Hidden = Literal["box", "outline", "surroundings"]
HIDDEN: tuple[Hidden, ...] = get_args(Hidden)
MARGIN = 4
"""Pixels that are hidden beyond the mask: the lens's blur and JPEG carry a vehicle's colour past
its edge."""
GREY = 128
TONES = tuple(f"{what} {channel}" for what in ("mean", "spread") for channel in "rgb")


def hide(pixels: Pixels, mask: Pixels, what: Hidden) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Hide what is to be hidden of an image.

    Args:
        pixels: (H, W, 3).
        mask: (H, W), not zero where the vehicle is.
        what: ``box`` fills the mask's bounding box with grey, `MARGIN` pixels wider: no shape is
            left, but of a close crop little else either. ``outline`` fills the mask alone,
            grown by `MARGIN` pixels: it leaves all surroundings, and the vehicle's shape.
            ``surroundings`` is its control, which leaves that shape alone: grey on black.

    Returns:
        a copy of ``pixels``, and which of its pixels are as they were, bool, (H, W).
    """
    vehicle = mask > 0
    if what == "box":
        rows, columns = (np.flatnonzero(vehicle.any(axis)) for axis in (1, 0))
        top, left = max(0, rows[0] - MARGIN), max(0, columns[0] - MARGIN)
        vehicle = np.zeros(mask.shape, dtype=bool)
        vehicle[top : rows[-1] + MARGIN + 1, left : columns[-1] + MARGIN + 1] = True
    else:
        reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
        vehicle = cv2.dilate(vehicle.astype(np.uint8), reach) > 0
    around = np.zeros_like(pixels) if what == "surroundings" else pixels
    seen = ~vehicle & (what != "surroundings")
    return np.where(vehicle[..., None], np.uint8(GREY), around), seen


def mask_of(images: Images, masks: Path) -> list[Path]:
    """Return the mask of each image: the same name below ``masks``, ending in .png.

    Raises:
        InputError: one is not there.
    """
    found = [masks / Path(image).with_suffix(".png") for image in images.frame["image"]]
    missing = [path for path in found if not path.is_file()]
    if missing:
        raise InputError(
            f"{masks}: {len(missing)} of {len(found)} images have no mask; the first is "
            f"'{missing[0]}'; the test needs a PNG for each, 0 where there is no vehicle"
        )
    return found


def hidden_copies(
    images: Images, masks: Path, what: Hidden, out: Path
) -> tuple[Images, pd.DataFrame]:
    """Write a copy of every image with ``what`` hidden, or take what was written before.

    Args:
        images: the images; PNG copies keep their size, so that what JPEG, noise and exposure
            did to the surroundings is kept.
        masks: the folder of their masks.
        what: see `hide`.
        out: the folder to write; one that is there is taken as it is.

    Returns:
        the same table over the copies, and by image ``seen``, the share of its pixels that
        is left, and `TONES`, mean and standard deviation of these by channel (0 to 255,
        zeros where nothing is left).

    Raises:
        InputError: a mask is missing, empty, or not of its image's size; an image cannot be
            read.
    """
    names = [Path(image).with_suffix(".png").as_posix() for image in images.frame["image"]]
    copies = images.frame.assign(image=names)
    if not out.is_dir():
        jobs = list(zip(images.paths, mask_of(images, masks), names, strict=True))
        with whole_folder(out) as aside, ThreadPoolExecutor(os.cpu_count()) as pool:
            for folder in {(aside / name).parent for name in names}:
                folder.mkdir(parents=True, exist_ok=True)
            made = pool.map(partial(_copy, aside, what), jobs)
            rows = list(track(made, f"hiding {what}", total=len(jobs), transient=True))
            frame = pd.DataFrame(rows, columns=["image", "seen", *TONES])
            frame.to_csv(aside / "seen.csv", index=False)
    seen = pd.read_csv(out / "seen.csv").set_index("image").loc[names].reset_index()
    return Images(copies, out, str(out)), seen


def _copy(folder: Path, what: Hidden, job: tuple[Path, Path, str]) -> tuple[str | float, ...]:
    path, mask_path, name = job
    pixels = read_image(path)
    mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
    if mask is None or mask.shape != pixels.shape[:2]:
        wrong = "not a readable image" if mask is None else "not of its image's size"
        raise InputError(f"{mask_path}: {wrong}")
    if not mask.any():
        raise InputError(f"{mask_path}: no vehicle in it, all zero")
    copy, seen = hide(pixels, np.asarray(mask, np.uint8), what)
    cv2.imwrite(str(folder / name), copy[..., ::-1])
    left = pixels[seen].astype(np.float64)
    tones = [*left.mean(0), *left.std(0)] if len(left) else [0.0] * len(TONES)
    return name, float(seen.mean()), *tones
