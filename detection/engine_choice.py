"""Which engine detects, chosen on the images that are to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from detection.detector import Detector
from detection.letterbox import Letterboxed
from engines.choice import (
    AUTO,
    ENGINES,
    SINGLE,
    Tried,
    candidates,
    check_engine,
    choose,
    engine_named,
    measure,
)

_BATCHES = 2
"""That engines are measured on."""
Prepared = Callable[[Path], Letterboxed | str]


@contextmanager
def using(
    name: str, detector: Detector, paths: Sequence[Path], prepare: Prepared, side: int, batch: int
) -> Iterator[str]:
    """Detect by an engine, and yield its name.

    Args:
        name: of the engine; ``auto`` for the fastest that agrees with single precision.
        detector: the detector.
        paths: images to look at.
        prepare: reads one.
        side: of their squares.
        batch: images of a pass.

    Raises:
        InputError: there is no such engine, or it cannot compute here.
    """
    check_engine(name)
    if name == AUTO:
        about = {"detector": detector.hash, "side": side, "batch": batch}
        name = choose(
            candidates(len(paths)), about, detector.device,
            lambda names: tried_on(names, detector, paths, prepare, side, batch),
        )  # fmt: skip
    with _computing(name, detector, side, batch):
        yield name


def tried_on(
    names: Sequence[str],
    detector: Detector,
    paths: Sequence[Path],
    prepare: Prepared,
    side: int,
    batch: int,
) -> list[Tried]:
    """Measure engines on the first images that can be read; nothing where these are too few."""
    squares: list[Letterboxed] = []
    for path in paths:
        if len(squares) == _BATCHES * batch:
            break
        if isinstance(read := prepare(path), Letterboxed):
            squares.append(read)
    if len(squares) < batch:
        return []
    whole = len(squares) // batch * batch
    pixels = torch.from_numpy(np.stack([square.pixels for square in squares[:whole]]))

    @torch.inference_mode()
    def compute() -> Tensor:
        starts = range(0, whole, batch)
        some = (pixels[start : start + batch] for start in starts)
        return torch.cat([_described(detector, each, side) for each in some])

    @contextmanager
    def computing(name: str) -> Iterator[Callable[[], Tensor]]:
        with _computing(name, detector, side, batch):
            yield compute

    with _computing(SINGLE, detector, side, batch):
        exact = compute()
    return measure(names, computing, exact, detector.device)


def _described(detector: Detector, pixels: Tensor, side: int) -> Tensor:
    """Return corners, in sides, and scores of every anchor: (B, numbers)."""
    boxes, scores = detector.forward(pixels)
    return torch.cat([boxes.flatten(1) / side, scores.flatten(1)], 1)


@contextmanager
def _computing(name: str, detector: Detector, side: int, batch: int) -> Iterator[None]:
    engine = engine_named(name, detector.device) if name in ENGINES else None
    before = detector.precision
    detector.precision = None if name == SINGLE else before
    try:
        with detector.computed_by(engine, batch, side):
            yield
    finally:
        detector.precision = before
