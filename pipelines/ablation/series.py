"""Running trials one after the other, with a bar and a line for each that ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.ablation.trials import Trial, collect, seconds_of
from pipelines.tables import console, say


def run_series(
    trials: Sequence[Trial],
    folder: Path,
    run: Callable[[Trial], None],
    name: Callable[[Trial], str],
    tell: Callable[[pd.DataFrame], str],
) -> None:
    """Run the trials that have not finished.

    Args:
        trials: in order.
        folder: of their scores.
        run: trains and tests one, see `pipelines.ablation.trials.run_trial`.
        name: what people call it.
        tell: its scores in a few words, from what `collect` returns of it.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    left = [trial for trial in trials if not trial.finished(folder)]
    if known := len(trials) - len(left):
        say(f"{known} of {len(trials)} trainings known from before")
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(trials), completed=known)
        for trial in left:
            progress.update(bar, description=f"training {name(trial)}")
            run(trial)
            told = tell(collect([trial], folder))
            say(f"{name(trial)}: {told}; {seconds_of(trial, folder):.0f} s")
            progress.advance(bar)
