"""What can stand together in a recipe, and why the rest cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reid.recipe.recipe import Recipe

_WHOLE = {
    "loss.global_weight",
    "loss.label_smoothing",
    "loss.triplet",
    "loss.margin",
    "loss.circle",
    "loss.viewpoint",
}
_COMPARED = {"loss.cluster", "loss.alignment"}
TAKES: dict[str, set[str]] = {
    "prn": {*_WHOLE, "parts.weight"},
    "eianet": {*_COMPARED, "loss.viewpoint", "part_based"},
    "span": {*_WHOLE, "view_dimension", "join"},
    "mfgnet": {*_WHOLE, "loss.stripes", "stripes", "attention"},
    "composed": {
        *_WHOLE,
        *_COMPARED,
        "loss.stripes",
        "view_dimension",
        "join",
        "pooling",
        "neck",
        "stripes",
        "parts.pool",
        "parts.weight",
    },
}
"""What each method has beside what all have: keys that the others do not take."""
TRAINED = "trained"
"""In the context of a recipe's check: it has trained a network, which is to be used as it is."""
_JOINS = {"span": ("concat", "fc", "views"), "composed": ("concat", "views", "global")}


def require_sense(recipe: Recipe) -> None:
    """Demand that a recipe's keys make sense together.

    Raises:
        ValueError: they do not; the reason is given.
    """
    _require_own_keys(recipe)
    _require_distance(recipe)
    _require_pairs(recipe)
    _require_branches(recipe)
    _require_something_to_learn(recipe)


def _value(section: Any, key: str) -> Any:
    for name in key.split("."):
        section = getattr(section, name)
    return section


def _require_own_keys(recipe: Recipe) -> None:
    method, plain = recipe.method, type(recipe).model_construct()
    for key in sorted(set().union(*TAKES.values()) - TAKES[method]):
        if _value(recipe, key) != _value(plain, key):
            raise ValueError(f"{key} is not of the method {method}")
    if recipe.join not in _JOINS.get(method, (recipe.join,)):
        raise ValueError(f"join: {recipe.join} is not of the method {method}")
    if method == "mfgnet" and recipe.parts.use:
        raise ValueError(
            "parts.use: MFG-Net looks at stripes, not at parts; set it to [], or take the method "
            "composed, which has both"
        )
    if recipe.loss.cluster.branches != plain.loss.cluster.branches and method != "eianet":
        raise ValueError(f"loss.cluster.branches is not of the method {method}")


def _require_distance(recipe: Recipe) -> None:
    if (recipe.distance == "cpdm") != (recipe.join == "views"):
        raise ValueError(
            "the distance cpdm and join: views (of the methods span and composed) need each other"
        )
    if recipe.distance == "cpdm" and recipe.stripes:
        raise ValueError(
            "stripes: every image shows all of them, so the distance cpdm has nothing to weigh "
            "them by; take join: concat"
        )
    if recipe.distance == "cpdm" and recipe.method == "composed" and not recipe.parts.use:
        raise ValueError("the distance cpdm compares views: it needs parts.use")
    if recipe.distance == "cpdm" and recipe.neck:
        raise ValueError(
            "neck: the distance cpdm adds up distances of views, and the neck changes that of the "
            "whole alone; set it to false"
        )
    if recipe.distance == "cpdm" and recipe.loss.circle.weight:
        raise ValueError("loss.circle measures cosines, which cpdm is not; take loss.triplet")
    if recipe.distance == "cpdm" and recipe.loss.cluster.weight:
        raise ValueError("loss.cluster measures single vectors, not views; take loss.triplet")
    if recipe.distance == "shared":
        if recipe.method != "composed" or recipe.join != "concat" or not recipe.parts.use:
            raise ValueError(
                "the distance shared compares the parts that both images show: it needs the method "
                "composed with join: concat and parts.use"
            )
        if recipe.loss.circle.weight or recipe.loss.triplet:
            raise ValueError(
                "the distance shared is not one that loss.triplet or loss.circle measure by; take "
                "loss.cluster, which compares shared parts, too, or another distance"
            )


