"""Running trials one after the other, with a bar and a line for each that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from pipelines.ablation.trials import Trial, collect, seconds_of
from pipelines.tables import console, say


class _TimeLeft(ProgressColumn):
    """Counts down to a task's field ``until``; rich's own column forgets what took minutes."""

    def render(self, task: Task) -> Text:
        until = task.fields["until"]
        left = "" if until is None else f"{told_time(until - task.get_time())} left"
        return Text(left, style="progress.remaining")


def told_time(seconds: float) -> str:
    """Return a time in a word or two, such as ``about 1 h 20 min``."""
    minutes = round(max(seconds, 0) / 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min" if hours else f"about {minutes} min"


def seconds_left(left: Iterable[Trial], finished: Sequence[Trial], folder: Path) -> float | None:
    """Estimate how long trials will take, from those that have finished.

    A trial takes as long as the mean of those that differ from it in the seed alone; where there
    is none, as long as the mean of all.

    Returns:
        seconds, or None where none has finished.
    """
    if not finished:
        return None
    times = pd.Series([seconds_of(trial, folder) for trial in finished])
    alike = times.groupby([_but_seed(trial) for trial in finished]).mean()
    return float(sum(alike.get(_but_seed(trial), times.mean()) for trial in left))


def _but_seed(trial: Trial) -> str:
    return "-".join(str(value) for key, value in trial.labels.items() if key != "seed")


def run_series(
    trials: Sequence[Trial],
    folder: Path,
    run: Callable[[Trial], None],
    name: Callable[[Trial], str],
    tell: Callable[[pd.DataFrame], str],
) -> None:
    """Run the trials that have not finished, and say how long the rest will take.

    Args:
        trials: in order.
        folder: of their scores.
        run: trains and tests one, see `pipelines.ablation.trials.run_trial`.
        name: what people call it.
        tell: its scores in a few words, from what `collect` returns of it.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        _TimeLeft(),
    )  # fmt: skip
    finished = [trial for trial in trials if trial.finished(folder)]
    left = [trial for trial in trials if trial not in finished]
    if finished:
        say(f"{len(finished)} of {len(trials)} trainings known from before")
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(trials), completed=len(finished), until=None)
        while left:
            trial = left[0]
            seconds = seconds_left(left, finished, folder)
            until = None if seconds is None else progress.get_time() + seconds
            progress.update(bar, description=f"training {name(trial)}", until=until)
            run(trial)
            finished.append(left.pop(0))
            told = f"{tell(collect([trial], folder))}; {seconds_of(trial, folder):.0f} s"
            rest = seconds_left(left, finished, folder)
            more = f"; {told_time(rest)} for {len(left)} more" if left and rest is not None else ""
            say(f"{name(trial)}: {told}{more}")
            progress.advance(bar)
