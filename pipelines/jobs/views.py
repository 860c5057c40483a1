"""The views of vehicles: foregrounds, viewpoints, SPAN, and the masks that it finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import track

from annotations.datasets import read_images
from annotations.errors import InputError
from annotations.files import read_text, whole_file
from annotations.images import Images
from annotations.looking import Looked
from annotations.masks import Masks
from pipelines.fleet.vehicle.things import VIEWS
from pipelines.jobs.given_viewpoints import with_given
from pipelines.jobs.mask_sheet import write_mask_sheet
from pipelines.settings import change
from pipelines.tables import say, show, written
from reid.attention.agreement import Truth, agreement
from reid.attention.finder import MaskFinder
from reid.attention.foreground import train_foreground
from reid.attention.settings import ForegroundSettings, SpanSettings, ViewpointSettings
from reid.attention.span import train_span
from reid.attention.viewpoints import (
    SCORE,
    TOLD_BEFORE,
    ViewpointFinder,
    fill_viewpoints,
    told_before,
    train_viewpoints,
)
from reid.training.work import PROBLEMS

NETWORK, SHEET = "network", "samples.png"
_SHOWN, _TOLD = 60, 20
_SLICE = 4096
"""Images whose masks are unpacked at once."""
FLEET = Truth(
    {view: number for number, view in enumerate(VIEWS, 1) if view != "top"},
    (VIEWS.index("top") + 1,),
)
"""What the numbers of a fleet's true masks mean."""


def foreground(
    data: Path,
    dataset: str | None,
    out: Path,
    settings: list[str],
    redo: bool,
    device: str,
    workers: int = 2,
) -> Masks:
    """Learn where vehicles are, find the foreground of every image, and draw some of them."""
    chosen = change(ForegroundSettings, settings)
    images = read_images(data, dataset)
    finder = train_foreground(
        images.training(), out / NETWORK, chosen, redo=redo, device=device, workers=workers
    )
    _tell(out / NETWORK)
    return _found(finder, images, out, redo, device)


def _tell(folder: Path) -> None:
    """Say what a training left out."""
    lines = read_text(folder / PROBLEMS).splitlines()
    for line in lines[:_TOLD]:
        say(line)
    if len(lines) > _TOLD:
        say(f"and {len(lines) - _TOLD} more: {folder / PROBLEMS}")


