"""What is in a labelled set, as one PNG picture of several panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from annotations.files import whole_file
from annotations.stats import PERCENTILES
from annotations.vocabulary import Vocabulary
from pipelines.report.canvas import INK, SOFT, STYLE, canvas

_SHADES = LinearSegmentedColormap.from_list("shares", ["#f4f2fb", "#5b3cc4"])
_FILL, _EMPTY = "#5b3cc4", "#e3e7ec"


@dataclass(frozen=True)
class LabelTables:
    """The tables of a labelled set, as `annotations.stats` and `annotations.coverage` make them.

    Attributes:
        counts: of `count_parts`.
        sizes: of `box_sizes`.
        together: of `together`.
        viewpoints: of `by_viewpoint`; without a row where viewpoints are not known.
        coverage: of `coverage`; without a row where no data set was given.
    """

    counts: pd.DataFrame
    sizes: pd.DataFrame
    together: pd.DataFrame
    viewpoints: pd.DataFrame
    coverage: pd.DataFrame


def write_label_chart(tables: LabelTables, vocabulary: Vocabulary, title: str, path: Path) -> None:
    """Draw the tables and write ``path``.

    Args:
        tables: what to draw; panels without rows are left out.
        vocabulary: the parts' colours.
        title: of the picture.
        path: the file.
    """
    parts = list(tables.counts["part"])
    colours = [vocabulary[part].colour for part in parts]
    together = "of the images with the row's part, showing the column's"
    by_viewpoint = "of a viewpoint's images (how many), showing the part"
    panels: list[Callable[[Axes], None]] = [
        lambda axes: _counts(axes, tables.counts, colours),
        lambda axes: _sizes(axes, tables.sizes, colours),
        lambda axes: _heat(axes, tables.together, "Seen together", together, hollow=True),
    ]
    if len(tables.viewpoints):
        seen = tables.viewpoints
        shares = seen.pivot(index="part", columns="viewpoint", values="share").loc[parts]
        images = seen.groupby("viewpoint")["images"].first()
        shares.columns = [f"{word} ({images[word]})" for word in shares.columns]
        panels.append(lambda axes: _heat(axes, shares, "By viewpoint", by_viewpoint))
    if len(tables.coverage):
        panels.append(lambda axes: _coverage(axes, tables.coverage))
    pairs, tall = -(-len(panels) // 2), 2.0 + 0.3 * max(4, len(parts))
    heights = [tall] * pairs
    if len(panels) % 2 and len(tables.coverage):  # it has few rows, and the last to itself
        heights[-1] = 0.9 + 0.36 * len(tables.coverage)
    with canvas(11.5, 0.4 + sum(heights)) as (figure, _):
        figure.clear()
        figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr, call-arg]
        grid = figure.add_gridspec(pairs, 2, height_ratios=heights)
        for place, draw in enumerate(panels):
            alone = place % 2 == 0 and place + 1 == len(panels)
            draw(figure.add_subplot(grid[place // 2, slice(None) if alone else place % 2]))
    with whole_file(path) as aside, matplotlib.rc_context(STYLE):
        figure.savefig(aside, dpi=150)


def _listed(axes: Axes, names: list[str]) -> None:
    """Put names down the side, the first on top."""
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.grid(axis="y", visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _bars(
    axes: Axes, names: list[str], shares: pd.Series, texts: list[str], fill: list[str]
) -> None:
    places = np.arange(len(names))
    axes.barh(places, np.ones(len(names)), 0.62, color=_EMPTY, alpha=0.45)
    axes.barh(places, shares, 0.62, color=fill)
    for place, text in enumerate(texts):
        axes.text(1.02, place, text, va="center", ha="left", fontsize=9, color=SOFT)
    axes.set_xlim(0, 1.32)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    _listed(axes, names)


def _counts(axes: Axes, counts: pd.DataFrame, colours: list[str]) -> None:
    texts = [f"{row.images:,} images, {row.boxes:,} boxes" for row in counts.itertuples()]
    _bars(axes, list(counts["part"]), counts["share"], texts, colours)
    axes.set(title="Images that show each part")


def _coverage(axes: Axes, coverage: pd.DataFrame) -> None:
    texts = [f"{row.covered:,} of {row.there:,}" for row in coverage.itertuples()]
    names = [f"{of}s" if of != "identity" else "identities" for of in coverage["of"]]
    _bars(axes, names, coverage["share"], texts, [_FILL] * len(names))
    axes.set(title="Of the data set, with a labelled image")


def _sizes(axes: Axes, sizes: pd.DataFrame, colours: list[str]) -> None:
    """Draw a line from the 10th to the 90th percentile, and the median on it."""
    areas = sizes[sizes["measure"] == "area"]
    unit = "pixels" if areas.loc[areas["unit"] == "pixels", "boxes"].any() else "share"
    found = areas[areas["unit"] == unit]
    # A square's side says more than its area, and compares with a detector's image size.
    values = np.sqrt(found[list(PERCENTILES)].to_numpy(float))
    for place, (colour, (low, median, high)) in enumerate(zip(colours, values, strict=True)):
        axes.plot(
            [low, high], [place, place], color=colour, lw=7, alpha=0.35, solid_capstyle="round"
        )
        axes.plot(median, place, "o", color=colour, ms=8, mec="white", mew=1.2)
        if np.isfinite(median):
            said = f"{median:.0f}" if unit == "pixels" else _percent(median)
            axes.annotate(said, (high, place), (9, 0), textcoords="offset points", va="center",
                          fontsize=9, color=SOFT)  # fmt: skip
    _listed(axes, list(found["part"]))
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    of = "pixels" if unit == "pixels" else "of the image's"
    axes.set(title="How large the boxes are")
    axes.set_xlabel(f"\N{SQUARE ROOT}area, {of}: median and 10th to 90th percentile")


def _heat(axes: Axes, shares: pd.DataFrame, title: str, what: str, hollow: bool = False) -> None:
    values = shares.to_numpy(float)
    shown = np.where(np.eye(len(values), dtype=bool), np.nan, values) if hollow else values
    axes.imshow(shown, cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
    size = 9 if max(values.shape) <= 8 else 7
    for (row, column), share in np.ndenumerate(shown):
        if np.isfinite(share):
            colour = "white" if share > 0.65 else INK
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=size,
                      color=colour)  # fmt: skip
    _listed(axes, list(shares.index))
    slanted = max(map(len, shares.columns)) * len(shares.columns) > 44
    axes.set_xticks(range(len(shares.columns)), list(shares.columns), color=INK)
    axes.tick_params(axis="x", rotation=35 if slanted else 0)
    axes.grid(visible=False)
    axes.set_xticks(np.arange(1, len(shares.columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(values)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=2)
    axes.tick_params(which="minor", length=0)
    axes.set_title(title)
    axes.set_xlabel(f"{what}, %")
