"""Trainings one after the other, or some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pipelines.ablation.trials import Trial


def run_each(work: Callable[[Trial], None], trials: Iterable[Trial], jobs: int) -> None:
    """Do the work of every training, ``jobs`` at a time, each in a process of its own."""
    if jobs == 1:
        for trial in trials:
            work(trial)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        list(pool.map(work, trials))