def _unpacked(masks: Masks, images: Images) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the masks of images, (n, V, h, w) each: those of a large data set fill the memory."""
    rows = np.arange(len(images))
    for start in range(0, len(images), _SLICE):
        yield masks.of(images.where((rows >= start) & (rows < start + _SLICE)))


def _found(finder: MaskFinder, images: Images, out: Path, redo: bool, device: str) -> Masks:
    looked: Looked[Masks] = finder.find(images, out, redo=redo, device=device)
    masks = looked.found
    write_mask_sheet(images, masks, out / SHEET, _SHOWN, 0)
    there = images.where(images.frame["image"].isin(masks.names))
    sums = sum(values.sum((0, 2, 3), dtype=np.int64) for values in _unpacked(masks, there))
    areas = sums / (255 * len(there) * masks.size[0] * masks.size[1])
    table = pd.DataFrame({"mask": list(masks.views), "area": areas})
    show(table, f"masks of {len(there)} images (area: mean share of the image)")
    say(
        f"{looked.looked_at} images looked at, {looked.reused} known from before, "
        f"{len(looked.problems)} unreadable"
    )
    for row in looked.problems.head(_TOLD).itertuples():
        say(str(row.problem))
    written(out / "masks.parquet", "masks:")
    written(out / SHEET, "some of them:")
    return masks


def train(
    data: Path,
    dataset: str | None,
    foregrounds: Path,
    out: Path,
    settings: list[str],
    device: str,
    workers: int = 2,
    redo: bool = False,
) -> MaskFinder:
    """Train SPAN on the training images that have a viewpoint."""
    chosen = change(SpanSettings, settings)
    images = read_images(data, dataset).training()
    finder, _ = train_span(
        images, Masks.read(foregrounds), out, chosen, redo=redo, device=device, workers=workers
    )
    _tell(out)
    written(out, "SPAN:")
    return finder


def find(
    network: Path, data: Path, dataset: str | None, out: Path, redo: bool, device: str
) -> Masks:
    """Find the views of every image of a data set, and draw some of them."""
    finder = MaskFinder.load(network)
    if finder.kind != "views":
        raise InputError(f"{network}: finds the foreground; give what 'partreid views train' made")
    return _found(finder, read_images(data, dataset), out, redo, device)


def draw(masks: Path, data: Path, dataset: str | None, out: Path, count: int, seed: int) -> None:
    """Draw the masks of some images as a PNG."""
    write_mask_sheet(read_images(data, dataset), Masks.read(masks), out, count, seed)
    written(out, "masks:")


def evaluate(masks: Path, data: Path, split: str | None, out: Path | None) -> pd.DataFrame:
    """Compare masks of views with a fleet's true ones.

    Raises:
        InputError: a view is none of a fleet's, or the data set has no true masks.
    """
    found = Masks.read(masks)
    images = read_images(data)
    images = images.split(split) if split else images
    table = compare_masks(found, images, data)
    show(table, f"masks of {len(images)} images beside the true ones")
    target = out or (masks if masks.is_dir() else masks.parent) / "agreement.csv"
    with whole_file(target) as aside:
        table.to_csv(aside, index=False)
    written(target, "table:")
    return table


def compare_masks(found: Masks, images: Images, root: Path) -> pd.DataFrame:
    """Return `reid.attention.agreement.agreement` by view, as means over images.

    Returns:
        ``view``, ``images`` that show it, ``iou`` and ``false``, and a last row ``all views``.

    Raises:
        InputError: see `evaluate`.
    """
    if foreign := [view for view in found.views if view not in FLEET.views]:
        raise InputError(f"{found.source}: a fleet has no true masks of {', '.join(foreign)}")
    there = images.frame["image"].isin(found.names)
    if not there.all():
        say(f"{int((~there).sum())} of {len(images)} images have no mask and are left out")
        images = images.where(there)
    values = (mask for some in _unpacked(found, images) for mask in some)
    tables = []
    names = images.frame["image"]
    for name, masks in zip(track(names, "comparing masks", transient=True), values, strict=True):
        path = root / "masks" / Path(name).with_suffix(".png").name
        true = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if true is None:
            raise InputError(f"{path}: no true mask; only fleets have them ('partreid fleet')")
        tables.append(agreement(masks, np.asarray(true, np.uint8), found.views, FLEET))
    every = pd.concat(tables, ignore_index=True)
    mean = every.groupby("view", sort=False).agg(
        images=("shown", "sum"), iou=("iou", "mean"), false=("false", "mean")
    )
    whole = pd.DataFrame(
        {"images": [len(images)], "iou": [mean["iou"].mean()], "false": [mean["false"].mean()]},
        index=pd.Index(["all views"], name="view"),
    )
    return pd.concat([mean, whole]).reset_index()


def learn_viewpoints(
    data: Path, dataset: str | None, out: Path, settings: list[str], device: str, workers: int = 2
) -> ViewpointFinder:
    """Learn viewpoints from the images that have one, and say how well those held out are told."""
    chosen = change(ViewpointSettings, settings)
    images = read_images(data, dataset)
    if told := int(told_before(images).sum()):
        say(TOLD_BEFORE.format(told))
    empty = int(images.frame["viewpoint"].isna().sum()) if "viewpoint" in images.frame else 0
    if 0 < empty < len(images):
        say(f"{empty} of {len(images)} images have no viewpoint and are left out")
    finder = train_viewpoints(images, out, chosen, device=device, workers=workers)
    if len(finder.tested):
        right = finder.tested["found"] == finder.tested["viewpoint"]
        table = right.groupby(finder.tested["viewpoint"]).agg(["size", "mean"]).reset_index()
        table.columns = pd.Index(["viewpoint", "images", "right"])
        show(table, f"viewpoints of {len(right)} images held out: {right.mean():.1%} told right")
        with whole_file(out / "held_out.csv") as aside:
            finder.tested.to_csv(aside, index=False)
    _tell(out)
    written(out, "classifier:")
    return finder


def label(
    data: Path,
    dataset: str | None,
    classifier: Path,
    out: Path,
    least: float,
    device: str,
    labels: Path | None = None,
) -> Images:
    """Fill the viewpoints that a table lacks, and write the table.

    Args:
        data: the data set.
        dataset: its kind; recognised where None.
        classifier: what `learn_viewpoints` made.
        out: the table to write.
        least: a viewpoint that is less sure is left empty.
        device: ``auto``, ``cpu``, ``cuda``.
        labels: a table of some of the data set's images, whose viewpoints people gave.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out}: give the table to write a name that ends in .csv or .parquet")
    images = read_images(data, dataset)
    if out.suffix == ".csv" and out.resolve().parent != images.root.resolve():
        raise InputError(
            f"{out}: the paths of a CSV start from its own folder, and images are under "
            f"{images.root}: write it there, or a .parquet, which remembers where they are"
        )
    if labels is not None:
        images = with_given(images, read_images(labels))
    finder = ViewpointFinder.load(classifier)
    filled = fill_viewpoints(finder, images, least=least, device=device)
    told = filled.frame[SCORE].notna()
    left = filled.frame["viewpoint"].isna()
    if left.any():
        first = filled.frame.loc[left, "image"].iloc[0]
        say(f"{int(left.sum())} images were left empty, unreadable or too unsure; first {first}")
    counts = filled.frame["viewpoint"].value_counts(dropna=False).rename_axis("viewpoint")
    show(counts.rename("images").reset_index(), f"{int(told.sum())} viewpoints told")
    filled.write(out)
    written(out, "table:")
    return filled
