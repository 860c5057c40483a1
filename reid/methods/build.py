"""The methods by name: from a recipe to its network and its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from torch import Tensor

from annotations.errors import InputError
from reid.backbones import Backbone
from reid.methods import composed, eianet, mfgnet, prn, span
from reid.methods.criterion import Criterion
from reid.models.composed import Composed
from reid.models.eianet import EIANet
from reid.models.mfgnet import MFGNet
from reid.models.prn import PRN
from reid.models.span import SPAN
from reid.recipe import Recipe

Network: TypeAlias = PRN | EIANet | SPAN | MFGNet | Composed


class Method(NamedTuple):
    """One of the systems that this toolkit knows.

    Attributes:
        summary: what it is, for people.
        build: from a recipe, its backbone and the number of labels to the network.
        criterion: from a recipe, the length of what VAL judges and what it is shown to its losses.
    """

    summary: str
    build: Callable[[Recipe, Backbone, int], Network]
    criterion: Callable[[Recipe, int, Tensor | None], Criterion]


METHODS = {
    "prn": Method(
        "PRN: part branches regularise a global vector (CVPR 2019)", prn.build, prn.PRNCriterion
    ),
    "eianet": Method(
        "EIA-Net: R-MAC of parts and a part-based CNN, coupled clusters, part alignment",
        eianet.build,
        eianet.EIANetCriterion,
    ),
    "span": Method(
        "SPAN with CPDM: masks of views, compared where both images see (ECCV 2020)",
        span.build,
        span.SPANCriterion,
    ),
    "mfgnet": Method(
        "MFG-Net: a global branch and horizontal stripes, channel attention",
        mfgnet.build,
        mfgnet.MFGNetCriterion,
    ),
    "composed": Method(
        "any backbone with any branches, losses and distance: baselines, VAL, and mixtures",
        composed.build,
        composed.ComposedCriterion,
    ),
}


def build_model(recipe: Recipe, labels: int, *, start: bool) -> Network:
    """Build the recipe's network.

    Args:
        recipe: the recipe.
        labels: N, the number of training identities, or of whatever the recipe's label is.
        start: whether to load the recipe's start weights; not when trained ones follow.

    Raises:
        InputError: see `reid.backbones.Backbone`; or the input is not of whole patches, of a size
            that the backbone cannot take, or has fewer rows in its map than there are stripes.
    """
    about, size = recipe.backbone, (recipe.image.height, recipe.image.width)
    weights = about.weights if start else None
    backbone = Backbone(about.name, weights, about.output_stride, partial=about.partial)
    if any(side % backbone.patch for side in size):
        raise InputError(
            f"image.height {size[0]} and image.width {size[1]}: the backbone {about.name} looks at "
            f"patches of {backbone.patch} pixels; give whole multiples of it"
        )
    # What is trained already is taken as it is.
    rows = backbone.grid(*size)[0] if start else recipe.stripes
    if recipe.stripes > rows:
        raise InputError(
            f"stripes {recipe.stripes}: the feature map of the backbone {about.name} has {rows} "
            f"rows (image.height {size[0]}, backbone.output_stride {about.output_stride}); give "
            "fewer stripes or higher images"
        )
    return METHODS[recipe.method].build(recipe, backbone, labels)


def build_criterion(
    recipe: Recipe, network: Network | None = None, shown: Tensor | None = None
) -> Criterion:
    """Build the recipe's losses.

    Args:
        recipe: the recipe.
        network: whose vector VAL judges; for recipes with VAL alone.
        shown: (C, V) bool, which identities have images of which viewpoint; likewise.
    """
    width = 0 if network is None else network.width
    return METHODS[recipe.method].criterion(recipe, width, shown)
