"""The part boxes that are drawn on what a search found: on no image that they may not be of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from annotations.boxes import Boxes
from annotations.cache import sizes_beside
from annotations.images import Images
from reid.retrieval.page import queries_shown
from reid.retrieval.searched import Searched


def boxes_drawn(
    boxes: Boxes, found: pd.DataFrame, galleries: Searched[Any], queries: Images
) -> Boxes:
    """Return the boxes of the images found that the page shows, named by their files.

    A cache knows the size of its images, so that one is told from another of the same name. In
    other boxes a name counts where it says as much as the gallery's own, and where neither a query
    nor another image of the galleries may be meant by it.

    Args:
        boxes: of queries, by their names, and of images of the galleries.
        found: as `reid.retrieval.results.search` has it.
        galleries: where it was found.
        queries: what it was asked with.
    """
    items = found[found["query"].isin(list(queries_shown(found, queries)))]
    sizes = sizes_beside(Path(boxes.source))
    if sizes:
        named = _named(items, sizes)
        sure = {file: name for file, name in named.items() if _size(file) == sizes[name]}
    else:
        named = _named(items, set(boxes.frame["image"]))
        meant = _meant(set(named.values()), items, galleries, queries)
        sure = {file: name for file, name in named.items() if len(meant[name]) == 1}
    table = pd.DataFrame({"as": list(sure), "image": list(sure.values())}, dtype="string")
    frame = table.merge(boxes.frame, on="image").drop(columns="image")
    return Boxes(frame.rename(columns={"as": "image"}), boxes.about, boxes.source)


def _meant(
    names: set[str], items: pd.DataFrame, galleries: Searched[Any], queries: Images
) -> dict[str, set[Path]]:
    """Return which files each name may mean: queries, and images that galleries call alike."""
    alike = galleries.members("image", items["image"].unique())
    rows = np.concatenate([np.empty(0, np.int64), *alike.values()])
    meant: dict[str, set[Path]] = {name: set() for name in names}
    for file, name in _named(galleries.table(rows, []), names).items():
        meant[name].add(Path(file).resolve())
    for name, path in zip(queries.frame["image"], queries.paths, strict=True):
        if name in meant:
            meant[name].add(path.resolve())
    return meant


def _named(items: pd.DataFrame, names: Collection[str]) -> dict[str, str]:
    """Return by which of some names each ``file`` may be meant; nothing of files of none."""
    named: dict[str, str] = {}
    for image, file in items[["image", "file"]].drop_duplicates("file").itertuples(index=False):
        found = next((end for end in _ends(image, file) if end in names), None)
        if found is not None:
            named[file] = found
    return named


def _ends(image: str, file: str) -> Iterator[str]:
    """Yield the name that a gallery has for a file, then its path's ends that say as much."""
    yield image
    steps = Path(file).resolve().parts
    for place in range(1, len(steps) - len(Path(image).parts) + 1):
        yield "/".join(steps[place:])


def _size(file: str) -> int | None:
    try:
        return Path(file).stat().st_size
    except OSError:
        return None
