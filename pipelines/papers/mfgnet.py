"""MFG-Net's Tables 3 and 4.

Xu et al., Joint Multiple Fine-grained feature for Vehicle Re-Identification, section 4.3.
"""

from __future__ import annotations

from pipelines.papers.declare import Paper, Row, Table

_METRICS = (("mAP", "mAP"), ("mINP", "mINP"), ("R1", "rank-1"))
_PLAIN = ("stripes=0", "attention=false")
# ResNet with softmax cross-entropy: the feature map's mean, as long as the recipe's vectors are.
_BASELINE = (*_PLAIN, "method=composed", "pooling=mean", "neck=false", "loss.triplet=0")


def _divided(times: int, *figures: float) -> Row:
    """Return the row of a map divided so many times, which gives one stripe more."""
    label = f"{times} (Ours)" if times == 3 else str(times)
    here = f"{label}, {times + 1} stripes"
    return Row(f"divisions-{times}", label, (f"stripes={times + 1}",), figures, here)


MFGNET = Paper(
    name="mfgnet",
    title="MFG-Net",
    whole=("stripes=4", "attention=true"),
    full="cam",
    folder="mfgnet-tables",
    needs="a recipe of the method mfgnet, with a weight in loss.triplet",
    fits=lambda recipe: recipe.method == "mfgnet" and recipe.loss.triplet > 0,
    tables=(
        Table(
            3, "how often the feature map is divided", "Horizontal division times",
            _METRICS, ("VeRi-776",), 4,
            (
                _divided(1, 0.7111, 0.2558, 0.9368),
                _divided(2, 0.7205, 0.2845, 0.9260),
                _divided(3, 0.7715, 0.3682, 0.9672),
                _divided(4, 0.7310, 0.3001, 0.9482),
                _divided(5, 0.7088, 0.2532, 0.9098),
            ),
        ),
        Table(
            4, "ablation", "Method", _METRICS, ("VeRi-776",), 4,
            (
                Row("baseline", "Baseline", _BASELINE, (0.6243, 0.2271, 0.8970)),
                Row(
                    "no-triplet", "+ global branch (w/o L_hard mining triplet)",
                    (*_PLAIN, "loss.triplet=0"), (0.6855, 0.2762, 0.9117),
                ),
                Row(
                    "global", "+ global branch (w/ L_hard mining triplet)", _PLAIN,
                    (0.7068, 0.3300, 0.9378),
                ),
                Row(
                    "local", "+ local branch", ("attention=false",), (0.7510, 0.3554, 0.9488)
                ),
                Row("cam", "+CAM", (), (0.7715, 0.3682, 0.9672)),
            ),
        ),
    ),
)  # fmt: skip
