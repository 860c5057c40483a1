"""A part detector's learning curve as a PNG picture, a panel per part."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from annotations.files import whole_file
from annotations.vocabulary import Vocabulary
from detection.enough import FLAT, LOW, RISING
from detection.gain import ALL
from pipelines.report.canvas import INK, SOFT, STYLE, canvas

_WORDS = {FLAT: ("enough", "#15924c"), RISING: ("label more", "#d43b3b")}
_ASIDE = ("cannot be told", "#b5721a")
_OTHERS = "#cdd3db"
_ACROSS = 4
_CLOSE = 1.3
"""Sizes nearer than this ratio share one label, the larger one's."""


def write_learning_chart(
    curve: pd.DataFrame, answers: pd.DataFrame, vocabulary: Vocabulary, title: str, path: Path
) -> None:
    """Draw AP50 over the number of training images and write ``path``.

    Args:
        curve: see `detection.curve.curve_table`.
        answers: see `detection.enough.answers`.
        vocabulary: the parts' colours.
        title: of the picture.
        path: the file.
    """
    lines = curve.pivot(index="size", columns="part", values="AP50")
    parts = [ALL, *answers["part"]]
    down = -(-len(parts) // _ACROSS)
    across = -(-len(parts) // down)
    said = answers.set_index("part")
    with canvas(0.6 + 2.9 * across, 0.9 + 2.5 * down) as (figure, _):
        figure.clear()
        figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # type: ignore[union-attr, call-arg]
        grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        for axes, part in zip(grid.ravel(), parts, strict=False):
            for other in lines:
                axes.plot(lines.index, lines[other], color=_OTHERS, lw=1.2, zorder=1)
            if part == ALL:
                _line(axes, lines[part], INK, "mean of the parts", ("", SOFT))
                continue
            row = said.loc[part]
            low = row["verdict"] == FLAT and row["AP50"] < LOW
            words = ("flat, but low", _ASIDE[1]) if low else _WORDS.get(row["verdict"], _ASIDE)
            _line(axes, lines[part], vocabulary[part].colour, part, words)
            if np.isfinite(row["gain"]):
                told = f"last doubling {row['gain']:+.2f}\nshown in {row['images']} images"
                axes.text(
                    0.97, 0.05, told,
                    transform=axes.transAxes, ha="right", va="bottom", fontsize=8.5, color=SOFT,
                )  # fmt: skip
        for axes in grid.ravel()[len(parts) :]:
            axes.set_axis_off()
        _scale(grid, lines.index.to_numpy(), len(parts))
    with whole_file(path) as aside, matplotlib.rc_context(STYLE):
        figure.savefig(aside, dpi=150)


def _line(
    axes: Axes, values: pd.Series[float], colour: str, name: str, words: tuple[str, str]
) -> None:
    axes.plot(values.index, values, color=colour, lw=2.4, marker="o", ms=5, mec="white", zorder=3)
    axes.set_title(name, fontsize=10.5)
    axes.set_title(words[0], loc="right", fontsize=9.5, color=words[1], fontweight="bold")
    known = values.dropna()
    if len(known):
        axes.annotate(
            f"{known.iloc[-1]:.2f}", (known.index[-1], known.iloc[-1]), (0, 7),
            textcoords="offset points", ha="center", va="bottom", fontsize=9, color=INK,
        )  # fmt: skip


def _scale(grid: np.ndarray, sizes: np.ndarray, panels: int) -> None:
    """Give every panel the same axes; equal ratios of sizes are equally far apart."""
    across = grid.shape[1]
    nearest = np.append(sizes[1:] / sizes[:-1], np.inf)
    labels = [
        str(size) if ratio > _CLOSE else "" for size, ratio in zip(sizes, nearest, strict=True)
    ]
    for place, axes in enumerate(grid.ravel()[:panels]):
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, labels)
        axes.minorticks_off()
        axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.25)
        axes.set_ylim(0, 1.12)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
        axes.tick_params(length=0)
        axes.tick_params(labelbottom=place + across >= panels)
        if place % across == 0:
            axes.set_ylabel("AP50")
        if place + across >= panels:
            axes.set_xlabel("labelled images")
