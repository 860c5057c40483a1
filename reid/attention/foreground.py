"""Learning where vehicles are, from what GrabCut proposes: no label is needed.

SPAN, section 3.1: foreground masks come from a "deep segmentation network trained with the
preliminary results by GrabCut as the target". Where GrabCut errs it errs in many ways, and the
network learns what its results have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F

from annotations.errors import InputError
from annotations.images import Images
from annotations.pixels import ImageError
from annotations.reading import in_batches
from reid.attention.finder import FOREGROUND, MODEL, MaskFinder
from reid.attention.grabcut import propose_foreground
from reid.attention.learning import Batch, Samples, learn
from reid.attention.network import MaskNetwork
from reid.attention.settings import ForegroundSettings
from reid.data.dataset import read_input
from reid.device import pick_device
from reid.training.work import (
    begin,
    digest_rows,
    digest_text,
    digest_weights,
    require_same,
)


@dataclass(frozen=True)
class Proposals:
    """What GrabCut proposes on some images.

    Attributes:
        images: the N images whose foreground stood out.
        masks: (N, h, w) uint8, 255 where a cell is wholly of the foreground.
        problems: one line for each image without one.
    """

    images: Images
    masks: npt.NDArray[np.uint8]
    problems: tuple[str, ...]


def propose(images: Images, settings: ForegroundSettings, progress: bool = True) -> Proposals:
    """Propose the foreground of as many images as the settings say, drawn at random.

    Raises:
        InputError: no image has a foreground that stands out.
    """
    random = np.random.default_rng(settings.seed)
    drawn = np.zeros(len(images), dtype=bool)
    drawn[random.permutation(len(images))[: settings.proposals]] = True
    images = images.where(drawn)
    size, cells = settings.size, settings.size // settings.cell

    def cut(path: Path) -> npt.NDArray[np.uint8] | str:
        try:
            pixels = read_input(path, (size, size)).permute(1, 2, 0).numpy()
        except ImageError as error:
            return str(error)
        found = propose_foreground(pixels, settings.margin, settings.iterations)
        if not settings.least <= (share := float(found.mean())) <= settings.most:
            return f"{path}: no foreground stands out ({share:.0%} of the image); not learned from"
        grid = found.reshape(cells, settings.cell, cells, settings.cell)
        whole: npt.NDArray[np.uint8] = (grid.mean((1, 3)) * 255).round().astype(np.uint8)
        return whole

    batches = in_batches(cut, images.paths, 16)
    steps = range(0, len(images), 16)
    found = [
        item
        for _, batch in zip(
            track(steps, "proposing foregrounds", transient=True, disable=not progress),
            batches,
            strict=True,
        )
        for item in batch
    ]
    good = [item for item in found if not isinstance(item, str)]
    problems = tuple(item for item in found if isinstance(item, str))
    if not good:
        raise InputError(
            f"{images.source}: no foreground stands out on any of {len(images)} images; the first: "
            f"{problems[0]}: crop images to their vehicles ('partreid crop'), or set least and most"
        )
    kept = np.array([not isinstance(item, str) for item in found])
    return Proposals(images.where(kept), np.stack(good), problems)


def train_foreground(
    images: Images,
    out: Path,
    settings: ForegroundSettings | None = None,
    *,
    redo: bool = False,
    device: str = "auto",
    workers: int = 2,
    progress: bool = True,
) -> MaskFinder:
    """Train the network, or return it where it is trained.

    Args:
        images: to learn from.
        out: its folder; ``problems.txt`` says which images had no foreground.
        settings: the numbers.
        redo: replace a network of other settings or images.
        device: ``auto``, ``cpu``, ``cuda``.
        workers: processes that read images.
        progress: whether to show bars.

    Raises:
        InputError: ``out`` holds something else, or no image has a foreground.
    """
    settings = settings or ForegroundSettings()
    target = pick_device(device)
    work = {
        "settings": digest_text(settings.model_dump_json()),
        "start weights": digest_weights(settings.weights),
        "images": digest_rows(images.frame[["image"]]),
    }
    require_same(out, work, redo)
    if (out / MODEL).is_file():
        return MaskFinder.load(out)
    images.require_files()
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    network = MaskNetwork(settings.backbone, settings.weights, 1, settings.cell)
    proposals = propose(images, settings, progress)
    begin(out, work, proposals.problems)
    count = len(proposals.masks)
    samples = Samples(
        proposals.images.paths, proposals.masks, torch.zeros(count, 1).bool(), None, settings
    )
    learn(
        network, _losses, samples, np.zeros(count, dtype=np.int64), settings, out,
        target=target, workers=workers, progress=progress,
    )  # fmt: skip
    MaskFinder(network, "foreground", FOREGROUND, settings).save(out)
    return MaskFinder.load(out)


def _losses(odds: Tensor, batch: Batch) -> dict[str, Tensor]:
    target = batch.foreground[:, None].float() / 255
    return {"foreground": F.binary_cross_entropy_with_logits(odds, target)}
