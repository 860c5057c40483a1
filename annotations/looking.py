"""Looking once at every image of a table, and keeping what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd
from rich.progress import Progress

from annotations.cache import Cache, Table, changed, file_states
from annotations.errors import InputError
from annotations.images import Images
from annotations.reading import in_batches

KEEP_EVERY = 5.0
"""Seconds between two writings of what is finished: what a kill can cost."""

Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Looked(Generic[Table]):
    """What a run of `look_once` did.

    Attributes:
        found: of every image ever looked at; the cache's table also keeps those of images that
            are not in this table.
        problems: columns ``image`` and ``problem``, a row per image that cannot be read.
        looked_at: images looked at in this run.
        reused: images that were known already.
    """

    found: Table
    problems: pd.DataFrame
    looked_at: int
    reused: int


def look_once(
    cache: Cache[Table],
    images: Images,
    prepare: Callable[[Path], Prepared | str],
    find: Callable[[Sequence[Prepared]], pd.DataFrame],
    *,
    doing: str,
    redo: bool = False,
    batch: int = 32,
    workers: int | None = None,
    ahead: bool = True,
    progress: bool = True,
    readied: Callable[[Sequence[Path]], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Looked[Table]:
    """Look at the images that are new or changed, and return what is known of all.

    A run that was killed goes on where it stopped.

    Args:
        cache: where finds are kept.
        images: the images.
        prepare: reads one; an image that cannot be used becomes its problem, a text.
        find: finds something on some images; the column ``image`` of what it returns is their
            place among these.
        doing: what the progress bar says.
        redo: forget what the cache holds.
        batch: images a call of ``find``.
        workers: threads that read images; by default one per processor.
        ahead: see `annotations.reading.in_batches`.
        progress: whether to show a progress bar.
        readied: entered with what is to be looked at, if anything, and left afterwards.

    Raises:
        InputError: the cache holds finds of something else, or no image can be read.
    """
    if redo:
        cache.clear()
    known, _ = cache.read()
    states = file_states(images)
    todo = states[changed(states, known)]
    paths = [images.root / name for name in todo["image"]]
    ready = readied(paths) if paths else nullcontext()
    with ready, Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task(doing, total=len(todo))
        pending: list[tuple[pd.DataFrame, pd.DataFrame]] = []
        kept = time.monotonic()
        starts = range(0, len(todo), batch)
        batches = in_batches(prepare, paths, batch, workers=workers, ahead=ahead)
        for start, prepared in zip(starts, batches, strict=True):
            rows = todo.iloc[start : start + batch]
            pending.append(_look(rows, prepared, find))
            bar.advance(task, len(rows))
            if time.monotonic() - kept > KEEP_EVERY or start + batch >= len(todo):
                both = zip(*pending, strict=True)
                cache.add(*(pd.concat(frames, ignore_index=True) for frames in both))
                pending, kept = [], time.monotonic()
    known, found = cache.read()
    cache.write(known, found)
    now = states[["image"]].merge(known, on="image", how="left")
    if now["problem"].notna().all():
        raise InputError(f"{images.source}: no image can be read; {now['problem'].iloc[0]}")
    problems = now.loc[now["problem"].notna(), ["image", "problem"]].reset_index(drop=True)
    return Looked(found, problems, len(todo), len(states) - len(todo))


def _look(
    rows: pd.DataFrame,
    prepared: list[Prepared | str],
    find: Callable[[Sequence[Prepared]], pd.DataFrame],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows with their problems, and what was found."""
    problems = [item if isinstance(item, str) else None for item in prepared]
    states = rows.assign(problem=pd.array(problems, dtype="string"))
    readable = states.loc[states["problem"].isna(), "image"].to_numpy()
    found = find([item for item in prepared if not isinstance(item, str)])
    return states, found.assign(image=readable[found["image"].to_numpy(dtype=int)])
