"""The identities of a training divided by viewpoint, for VAL."""

from __future__ import annotations

import torch
from torch import Tensor

from annotations.images import Images
from reid.data.viewpoint_classes import viewpoint_classes
from reid.losses.viewpoint_aware import require_divided
from reid.recipe import Recipe


def divide_identities(
    recipe: Recipe, images: Images, labels: Tensor
) -> tuple[Tensor, Tensor, list[str]]:
    """Return each image's viewpoint class, what every identity shows, and lines for people.

    Args:
        recipe: whose ``loss.viewpoint`` names the classes.
        images: N training images.
        labels: (N,) int64, their identities.

    Returns:
        viewpoints, (N,) int64, below V; shown, (C, V) bool; and notes.

    Raises:
        InputError: see `reid.data.viewpoint_classes.viewpoint_classes` and
            `reid.losses.viewpoint_aware.require_divided`.
    """
    names, viewpoints = viewpoint_classes(images, recipe.loss.viewpoint.classes)
    shown = torch.zeros(int(labels.max()) + 1, len(names), dtype=torch.bool)
    shown[labels, viewpoints] = True
    require_divided(shown)
    counts = torch.bincount(viewpoints, minlength=len(names)).tolist()
    told = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    notes = [f"images by viewpoint: {told}"]
    if alone := int((shown.sum(1) == 1).sum()):
        notes.append(
            f"{alone} of {len(shown)} {recipe.label} labels are seen from one viewpoint alone; "
            "nothing of them is reunited"
        )
    return viewpoints, shown, notes
