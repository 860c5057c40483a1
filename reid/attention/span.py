"""Training SPAN: masks of views from foregrounds and viewpoint labels alone (section 3.1)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotations.errors import InputError
from annotations.images import Images
from annotations.masks import Masks
from annotations.viewpoints import visible_views
from annotations.vocabulary import Vocabulary, load_vocabulary
from reid.attention.finder import FOREGROUND, MODEL, MaskFinder
from reid.attention.learning import Batch, Samples, learn
from reid.attention.network import MaskNetwork
from reid.attention.settings import SpanSettings
from reid.data.readable import readable
from reid.device import pick_device
from reid.losses.area_constraint import area_constraint, largest_areas
from reid.losses.mask_reconstruction import mask_reconstruction
from reid.losses.spatial_diversity import overlap_margins, spatial_diversity
from reid.training.work import (
    begin,
    digest_rows,
    digest_text,
    digest_weights,
    require_same,
)

LEAST, MOST = 0.02, 0.98
"""Shares of an image; a foreground that is smaller or larger is none."""
_HALF, _SOME = 128, 4096


class MaskCriterion(nn.Module):
    """SPAN, equation (6): the three losses on masks, weighted.

    Args:
        views: names of the masks.
        apart: pairs of views that no image shows together.
        settings: weights, a and m.
    """

    margins: Tensor

    def __init__(
        self, views: tuple[str, ...], apart: tuple[tuple[str, str], ...], settings: SpanSettings
    ) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("margins", overlap_margins(views, apart, settings.overlap))

    def forward(self, odds: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms by name.

        Args:
            odds: (B, V, h, w), the masks' log-odds.
            batch: foregrounds and labels (B, V).
        """
        masks, weights = odds.sigmoid(), self.settings
        # Half a cell or more is of the vehicle, as a proposal has it: the rest is the network's
        # doubt, which all over the background would add up to an area.
        whole = (batch.foreground >= _HALF).float()
        labels = batch.labels
        terms = {
            "reconstruction": weights.reconstruction
            * mask_reconstruction(whole, masks, labels).mean()
        }
        if weights.area:
            largest = largest_areas(labels, weights.largest)
            # An augmentation may have moved the vehicle out of sight.
            there = whole.flatten(1).any(1)
            over = area_constraint(whole[there], masks[there], largest[there])
            terms["area"] = weights.area * over.sum() / len(masks)
        if weights.diversity:
            terms["diversity"] = (
                weights.diversity * spatial_diversity(masks, self.margins.to(masks.device)).mean()
            )
        return terms


def learnable(images: Images, labels: npt.NDArray[np.bool_], vocabulary: Vocabulary) -> None:
    """Demand that labels tell the views from each other.

    Args:
        images: N images.
        labels: (N, V) bool.
        vocabulary: of the V views.

    Raises:
        InputError: no image shows some view, or every image that shows one of two shows the other.
    """
    names = vocabulary.names
    for view, shown in zip(names, labels.T, strict=True):
        if not shown.any():
            seen = Counter(images.frame["viewpoint"].astype(str))
            raise InputError(
                f"{images.source}: no image shows the view '{view}' (viewpoints there: "
                f"{', '.join(sorted(seen))}); leave it out by --set 'views=[...]', or label images "
                "that show it"
            )
    if len(names) == 1:
        raise InputError(
            f"{images.source}: one view alone ('{names[0]}') is the foreground itself; SPAN needs "
            "at least two"
        )
    for one, other in combinations(range(len(names)), 2):
        if (labels[:, one] == labels[:, other]).all():
            raise InputError(
                f"{images.source}: every image that shows '{names[one]}' shows '{names[other]}', "
                "too, so nothing tells them apart; label images that show one of them alone"
            )


class Labelled(NamedTuple):
    """Images whose views are known.

    Attributes:
        images: those with a viewpoint, N.
        labels: (N, V) bool, the views that each shows.
        vocabulary: of the V views.
        notes: one line for whatever was left out.
    """

    images: Images
    labels: npt.NDArray[np.bool_]
    vocabulary: Vocabulary
    notes: list[str]


