"""Whether more labels would make a better detector, and of what: the learning curve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotations.errors import InputError
from annotations.labels import LabelledSet
from annotations.table import write_table
from detection.curve import HOLD_OUT, SIZES, CurvePlan, curve_table, plan_curve, train_curve
from detection.enough import answers
from detection.gain import last_gains
from detection.settings import DetectorSettings
from detection.start import find_start
from pipelines.report.learning_chart import write_learning_chart
from pipelines.settings import change
from pipelines.tables import say, show


@dataclass(frozen=True)
class CurveAsked:
    """What a person asks of a curve.

    Attributes:
        sizes: numbers of training images, with commas; None for 50, 100 and 200.
        settings: changes of `DetectorSettings`.
        redo: replace trainings with other labels or settings.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    sizes: str | None
    settings: list[str]
    redo: bool
    device: str


def plan(labels: LabelledSet, asked: CurveAsked) -> CurvePlan:
    """Check what a curve needs; nothing is trained.

    Raises:
        InputError: a setting or a size that cannot be, or nothing to start a training from.
    """
    chosen = change(DetectorSettings, asked.settings, hold_out=HOLD_OUT)
    planned = plan_curve(labels, chosen, SIZES if asked.sizes is None else _numbers(asked.sizes))
    find_start(chosen)
    return planned


def _numbers(sizes: str) -> list[int]:
    try:
        return [int(size) for size in sizes.split(",")]
    except ValueError:
        raise InputError(
            f"--sizes {sizes}: give whole numbers with commas, such as 50,100,200"
        ) from None


def learn(
    planned: CurvePlan, labels: LabelledSet, name: str, out: Path, asked: CurveAsked
) -> pd.DataFrame:
    """Train every size, print the curve and its answers, and write them into ``out``.

    Returns:
        See `detection.enough.answers`.
    """
    for line in planned.left_out:
        say(f"left out of the curve: {line}")
    sizes = [len(step.labels) for step in planned.steps]
    say(
        f"training on {', '.join(map(str, sizes))} images, about {planned.steps[-1].batches} "
        f"batches each, testing on {len(planned.testing)}"
    )
    device = None if asked.device == "auto" else asked.device
    scores = train_curve(planned, out / "curve", device=device, redo=asked.redo)
    curve = curve_table(planned, scores)
    seed = planned.steps[-1].settings.seed
    gains = last_gains(curve, scores, list(planned.testing.images.frame["image"]), seed)
    told = answers(gains)
    write_table(curve, out / "curve.csv")
    write_table(gains.merge(told[["part", "verdict", "answer"]], how="left"), out / "gains.csv")
    title = f"Learning curve of {name}: AP50 on {len(planned.testing)} held-out images"
    write_learning_chart(curve, told, labels.vocabulary, title, out / "curve.png")
    wide = curve.pivot(index="part", columns="size", values="AP50").loc[gains["part"]]
    wide.columns = [f"{size} images" for size in wide.columns]
    told_gains = gains.set_index("part")[["gain", "low", "high", "images", "boxes"]]
    show(
        wide.join(told_gains).reset_index(),
        f"AP50 on {len(planned.testing)} held-out images; gain by the last doubling, and its 95 % "
        "interval over held-out images",
    )
    for answer in told["answer"]:
        say(answer)
    return told
