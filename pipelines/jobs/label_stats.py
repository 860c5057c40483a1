"""What is in a labelled set, and whether more of it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from annotations.coverage import coverage, not_covered
from annotations.images import Images
from annotations.labels import LabelledSet
from annotations.pixels import ImageError, read_size
from annotations.stats import PERCENTILES, box_sizes, by_viewpoint, count_parts, together
from annotations.table import write_table
from pipelines.jobs.label_surroundings import Surroundings, look_around, stats_folder
from pipelines.report.label_chart import LabelTables, write_label_chart
from pipelines.tables import say, show, written

if TYPE_CHECKING:  # a table of counts must not wait for ultralytics
    from pipelines.jobs.learning_curve import CurveAsked

_MISSING = 5
"""Values without a label that are named on the terminal; the table has all."""


def label_stats(
    folder: Path,
    data: Path | None,
    dataset: str | None,
    column: str | None,
    out: Path | None,
    asked: CurveAsked | None,
) -> None:
    """Say what is in a labelled set and, if ``asked``, whether more labels would help."""
    labels = LabelledSet.read(folder)
    around = look_around(labels, data, dataset, column)
    roots = [labels.images.root, *([around.data.root] if around.data else [])]
    out, name = stats_folder(folder, roots, out), folder.resolve().name
    if asked is None:
        describe(labels, around, name, out)
    else:
        from pipelines.jobs.learning_curve import learn, plan

        planned = plan(labels, asked)
        describe(labels, around, name, out)
        learn(planned, labels, name, out, asked)
    written(out, "tables and pictures:")


def describe(labels: LabelledSet, around: Surroundings, name: str, out: Path) -> None:
    """Print what is in a labelled set; write it as tables and as a picture into ``out``."""
    sizes = _image_sizes(labels.images)
    columns = ["identity", "camera", around.column]
    covered, missing = pd.DataFrame(), pd.DataFrame()
    if around.data is not None:
        covered = coverage(around.data, around.rows, columns)
        missing = not_covered(around.data, around.rows, columns)
    tables = LabelTables(
        count_parts(labels),
        box_sizes(labels, sizes),
        together(labels),
        by_viewpoint(labels, around.viewpoints),
        covered,
    )
    title = f"Labels of {name}: {len(labels):,} images, {len(labels.boxes):,} boxes"
    _print(tables, missing, title)
    unknown = [part for part in labels.vocabulary.names if part not in labels.labelled]
    if unknown:
        say(f"not looked for in this set, so unknown: {', '.join(unknown)}")
    if len(sizes) < len(labels):
        say(f"{len(labels) - len(sizes)} of {len(labels)} images cannot be read: no size in pixels")
    for note in around.notes:
        say(note)
    for file, table in {
        "parts.csv": tables.counts,
        "sizes.csv": tables.sizes,
        "together.csv": tables.together.reset_index(),
        "viewpoints.csv": tables.viewpoints,
        "coverage.csv": covered,
        "not-covered.csv": missing,
    }.items():
        if len(table.columns) and len(table):
            write_table(table, out / file)
        else:  # of an earlier run, which knew more
            (out / file).unlink(missing_ok=True)
    write_label_chart(tables, labels.vocabulary, title, out / "labels.png")


def _image_sizes(images: Images) -> pd.DataFrame:
    rows = []
    for name, path in zip(images.frame["image"], images.paths, strict=True):
        try:
            rows.append((name, *read_size(path)))
        except ImageError:
            continue
    return pd.DataFrame(rows, columns=["image", "width", "height"])


def _print(tables: LabelTables, missing: pd.DataFrame, title: str) -> None:
    show(tables.counts, title)
    for unit, of in (("share", "in % of the image"), ("pixels", "in pixels")):
        mine = tables.sizes[tables.sizes["unit"] == unit]
        if mine["boxes"].any():
            show(_in_cells(mine), f"boxes {of}: 10th percentile, median, 90th percentile")
    show(tables.together.reset_index(), "of the images with the row's part, also showing")
    if len(tables.viewpoints):
        seen = tables.viewpoints
        wide = seen.pivot(index="viewpoint", columns="part", values="share")
        wide = wide[tables.counts["part"]]
        wide.insert(0, "images", seen.groupby("viewpoint")["images"].first())
        show(wide.reset_index(), "of the labelled images of a viewpoint, showing")
    if len(tables.coverage):
        show(tables.coverage, "of the data set, covered by at least one labelled image")
    for of in missing["of"].unique() if len(missing) else []:
        left = missing[missing["of"] == of]
        named = ", ".join(f"{row.value} ({row.images})" for row in left.head(_MISSING).itertuples())
        more = f" and {len(left) - _MISSING} more" if len(left) > _MISSING else ""
        say(f"no labelled image of {of} (images there are): {named}{more}")


def _in_cells(sizes: pd.DataFrame) -> pd.DataFrame:
    """Put the percentiles of each measure, all of one unit, into one cell; a row per part."""
    shares = sizes["unit"].iloc[0] == "share"
    factor, form = (100, "{:.1f}") if shares else (1, "{:,.0f}")
    cuts = (factor * sizes[list(PERCENTILES)]).map(form.format).agg(" / ".join, axis=1)
    cells = sizes.assign(cell=cuts.where(sizes["boxes"] > 0, ""))
    wide = cells.pivot(index="part", columns="measure", values="cell")
    return wide.loc[cells["part"].unique(), cells["measure"].unique()].reset_index()
