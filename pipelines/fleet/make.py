"""Making a fleet: all is planned, then photographed over the cores, a few vehicles at a time."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import cv2
import pandas as pd
import yaml
from rich.progress import Progress

from annotations.boxes import Boxes
from annotations.errors import InputError
from annotations.files import read_text, whole_file
from annotations.images import Images
from pipelines.fleet.presets import Preset, preset_named
from pipelines.fleet.shoot import shoot
from pipelines.fleet.tables import write_tables

ABOUT = "fleet.yaml"
_CHUNK = 4
"""Identities that a process photographs at a time; what is finished is kept if the work stops."""
_BYTES = 0.6
"""Bytes of disk for each pixel, roughly: JPEG, mask and tables."""
_ALONE = 64
"""Identities from which on starting processes is worth its time."""


def describe(preset: str, chosen: Preset, seed: int) -> str:
    """Return what a fleet folder says of itself: all that its bytes depend on."""
    settings = asdict(chosen)
    if not chosen.unseen:
        # So fleets made before there was this setting stay what they are.
        del settings["unseen"]
    about = {
        "preset": preset,
        "seed": seed,
        "partreid": version("partreid"),
        "settings": settings,
    }
    # Tuples become lists, so that the file needs no tags of Python's.
    return yaml.safe_dump(_plain(about), sort_keys=False)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _require_place(out: Path, about: str, pixels: int) -> bool:
    """Demand that ``out`` can be made; return whether it is there already, the same."""
    if out.is_dir() and (out / ABOUT).is_file():
        if read_text(out / ABOUT) == about:
            return True
        raise InputError(
            f"{out}: holds another fleet (see {ABOUT} in it: preset, seed, version); choose "
            f"another folder or delete it"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: holds something else than a fleet; choose another folder")
    place = out.resolve().parent
    while not place.exists():
        place = place.parent
    free, needed = shutil.disk_usage(place).free, int(pixels * _BYTES)
    if free < needed:
        raise InputError(
            f"{out}: the fleet needs about {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free"
        )
    return False


def _finished(
    making: Path, chunks: range, workers: int, preset: Preset, seed: int
) -> Iterator[int]:
    """Photograph the chunks that are missing; yield how many vehicles each had."""
    people = preset.train + preset.test
    todo = [
        (start, min(start + _CHUNK, people))
        for start in chunks
        if not (making / "shards" / f"{start:06d}.pickle").is_file()
    ]
    yield people - sum(end - start for start, end in todo)
    work = partial(shoot, making, preset, seed)
    if workers == 1 or len(todo) * _CHUNK < _ALONE:
        for start, end in todo:
            work(start, end)
            yield end - start
        return
    # Spawned, since a fork would inherit the threads of whatever the caller has loaded.
    with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        running = {pool.submit(work, start, end): end - start for start, end in todo}
        try:
            for done in as_completed(running):
                done.result()
                yield running[done]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def make_fleet(
    out: Path, preset: str | Preset = "demo", seed: int | None = None, *,
    workers: int | None = None, progress: bool = True,
) -> Images:  # fmt: skip
    """Make a fleet: images, masks, and every truth about them.

    The folder appears whole: until then the work is in ``.NAME.making`` beside it, and the same
    call goes on there. A fleet that is there already, the same, is left as it is. Called from a
    script with more than one worker, the call must stand under ``if __name__ == "__main__":``.

    Args:
        out: the folder to make. Gets ``images/`` (JPEG), ``masks/`` (PNG: 0 background, 1 front,
            2 rear, 3 side, 4 top), ``images.parquet``, ``boxes/prn.parquet`` and
            ``boxes/eia.parquet`` (with ``visible`` shares), ``labels/`` and ``labels-eia/``
            (labelled sets of some training images), ``pairs/`` (verification pairs),
            ``vehicles.csv`` and ``fleet.yaml``.
        preset: a name of `pipelines.fleet.presets.PRESETS`, or a preset of one's own.
        seed: the same seed makes the same bytes; None takes the preset's.
        workers: processes; None for one a core.
        progress: whether to show a bar.

    Returns:
        The images table, with columns ``make``, ``kind``, ``weather`` and ``occluded`` besides.

    Raises:
        InputError: no such preset, ``out`` holds something else, or the disk is or gets full.
    """
    chosen = preset_named(preset) if isinstance(preset, str) else preset
    name = preset if isinstance(preset, str) else "own"
    seed = chosen.seed if seed is None else seed
    if seed < 0:
        raise InputError(f"seed {seed}: must not be negative")
    about = describe(name, chosen, seed)
    people = chosen.train + chosen.test
    most = people * chosen.passes[1] * chosen.frames[1]
    if _require_place(out, about, most * chosen.size * chosen.size):
        return Images.read(out / "images.parquet")
    out.parent.mkdir(parents=True, exist_ok=True)
    making = out.with_name(f".{out.name}.making")
    if making.exists() and (not (making / ABOUT).is_file() or read_text(making / ABOUT) != about):
        shutil.rmtree(making)
    try:
        for folder in ("images", "masks", "shards"):
            (making / folder).mkdir(parents=True, exist_ok=True)
        with whole_file(making / ABOUT) as aside:
            aside.write_text(about, "utf-8")
        cores = workers or os.cpu_count() or 1
        with Progress(disable=not progress, transient=True) as bar:
            task = bar.add_task("photographing vehicles", total=people)
            for count in _finished(making, range(0, people, _CHUNK), cores, chosen, seed):
                bar.advance(task, count)
        write_tables(making, chosen, seed)
        shutil.rmtree(making / "shards")
        if out.is_dir():
            out.rmdir()
        making.replace(out)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"{out}: the disk is full; free some space and give the same command again: it goes on "
            f"from {making}"
        ) from None
    return Images.read(out / "images.parquet")


def boxes_of(fleet: Path, vocabulary: str) -> Boxes:
    """Read the true boxes of a fleet in a vocabulary, ``prn`` or ``eia``."""
    return Boxes.read(fleet / "boxes" / f"{vocabulary}.parquet")


def vehicles_of(fleet: Path) -> pd.DataFrame:
    """Read a fleet's vehicles: identity, make, model, year, kind, colour and their own marks."""
    return pd.read_csv(fleet / "vehicles.csv", dtype={"identity": str}, keep_default_na=False)
