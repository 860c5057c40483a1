"""Merging labelled sets: one set of all their images, and a table of where they disagree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from annotations.boxes import Boxes
from annotations.disagreement import CONFLICTS, OVERLAP, compare_boxes, too_many
from annotations.errors import InputError, suggest
from annotations.images import Images
from annotations.joining import join_vocabularies
from annotations.labels import LabelledSet
from annotations.vocabulary import Vocabulary

PREFERENCES = ("first", "last")


def _common_root(sets: Mapping[str, LabelledSet]) -> Path:
    roots = {labels.images.root.resolve() for labels in sets.values()}
    if len(roots) == 1:
        return next(iter(sets.values())).images.root
    try:
        return Path(os.path.commonpath(roots))
    except ValueError:
        raise InputError(
            f"the images of {', '.join(sets)} are on different drives; move them under one folder"
        ) from None


def _placed(sets: Mapping[str, LabelledSet], root: Path) -> dict[str, LabelledSet]:
    """Name every set's images from ``root``; a file has one name, that of the first set."""
    names: dict[Path, str] = {}
    placed = {}
    for called, labels in sets.items():
        files = [path.resolve() for path in labels.images.paths]
        if len(set(files)) < len(files):
            twice = next(path for path in files if files.count(path) > 1)
            raise InputError(f"{called}: two of its images are the same file, '{twice}'")
        prefix = Path(os.path.relpath(labels.images.root.resolve(), root.resolve()))
        own = [(prefix / image).as_posix() for image in labels.images.frame["image"]]
        given = [names.setdefault(file, name) for file, name in zip(files, own, strict=True)]
        renamed = dict(zip(labels.images.frame["image"], given, strict=True))
        images = labels.images.frame.assign(image=given)
        boxes = labels.boxes.frame.assign(image=labels.boxes.frame["image"].map(renamed))
        placed[called] = LabelledSet(
            Images(images, root, labels.images.source),
            Boxes(boxes, {}, labels.boxes.source),
            labels.vocabulary,
            labels.labelled,
        )
    return placed


def _require_complete(sets: Mapping[str, LabelledSet], every: frozenset[str]) -> None:
    """Demand that for each image some set looked for each part."""
    known: dict[str, frozenset[str]] = {}
    for labels in sets.values():
        for image in labels.images.frame["image"]:
            known[image] = known.get(image, frozenset()) | labels.labelled
    lacking = {image: every - parts for image, parts in known.items() if every - parts}
    if not lacking:
        return
    image, parts = next(iter(lacking.items()))
    raise InputError(
        f"cannot merge {', '.join(sets)}: they label different parts, and on {len(lacking)} of "
        f"{len(known)} images nobody looked for some of them (on '{image}' for "
        f"{', '.join(sorted(parts))}), which one set would call absent there. Give the sets to "
        f"'partreid parts train' as they are: it takes several, each with parts of its own"
    )


def _one_table(sets: list[tuple[str, LabelledSet]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join the images' tables, the first that knows a value winning; list contradictions."""
    frames = pd.concat([labels.images.frame for _, labels in sets], ignore_index=True)
    groups = frames.groupby("image", sort=False)
    shared = frames[frames.duplicated("image", keep=False)].groupby("image", sort=False)
    rows = []
    for column in frames.columns.drop("image"):
        for image, several in (shared[column].nunique() > 1).items():
            if several:
                told = shared.get_group(image)[column].dropna().unique()
                said = ", not ".join(map(str, told))
                rows.append((image, "", "other value", "", "", None, f"{column}: kept {said}"))
    return groups.first().reset_index(), pd.DataFrame(rows, columns=CONFLICTS)


def merge_labels(
    sets: Mapping[str, LabelledSet],
    *,
    vocabulary: Vocabulary | None = None,
    prefer: str = "first",
    overlap: float = OVERLAP,
) -> tuple[LabelledSet, pd.DataFrame]:
    """Merge labelled sets into one.

    Images are one where their paths lead to the same file. The merged set's root is the sets'
    own, or the nearest folder above all of theirs. On an image of several sets each part is
    taken, boxes and absence alike, from the preferred of the sets that label it, so that one
    person's wheels are never added to another's. Where another of those sets says otherwise,
    that is a row of the table. Nothing is refused for a conflict.

    A set says of all its images which parts were looked for. So the merged one labels every
    part that a set labels, and is refused if there is an image for which nobody looked for one.

    Args:
        sets: two or more, by what they are called in the table.
        vocabulary: of the merged set, with all parts that a set labels; without it the sets'
            own if it is the same, else their union, see `join_vocabularies`.
        prefer: which of several sets is believed, one of `PREFERENCES`.
        overlap: two boxes of a part are the same if their intersection over union is at
            least this.

    Returns:
        The merged set, and its conflicts with the columns `disagreement.CONFLICTS`.

    Raises:
        InputError: the vocabularies cannot be joined, a part is in none, parts are unknown on
            some image, or a set has a file twice.
    """
    if prefer not in PREFERENCES:
        raise InputError(f"no preference '{prefer}'; {suggest(prefer, PREFERENCES)}")
    if len(sets) < 2:
        raise InputError("give two labelled sets or more to merge")
    every = frozenset[str]().union(*(labels.labelled for labels in sets.values()))
    joined = vocabulary or join_vocabularies({n: each.vocabulary for n, each in sets.items()})
    for part in sorted(every):
        joined.index(part)
    root = _common_root(sets)
    placed = _placed(sets, root)
    _require_complete(placed, every)
    ranked = list(placed.items())[:: 1 if prefer == "first" else -1]
    table, contradictions = _one_table(ranked)
    order = pd.concat([each.images.frame["image"] for each in placed.values()]).unique()
    source = ", ".join(sets)
    images = Images(table.set_index("image").loc[order].reset_index(), root, source)
    boxes, conflicts = compare_boxes(ranked, overlap)
    place = {image: number for number, image in enumerate(order)}
    boxes = boxes.sort_values("image", key=lambda names: names.map(place), kind="stable")
    merged = LabelledSet(images, Boxes(boxes, {}, source), joined, every)
    tables = [contradictions, conflicts, too_many(merged)]
    rows = pd.concat([each for each in tables if len(each)] or tables[:1], ignore_index=True)
    return merged, rows.sort_values(["image", "part"], kind="stable", ignore_index=True)
