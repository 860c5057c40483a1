"""The rows of PRN's Table 4, and the recipe of each.

He et al., Part-regularized Near-duplicate Vehicle Re-identification, CVPR 2019, section 4.4:
one branch is removed at a time and the whole network is trained again.
"""

from __future__ import annotations

from dataclasses import dataclass

from annotations.errors import choose
from reid.methods import Branches
from reid.recipe import Recipe, parse_recipe

PARTS = ("window", "light", "brand")


@dataclass(frozen=True)
class Row:
    """A network of Table 4.

    Attributes:
        name: short, for the command line and for folders.
        label: what it is, for people.
        paper: its name in Table 4.
        parts: the part branches that are left.
        cmc1: CMC@1 in the paper, on VehicleID's large test set.
        cmc5: CMC@5 there.
        has_global: whether it is trained with the global branch. Without it the part vectors
            are joined at test (section 4.4); every other row is compared by the global
            vector alone (section 4.2).
    """

    name: str
    label: str
    paper: str
    parts: tuple[str, ...]
    cmc1: float
    cmc5: float
    has_global: bool = True

    @property
    def branches(self) -> Branches:
        """What is compared at test."""
        return "global" if self.has_global else "parts"


FULL, BASELINE = "full", "baseline"
ROWS: tuple[Row, ...] = (
    Row(FULL, "PRN", "Global+Light+Brand+Window", PARTS, 0.742, 0.864),
    Row("no-window", "without window", "Global+Light+Brand", ("light", "brand"), 0.675, 0.830),
    Row("no-brand", "without brand", "Global+Light+Window", ("window", "light"), 0.710, 0.887),
    Row("no-light", "without light", "Global+Window+Brand", ("window", "brand"), 0.726, 0.851),
    Row("window-only", "window alone", "Global+Window", ("window",), 0.707, 0.832),
    Row("parts-only", "without global", "Window+Light+Brand", PARTS, 0.687, 0.829, False),
    Row(BASELINE, "plain network", "Baseline (w/o parts)", (), 0.645, 0.800),
)


def choose_rows(names: str | None) -> list[Row]:
    """Return the rows of a comma-separated list, in the table's order; all for None.

    Raises:
        InputError: a name is not one of a row.
    """
    known = [row.name for row in ROWS]
    wanted = known if names is None else choose(names, known, "row of PRN's Table 4")
    return [row for row in ROWS if row.name in wanted]


def recipe_of(row: Row, base: Recipe, seed: int) -> Recipe:
    """Return the recipe of a row: ``base`` with the row's branches, everything else the same.

    Without the global branch both losses on its vector go, the identification and, where
    ``base`` has one, the triplet loss; the part branches' weights stay.

    Raises:
        InputError: ``base`` gives weights to other parts than the paper's.
    """
    content = base.model_dump(mode="json")
    content["seed"] = seed
    content["parts"]["use"] = list(row.parts)
    weights = content["parts"]["weight"]
    if isinstance(weights, dict):
        content["parts"]["weight"] = {part: weights.get(part) for part in row.parts}
    if not row.has_global:
        content["loss"] |= {"global_weight": 0.0, "triplet": 0.0}
    return parse_recipe(content, f"row '{row.name}'")
