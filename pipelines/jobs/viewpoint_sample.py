"""Images whose viewpoint a person gives by hand: drawn, and written as a table to fill."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from annotations.datasets import read_images
from annotations.datasets.table import NAMES
from annotations.errors import InputError
from annotations.files import whole_file
from annotations.images import Images
from annotations.vocabulary import Vocabulary, load_vocabulary
from pipelines.report.viewpoint_sheet import viewpoint_sheet
from pipelines.tables import say, written
from reid.retrieval.thumbnails import Thumbnail, make_thumbnails

_SIDE = 200
_TOLD = 20


def sample(
    data: Path, dataset: str | None, out: Path, count: int, seed: int, vocabulary: str
) -> pd.DataFrame:
    """Draw training images without a viewpoint, and write a table for a person to fill.

    Args:
        data: the data set.
        dataset: its kind; recognised where None.
        out: the CSV to write: ``image``, whose paths start from its folder or from the top, and an
            empty ``viewpoint``. A sheet to look at lies beside it, as HTML.
        count: how many images.
        seed: which ones.
        vocabulary: whose words the sheet names.

    Raises:
        InputError: a file to write is there, or would be taken for the data set's own table; there
            is no such vocabulary; every image has a viewpoint, or none can be read.
    """
    words = load_vocabulary(vocabulary)
    page = out.with_suffix(".html")
    _require_free(out, page, data)
    images = _without_viewpoint(read_images(data, dataset).training())
    drawn, shown = _drawn(images, count, seed)
    if len(drawn) < count:
        say(f"there are no more than {len(drawn)} to draw")
    names = _named_from(drawn, out.parent)
    table = pd.DataFrame({"image": names, "viewpoint": pd.array([pd.NA] * len(names), "string")})
    # The table appears last: where it is, the sheet is, too.
    with whole_file(out) as aside:
        table.to_csv(aside, index=False)
        with whole_file(page) as sheet:
            labels = list(drawn.frame["image"])
            sheet.write_text(viewpoint_sheet(labels, shown, words, out.name), encoding="utf-8")
    written(out, f"table of {len(table)} images to fill:")
    written(page, "its sheet:")
    say(f"then: partreid views learn {out} CLASSIFIER{_option(words)}")
    return table


def spread(images: Images, seed: int) -> Iterator[int]:
    """Yield rows at random, each of an identity, and then a camera, that was drawn least so far.

    So whatever a person gets done of the drawn images is spread, too. Images of unknown identities
    count as of one, and so do those of unknown cameras.

    Args:
        images: N images.
        seed: which order.
    """
    order = np.random.default_rng(seed).permutation(len(images))
    identity, camera = (
        images.frame[column].iloc[order].factorize(use_na_sentinel=False)[0].astype(np.int64)
        for column in ("identity", "camera")
    )
    left = np.ones(len(images), dtype=bool)
    of_identity = np.zeros(len(images), dtype=np.int64)
    of_camera = np.zeros(len(images), dtype=np.int64)
    last = np.iinfo(np.int64).max
    for _ in range(len(images)):
        drawn_before = of_identity[identity] * (len(images) + 1) + of_camera[camera]
        place = int(np.where(left, drawn_before, last).argmin())
        left[place] = False
        of_identity[identity[place]] += 1
        of_camera[camera[place]] += 1
        yield int(order[place])


def _require_free(out: Path, page: Path, data: Path) -> None:
    """Demand that nothing is lost by writing a table and its sheet."""
    if out.suffix != ".csv":
        raise InputError(f"{out}: give the table to fill a name that ends in .csv")
    for path in (out, page):
        if path.exists():
            raise InputError(
                f"{path}: is there already, and may be filled; name another file, or remove it"
            )
    if out.name in NAMES and out.resolve().parent == data.resolve():
        raise InputError(
            f"{out}: would be taken for the table of all images of {data}; name it otherwise, such "
            "as to-label.csv"
        )


def _without_viewpoint(images: Images) -> Images:
    if "viewpoint" not in images.frame:
        return images
    empty = images.frame["viewpoint"].isna()
    if not empty.any():
        raise InputError(
            f"{images.source}: every training image has a viewpoint; there is nothing to label"
        )
    return images.where(empty)


def _drawn(images: Images, count: int, seed: int) -> tuple[Images, list[Thumbnail]]:
    """Draw images that can be read, in the order drawn, and make them small."""
    paths, order = images.paths, spread(images, seed)
    chosen: list[int] = []
    shown: list[Thumbnail] = []
    problems: list[str] = []
    while some := list(islice(order, count - len(chosen))):
        small = make_thumbnails([paths[row] for row in some], _SIDE)
        for row in some:
            thumbnail = small[paths[row]]
            if thumbnail.problem:
                problems.append(thumbnail.problem)
                continue
            chosen.append(row)
            shown.append(thumbnail)
    for problem in problems[:_TOLD]:
        say(problem)
    if not chosen:
        raise InputError(f"{images.source}: none of {len(images)} images can be read")
    return Images(images.frame.iloc[chosen], images.root, images.source), shown


def _named_from(images: Images, folder: Path) -> list[str]:
    """Return paths that lead to images from a folder, or from the top where they lie elsewhere."""
    root, here = images.root.resolve(), folder.resolve()
    if root.is_relative_to(here.parent):  # so that both can be moved together
        root = Path(os.path.relpath(root, here))
    return [(root / image).as_posix() for image in images.frame["image"]]


def _option(vocabulary: Vocabulary) -> str:
    return "" if vocabulary.name == "views" else f" --set vocabulary={vocabulary.name}"
