"""What makes one vehicle differ from another of its model, year and colour: its owner's marks."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np

from pipelines.fleet.vehicle.inks import STICKERS, Ink

Hanging = Literal["charm", "tassel", "cross", "disc"]
Carrier = Literal["rails", "bars", "box"]
Stripe = Literal["side", "bonnet", "sill"]


@dataclass(frozen=True)
class Sticker:
    """A flat thing on a glass or on paint.

    Attributes:
        along: metres from the glass's upper (or lower) edge, or x on a side.
        y: metres across, or z on a side.
        size: metres, (along, across).
        ink: its ground.
        second: what is printed on it.
    """

    along: float
    y: float
    size: tuple[float, float]
    ink: Ink
    second: Ink


@dataclass(frozen=True)
class Object:
    """A solid on the dashboard.

    Attributes:
        y: metres to the left of the middle.
        back: metres behind the windscreen's foot.
        size: metres, (long, wide, high).
        ink: its colour.
        second: of its lid or its head.
    """

    y: float
    back: float
    size: tuple[float, float, float]
    ink: Ink
    second: Ink


@dataclass(frozen=True)
class Dent:
    """A dent: where on which side, how wide, and whether the paint came off."""

    side: Literal["left", "right", "front", "rear"]
    along: float
    across: float
    radius: float
    bare: bool


@dataclass(frozen=True)
class Marks:
    """Everything that is one vehicle's own. What it has not is empty or None."""

    inspections: tuple[Sticker, ...] = ()
    permits: tuple[Sticker, ...] = ()
    window_sticker: Sticker | None = None
    hanging: tuple[Hanging, Ink, Ink, float] | None = None
    paper_box: Object | None = None
    laid_on: tuple[Object, ...] = ()
    novices: tuple[Sticker, ...] = ()
    rear_sticker: Sticker | None = None
    plate_frame: Ink | None = None
    light_cover: Ink | None = None
    carrier: tuple[Carrier, Ink] | None = None
    stripe: tuple[Stripe, Ink] | None = None
    dents: tuple[Dent, ...] = ()


@dataclass(frozen=True)
class Rates:
    """How often a vehicle has a mark, as probabilities; of the first three, for each place."""

    inspection: float = 0.55
    permit: float = 0.35
    novice: float = 0.15
    window_sticker: float = 0.08
    hanging: float = 0.5
    paper_box: float = 0.4
    laid_on: float = 0.35
    rear_sticker: float = 0.3
    plate_frame: float = 0.4
    light_cover: float = 0.12
    carrier: float = 0.15
    stripe: float = 0.12
    dent: float = 0.35


@dataclass
class _Draw:
    random: np.random.Generator
    rates: Rates = field(default_factory=Rates)

    def has(self, rate: float) -> bool:
        return bool(self.random.random() < rate)

    def ink(self, *, but: Ink | None = None) -> Ink:
        inks = [ink for ink in STICKERS if ink != but]
        return inks[int(self.random.integers(len(inks)))]

    def between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def sticker(
        self, along: float, y: float, low: tuple[float, float], high: tuple[float, float]
    ) -> Sticker:
        ink = self.ink()
        size = (self.between(low[0], high[0]), self.between(low[1], high[1]))
        return Sticker(along, y, size, ink, self.ink(but=ink))


