"""Match curves, or ROC curves, of one or more evaluations as a PNG file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annotations.files import whole_file
from pipelines.report.canvas import STYLE, canvas
from reid.evaluation.report import Evaluation

COLOURS = ("#5b3cc4", "#8a94a3", "#15924c", "#d4821f", "#d43b3b", "#1f86c9", "#c44f9f", "#6b4a2b")


def write_curves(evaluations: Mapping[str, Evaluation], path: Path) -> None:
    """Draw the curve of each evaluation, called by its name, and write ``path``."""
    figure = draw_curves(evaluations)
    with whole_file(path) as aside, matplotlib.rc_context(STYLE):
        figure.savefig(aside, dpi=150)


def draw_curves(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Draw the curve of each evaluation, called by its name, in the order of `COLOURS`."""
    several = len(evaluations) > 1
    with canvas(9.4 if several else 6.4, 4.2) as (figure, axes):
        verification = "true_positive_rate" in next(iter(evaluations.values())).curve
        for place, (name, evaluation) in enumerate(evaluations.items()):
            colour = COLOURS[place % len(COLOURS)]
            if verification:
                _roc(axes, name, evaluation, colour)
            else:
                curve = evaluation.curve
                axes.plot(curve["rank"], curve["share"], color=colour, lw=2, label=name)
        if verification:
            axes.set(title="Receiver operating characteristic", xlim=(0, 1), ylim=(0, 1.01))
            axes.set(xlabel="false-positive rate", ylabel="true-positive rate")
        else:
            axes.set(title="Cumulative match curve", xlabel="rank k")
            axes.set(ylabel="queries with a true match in the first k")
            axes.set_ylim(top=1.01)
            axes.set(xlim=(1, 50), xticks=[1, 5, 10, 20, 30, 40, 50])
        if several:  # many names would hide the curves
            axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0)
        else:
            axes.legend(loc="lower right")
    return figure


def _roc(axes: Axes, name: str, evaluation: Evaluation, colour: str) -> None:
    styles = ("-", "--", ":", "-.")
    for place, (pairs, curve) in enumerate(evaluation.curve.groupby("pairs", sort=False)):
        axes.plot(
            curve["false_positive_rate"],
            curve["true_positive_rate"],
            color=colour,
            ls=styles[place % len(styles)],
            lw=2,
            label=f"{name}, {pairs}",
        )
