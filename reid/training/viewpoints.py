"""The identities of a training divided by viewpoint, for VAL."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from annotations.images import Images
from reid.data.labels import labels_of
from reid.data.viewpoint_classes import mirrored_classes, viewpoint_classes
from reid.losses.viewpoint_aware import require_divided
from reid.recipe import Recipe


class Divided(NamedTuple):
    """What VAL learns from, of N training images of C identities and V viewpoint classes.

    Attributes:
        viewpoints: (N,) int64, below V.
        mirrored: (V,) int64, the class of a mirrored image, by that of the image.
        shown: (C, V) bool, the classes that an identity has images of, mirrored ones among them
            where images are mirrored; identities in their names' order.
        notes: lines for people.
    """

    viewpoints: Tensor
    mirrored: Tensor
    shown: Tensor
    notes: list[str]


def divide_identities(recipe: Recipe, images: Images) -> Divided:
    """Divide the identities of training images.

    Args:
        recipe: whose ``label`` tells identities and whose ``loss.viewpoint`` names the classes.
        images: N training images.

    Raises:
        InputError: see `reid.data.viewpoint_classes` and
            `reid.losses.viewpoint_aware.require_divided`.
    """
    classes, vocabulary = recipe.loss.viewpoint.classes, recipe.loss.viewpoint.vocabulary
    names, viewpoints = viewpoint_classes(images, classes, vocabulary)
    labels, found = labels_of(recipe, images)[0].factorize(sort=True)
    shown = torch.zeros(len(found), len(names), dtype=torch.bool)
    shown[torch.from_numpy(labels), viewpoints] = True
    mirrored = torch.arange(len(names))
    if recipe.augment.flip:
        mirrored = mirrored_classes(images, classes, vocabulary)
        shown |= shown[:, mirrored]
    require_divided(shown)
    counts = torch.bincount(viewpoints, minlength=len(names)).tolist()
    told = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
    notes = [f"images by viewpoint: {told}"]
    if alone := int((shown.sum(1) == 1).sum()):
        notes.append(
            f"{alone} of {len(shown)} labels are seen from one viewpoint alone: they have nothing "
            "to reunite"
        )
    return Divided(viewpoints, mirrored, shown, notes)
