"""The rows of SPAN's Tables 1 and 2, and the recipe of each.

Chen et al., Orientation-aware Vehicle Re-identification with Semantics-guided Part Attention
Network, ECCV 2020, section 4.3: figures are of VeRi-776.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from annotations.errors import choose
from reid.recipe import Join, Recipe, parse_recipe

Distance = Literal["euclidean", "cpdm"]
FULL = "full"
MASKS: dict[str, tuple[str, ...]] = {
    "reconstruction": ("area=0", "diversity=0"),
    "no-area": ("area=0",),
    "no-diversity": ("diversity=0",),
    FULL: (),
}
"""The networks of Table 1 that find masks, by what their settings leave out of equation (6)."""


@dataclass(frozen=True)
class Row:
    """A network of Table 1 or 2.

    Attributes:
        name: short, for the command line and for folders.
        label: what it is, for people.
        masks: which masks it looks through, a key of `MASKS`; None for the baseline.
        join: how its vectors are compared, see `reid.models.span.SPAN`.
        distance: by which.
        rank1: R-1 in the paper.
        mean: mAP in the paper.
        tables: those that it stands in.
    """

    name: str
    label: str
    masks: str | None
    join: Join
    distance: Distance
    rank1: float
    mean: float
    tables: tuple[int, ...]


BASELINE, OURS = "baseline", "cpdm"
ROWS: tuple[Row, ...] = (
    Row(BASELINE, "Baseline", None, "concat", "euclidean", 0.920, 0.591, (1, 2)),
    Row("reconstruction", "only L_recon", "reconstruction", "views", "cpdm", 0.918, 0.589, (1,)),
    Row("no-area", "w/o L_area", "no-area", "views", "cpdm", 0.921, 0.592, (1,)),
    Row("no-diversity", "w/o L_div", "no-diversity", "views", "cpdm", 0.925, 0.597, (1,)),
    Row("fc", "SPAN w/ FC", FULL, "fc", "euclidean", 0.926, 0.603, (2,)),
    Row("concat", "SPAN w/ Cat", FULL, "concat", "euclidean", 0.930, 0.631, (2,)),
    # Table 1 has 93.9 and 68.6 for the same network.
    Row(OURS, "SPAN w/ CPDM", FULL, "views", "cpdm", 0.940, 0.689, (1, 2)),
)


def choose_rows(names: str | None) -> list[Row]:
    """Return the rows of a comma-separated list, in the tables' order; all for None.

    Raises:
        InputError: a name is not one of a row.
    """
    known = [row.name for row in ROWS]
    wanted = known if names is None else choose(names, known, "row of SPAN's tables")
    return [row for row in ROWS if row.name in wanted]


def recipe_of(row: Row, base: Recipe, seed: int) -> Recipe:
    """Return the recipe of a row: ``base`` with the row's views, join and distance."""
    content = base.model_dump(mode="json")
    content |= {"seed": seed, "join": row.join, "distance": row.distance}
    if row.masks is None:
        content["parts"]["use"] = []
    return parse_recipe(content, f"row '{row.name}'")
