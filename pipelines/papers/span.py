"""SPAN's Tables 1 and 2, and the masks that their rows look through.

Chen et al., Orientation-aware Vehicle Re-identification with Semantics-guided Part Attention
Network, ECCV 2020, section 4.3. The two tables have different figures for the same network.
"""

from __future__ import annotations

from pipelines.papers.declare import Paper, Row, Table
from pipelines.papers.plan import Plan, recipe_of
from reid.recipe import Recipe

FULL = "full"
MASKS: dict[str, tuple[str, ...]] = {
    "reconstruction": ("area=0", "diversity=0"),
    "no-area": ("area=0",),
    "no-diversity": ("diversity=0",),
    FULL: (),
}
"""The networks of Table 1 that find masks, by what their settings leave out of equation (6)."""
_METRICS = (("R-1", "rank-1"), ("mAP", "mAP"))
_YES, _NO = "✓", "✗"
_BASELINE = ("parts.use=[]", "join=concat", "distance=euclidean")

SPAN = Paper(
    name="span",
    title="SPAN",
    whole=("join=views", "distance=cpdm"),
    full="cpdm",
    folder="span-tables",
    needs="a recipe of the method span, with views in parts.use",
    fits=lambda recipe: recipe.method == "span" and bool(recipe.parts.use),
    tables=(
        Table(
            1, "losses that masks are learned by", "Method", _METRICS, ("VeRi-776",), 3,
            (
                Row("baseline", "Baseline", _BASELINE, (0.920, 0.591), traits=("-", "-", "-")),
                Row(
                    "reconstruction", "only L_recon", (), (0.918, 0.589),
                    traits=(_YES, _NO, _NO),
                ),
                Row("no-area", "w/o L_area", (), (0.921, 0.592), traits=(_YES, _NO, _YES)),
                Row("no-diversity", "w/o L_div", (), (0.925, 0.597), traits=(_YES, _YES, _NO)),
                Row("cpdm", "SPAN(Ours)", (), (0.939, 0.686), traits=(_YES, _YES, _YES)),
            ),
            traits=("L_recon", "L_area", "L_div"),
        ),
        Table(
            2, "components", "Method", _METRICS, ("VeRi-776",), 3,
            (
                Row("baseline", "Baseline", _BASELINE, (0.920, 0.591), traits=(_NO, "-", "Euc.")),
                Row(
                    "fc", "SPAN w/ FC", ("join=fc", "distance=euclidean"), (0.926, 0.603),
                    traits=(_YES, "FC", "Euc."),
                ),
                Row(
                    "concat", "SPAN w/ Cat", ("join=concat", "distance=euclidean"), (0.930, 0.631),
                    traits=(_YES, "Concat.", "Euc."),
                ),
                Row(
                    "cpdm", "SPAN w/ CPDM (Ours)", (), (0.940, 0.689),
                    traits=(_YES, "Concat.", "CPDM"),
                ),
            ),
            traits=("SPAN", "Agg.", "Dist."),
        ),
    ),
)  # fmt: skip


def masks_of(row: str) -> str | None:
    """Return which masks a row's network looks through, a key of `MASKS`; None for none."""
    if row == "baseline":
        return None
    return row if row in MASKS else FULL


def losses_told(masks: str) -> str:
    """Return what Table 1 calls a key of `MASKS`."""
    return next(row.label for row in SPAN.tables[0].rows if masks_of(row.name) == masks)


def plan(base: Recipe) -> Plan:
    """Return the trainings of all rows: those of Table 1 have one recipe, and masks of their own.

    Raises:
        InputError: a row's changes make no sense with the recipe.
    """
    recipes = {row.name: recipe_of(row, SPAN, base) for row in SPAN.rows}
    return Plan(recipes, {name: name for name in recipes}, {})
