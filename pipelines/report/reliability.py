"""The reliability diagram: what probabilities say against what is true, as a PNG file."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from annotations.files import whole_file
from pipelines.report.canvas import SOFT, STYLE, canvas
from reid.verification.features import Floats
from reid.verification.reliability import BINS, bins

_CURVE, _SAME, _OTHER = "#5b3cc4", "#15924c", "#d43b3b"


def write_reliability(
    probabilities: Floats, same: npt.NDArray[np.bool_], question: str, path: Path
) -> None:
    """Draw the share that is the same in each bin of probability, and how many pairs are there.

    Args:
        probabilities: (P,), of pairs that the curve was not learned from.
        same: bool (P,).
        question: such as ``same model``.
        path: the file.
    """
    table = bins(probabilities, same)
    true, pairs = table["true"].to_numpy(float), table["pairs"].to_numpy(int)
    found = np.rint(true * pairs).astype(int)
    low, high = np.array(
        [binomtest(k, n).proportion_ci(method="wilson") for k, n in zip(found, pairs, strict=True)]
    ).T
    with canvas(5.2, 5.6) as (figure, _):
        figure.clear()
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], color=SOFT, lw=1, ls="--", label="as said")
        # At 0 and 1 rounding may put a share outside its own interval by nothing.
        whiskers = np.abs([true - low, high - true])
        above.errorbar(
            table["said"], true, whiskers, color=_CURVE, lw=2, elinewidth=1.2,
            marker="o", ms=5, label="as it is, 95 % interval",
        )  # fmt: skip
        above.set(title=f"Reliability: {question}?", ylabel="share that is the same")
        above.set(ylim=(-0.02, 1.02), xlim=(0, 1))
        above.legend(loc="upper left")
        edges = np.linspace(0, 1, 2 * BINS + 1)
        below.hist(
            [probabilities[same], probabilities[~same]], edges, stacked=True,
            color=[_SAME, _OTHER], label=["same", "different"],
        )  # fmt: skip
        below.set(xlabel="probability, by a curve learned without the pair")
        below.set(ylabel="pairs")
        below.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderpad=0)
    with whole_file(path) as aside, matplotlib.rc_context(STYLE):
        figure.savefig(aside, dpi=150)
