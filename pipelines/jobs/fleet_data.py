"""The data set of a comparison, and its part boxes."""

from __future__ import annotations

from pathlib import Path

from annotations.boxes import IDENTITY_MEAN, Boxes
from annotations.errors import InputError
from annotations.images import Images
from pipelines.fleet.make import make_fleet
from pipelines.jobs.detector import boxes_at
from pipelines.jobs.whole import Job
from pipelines.tables import say

PRESET = "near-duplicate"


def find_data(data: Path | None, work: Path, preset: str = PRESET) -> tuple[Path, Path]:
    """Return the root of a data set and its folder below ``work``.

    Without ``data`` it is the fleet ``preset`` with its own seed, made at WORK/PRESET/data where
    it is not there yet.

    Raises:
        InputError: see `pipelines.jobs.whole.Job.on` and `pipelines.fleet.make.make_fleet`.
    """
    if data is not None:
        job = Job.on(data, work)
        return job.root, job.folder
    folder = work / preset
    root = folder / "data"
    if not root.is_dir():
        say(f"no data set given: making the fleet '{preset}' in {root}")
    make_fleet(root, preset)
    return root, folder


def find_boxes(given: Path | None, root: Path, folder: Path, vocabulary: str = "prn") -> Boxes:
    """Read the boxes given, or the data set's own true ones, or those that were detected.

    Raises:
        InputError: there are none.
    """
    if given is not None:
        return boxes_at(given)
    beside = root.parent if root.is_file() else root
    own = Path("boxes") / f"{vocabulary}.parquet"
    for path in (beside / own, folder / "parts" / "boxes.parquet"):
        if path.is_file():
            return boxes_at(path)
    raise InputError(
        f"{root}: no part boxes known ({own} in it, or found by 'make detect-parts'); "
        f"give --boxes (BOXES=)"
    )


def require_unfilled(boxes: Boxes, images: Images) -> None:
    """Demand that no box of a query or gallery image was filled by identity.

    Raises:
        InputError: there is one, or there is no box of these images at all.
    """
    for split in ("query", "gallery"):
        require_found(boxes, images.split(split), split)


def require_found(boxes: Boxes, images: Images, what: str) -> None:
    """Demand that no box of some images was filled by identity; ``what`` says what they are.

    Raises:
        InputError: there is one, or there is no box of these images at all.
    """
    if (boxes.of(images).frame["source"] == IDENTITY_MEAN).any():
        raise InputError(
            f"{boxes.source}: has boxes filled by identity on {what} images, which tells the "
            f"answer; give the boxes that the detector found"
        )
