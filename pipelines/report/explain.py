"""What in its images a network matched by, for the pairs that the page shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from annotations.boxes import Boxes
from annotations.images import Images
from pipelines.report.material import Network
from reid.explain.cam import activation_of_cells, own_classes
from reid.explain.cells import embed_cells, mark_parts, share_out
from reid.explain.evidence import Side, evidence_maps

ELSEWHERE = "elsewhere"


class Explainer:
    """Explains one network, computing each image's cells once.

    Args:
        network: the network.
        images: the whole data set.
        boxes: what the detector found on it.
        parts: the parts whose boxes divide an image; a network without part branches can be
            asked about them too.
        device: ``auto``, ``cpu``, ``cuda``.
    """

    def __init__(
        self, network: Network, images: Images, boxes: Boxes, parts: tuple[str, ...], device: str
    ) -> None:
        self.network = network
        self.parts = parts
        self._images = images
        self._boxes = boxes
        self._device = device
        self._cells: dict[str, Tensor] = {}
        self._rows = pd.Index(network.gallery.images.frame["image"])
        self._reference = torch.from_numpy(np.array(network.gallery.embeddings))

    def cells(self, names: Sequence[str]) -> Tensor:
        """Return the cells of the images named: (N, D, rows, columns) float32."""
        new = [name for name in dict.fromkeys(names) if name not in self._cells]
        if new:
            images = self._named(new)
            mirror = self.network.gallery.about.mirror
            made = embed_cells(self.network.run, images, mirror=mirror, device=self._device)
            self._cells |= dict(zip(images.frame["image"], made, strict=True))
        return torch.stack([self._cells[name] for name in names])

    def evidence(
        self,
        queries: Sequence[str],
        matches: Sequence[str],
        side: Side,
        against: Sequence[str] | None = None,
    ) -> Tensor:
        """Return `reid.explain.evidence.evidence_maps` of N pairs.

        Args:
            queries: N names of query images.
            matches: N names of gallery images.
            side: which of the two the maps lie on.
            against: N names of the gallery images that the matches are held against;
                without them, the mean over the whole gallery.
        """
        stored = self._reference[self._rows.get_indexer(pd.Index(matches))]
        others = stored if side == "query" else self.cells(queries).mean((2, 3))
        cells = self.cells(queries if side == "query" else matches)
        divide = partial(evidence_maps, side=side, distance=self.network.run.recipe.distance)
        if against is None:
            return divide(cells, others, self._reference)
        rivals = self._reference[self._rows.get_indexer(pd.Index(against))]
        pairs = (slice(place, place + 1) for place in range(len(cells)))
        return torch.cat([divide(cells[pair], others[pair], rivals[pair]) for pair in pairs])

    def by_part(self, names: Sequence[str], maps: Tensor) -> pd.DataFrame:
        """Divide maps over the parts of the images that they lie on.

        Returns:
            A row per map: each part's sum, and ``elsewhere``'s; a row sums to the whole map.
        """
        shares = share_out(maps, self.marks(names))
        return pd.DataFrame(shares.numpy(), columns=[*self.parts, ELSEWHERE])

    def marks(self, names: Sequence[str]) -> Tensor:
        """Return the cells that each part marks: (N, P, rows, columns) bool."""
        grid = self.cells(names[:1]).shape[2:]
        images = self._named(names)
        made = mark_parts(images, self._boxes, self.parts, (grid[0], grid[1]))
        return made[pd.Index(images.frame["image"]).get_indexer(pd.Index(names))]

    def activation(self, names: Sequence[str]) -> Tensor:
        """Return class activation maps, of an image's own class where it has one."""
        run = self.network.run
        frame = self._images.frame.set_index("image").loc[list(names)]
        return activation_of_cells(run, self.cells(names), own_classes(run, frame["identity"])).maps

    def _named(self, names: Sequence[str]) -> Images:
        return self._images.where(self._images.frame["image"].isin(list(names)))
