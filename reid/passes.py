"""One pass of a network over a batch: from pixels to what is compared."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from reid.data.mirror import mirror as mirrored
from reid.device import Precision, autocast
from reid.methods import (
    Branches,
    Network,
    apart_from_parts,
    compared_by,
    compares_shared,
    compares_views,
    embedding_of,
)
from reid.models.vectors import Vectors
from reid.models.views import as_shared, as_views
from reid.parts.areas import part_areas
from reid.parts.located import Located
from reid.recipe import Recipe

_View = tuple[Tensor, Located]
"""Pixels of some images and where their parts are, as a network takes them."""


class Passes:
    """Passes batches through a network.

    Args:
        recipe: of the network.
        model: in evaluation mode, on its device.
        branches: which make the embedding.
        partners: (P,) int64, the part that each is in a mirrored image, to average each image with
            its mirror image; None to look at images alone.
        device: where.
        precision: in which.

    Attributes:
        precision: may be changed between passes.
        by: the distance that the last pass' embeddings are compared by.
    """

    def __init__(
        self,
        recipe: Recipe,
        model: Network,
        branches: Branches,
        partners: Tensor | None,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self.recipe, self.model, self.branches = recipe, model, branches
        self.device, self.precision = device, precision
        self.by = ""
        self._partners = partners

    @property
    def mirrors(self) -> bool:
        """Whether mirror images are looked at, too."""
        return self._partners is not None

    def __call__(self, pixels: Tensor, where: Located) -> tuple[Tensor, Vectors]:
        """Return what is compared, (B, D) floating, and every branch's vectors of the images.

        Args:
            pixels: (B, 3, H, W) uint8.
            where: their parts.
        """
        views = [(pixels, where)]
        if self._partners is not None:
            views.append(mirrored(*views[0], self._partners))
        with autocast(self.precision, self.device):
            found = [self.model.describe(*view) for view in views]
        made, self.by = _compared(self.recipe, self.branches, found, views, self._partners)
        return made, found[0]


def _compared(
    recipe: Recipe,
    branches: Branches,
    found: list[Vectors],
    views: list[_View],
    partners: Tensor | None,
) -> tuple[Tensor, str]:
    """Return the mean over an image's views of what is compared, and by which distance.

    Args:
        recipe: of the network.
        branches: see `reid.embedding.embed`.
        found: vectors of the images, and of their mirror images where these are looked at.
        views: what they were made of.
        partners: see `Passes`.
    """
    if compares_views(recipe, branches):
        trained_so = recipe.distance == "cpdm"
        seen = [
            (apart_from_parts(recipe, one), part_areas(where, one.visible.shape[1]))
            for one, (_, where) in zip(found, views, strict=True)
        ]
        if partners is not None:
            # What is the left of a vehicle stands in the right's place in the mirror image.
            seen[1:] = [_renamed(*each, partners) for each in seen[1:]]
        packed = [as_views(*each, scaled=not trained_so) for each in seen]
        return torch.stack([one for one, _ in packed]).mean(0), packed[0][1].name
    if compares_shared(recipe, branches):
        shared = [as_shared(one) for one in found]
        mean, by = torch.stack([one for one, _ in shared]).mean(0), shared[0][1]
        return torch.cat([normalize(by.features(mean)), mean[:, -len(by.widths) :]], 1), by.name
    return torch.stack([embedding_of(one, branches) for one in found]).mean(0), compared_by(recipe)


def _renamed(vectors: Vectors, areas: Tensor, partners: Tensor) -> tuple[Vectors, Tensor]:
    """Return a mirror image's parts, and their areas (B, P), in the places of the image's own."""
    parts, visible = (each.index_select(1, partners) for each in (vectors.parts, vectors.visible))
    return Vectors(vectors.embedding, parts, visible), areas.index_select(1, partners)