def labelled(images: Images, settings: SpanSettings) -> Labelled:
    """Return the images that SPAN can learn from, if they teach it to tell views apart.

    Where some views of the vocabulary are chosen, images that show another one, too, are left out:
    their vehicle is more than the views that equation (1) would divide it into.

    Raises:
        InputError: viewpoints are missing or wrong or tell views not apart; see `learnable`.
    """
    every = load_vocabulary(settings.vocabulary)
    vocabulary = every.only(settings.views or every.names)
    for view in vocabulary.names:
        partner = every[view].partner
        if settings.flip and partner is not None and partner not in vocabulary.names:
            raise InputError(
                f"views: '{view}' is '{partner}' in a mirrored image; use both, or set flip=0"
            )
    notes = []
    known = images.frame.get("viewpoint")
    if known is not None and known.notna().any() and known.isna().any():
        notes.append(f"{int(known.isna().sum())} of {len(images)} images have no viewpoint")
        images = images.where(known.notna())
    shown = visible_views(images, every)
    chosen = [every.index(view) for view in vocabulary.names]
    other = np.asarray(np.delete(shown, chosen, axis=1).any(axis=1))
    if other.any():
        rest = ", ".join(view for view in every.names if view not in vocabulary.names)
        notes.append(
            f"{int(other.sum())} of {len(images)} images show a view that is not learned ({rest}), "
            "and are left out"
        )
        if other.all():
            raise InputError(f"{images.source}: {notes[-1]}; choose other views, or leave views=")
        images, shown = images.where(~other), shown[~other]
    labels = shown[:, chosen]
    learnable(images, labels, vocabulary)
    return Labelled(images, labels, vocabulary, notes)


def train_span(
    images: Images,
    foreground: Masks,
    out: Path,
    settings: SpanSettings | None = None,
    *,
    redo: bool = False,
    device: str = "auto",
    workers: int = 2,
    progress: bool = True,
) -> tuple[MaskFinder, tuple[str, ...]]:
    """Train SPAN, or return it where it is trained.

    Args:
        images: to learn from; those with a viewpoint are taken.
        foreground: their foregrounds, of any resolution.
        out: its folder.
        settings: the numbers.
        redo: replace a network of other settings, labels or images.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images.
        progress: whether to show bars.

    Returns:
        the network, and one line for whatever was left out.

    Raises:
        InputError: viewpoints are missing or wrong or tell views not apart, an image file is
            missing, none can be read, or ``out`` holds something else.
    """
    settings = settings or SpanSettings()
    target = pick_device(device)
    images, labels, vocabulary, notes = labelled(images, settings)
    work = {
        "settings": digest_text(settings.model_dump_json()),
        "start weights": digest_weights(settings.weights),
        "vocabulary": digest_text(str(vocabulary.record())),
        "images": digest_rows(images.frame[["image", "viewpoint"]]),
        "foreground": digest_rows(
            foreground.frame[foreground.frame["image"].isin(images.frame["image"])]
        ),
    }
    require_same(out, work, redo)
    if (out / MODEL).is_file():
        return MaskFinder.load(out), tuple(notes)
    cells = settings.size // settings.cell
    images, labels, whole, lines = _with_foreground(images, labels, foreground, cells)
    # Foregrounds may have been found long ago.
    rows, unreadable = readable(images, progress)
    images, labels, whole = images.where(rows), labels[rows], whole[rows]
    learnable(images, labels, vocabulary)
    notes += [*lines, *unreadable]
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    network = MaskNetwork(settings.backbone, settings.weights, len(vocabulary.names), settings.cell)
    begin(out, work, notes)
    partners = torch.tensor(vocabulary.mirrored)
    shown = torch.from_numpy(labels)
    learn(
        network,
        MaskCriterion(vocabulary.names, vocabulary.apart, settings),
        Samples(images.paths, whole, shown, partners, settings),
        np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1),
        settings,
        out,
        target=target,
        workers=workers,
        progress=progress,
    )
    MaskFinder(network, "views", vocabulary.names, settings, vocabulary).save(out)
    return MaskFinder.load(out), tuple(notes)


def _with_foreground(
    images: Images, labels: npt.NDArray[np.bool_], foreground: Masks, cells: int
) -> tuple[Images, npt.NDArray[np.bool_], npt.NDArray[np.uint8], list[str]]:
    """Return the images that show a vehicle, their labels and foregrounds, and what is left out."""
    there = images.frame["image"].isin(foreground.frame["image"]).to_numpy()
    notes = [f"{path}: has no foreground mask; left out" for path in _some(images, ~there)]
    masks = torch.from_numpy(foreground.of(images, FOREGROUND)[there])
    images, labels = images.where(there), labels[there]
    whole = torch.cat(
        [
            F.interpolate(some.float(), (cells, cells), mode="area").round().to(torch.uint8)[:, 0]
            for some in torch.split(masks, _SOME)
        ]
    ).numpy()
    shares = (whole >= _HALF).mean((1, 2))
    clear = (shares >= LEAST) & (shares <= MOST)
    notes += [
        f"{path}: its foreground is {share:.0%} of the image; left out"
        for path, share in zip(_some(images, ~clear), shares[~clear], strict=True)
    ]
    if not clear.any():
        raise InputError(
            f"{foreground.source}: of no image is the foreground more than {LEAST:.0%} and less "
            f"than {MOST:.0%}; look at its samples.png, and train it on images cropped to vehicles"
        )
    return images.where(clear), labels[clear], whole[clear], notes


def _some(images: Images, rows: npt.NDArray[np.bool_]) -> list[Path]:
    return [path for path, wanted in zip(images.paths, rows, strict=True) if wanted]