def draw_marks(random: np.random.Generator, rates: Rates, half: float, glass: float) -> Marks:
    """Draw a vehicle's own marks.

    Args:
        random: the same state draws the same marks.
        rates: how often each occurs.
        half: half the width of the windscreen at its foot, metres.
        glass: length of the windscreen along its slope, metres.
    """
    draw = _Draw(random, rates)
    inspections = tuple(
        draw.sticker(
            0.06 + 0.125 * (place // 2) + draw.between(-0.015, 0.03),
            -(half * 0.72 - 0.13 * (place % 2) - draw.between(0.0, 0.04)),
            (0.07, 0.07), (0.10, 0.11),
        )
        for place in range(4) if draw.has(rates.inspection)
    )  # fmt: skip
    permits = tuple(
        draw.sticker(
            glass - draw.between(0.16, 0.24), side * (half - draw.between(0.18, 0.34)),
            (0.09, 0.12), (0.15, 0.20),
        )
        for side in (-1, 1) if draw.has(rates.permit)
    )  # fmt: skip
    window_sticker = (
        draw.sticker(0.06, draw.between(-0.25, 0.25) * half, (0.08, half * 0.5), (0.13, half * 0.9))
        if draw.has(rates.window_sticker) else None
    )  # fmt: skip
    hanging: tuple[Hanging, Ink, Ink, float] | None = None
    if draw.has(rates.hanging):
        kinds: tuple[Hanging, ...] = ("charm", "tassel", "cross", "disc")
        hanging = (kinds[int(random.integers(4))], draw.ink(), draw.ink(), draw.between(0.7, 1.2))
    box = None
    if draw.has(rates.paper_box):
        size = (0.13, draw.between(0.20, 0.27), draw.between(0.08, 0.12))
        ink = draw.ink()
        box = Object(draw.between(-0.62, 0.55) * half, draw.between(0.16, 0.26), size, ink,
                     Ink.WHITE if ink != Ink.WHITE else Ink.BLACK)  # fmt: skip
    laid = tuple(
        Object(draw.between(-0.7, 0.7) * half, draw.between(0.10, 0.2),
               (0.08, draw.between(0.08, 0.13), draw.between(0.09, 0.15)), draw.ink(), draw.ink())
        for _ in range(2) if draw.has(rates.laid_on)
    )  # fmt: skip
    novices = tuple(
        draw.sticker(draw.between(0.08, 0.22), side * draw.between(0.2, 0.42), (0.13, 0.13),
                     (0.17, 0.17))
        for side in (-1, 1) if draw.has(rates.novice)
    )  # fmt: skip
    rear_sticker = (
        draw.sticker(draw.between(0.1, 0.3), draw.between(-0.4, 0.4), (0.10, 0.18), (0.18, 0.4))
        if draw.has(rates.rear_sticker) else None
    )  # fmt: skip
    frames = (Ink.CHROME, Ink.BLACK, Ink.RED, Ink.YELLOW, Ink.CYAN)
    frame = frames[int(random.integers(len(frames)))] if draw.has(rates.plate_frame) else None
    covers = (Ink.BLACK, Ink.CHROME, Ink.PINK, Ink.RED)
    cover = covers[int(random.integers(len(covers)))] if draw.has(rates.light_cover) else None
    carriers: tuple[Carrier, ...] = ("rails", "bars", "box")
    carrier = (
        (carriers[int(random.integers(3))], (Ink.BAR, Ink.TRIM)[int(random.integers(2))])
        if draw.has(rates.carrier) else None
    )  # fmt: skip
    stripes: tuple[Stripe, ...] = ("side", "bonnet", "sill")
    stripe = (stripes[int(random.integers(3))], draw.ink()) if draw.has(rates.stripe) else None
    sides: tuple[Literal["left", "right", "front", "rear"], ...] = (
        "left",
        "right",
        "front",
        "rear",
    )
    dents = tuple(
        Dent(sides[int(random.integers(4))], draw.between(0.1, 0.9), draw.between(0.1, 0.9),
             draw.between(0.08, 0.16), draw.has(0.4))
        for _ in range(2) if draw.has(rates.dent)
    )  # fmt: skip
    return Marks(
        inspections, permits, window_sticker, hanging, box, laid, novices, rear_sticker, frame,
        cover,
        carrier, stripe, dents,
    )  # fmt: skip


def names_of(marks: Marks) -> list[str]:
    """List the marks that a vehicle has, for people."""
    return [item.name for item in fields(marks) if getattr(marks, item.name)]
