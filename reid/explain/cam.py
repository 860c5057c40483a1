"""Class activation maps of PRN's identification model, as in PRN's Figure 5.

Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016, equation (2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from annotations.images import Images
from reid.explain.cells import embed_cells, prn_of
from reid.run import Run


class Activation(NamedTuple):
    """Class activation maps of N images.

    Attributes:
        maps: (N, rows, columns) float32; the mean of a map is the class's score before softmax.
        classes: (N,) int64, the class of each map, a place in `Run.identities`.
    """

    maps: Tensor
    classes: Tensor


def activation_of_cells(run: Run, cells: Tensor, classes: Tensor | None = None) -> Activation:
    """Return the maps of images whose cells are known.

    Zhou's M_c(x, y) = sum over k of w_k^c f_k(x, y), where w^c is here the global branch's
    classifier behind the 1 x 1 reduction. The reduction's bias adds the same to every cell.

    Args:
        run: the network.
        cells: (N, D, rows, columns), from `embed_cells`.
        classes: (N,) int64; -1, or None for all, takes the class with the highest score.
    """
    weights = prn_of(run).global_classifier.weight.detach().to(cells)
    best = (cells.mean((2, 3)) @ weights.T).argmax(1)
    chosen = best if classes is None else torch.where(classes < 0, best, classes)
    return Activation(torch.einsum("nd,ndij->nij", weights[chosen], cells), chosen)


def own_classes(run: Run, identities: pd.Series[str]) -> Tensor:
    """Return each identity's class, -1 for one that the network was not trained on."""
    found = pd.Index(run.identities).get_indexer(pd.Index(identities))
    return torch.from_numpy(found.astype(np.int64))


def class_activation_maps(run: Run, images: Images, *, device: str = "auto") -> Activation:
    """Return the map of every image, of its own class where it has one.

    An image of a training identity gets the map of that identity. A test identity has no class
    of its own: its map is that of the training identity that the network takes it for. Two
    networks may take it for different ones, so compare them on training identities, or by
    `reid.explain.evidence`, which needs no class.

    Args:
        run: the network.
        images: N readable images; identities may be unknown.
        device: ``auto``, ``cpu``, ``cuda``.
    """
    cells = embed_cells(run, images, device=device)
    return activation_of_cells(run, cells, own_classes(run, images.frame["identity"]))
