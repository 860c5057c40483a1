"""What a recipe can be made of, told from what recipes are checked by."""

from __future__ import annotations

import pandas as pd

from pipelines.recipes import RECIPES, load_recipe
from pipelines.tables import say, show
from reid.methods import METHODS
from reid.recipe import TAKES

BRANCHES = {
    "parts.use": "a branch for each part; boxes say where it is, or masks (span, parts.pool: mask)",
    "parts.pool": "a part is the mean over its cells (PRN), their max (EIA-Net), or under its mask",
    "part_based": "a small network of its own on the whole and on both halves (EIA-Net)",
    "stripes": "a branch for each horizontal stripe (MFG-Net)",
    "attention": "channel attention before the branches (MFG-Net)",
    "pooling": "the global vector is the mean, generalised mean (gem) or max of the map",
    "neck": "batch normalisation between triplets and the classifier (Luo et al. 2019)",
    "join": "compare the global vector, all branches in one vector, or views apart (cpdm)",
}
LOSSES = {
    "loss.global_weight": "cross-entropy of identities on the global vector",
    "parts.weight": "the same on each part (PRN, equation 3)",
    "loss.stripes": "the same on each stripe (MFG-Net)",
    "loss.triplet": "batch-hard triplets on what is compared (MFG-Net, equation 2)",
    "loss.circle": "circle loss on what is compared (Sun et al. 2020)",
    "loss.viewpoint": "VAL: identities by viewpoint, parted and reunited (equations 3 to 7)",
    "loss.cluster": "coupled clusters, with one margin or two (EIA-Net, equations 4 to 6)",
    "loss.alignment": "the same part looks the same on two images (EIA-Net, equation 7)",
}
DISTANCES = {
    "euclidean": "of single vectors",
    "cosine": "of single vectors; of EIA-Net over the parts that both images show",
    "shared": "cosine over the parts that both images show (composed)",
    "cpdm": "view by view, by how much both images show it (SPAN, equation 5; span, composed)",
}


def takers(key: str) -> str:
    """Return the methods that take a key, by comma."""
    if key == "parts.use":
        return ", ".join(name for name in METHODS if name != "mfgnet")
    return ", ".join(name for name in METHODS if key in TAKES[name])


def show_methods() -> None:
    """Print methods, branches, losses and distances, and which can stand together."""
    recipes: dict[str, list[str]] = {name: [] for name in METHODS}
    for recipe in RECIPES:
        recipes[load_recipe(recipe).method].append(recipe)
    rows = [(name, each.summary, ", ".join(recipes[name])) for name, each in METHODS.items()]
    show(pd.DataFrame(rows, columns=["method", "what it is", "recipes"]), "methods (method:)")
    for title, keys in (("branches", BRANCHES), ("losses", LOSSES)):
        told = [(key, what, takers(key)) for key, what in keys.items()]
        show(pd.DataFrame(told, columns=["key", "what it is", "methods"]), title)
    distances = pd.DataFrame({"distance": list(DISTANCES), "what it is": list(DISTANCES.values())})
    show(distances, "distances (distance:)")
    say(
        "Most networks of timm's can be the backbone, all that give a map of images of any size: "
        "resnet50, convnext_tiny, vit_small_patch16_dinov3, tf_efficientnet_lite0 and so on; "
        "another is refused, and a stride that it lacks. What makes no sense together is refused "
        "with the reason: partreid train RECIPE DATA RUN --set KEY=VALUE"
    )
