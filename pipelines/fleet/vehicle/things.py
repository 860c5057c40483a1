"""What a sample of a vehicle can belong to, and which parts of the two vocabularies it makes up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

View = Literal["front", "rear", "side", "top"]
VIEWS: tuple[View, ...] = ("front", "rear", "side", "top")
"""Order of the numbers in a mask image: 0 is background, 1 front, 2 rear, 3 side, 4 top."""


@dataclass(frozen=True)
class Thing:
    """Something on a vehicle that is told apart in the truth.

    Attributes:
        name: what it is, unique.
        view: the side of the vehicle whose mask it is in.
        parts: the parts of EIA-Net's vocabulary that it belongs to. Things that share a name of
            a part before the colon are boxed together only if the text after it is the same.
        inside: whether it is seen through glass.
        flank: whether it is what of a part goes around the vehicle's corner: boxed with the part,
            but no reason to have a box where nothing else of the part is seen.
    """

    name: str
    view: View
    parts: tuple[str, ...] = ()
    inside: bool = False
    flank: bool = False


_SIDES = ("left", "right")


def _things() -> list[Thing]:
    front, glass = "frontal:", "wind glass:"
    made = [
        Thing("nothing", "top"),
        Thing("front", "front", (front,)),
        Thing("bonnet", "front"),
        Thing("front pillars", "front"),
        Thing("windscreen", "front", (glass,)),
        Thing("roof", "top"),
        Thing("rear pillars", "rear"),
        Thing("rear glass", "rear"),
        Thing("boot", "rear"),
        Thing("rear", "rear"),
        Thing("front logo", "front", (front, "logo:front")),
        Thing("rear logo", "rear", ("logo:rear",)),
        Thing("front plate", "front", (front, "plate:front")),
        Thing("rear plate", "rear", ("plate:rear",)),
        Thing("sunroof", "top", ("car top window:",)),
        Thing("carrier", "top", ("carrier:",)),
        Thing("cabin", "front", (), inside=True),
        Thing("paper box", "front", ("paper box:",), inside=True),
        Thing("hanging", "front", ("hungs:",), inside=True),
        Thing("laid on", "front", ("layon:",), inside=True),
    ]
    for side in _SIDES:
        made += [
            Thing(f"{side} side", "side"),
            Thing(f"{side} windows", "side"),
            Thing(f"{side} mirror", "side", (f"back mirror:{side}",)),
            Thing(f"{side} headlight", "front", (front, f"car light:front {side}")),
            Thing(f"{side} tail light", "rear", (f"car light:rear {side}",)),
            Thing(f"{side} headlight flank", "side", (f"car light:front {side}",), flank=True),
            Thing(f"{side} tail light flank", "side", (f"car light:rear {side}",), flank=True),
            Thing(
                f"{side} light cover", "front",
                (front, f"car light:front {side}", f"light cover:{side}"),
            ),
            Thing(f"{side} belt", "front", (f"safe belt:{side}",), inside=True),
        ]  # fmt: skip
        made += [Thing(f"{side} wheel {i}", "side", (f"wheel:{side} {i}",)) for i in range(3)]
    made += [Thing(f"inspection {i}", "front", (glass, f"anu sign:{i}")) for i in range(4)]
    made += [Thing(f"permit {i}", "front", (glass, f"entry license:{i}")) for i in range(2)]
    made += [Thing(f"novice {i}", "rear", (f"newer sign:{i}",)) for i in range(2)]
    made += [Thing("window sticker", "front", (glass,)), Thing("rear sticker", "rear")]
    return made


THINGS: tuple[Thing, ...] = tuple(_things())
NUMBER = {thing.name: number for number, thing in enumerate(THINGS)}

FRONT_GLASS = ("windscreen", "inspection 0", "inspection 1", "inspection 2", "inspection 3",
               "permit 0", "permit 1", "window sticker")  # fmt: skip
REAR_GLASS = ("rear glass", "novice 0", "novice 1", "rear sticker")


def eia_boxes() -> list[tuple[str, tuple[int, ...]]]:
    """List the boxes of EIA-Net's vocabulary: part, and the things that a box goes around."""
    groups: dict[str, list[int]] = {}
    for number, thing in enumerate(THINGS):
        for part in thing.parts:
            groups.setdefault(part, []).append(number)
    return [(key.partition(":")[0], tuple(members)) for key, members in groups.items()]


def tight_boxes() -> list[tuple[str, str, tuple[int, ...]]]:
    """List what PRN's boxes are derived from: part, end of the vehicle, things."""
    listed: list[tuple[str, str, tuple[str, ...]]] = [
        ("window", "front", FRONT_GLASS),
        ("window", "back", REAR_GLASS),
    ]
    listed += [
        ("light", "front", (f"{side} headlight", f"{side} light cover", f"{side} headlight flank"))
        for side in _SIDES
    ]
    listed += [
        ("light", "back", (f"{side} tail light", f"{side} tail light flank")) for side in _SIDES
    ]
    return [(part, end, tuple(NUMBER[name] for name in names)) for part, end, names in listed]