def _require_pairs(recipe: Recipe) -> None:
    loss, aligned = recipe.loss, recipe.loss.alignment
    by_clusters = recipe.method == "eianet" or bool(loss.cluster.weight)
    if by_clusters and recipe.batch.per_identity < 2:
        raise ValueError(
            "the coupled cluster loss needs pairs: set batch.per_identity to 2 or more"
        )
    paired = {
        "loss.triplet": loss.triplet,
        "loss.circle": loss.circle.weight,
        "loss.alignment": aligned.weight,
    }
    for name, weight in paired.items():
        if weight and recipe.batch.per_identity < 2:
            raise ValueError(f"{name} needs pairs: set batch.per_identity to 2 or more")
    if loss.cluster.year_margin and recipe.label != "year":
        raise ValueError("loss.cluster.year_margin needs label: year")
    if aligned.weight and not recipe.parts.use:
        raise ValueError("loss.alignment needs parts.use")
    if foreign := set(aligned.parts or ()) - set(recipe.parts.use):
        raise ValueError(f"loss.alignment.parts: {min(foreign)} is not in parts.use")


def _require_branches(recipe: Recipe) -> None:
    # So many at most: of an odd side a padded convolution rounds the half up, and others down. What
    # the backbone's map has is looked at where it is built.
    rows = -(-recipe.image.height // recipe.backbone.output_stride)
    if recipe.stripes > rows:
        raise ValueError(
            f"stripes {recipe.stripes}: the feature map has {rows} rows (image.height "
            f"{recipe.image.height}, backbone.output_stride {recipe.backbone.output_stride})"
        )


def _classified(recipe: Recipe) -> list[float]:
    """Return the weights of the cross-entropies that a method has, VAL's left out."""
    loss, method = recipe.loss, recipe.method
    if method == "eianet":
        return []
    weights = [loss.global_weight]
    if method in ("mfgnet", "composed") and recipe.stripes:
        weights.append(loss.stripes)
    if method in ("prn", "composed") and recipe.parts.use:
        weights += recipe.parts.weights
    return weights


def _require_something_to_learn(recipe: Recipe) -> None:
    loss, method = recipe.loss, recipe.method
    classified = _classified(recipe)
    if loss.label_smoothing and not any(classified):
        raise ValueError(
            "loss.label_smoothing: no cross-entropy has a weight that it would smooth, and VAL's "
            "cannot be smoothed; set it to 0, or give loss.global_weight one"
        )
    cluster = loss.cluster.weight
    weights = [loss.viewpoint.weight, loss.alignment.weight]
    if method == "eianet":
        weights.append(1.0 if cluster is None else cluster)
    else:
        weights += [*classified, loss.triplet, loss.circle.weight, cluster or 0.0]
    if any(weights):
        return
    if method == "prn":
        raise ValueError("loss.global_weight 0 needs part branches with a weight")
    if method == "span":
        raise ValueError("loss.global_weight and loss.triplet are both 0: nothing to learn")
    raise ValueError("every loss has a weight of 0: nothing to learn")


def global_learns(recipe: Recipe) -> bool:
    """Return whether a loss trains the global vector, where a method has one apart."""
    loss = recipe.loss
    weights = [loss.global_weight, loss.triplet, loss.circle.weight, loss.viewpoint.weight]
    return any([*weights, loss.cluster.weight or 0.0])


def require_all_learn(recipe: Recipe) -> None:
    """Refuse a branch that is compared though no loss trains it: a random projection.

    PRN's parts can be trained without its global branch (its Table 4); what is then compared is
    looked at where it is asked for.

    Raises:
        ValueError: there is one; it and the weights to give are named.
    """
    loss = recipe.loss
    if recipe.method not in ("mfgnet", "composed"):
        return
    if not global_learns(recipe):
        raise ValueError(
            "the global vector is compared, and no loss trains it: give loss.global_weight, "
            "loss.triplet or another loss of it a weight"
        )
    joined = recipe.method == "mfgnet" or recipe.join == "concat"
    # What is measured as one vector trains all of it; MFG-Net's triplets are of the global one.
    together = recipe.method == "composed" and any(
        [loss.triplet, loss.circle.weight, loss.cluster.weight or 0.0]
    )
    if joined and recipe.stripes and not loss.stripes and not together:
        raise ValueError(
            "stripes are compared, and no loss trains them: give loss.stripes a weight"
        )
    if recipe.method == "mfgnet" or recipe.join == "global" or together:
        return
    aligned = loss.alignment.parts or recipe.parts.use if loss.alignment.weight else ()
    for part, weight in zip(recipe.parts.use, recipe.parts.weights, strict=True):
        if not weight and part not in aligned:
            raise ValueError(
                f"the part '{part}' is compared, and no loss trains its vector: give parts.weight, "
                "loss.triplet or loss.alignment a weight, or leave it out of parts.use"
            )
