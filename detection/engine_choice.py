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
from engines.choice import ENGINES, PARITY, SINGLE, Tried, choose, engine_named, measure

_BATCHES = 2
"""That engines are measured on."""
_SURE = 0.25
"""Score of anchors whose corners count."""
_TOLERATED = (0.05, 0.01)
"""Largest difference of a score, and of a corner in sides of the square."""
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
    about = {"detector": detector.hash, "side": side, "batch": batch}
    taken = choose(
        name, len(paths), about, detector.device,
        lambda names: tried_on(names, detector, paths, prepare, side, batch),
    )  # fmt: skip
    with computing_by(taken, detector, side, batch):
        yield taken


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
        with computing_by(name, detector, side, batch):
            yield compute

    with computing_by(SINGLE, detector, side, batch):
        exact = compute()
    agree = agreement(len(detector.vocabulary.names))
    return measure(names, computing, exact, detector.device, agree)


def _described(detector: Detector, pixels: Tensor, side: int) -> Tensor:
    """Return of every anchor its corners, in sides, and scores: (B, (4 + parts) anchors)."""
    boxes, scores = detector.forward(pixels)
    return torch.cat([boxes / side, scores], 1).flatten(1)


def agreement(parts: int) -> Callable[[Tensor, Tensor], float]:
    """Return how well anchors agree: 1 less `_TOLERATED`'s share of 0.001, the worst counts.

    Args:
        parts: that the detector knows.
    """

    def agree(found: Tensor, exact: Tensor) -> float:
        one, other = (each.reshape(len(each), 4 + parts, -1) for each in (found, exact))
        scores = (one[:, 4:] - other[:, 4:]).abs().max()
        sure = other[:, 4:].amax(1, keepdim=True) > _SURE
        corners = ((one[:, :4] - other[:, :4]).abs() * sure).max()
        worst = max(float(scores) / _TOLERATED[0], float(corners) / _TOLERATED[1])
        return 1 - (1 - PARITY) * worst

    return agree


@contextmanager
def computing_by(name: str, detector: Detector, side: int, batch: int) -> Iterator[None]:
    """Detect by an engine that is known by name."""
    engine = engine_named(name, detector.device) if name in ENGINES else None
    before = detector.precision
    detector.precision = None if name == SINGLE else before
    try:
        with detector.computed_by(engine, batch, side):
            yield
    finally:
        detector.precision = before
