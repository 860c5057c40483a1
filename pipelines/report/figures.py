"""The page's curves and bars, as SVG pictures within the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from pipelines.report.canvas import INK, SOFT, canvas, svg
from pipelines.report.material import PLAIN, PRN, Network
from reid.evaluation.bootstrap import bootstrap

COLOURS = {PLAIN: "#8a94a3", PRN: "#5b3cc4"}


def match_curves(networks: tuple[Network, Network], most: int = 20) -> str:
    """Draw the cumulative match curves with 95 % bootstrap bands over identities."""
    with canvas(5.4, 3.5) as (figure, axes):
        for network in networks:
            per_query = network.evaluation.per_query
            groups = list(per_query["identity"])
            ranks = np.arange(1, most + 1)
            right = [(per_query["first"] <= rank).astype(float) for rank in ranks]
            colour = COLOURS[network.name]
            if len(set(groups)) > 1:
                bands = np.array([bootstrap(values, groups, n=400) for values in right])
                axes.fill_between(ranks, bands[:, 0], bands[:, 1], color=colour, alpha=0.14, lw=0)
            axes.plot(
                ranks,
                [values.mean() for values in right],
                color=colour,
                lw=2,
                marker="o",
                ms=3.5,
                label=network.name,
            )
        axes.set(
            title="Cumulative match curve",
            xlabel="rank k",
            ylabel="queries with a true match in the first k",
            xlim=(0.5, most + 0.5),
        )
        axes.set_ylim(top=1.01)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="lower right")
    return svg(figure)


def gains(both: pd.DataFrame) -> str:
    """Draw every query's gain in average precision by part regularisation, in order."""
    ordered = np.sort(both["gain"].to_numpy(float))[::-1]
    places = np.arange(1, len(ordered) + 1)
    with canvas(5.4, 3.5) as (figure, axes):
        for sign, name in ((1, PRN), (-1, PLAIN)):
            part = np.where(sign * ordered > 0, ordered, 0.0)
            axes.fill_between(places, part, step="mid", color=COLOURS[name], alpha=0.85, lw=0)
        better, worse = int((ordered > 1e-9).sum()), int((ordered < -1e-9).sum())
        for side, colour, align, text in (
            ((0.45, 0.88), COLOURS[PRN], "left", f"PRN better: {better}"),
            ((0.55, 0.1), SOFT, "right", f"plain better: {worse}"),
        ):
            axes.text(*side, text, color=colour, ha=align, transform=axes.transAxes)
        axes.axhline(0, color=SOFT, lw=0.8)
        axes.set(
            title="What part regularisation changed, query by query",
            xlabel=f"{len(ordered)} queries, most gained first",
            ylabel="average precision, PRN \N{MINUS SIGN} plain",
        )
        axes.margins(x=0)
    return svg(figure)


def training_curves(networks: tuple[Network, Network]) -> list[str]:
    """Draw each loss term over the epochs, a picture each."""
    history = {network.name: network.history for network in networks}
    panels = [
        ("loss/global", "Global branch: identity loss"),
        ("loss/triplet", "Global branch: triplet loss"),
        ("loss/parts", "Part branches: weighted loss"),
    ]
    drawn = []
    for term, title in panels:
        having = {name: rows for name, rows in history.items() if term in rows}
        if not having:
            continue
        with canvas(3.7, 2.8) as (figure, axes):
            for name, rows in having.items():
                axes.plot(rows["epoch"] + 1, rows[term], color=COLOURS[name], lw=2, label=name)
            axes.set(title=title, xlabel="epoch")
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
        drawn.append(svg(figure))
    return drawn


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def part_bars(shares: pd.DataFrame) -> str:
    """Draw shares by part.

    Args:
        shares: a row per part, a column per network and ``area``, the share that an even
            map would have; each column sums to one.
    """
    with canvas(5.4, 3.1) as (figure, axes):
        rows = np.arange(len(shares))[::-1]
        for offset, name in ((0.19, PLAIN), (-0.19, PRN)):
            bars = axes.barh(rows + offset, shares[name], 0.34, color=COLOURS[name], label=name)
            axes.bar_label(bars, fmt=_percent, padding=3, fontsize=9)
        area = shares["area"].to_numpy(float)
        axes.vlines(area, rows - 0.42, rows + 0.42, color=INK, lw=1.6, label="share of the area")
        axes.set_yticks(rows, list(shares.index))
        axes.xaxis.set_major_formatter(lambda value, _: _percent(value))
        axes.margins(x=0.1)
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3, handlelength=1)
    return svg(figure)
