"""The identities of a training divided by viewpoint, for VAL."""

from __future__ import annotations

import torch
from torch import Tensor

from annotations.images import Images
from reid.data.labels import labels_of
from reid.data.viewpoint_classes import viewpoint_classes
from reid.losses.viewpoint_aware import require_divided
from reid.recipe import Recipe


def divide_identities(recipe: Recipe, images: Images) -> tuple[Tensor, Tensor, list[str]]:
    """Return each image's viewpoint class, what every identity shows, and lines for people.

    Args:
        recipe: whose ``label`` tells identities and whose ``loss.viewpoint`` names the classes.
        images: N training images.

    Returns:
        viewpoints, (N,) int64, below V; shown, (C, V) bool, the identities in their names' order;
        and notes.

    Raises:
        InputError: see `reid.data.viewpoint_classes.viewpoint_classes` and
            `reid.losses.viewpoint_aware.require_divided`.
    """
    names, viewpoints = viewpoint_classes(images, recipe.loss.viewpoint.classes)
    labels, found = labels_of(recipe, images)[0].factorize(sort=True)
    shown = torch.zeros(len(found), len(names), dtype=torch.bool)
    shown[torch.from_numpy(labels), viewpoints] = True
    require_divided(shown)
    counts = torch.bincount(viewpoints, minlength=len(names)).tolist()
    told = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    notes = [f"images by viewpoint: {told}"]
    if alone := int((shown.sum(1) == 1).sum()):
        notes.append(
            f"{alone} of {len(shown)} labels are seen from one viewpoint alone: they have nothing "
            "to reunite"
        )
    return viewpoints, shown, notes
