"""Which engine embeds, chosen on the images that are to be embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.choice import ENGINES, SINGLE, Tried, choose, engine_named, measure
from reid.data.dataset import InputReader
from reid.device import full_precision, uses_bf16
from reid.faster import computed_by
from reid.parts.located import Located
from reid.passes import Passes

_BATCHES = 2
"""That engines are measured on."""


@dataclass(frozen=True)
class Sample:
    """Images that engines are made for and measured on.

    Attributes:
        paths: all images.
        where: their parts.
        reader: reads one.
        batch: images of a pass.
    """

    paths: Sequence[Path]
    where: Located
    reader: InputReader
    batch: int

    def blank(self, device: torch.device) -> tuple[Tensor, Located]:
        """Return a batch of black images, of the right shape."""
        pixels = torch.zeros(self.batch, 3, *self.reader.size, dtype=torch.uint8, device=device)
        rows = np.resize(np.arange(len(self.paths)), self.batch)
        return pixels, self.where.take(rows).to(device)

    def read(self, device: torch.device) -> list[tuple[Tensor, Located]]:
        """Return some whole batches of readable images; fewer, or none, where few can be read."""
        rows: list[int] = []
        pixels: list[Tensor] = []
        for row, path in enumerate(self.paths):
            if len(rows) == _BATCHES * self.batch:
                break
            if isinstance(read := self.reader(path), Tensor):
                rows.append(row)
                pixels.append(read)
        return [
            (
                torch.stack(pixels[start : start + self.batch]).to(device),
                self.where.take(np.array(rows[start : start + self.batch])).to(device),
            )
            for start in range(0, len(rows) - self.batch + 1, self.batch)
        ]


@contextmanager
def using(name: str, passes: Passes, sample: Sample, model: str, count: int) -> Iterator[str]:
    """Compute passes by an engine, and yield its name.

    Args:
        name: of the engine; ``auto`` for the fastest that agrees with single precision.
        passes: what is computed.
        sample: to measure on.
        model: the network's hash.
        count: images that are to be embedded.

    Raises:
        InputError: there is no such engine, or it cannot compute here.
    """
    about = {
        "model": model,
        "branches": passes.branches,
        "mirror": passes.mirrors,
        "batch": sample.batch,
        "precision": passes.precision,
    }
    taken = choose(name, count, about, passes.device, lambda names: tried_on(names, passes, sample))
    with _computing(taken, passes, sample):
        yield taken


def tried_on(names: Sequence[str], passes: Passes, sample: Sample) -> list[Tried]:
    """Measure engines on a sample; nothing where none of its images can be read."""
    batches = sample.read(passes.device)
    if not batches:
        return []

    def compute() -> Tensor:
        return torch.cat([passes(*batch)[0] for batch in batches])

    @contextmanager
    def computing(name: str) -> Iterator[Callable[[], Tensor]]:
        with _computing(name, passes, sample):
            yield compute

    with full_precision(passes.device), _computing(SINGLE, passes, sample):
        exact = compute()
    return measure(names, computing, exact, passes.device)


@contextmanager
def _computing(name: str, passes: Passes, sample: Sample) -> Iterator[None]:
    """Compute passes by an engine that is known by name."""
    engine = engine_named(name, passes.device) if name in ENGINES else None
    before = passes.precision
    half = uses_bf16(before, passes.device) and name != SINGLE
    passes.precision = "float32" if name == SINGLE else before
    try:
        pixels, where = sample.blank(passes.device)

        def pass_on(some: Tensor) -> None:
            kept, passes.precision = passes.precision, "float32"
            try:
                passes(some, where)  # engines are made of what the network is in
            finally:
                passes.precision = kept

        with computed_by(engine, passes.model, pixels, pass_on, half):
            yield
    finally:
        passes.precision = before
