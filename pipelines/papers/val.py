"""Tables 1 to 3 of VAL.

Chen et al., Partition and Reunion: A Viewpoint-Aware Loss for Vehicle Re-Identification,
section 3.2.

Table 3's Softmax is equation (1), whose classifier has a bias, on the deep feature. Here the row is
the cross-entropy of the method ``composed``, whose classifier has none and, where the recipe has a
neck, stands behind its batch normalisation (Luo et al. 2019), so that all rows are of one network.
"""

from __future__ import annotations

from pipelines.papers.declare import Paper, Row, Table

_METRICS = (("mAP", "mAP"), ("Top-1", "rank-1"), ("Top-5", "rank-5"))
_SETS = ("VeRi-776",)
_NO_REUNION, _NO_BOUNDARY = "loss.viewpoint.reunion=0", "loss.viewpoint.boundary=false"
_SOFTMAX = ("loss.global_weight=1", "loss.viewpoint.weight=0")


def _reunited(weight: str, *figures: float) -> Row:
    changes = (f"loss.viewpoint.reunion={weight}",)
    return Row(f"lambda-{weight}", f"λ = {weight}", changes, figures)


def _divided(classes: int, *figures: float) -> Row:
    return Row(f"v-{classes}", f"V = {classes}", (f"loss.viewpoint.classes={classes}",), figures)


VAL = Paper(
    name="val",
    title="VAL",
    whole=(
        "loss.global_weight=0", "loss.viewpoint.classes=2", "loss.viewpoint.reunion=1",
        "loss.viewpoint.boundary=true",
    ),
    full="val",
    folder="val-tables",
    needs="a recipe with a weight in loss.viewpoint and no parts, such as val-small",
    fits=lambda recipe: recipe.loss.viewpoint.weight > 0 and not recipe.parts.use,
    tables=(
        Table(
            1, "weight of the reunion loss", "VAL", _METRICS, _SETS, 4,
            (
                _reunited("0", 0.7814, 0.9644, 0.9803),
                _reunited("0.1", 0.8035, 0.9671, 0.9873),
                _reunited("1", 0.8136, 0.9672, 0.9875),
                _reunited("10", 0.8105, 0.9655, 0.9873),
            ),
        ),
        Table(
            2, "number of viewpoints", "Number", _METRICS, _SETS, 4,
            (
                _divided(2, 0.8136, 0.9672, 0.9875),
                _divided(4, 0.8063, 0.9610, 0.9869),
                _divided(8, 0.8004, 0.9603, 0.9864),
            ),
        ),
        Table(
            3, "parts of the loss", "Method", _METRICS, _SETS, 4,
            (
                Row("softmax", "Softmax", _SOFTMAX, (0.7824, 0.9458, 0.9815)),
                Row(
                    "partition-cosine", "L_P w/o MB", (_NO_REUNION, _NO_BOUNDARY),
                    (0.7812, 0.9595, 0.9833),
                ),
                Row("partition", "L_P", (_NO_REUNION,), (0.7814, 0.9644, 0.9803)),
                Row("val-cosine", "VAL w/o MB", (_NO_BOUNDARY,), (0.8013, 0.9571, 0.9845)),
                Row("val", "VAL", (), (0.8136, 0.9672, 0.9875)),
            ),
        ),
    ),
)  # fmt: skip
